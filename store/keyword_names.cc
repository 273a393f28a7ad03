// Keyword names of a mailbox; see keyword_names.h.
#include "store/keyword_names.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

// flag-keyword = atom (RFC 9051 §9): no controls, spaces, parentheses, braces, wildcards, quotes, backslash or brackets
bool is_keyword(std::string_view name) {
  return !name.empty() && name.size() <= kMaxKeywordLength && std::ranges::all_of(name, [](char c) {
    return c > ' ' && c < 127 && std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
  });
}

}  // namespace

Result<KeywordNames> KeywordNames::load(const Snapshot& snapshot, MailboxId mailbox) {
  KeywordNames keywords;
  keywords.names_ = POSTHUS_TRY(get_keywords(snapshot, mailbox));
  return keywords;
}

std::optional<std::uint64_t> KeywordNames::find(std::string_view name) const {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (ascii::equal_ignoring_case(names_[i], name)) return std::uint64_t{1} << i;
  }
  return std::nullopt;
}

Result<std::uint64_t> KeywordNames::find_or_add(std::string_view name) {
  if (const auto bit = find(name)) return *bit;
  if (!is_keyword(name)) return fail(ErrorKind::kInvalid, "keyword");
  if (names_.size() == kMaxKeywordsPerMailbox) return fail(ErrorKind::kTooLarge, "more than 64 keywords in a mailbox");
  names_.emplace_back(name);
  is_changed_ = true;
  return std::uint64_t{1} << (names_.size() - 1);
}

Result<> KeywordNames::store(WriteTransaction& transaction, MailboxId mailbox) const {
  return is_changed_ ? put_keywords(transaction, mailbox, names_) : Result<>{};
}

}  // namespace posthus::store
