// search-program (RFC 9051 §6.4.4; NEW, OLD and RECENT of RFC 3501 §6.4.4): the tree of search keys. Evaluating it is the
// business of message_matcher.h. Thread rule: none, values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "imap/scanner.h"
#include "imap/sequence_set.h"

namespace posthus::imap {

enum class SearchKeyKind : std::uint8_t {
  // In the order of what they cost: the record, the summary, the text of the message.
  kAll,
  kSequence,    // set
  kUid,         // set
  kFlagsSet,    // flags
  kFlagsUnset,  // flags
  kKeyword,     // text
  kUnkeyword,   // text
  kRecent,
  kOld,
  kNew,
  kLarger,   // number
  kSmaller,  // number
  kBefore,   // day
  kOn,
  kSince,
  kSentBefore,
  kSentOn,
  kSentSince,
  kHeader,  // field, text (folded); FROM, TO, CC, BCC, SUBJECT are headers too
  kBody,    // text (folded)
  kText,
  // Inner nodes; their cost is that of the dearest child.
  kAnd,
  kOr,
  kNot,
};

struct SearchKey {
  SearchKeyKind kind = SearchKeyKind::kAll;
  std::uint8_t flags = 0;
  std::uint64_t number = 0;
  std::int64_t day = 0;  // since 1970-01-01
  std::string field, text;
  SequenceSet set;
  std::vector<SearchKey> children;
  SearchKeyKind cost = SearchKeyKind::kAll;  // dearest kind in this subtree
};

/// RETURN options (RFC 9051 §6.4.4; RFC 4731, RFC 5182).
struct SearchReturn {
  bool is_given = false, min = false, max = false, all = false, count = false, save = false;
};

struct SearchProgram {
  SearchReturn options;
  bool has_unknown_charset = false;  // NO [BADCHARSET]
  SearchKey root;                    // kAnd; children sorted, cheapest first
};

/// "SEARCH" [search-return-opts] SP search-program, from behind the word SEARCH.
Result<SearchProgram> search_program(Scanner& scanner);

}  // namespace posthus::imap
