// MessageSource: one stored message as FETCH and SEARCH see it: record, summary, parts and ranges of its text, each read
// when first asked for. Lives within one snapshot. Thread rule: as its session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/mail/summary.h"
#include "imap/fetch_items.h"
#include "store/mailbox_reader.h"
#include "store/store.h"

namespace posthus::imap {

/// Where a section's bytes are: a range of the message, or made up; nothing (NIL) when the message has no such section.
struct SectionBytes {
  enum class Kind : std::uint8_t { kNone, kRange, kText };
  Kind kind = Kind::kNone;
  std::uint64_t offset = 0, length = 0;  // kRange
  std::string text;                      // kText
};

class MessageSource {
 public:
  /// All must outlive it.
  MessageSource(const store::Store& store, const store::Snapshot& snapshot, const store::MailboxReader& reader,
                const store::MessageRecord& record)
      : store_(store), snapshot_(snapshot), reader_(reader), record_(record) {}

  const store::MessageRecord& record() const { return record_; }
  Result<const mail::SummaryView*> summary();
  Result<const std::vector<mail::Part>*> parts();
  /// Exactly `length` bytes, appended; kCorrupt when there are fewer.
  Result<> read(std::uint64_t offset, std::uint64_t length, std::string& out) const;
  /// The message's header, at most kMaxHeaderRead of it.
  Result<std::string> header();

  Result<SectionBytes> section(const Section& section);
  /// The part a BINARY section names; nothing for the whole message. kNotFound when there is none.
  Result<std::optional<std::size_t>> binary_part(const Section& section);

 private:
  struct Extent {
    std::uint64_t header_begin, body_begin, body_end;
  };
  Result<std::optional<Extent>> message_extent(const Section& section);
  Result<SectionBytes> header_fields(const Section& section, const std::optional<Extent>& extent);

  const store::Store& store_;
  const store::Snapshot& snapshot_;
  const store::MailboxReader& reader_;
  const store::MessageRecord& record_;
  std::string summary_buffer_;
  std::optional<mail::SummaryView> summary_;
  std::optional<std::vector<mail::Part>> parts_;
};

}  // namespace posthus::imap
