// The page: a row of kMessages with up to kPageMessages message records of fixed width, ascending by uid, after the
// highest ModSeq of them. A flags scan reads 1.9 KB rows in order, STORE over 100 000 messages writes 2 100 rows, and
// "changed since" skips pages by their head. The key's uid is a lower bound of the page's uids: expunging the first
// message of a page does not move the page.
//
// Layout (big-endian): version u8 = 1, count u8, highest ModSeq u48, then count records of uid u32, flags u8,
// keywords u64, ModSeq u48, size u32, internal date u40, save date u40, blob u48. Dates are whole seconds + 2^39.
// Thread rule: values; a view dies with the bytes it was opened on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/engine.h"
#include "store/records.h"

namespace posthus::store {

inline constexpr std::size_t kPageHeader = 8;
inline constexpr std::size_t kPageRecord = 39;
inline constexpr std::size_t kPageMessages = 48;
static_assert(8 + kPageHeader + kPageMessages * kPageRecord <= kMaxKeyAndValue, "a full page is one row");

/// Largest values the widths hold; callers refuse what is greater.
inline constexpr std::uint64_t kMaxModSeqValue = (1ull << 48) - 1;
inline constexpr std::uint64_t kMaxBlobValue = (1ull << 48) - 1;

/// Reads a page in place. Errors of open: kCorrupt (length, version, uids not ascending or zero).
class MessagePageView {
 public:
  static Result<MessagePageView> open(std::string_view bytes);

  std::size_t size() const { return count_; }
  ModSeq highest_modseq() const;
  // REQUIRES for all below: index < size().
  Uid uid(std::size_t index) const;
  std::uint8_t flags(std::size_t index) const;
  std::uint64_t keywords(std::size_t index) const;
  ModSeq modseq(std::size_t index) const;
  std::uint32_t message_size(std::size_t index) const;
  BlobId blob(std::size_t index) const;
  MessageRecord record(std::size_t index) const;
  /// Index of the first record whose uid is not less than `uid`; size() when there is none.
  std::size_t lower_bound(Uid uid) const;

 private:
  explicit MessagePageView(std::string_view bytes) : bytes_(bytes), count_(static_cast<std::uint8_t>(bytes[1])) {}
  const char* at(std::size_t index) const { return bytes_.data() + kPageHeader + index * kPageRecord; }
  std::string_view bytes_;
  std::size_t count_ = 0;
};

/// Changes a page held in memory. Reuse one object for many pages: its buffer keeps its capacity.
class MessagePage {
 public:
  MessagePage() { clear(); }
  void clear();
  /// Errors: kCorrupt.
  Result<> load(std::string_view bytes);

  std::string_view bytes() const { return bytes_; }
  std::size_t size() const { return static_cast<std::uint8_t>(bytes_[1]); }
  bool is_full() const { return size() >= kPageMessages; }
  bool is_empty() const { return size() == 0; }
  MessagePageView view() const;

  /// REQUIRES: !is_full(), and record.uid is greater than every uid of the page.
  void append(const MessageRecord& record);
  /// Appends all records of `other`. REQUIRES: they fit and their uids are greater.
  void append_all(const MessagePage& other);
  /// Rewrites flags, keywords and ModSeq of one record; the page's highest ModSeq follows.
  void set_flags(std::size_t index, std::uint8_t flags, std::uint64_t keywords, ModSeq modseq);
  /// Keeps only records whose `keep[index]` is true, and works out the highest ModSeq anew.
  void retain(const bool (&keep)[kPageMessages]);

 private:
  void raise_highest(std::uint64_t modseq);
  std::string bytes_;
};

}  // namespace posthus::store
