// The page of message records; see message_page.h for the layout.
#include "store/message_page.h"

#include <algorithm>
#include <cstring>

#include "core/base/check.h"

namespace posthus::store {

namespace {

constexpr char kPageVersion = 1;
constexpr std::int64_t kDateBias = std::int64_t{1} << 39;  // RFC 3501 dates before 1970 are representable

// Offsets inside a record.
constexpr std::size_t kFlags = 4, kKeywords = 5, kModSeq = 13, kSize = 19, kInternalDate = 23, kSaveDate = 28, kBlob = 33;
constexpr std::size_t kHighest = 2;  // offset in the page

std::uint64_t load_number(const char* from, int width) {
  std::uint64_t value = 0;
  for (int i = 0; i < width; ++i) value = (value << 8) | static_cast<std::uint8_t>(from[i]);
  return value;
}

void store_number(char* to, std::uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i, value >>= 8) to[i] = static_cast<char>(value);
}

std::uint64_t to_stored(Timestamp date) {
  return static_cast<std::uint64_t>(std::clamp(date.seconds(), -kDateBias, kDateBias - 1) + kDateBias);
}

Timestamp from_stored(std::uint64_t stored) {
  // WHY clamp: 40 bits of seconds do not all fit a Timestamp of microseconds when the bytes are arbitrary.
  constexpr std::int64_t kLargest = INT64_MAX / 1'000'000;
  return Timestamp::from_seconds(std::clamp(static_cast<std::int64_t>(stored) - kDateBias, -kLargest, kLargest));
}

}  // namespace

Result<MessagePageView> MessagePageView::open(std::string_view bytes) {
  if (bytes.size() < kPageHeader || bytes[0] != kPageVersion) return fail(ErrorKind::kCorrupt, "message page header");
  const MessagePageView page(bytes);
  if (page.count_ > kPageMessages || bytes.size() != kPageHeader + page.count_ * kPageRecord) {
    return fail(ErrorKind::kCorrupt, "message page length");
  }
  std::uint32_t previous = 0;
  for (std::size_t i = 0; i < page.count_; ++i) {
    const std::uint32_t uid = page.uid(i).value;
    if (uid <= previous) return fail(ErrorKind::kCorrupt, "message page order");
    previous = uid;
  }
  return page;
}

ModSeq MessagePageView::highest_modseq() const { return ModSeq(load_number(bytes_.data() + kHighest, 6)); }
Uid MessagePageView::uid(std::size_t index) const { return Uid(static_cast<std::uint32_t>(load_number(at(index), 4))); }
std::uint8_t MessagePageView::flags(std::size_t index) const { return static_cast<std::uint8_t>(at(index)[kFlags]); }
std::uint64_t MessagePageView::keywords(std::size_t index) const { return load_number(at(index) + kKeywords, 8); }
ModSeq MessagePageView::modseq(std::size_t index) const { return ModSeq(load_number(at(index) + kModSeq, 6)); }
std::uint32_t MessagePageView::message_size(std::size_t index) const {
  return static_cast<std::uint32_t>(load_number(at(index) + kSize, 4));
}
BlobId MessagePageView::blob(std::size_t index) const { return BlobId(load_number(at(index) + kBlob, 6)); }

MessageRecord MessagePageView::record(std::size_t index) const {
  const char* from = at(index);
  MessageRecord record;
  record.uid = uid(index);
  record.flags = flags(index);
  record.keywords = keywords(index);
  record.modseq = modseq(index);
  record.size = message_size(index);
  record.internal_date = from_stored(load_number(from + kInternalDate, 5));
  record.save_date = from_stored(load_number(from + kSaveDate, 5));
  record.blob = blob(index);
  return record;
}

std::size_t MessagePageView::lower_bound(Uid wanted) const {
  std::size_t low = 0, high = count_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (uid(middle) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void MessagePage::clear() {
  bytes_.assign(kPageHeader, '\0');
  bytes_[0] = kPageVersion;
}

Result<> MessagePage::load(std::string_view bytes) {
  POSTHUS_TRY_VOID(MessagePageView::open(bytes));
  bytes_.assign(bytes);
  return {};
}

MessagePageView MessagePage::view() const {
  auto page = MessagePageView::open(bytes_);
  CHECK(page.has_value());
  return *page;
}

void MessagePage::raise_highest(std::uint64_t modseq) {
  if (modseq > load_number(bytes_.data() + kHighest, 6)) store_number(bytes_.data() + kHighest, modseq, 6);
}

void MessagePage::append(const MessageRecord& record) {
  CHECK(!is_full());
  CHECK(record.modseq.value <= kMaxModSeqValue && record.blob.value <= kMaxBlobValue);
  const std::size_t begin = bytes_.size();
  bytes_.resize(begin + kPageRecord);
  char* to = bytes_.data() + begin;
  store_number(to, record.uid.value, 4);
  to[kFlags] = static_cast<char>(record.flags);
  store_number(to + kKeywords, record.keywords, 8);
  store_number(to + kModSeq, record.modseq.value, 6);
  store_number(to + kSize, record.size, 4);
  store_number(to + kInternalDate, to_stored(record.internal_date), 5);
  store_number(to + kSaveDate, to_stored(record.save_date), 5);
  store_number(to + kBlob, record.blob.value, 6);
  bytes_[1] = static_cast<char>(size() + 1);
  raise_highest(record.modseq.value);
}

void MessagePage::append_all(const MessagePage& other) {
  CHECK(size() + other.size() <= kPageMessages);
  bytes_.append(other.bytes_, kPageHeader);
  bytes_[1] = static_cast<char>(size() + other.size());
  raise_highest(load_number(other.bytes_.data() + kHighest, 6));
}

void MessagePage::set_flags(std::size_t index, std::uint8_t flags, std::uint64_t keywords, ModSeq modseq) {
  CHECK(index < size());
  char* to = bytes_.data() + kPageHeader + index * kPageRecord;
  to[kFlags] = static_cast<char>(flags);
  store_number(to + kKeywords, keywords, 8);
  store_number(to + kModSeq, modseq.value, 6);
  raise_highest(modseq.value);
}

void MessagePage::retain(const bool (&keep)[kPageMessages]) {
  const std::size_t before = size();
  std::size_t kept = 0;
  std::uint64_t highest = 0;
  for (std::size_t i = 0; i < before; ++i) {
    if (!keep[i]) continue;
    char* to = bytes_.data() + kPageHeader + kept * kPageRecord;
    const char* from = bytes_.data() + kPageHeader + i * kPageRecord;
    if (to != from) std::memcpy(to, from, kPageRecord);
    highest = std::max(highest, load_number(to + kModSeq, 6));
    ++kept;
  }
  bytes_.resize(kPageHeader + kept * kPageRecord);
  bytes_[1] = static_cast<char>(kept);
  store_number(bytes_.data() + kHighest, highest, 6);
}

}  // namespace posthus::store
