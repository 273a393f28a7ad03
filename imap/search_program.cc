// search-program. See search_program.h.
#include "imap/search_program.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/mail/date_time.h"
#include "core/mail/encoded_word.h"
#include "imap/limits.h"
#include "store/records.h"

namespace posthus::imap {
namespace {

struct SimpleKey {
  std::string_view word;
  SearchKeyKind kind;
  std::uint8_t flags;
};
constexpr SimpleKey kSimpleKeys[] = {
    {"ALL", SearchKeyKind::kAll, 0},
    {"ANSWERED", SearchKeyKind::kFlagsSet, store::flag::kAnswered},
    {"DELETED", SearchKeyKind::kFlagsSet, store::flag::kDeleted},
    {"DRAFT", SearchKeyKind::kFlagsSet, store::flag::kDraft},
    {"FLAGGED", SearchKeyKind::kFlagsSet, store::flag::kFlagged},
    {"SEEN", SearchKeyKind::kFlagsSet, store::flag::kSeen},
    {"UNANSWERED", SearchKeyKind::kFlagsUnset, store::flag::kAnswered},
    {"UNDELETED", SearchKeyKind::kFlagsUnset, store::flag::kDeleted},
    {"UNDRAFT", SearchKeyKind::kFlagsUnset, store::flag::kDraft},
    {"UNFLAGGED", SearchKeyKind::kFlagsUnset, store::flag::kFlagged},
    {"UNSEEN", SearchKeyKind::kFlagsUnset, store::flag::kSeen},
    {"NEW", SearchKeyKind::kNew, 0},
    {"OLD", SearchKeyKind::kOld, 0},
    {"RECENT", SearchKeyKind::kRecent, 0},
};

struct DateKey {
  std::string_view word;
  SearchKeyKind kind;
};
constexpr DateKey kDateKeys[] = {{"BEFORE", SearchKeyKind::kBefore}, {"ON", SearchKeyKind::kOn},
                                 {"SINCE", SearchKeyKind::kSince},   {"SENTBEFORE", SearchKeyKind::kSentBefore},
                                 {"SENTON", SearchKeyKind::kSentOn}, {"SENTSINCE", SearchKeyKind::kSentSince}};
constexpr std::string_view kHeaderKeys[] = {"BCC", "CC", "FROM", "SUBJECT", "TO"};

class Parser {
 public:
  explicit Parser(Scanner& scanner) : scanner_(scanner) {}

  // search-key = "ALL" / … / "(" search-key *(SP search-key) ")"
  Result<SearchKey> search_key(int depth) {
    if (depth > kMaxSearchNesting) return syntax_error("Search keys nested too deeply");
    if (++keys_ > kMaxSearchKeys) return syntax_error("Too many search keys");
    if (scanner_.take('(')) return group(depth);
    const char next = scanner_.peek();
    if (ascii::is_digit(next) || next == '*' || next == '$') return set_key(SearchKeyKind::kSequence);
    const auto word = POSTHUS_TRY(scanner_.atom());
    const auto is = [word](std::string_view name) { return ascii::equal_ignoring_case(word, name); };
    for (const auto& simple : kSimpleKeys) {
      if (is(simple.word)) return leaf(simple.kind, simple.flags);
    }
    for (const auto& date : kDateKeys) {
      if (is(date.word)) return date_key(date.kind);
    }
    for (const auto& header : kHeaderKeys) {
      if (is(header)) return text_key(SearchKeyKind::kHeader, std::string(header));
    }
    if (is("HEADER")) {
      POSTHUS_TRY_VOID(scanner_.space());
      return text_key(SearchKeyKind::kHeader, POSTHUS_TRY(scanner_.astring()));
    }
    if (is("BODY")) return text_key(SearchKeyKind::kBody, {});
    if (is("TEXT")) return text_key(SearchKeyKind::kText, {});
    if (is("KEYWORD")) return keyword_key(SearchKeyKind::kKeyword);
    if (is("UNKEYWORD")) return keyword_key(SearchKeyKind::kUnkeyword);
    if (is("LARGER")) return number_key(SearchKeyKind::kLarger);
    if (is("SMALLER")) return number_key(SearchKeyKind::kSmaller);
    if (is("UID")) {
      POSTHUS_TRY_VOID(scanner_.space());
      return set_key(SearchKeyKind::kUid);
    }
    if (is("NOT")) return inner_key(SearchKeyKind::kNot, 1, depth);
    if (is("OR")) return inner_key(SearchKeyKind::kOr, 2, depth);
    return syntax_error("Unknown search key");
  }

  // search-key *(SP search-key), as one kAnd
  Result<SearchKey> conjunction(int depth) {
    SearchKey key;
    key.kind = SearchKeyKind::kAnd;
    do {
      // QUIRK(various): a space before the closing parenthesis or the line end.
      if (!key.children.empty() && (scanner_.at_end() || scanner_.peek() == ')')) break;
      key.children.push_back(POSTHUS_TRY(search_key(depth)));
    } while (scanner_.take(' '));
    finish(key);
    return key;
  }

 private:
  static SearchKey leaf(SearchKeyKind kind, std::uint8_t flags) {
    SearchKey key;
    key.kind = key.cost = kind;
    key.flags = flags;
    return key;
  }
  static void finish(SearchKey& key) {
    for (const auto& child : key.children) key.cost = std::max(key.cost, child.cost);
    std::sort(key.children.begin(), key.children.end(), [](const auto& a, const auto& b) { return a.cost < b.cost; });
  }

  Result<SearchKey> group(int depth) {
    auto key = POSTHUS_TRY(conjunction(depth + 1));
    POSTHUS_TRY_VOID(scanner_.expect(')'));
    return key;
  }
  Result<SearchKey> inner_key(SearchKeyKind kind, int count, int depth) {
    SearchKey key;
    key.kind = kind;
    for (int i = 0; i < count; ++i) {
      POSTHUS_TRY_VOID(scanner_.space());
      key.children.push_back(POSTHUS_TRY(search_key(depth + 1)));
    }
    finish(key);
    return key;
  }
  Result<SearchKey> set_key(SearchKeyKind kind) {
    SearchKey key = leaf(kind, 0);
    key.set = POSTHUS_TRY(sequence_set(scanner_));
    return key;
  }
  // date = date-text / DQUOTE date-text DQUOTE
  Result<SearchKey> date_key(SearchKeyKind kind) {
    POSTHUS_TRY_VOID(scanner_.space());
    const auto day = mail::parse_imap_date(POSTHUS_TRY(scanner_.astring()));
    if (!day) return syntax_error("Malformed date");
    SearchKey key = leaf(kind, 0);
    key.day = *day;
    return key;
  }
  Result<SearchKey> text_key(SearchKeyKind kind, std::string field) {
    POSTHUS_TRY_VOID(scanner_.space());
    SearchKey key = leaf(kind, 0);
    key.field = std::move(field);
    const auto text = POSTHUS_TRY(scanner_.astring());
    key.text = mail::fold_for_search(mail::is_valid_utf8(text) ? text : mail::to_utf8(text, "us-ascii"));
    return key;
  }
  Result<SearchKey> keyword_key(SearchKeyKind kind) {
    POSTHUS_TRY_VOID(scanner_.space());
    SearchKey key = leaf(kind, 0);
    key.text = POSTHUS_TRY(scanner_.atom());
    return key;
  }
  Result<SearchKey> number_key(SearchKeyKind kind) {
    POSTHUS_TRY_VOID(scanner_.space());
    SearchKey key = leaf(kind, 0);
    key.number = POSTHUS_TRY(scanner_.number64());
    return key;
  }

  Scanner& scanner_;
  std::size_t keys_ = 0;
};

// search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
Result<SearchReturn> search_return_opts(Scanner& scanner) {
  SearchReturn options;
  options.is_given = true;
  POSTHUS_TRY_VOID(scanner.space());
  POSTHUS_TRY_VOID(scanner.expect('('));
  while (scanner.peek() != ')') {
    if (scanner.take_word("MIN")) {
      options.min = true;
    } else if (scanner.take_word("MAX")) {
      options.max = true;
    } else if (scanner.take_word("ALL")) {
      options.all = true;
    } else if (scanner.take_word("COUNT")) {
      options.count = true;
    } else if (scanner.take_word("SAVE")) {
      options.save = true;
    } else {
      return syntax_error("Unknown search return option");
    }
    if (!scanner.take(' ')) break;
  }
  POSTHUS_TRY_VOID(scanner.expect(')'));
  if (!options.min && !options.max && !options.count && !options.save) options.all = true;
  return options;
}

}  // namespace

// search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
Result<SearchProgram> search_program(Scanner& scanner) {
  SearchProgram program;
  POSTHUS_TRY_VOID(scanner.space());
  if (scanner.take_word("RETURN")) {
    program.options = POSTHUS_TRY(search_return_opts(scanner));
    POSTHUS_TRY_VOID(scanner.space());
  }
  if (scanner.take_word("CHARSET")) {
    POSTHUS_TRY_VOID(scanner.space());
    const auto charset = POSTHUS_TRY(scanner.astring());
    program.has_unknown_charset =
        !ascii::equal_ignoring_case(charset, "UTF-8") && !ascii::equal_ignoring_case(charset, "US-ASCII");
    POSTHUS_TRY_VOID(scanner.space());
  }
  program.root = POSTHUS_TRY(Parser(scanner).conjunction(0));
  return program;
}

}  // namespace posthus::imap
