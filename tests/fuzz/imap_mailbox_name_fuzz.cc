// LINK: posthus_imap posthus_core_mail
// Mailbox names: modified UTF-7 is a bijection where it is accepted; pattern matching agrees with a plain recursion.
// Input: a name, a line feed, a pattern.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/mail/encoded_word.h"
#include "imap/limits.h"
#include "imap/mailbox_name.h"

using namespace posthus;
using namespace posthus::imap;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool plain_match(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*' || pattern[0] == '%') {
    if (plain_match(name, pattern.substr(1))) return true;
    return !name.empty() && (pattern[0] == '*' || name[0] != '/') && plain_match(name.substr(1), pattern);
  }
  return !name.empty() && name[0] == pattern[0] && plain_match(name.substr(1), pattern.substr(1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto split = text.find('\n');
  const auto name = text.substr(0, split);
  if (const auto utf8 = from_modified_utf7(name)) {
    require(mail::is_valid_utf8(*utf8));
    require(to_modified_utf7(*utf8) == name);
  }
  if (mail::is_valid_utf8(name)) require(from_modified_utf7(to_modified_utf7(name)) == std::string(name));
  to_modified_utf7(name);
  for (const auto form : {NameForm::kModifiedUtf7, NameForm::kUtf8}) {
    const auto inner = to_mailbox_name(name, form);
    if (!inner) continue;
    const std::string written = form == NameForm::kUtf8 ? *inner : to_modified_utf7(*inner);
    // Longer ones are far beyond what the store takes; in modified UTF-7 they may be too long for the wire.
    if (written.size() <= kMaxMailboxName) require(to_mailbox_name(written, form) == inner);
  }
  if (split == std::string_view::npos) return 0;
  const auto pattern = text.substr(split + 1);
  const bool matches = matches_pattern(name, pattern);
  const bool has_inbox = name.size() >= 5 && (name[0] == 'I' || name[0] == 'i');
  if (name.size() < 12 && pattern.size() < 8 && !has_inbox) require(matches == plain_match(name, pattern));
  return 0;
}
