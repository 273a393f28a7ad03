// Names of mailboxes; see mailbox_name.h.
#include "store/mailbox_name.h"

#include "core/base/ascii.h"

namespace posthus::store {

namespace {

/// Decodes one UTF-8 character (RFC 3629 §4: shortest form, no surrogates) and takes it off `text`; nothing when broken.
std::optional<char32_t> take_character(std::string_view& text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    text.remove_prefix(1);
    return lead;
  }
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return std::nullopt;
  char32_t value = lead & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    value = (value << 6) | (byte(i) & 0x3fu);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029; }

}  // namespace

std::string normalise_inbox(std::string_view name) {
  std::string stored(name);
  const std::string_view first = name.substr(0, name.find('/'));
  if (ascii::equal_ignoring_case(first, kInbox)) stored.replace(0, kInbox.size(), kInbox);
  return stored;
}

Result<std::string> checked_mailbox_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxMailboxName) return fail(ErrorKind::kInvalid, "mailbox name length");
  if (name.front() == '/' || name.back() == '/' || name.find("//") != std::string_view::npos) {
    return fail(ErrorKind::kInvalid, "mailbox name with an empty component");
  }
  for (std::string_view rest = name; !rest.empty();) {
    const auto character = take_character(rest);
    if (!character || is_control(*character)) return fail(ErrorKind::kInvalid, "mailbox name characters");
  }
  return normalise_inbox(name);
}

}  // namespace posthus::store
