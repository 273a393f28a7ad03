// DeadlineWheel: the deadlines of all connections of one io thread. Moving a deadline further away, which happens at
// every command, is one store: the entry stays where it is filed and is filed anew when its old slot comes round.
// Thread rule: one thread. Resolution: one tick.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "core/base/function_ref.h"

namespace posthus::net {

class DeadlineWheel {
 public:
  static constexpr std::int64_t kTickMilliseconds = 250;

  /// Part of whatever has a deadline. REQUIRES: clear() before it dies.
  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    friend class DeadlineWheel;
    static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
    Entry* previous_ = nullptr;
    Entry* next_ = nullptr;
    std::int64_t due_ = kNever;
    std::int64_t filed_tick_ = 0;
  };

  explicit DeadlineWheel(std::int64_t now_milliseconds);
  DeadlineWheel(const DeadlineWheel&) = delete;
  DeadlineWheel& operator=(const DeadlineWheel&) = delete;

  void set(Entry& entry, std::int64_t due_milliseconds);
  /// The deadline is off; the entry may stay filed.
  void pause(Entry& entry) { entry.due_ = Entry::kNever; }
  /// Takes the entry out.
  void clear(Entry& entry);
  bool empty() const { return count_ == 0; }

  /// Calls `due` for each entry whose deadline is not after `now_milliseconds`, which is taken out first.
  void expire(std::int64_t now_milliseconds, FunctionRef<void(Entry&)> due);

 private:
  static constexpr std::int64_t kSlots = 512;  // 128 s; later deadlines are filed in the last slot, again and again

  void file(Entry& entry);
  void unlink(Entry& entry);
  void expire_slot(Entry& head, std::int64_t now_milliseconds, FunctionRef<void(Entry&)> due);

  std::array<Entry, kSlots> slots_;  // heads of rings
  std::int64_t current_tick_;
  std::uint64_t count_ = 0;
};

}  // namespace posthus::net
