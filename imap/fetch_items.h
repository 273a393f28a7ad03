// fetch-att (RFC 9051 §6.4.5, §9; RFC822, RFC822.HEADER and RFC822.TEXT of RFC 3501 §6.4.5): what FETCH asks for.
// Thread rule: none, values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "imap/scanner.h"

namespace posthus::imap {

enum class FetchKind : std::uint8_t {
  kFlags,
  kUid,
  kInternalDate,
  kSize,
  kEnvelope,
  kBody,
  kBodyStructure,
  kSection,  // BODY[…], BODY.PEEK[…], RFC822, RFC822.HEADER, RFC822.TEXT
  kBinary,   // BINARY[…], BINARY.PEEK[…]
  kBinarySize,
};

enum class SectionText : std::uint8_t { kAll, kHeader, kHeaderFields, kHeaderFieldsNot, kText, kMime };

struct Section {
  std::vector<std::uint32_t> path;  // part numbers; empty: the message
  SectionText text = SectionText::kAll;
  std::vector<std::string> names;  // of kHeaderFields and kHeaderFieldsNot
};

struct Partial {
  std::uint64_t offset = 0, length = 0;
};

struct FetchItem {
  FetchKind kind = FetchKind::kFlags;
  bool sets_seen = false;  // BODY[…], BINARY[…], RFC822 and RFC822.TEXT
  Section section;
  std::optional<Partial> partial;
  std::string label;  // how the response names it, e.g. "BODY[1.MIME]<0>"
};

/// The second argument of FETCH: a macro, one item or a list. UID FETCH adds the UID item itself.
Result<std::vector<FetchItem>> fetch_items(Scanner& scanner);

/// Does some item need more than the message record?
bool needs_summary(const std::vector<FetchItem>& items);
/// Does some item perhaps read the message text?
bool may_read_text(const std::vector<FetchItem>& items);

}  // namespace posthus::imap
