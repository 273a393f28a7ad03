// ENVELOPE (RFC 9051 §7.5.2, RFC 3501 §7.4.2): ten members out of one pass over the header fields.
// Thread rule: pure functions. Known limit: 8-bit text is sent as it stands, in a literal.
#include "core/mail/envelope.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

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

/// The members whose names are of that length: two at most, and "in-reply-to" is the longest.
constexpr auto kByLength = [] {
  std::array<std::array<Member, 2>, std::string_view("in-reply-to").size() + 1> members;
  for (auto& some : members) some = {kMemberCount, kMemberCount};
  for (std::size_t i = 0; i < kMemberCount; ++i) {
    auto& some = members[kNames[i].size()];
    some[some[0] == kMemberCount ? 0 : 1] = static_cast<Member>(i);
  }
  return members;
}();

/// Do they say the same? `lower` has small letters and hyphens only, `name` printable bytes (a field's name), as many.
bool is_name(std::string_view lower, std::string_view name) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < name.size(); ++i) difference |= static_cast<unsigned>((name[i] | 0x20) ^ lower[i]);
  return difference == 0;
}

std::optional<Member> member_of(std::string_view name) {
  if (name.size() >= kByLength.size()) return std::nullopt;
  for (const Member member : kByLength[name.size()]) {
    if (member != kMemberCount && is_name(kNames[member], name)) return member;
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

/// What the fields of a header say: the first of each kind, and what further To, Cc and Bcc fields there are.
struct Values {
  std::array<std::optional<std::string_view>, kMemberCount> first;
  std::vector<std::pair<Member, std::string_view>> more;
};

Values values_of(std::string_view header) {
  Values values;
  for_each_field(header, [&](const HeaderField& field) {
    const std::optional<Member> member = member_of(field.name);
    if (!member) return true;
    std::optional<std::string_view>& first = values.first[*member];
    if (!first) {
      first = field.value;
    } else if (*member == kTo || *member == kCc || *member == kBcc) {
      values.more.emplace_back(*member, field.value);
    }
    return true;
  });
  return values;
}

// env-from = "(" 1*address ")" / nil
/// Nothing when the fields name nobody.
void append_addresses(std::string& out, const Values& values, Member member) {
  const std::size_t begin = out.size();
  const auto append = [&](std::string_view value) {
    const std::size_t begin_of_field = out.size();
    for_each_listed_address(value, [&](const ListedAddress& address) {
      if (out.size() - begin_of_field > kMaxMemberText && address.kind != ListedKind::kGroupEnd) return;
      if (out.size() == begin) out.push_back('(');
      append_address(out, address);
    });
  };
  if (values.first[member]) append(*values.first[member]);
  for (const auto& [of, value] : values.more) {
    if (of == member) append(value);
  }
  if (out.size() != begin) out.push_back(')');
}

void append_text(std::string& out, std::string_view value) {
  value = ascii::trim(value);
  if (value.find('\n') == std::string_view::npos) return append_imap_string(out, value);
  append_imap_string(out, unfold_to_spaces(value));
}

bool is_address(Member member) { return member >= kFrom && member <= kBcc; }

}  // namespace

// envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
//            env-in-reply-to SP env-message-id ")"
void append_envelope(std::string& out, std::string_view header) {
  const Values values = values_of(header);
  std::size_t from_begin = 0, from_size = 0;
  for (std::size_t i = 0; i < kMemberCount; ++i) {
    out.push_back(i == 0 ? '(' : ' ');
    const auto member = static_cast<Member>(i);
    const std::size_t begin = out.size();
    if (is_address(member)) {
      append_addresses(out, values, member);
      if (out.size() == begin && (member == kSender || member == kReplyTo)) out.append(out, from_begin, from_size);
    } else if (values.first[member]) {
      append_text(out, *values.first[member]);
    }
    if (out.size() == begin) out.append("NIL");
    if (member == kFrom) {
      from_begin = begin;
      from_size = out.size() - begin;
    }
  }
  out.push_back(')');
}

std::string make_envelope(std::string_view header) {
  std::string out;
  out.reserve(512);
  append_envelope(out, header);
  return out;
}

}  // namespace posthus::mail
