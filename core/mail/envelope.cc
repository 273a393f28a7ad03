// ENVELOPE (RFC 9051 §7.5.2, RFC 3501 §7.4.2): ten members out of one pass over the header fields.
// Thread rule: pure functions. Known limit: 8-bit text is sent as it stands, in a literal.
#include "core/mail/envelope.h"

#include <array>
#include <optional>

#include "core/base/ascii.h"
#include "core/mail/address_list.h"
#include "core/mail/header.h"
#include "core/mail/imap_string.h"
#include "core/mail/summary.h"

namespace posthus::mail {
namespace {

enum Member : std::size_t { kDate, kSubject, kFrom, kSender, kReplyTo, kTo, kCc, kBcc, kInReplyTo, kMessageId, kMemberCount };

constexpr std::array<std::string_view, kMemberCount> kNames = {"date", "subject", "from", "sender",      "reply-to",
                                                               "to",   "cc",      "bcc",  "in-reply-to", "message-id"};

// WHY: "a,a,a," grows tenfold; a list of a thousand recipients is about 60 KiB.
constexpr std::size_t kMaxMemberText = 256 * 1024;

std::optional<Member> member_of(std::string_view name) {
  if (name.size() < 2 || name.size() > 11) return std::nullopt;
  for (std::size_t i = 0; i < kMemberCount; ++i) {
    if (ascii::equal_ignoring_case(kNames[i], name)) return static_cast<Member>(i);
  }
  return std::nullopt;
}

// address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
void append_address(std::string& out, const ListedAddress& address) {
  switch (address.kind) {
    case ListedKind::kGroupStart:
      out += "(NIL NIL ";
      append_imap_string(out, address.name);
      out += " NIL)";
      return;
    case ListedKind::kGroupEnd: out += "(NIL NIL NIL NIL)"; return;
    case ListedKind::kMailbox:
      out += '(';
      append_imap_nstring(out, address.name);
      out += ' ';
      append_imap_nstring(out, address.route);
      out += ' ';
      append_imap_string(out, address.mailbox);  // WHY never NIL: that would read as the end or the start of a group
      out += ' ';
      append_imap_string(out, address.host);
      out += ')';
      return;
  }
}

// env-from = "(" 1*address ")" / nil
std::string address_member(std::string_view value) {
  std::string out;
  for_each_listed_address(value, [&](const ListedAddress& address) {
    if (out.size() > kMaxMemberText && address.kind != ListedKind::kGroupEnd) return;
    if (out.empty()) out.push_back('(');
    append_address(out, address);
  });
  if (out.empty()) return out;
  out.push_back(')');
  return out;
}

}  // namespace

// envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
//            env-in-reply-to SP env-message-id ")"
std::string make_envelope(std::string_view header) {
  std::array<std::optional<std::string_view>, kMemberCount> values;
  std::array<std::string, kMemberCount> addresses;
  for_each_field(header, [&](const HeaderField& field) {
    const std::optional<Member> member = member_of(field.name);
    if (!member) return true;
    const bool is_destination = *member == kTo || *member == kCc || *member == kBcc;
    if (values[*member] && !is_destination) return true;
    values[*member] = field.value;
    if (*member < kFrom || *member > kBcc) return true;
    std::string list = address_member(field.value);
    std::string& joined = addresses[*member];
    if (joined.empty()) {
      joined = std::move(list);
    } else if (!list.empty()) {
      joined.pop_back();
      joined.append(list, 1);
    }
    return true;
  });
  std::string out;
  out.reserve(512);
  for (std::size_t i = 0; i < kMemberCount; ++i) {
    out.push_back(i == 0 ? '(' : ' ');
    const auto member = static_cast<Member>(i);
    const bool is_address = member >= kFrom && member <= kBcc;
    if (is_address) {
      const bool defaults_to_from = (member == kSender || member == kReplyTo) && addresses[member].empty();
      const std::string& list = addresses[defaults_to_from ? kFrom : member];
      out.append(list.empty() ? std::string_view("NIL") : std::string_view(list));
    } else if (values[member]) {
      append_imap_string(out, unfold_to_spaces(*values[member]));
    } else {
      out.append("NIL");
    }
  }
  out.push_back(')');
  return out;
}

}  // namespace posthus::mail
