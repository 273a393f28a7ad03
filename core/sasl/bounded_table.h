// BoundedTable: a map from keyed 64-bit hashes to small values that forgets the least recently touched entry when it is
// full. For what strangers make us remember. Thread rule: none of its own.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

namespace posthus::sasl {

/// REQUIRES: keys come from a keyed hash, so that nobody outside can aim at one bucket.
template <class Value>
class BoundedTable {
 public:
  explicit BoundedTable(std::size_t limit) : limit_(limit) {}

  Value* find(std::uint64_t key) {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->second;
  }
  /// The value of `key`, made when missing, and now the most recent. The reference lives until the next touch.
  Value& touch(std::uint64_t key) {
    const auto found = index_.find(key);
    if (found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->second;
    }
    if (index_.size() >= limit_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, Value{});
    index_.emplace(key, entries_.begin());
    return entries_.front().second;
  }
  void erase(std::uint64_t key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    entries_.erase(found->second);
    index_.erase(found);
  }
  /// Erases all entries whose value satisfies the predicate; linear.
  template <class Predicate>
  void erase_if(Predicate is_doomed) {
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      if (!is_doomed(entry->second)) {
        ++entry;
        continue;
      }
      index_.erase(entry->first);
      entry = entries_.erase(entry);
    }
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [key, value] : entries_) visit(key, value);
  }
  std::size_t size() const { return index_.size(); }

 private:
  using Entries = std::list<std::pair<std::uint64_t, Value>>;
  std::size_t limit_;
  Entries entries_;
  std::unordered_map<std::uint64_t, typename Entries::iterator> index_;
};

}  // namespace posthus::sasl
