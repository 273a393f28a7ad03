// Mailboxes, domains and domain literals (RFC 5321 §4.1.2, §4.1.3, RFC 6531 §3.3), IDNA2008 through libidn2 (RFC 5891),
// NFC and case folding through libunistring. ASCII takes a path of its own without library calls.
// Thread rule: pure functions. Known limit: registered tags of general literals other than IPv6 are not checked.
#include "core/mail/address.h"

#include <idn2.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "core/base/ascii.h"
#include "core/base/ip_address.h"
#include "core/mail/forward_address.h"

namespace posthus::mail {
namespace {

constexpr std::size_t kMaxLabel = 63;      // RFC 1035 §2.3.4
constexpr std::size_t kMaxMailbox = 1024;  // local part with every byte quoted, and a domain: nothing longer can be valid

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

bool is_utf8(std::string_view text) {
  return u8_check(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()) == nullptr;
}

bool is_letter_or_digit(char c) { return ascii::is_alpha(c) || ascii::is_digit(c); }

// atext = ALPHA / DIGIT / "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "/" / "=" / "?" / "^" / "_" / "`" / "{" /
//         "|" / "}" / "~" ; RFC 6531 §3.3 adds UTF8-non-ascii
bool is_atext(char c) {
  return is_letter_or_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

// Dot-string = Atom *("." Atom)
bool is_dot_string(std::string_view text) {
  bool after_dot = true;
  for (const char c : text) {
    if (c == '.' ? after_dot : !is_atext(c)) return false;
    after_dot = c == '.';
  }
  return !after_dot;
}

// Quoted-string = DQUOTE *QcontentSMTP DQUOTE ; qtextSMTP = %d32-33 / %d35-91 / %d93-126
// quoted-pairSMTP = %d92 %d32-126
/// Reads the quoted string `text` begins with into `value`; returns its length, or 0 when there is none.
std::size_t quoted_string(std::string_view text, std::string& value) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') return i + 1;
    if (c == '\\') {
      if (++i == text.size()) return 0;
      c = text[i];
      if (static_cast<unsigned char>(c) >= 0x80) return 0;
    }
    if (static_cast<unsigned char>(c) < ' ' || c == 127) return 0;
    value.push_back(c);
  }
  return 0;
}

// Domain = sub-domain *("." sub-domain) ; sub-domain = Let-dig [Ldh-str]
bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > kMaxDomain) return false;
  while (true) {
    const std::string_view label = text.substr(0, text.find('.'));
    if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-') return false;
    if (!std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; })) return false;
    if (label.size() == text.size()) return true;
    text.remove_prefix(label.size() + 1);
  }
}

/// The A-label form of a domain with U-labels; empty when IDNA2008 does not allow it.
std::string to_a_labels(const std::string& domain) {
  std::uint8_t* result = nullptr;
  const int status =
      idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(domain.c_str()), &result, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<std::uint8_t, FreeMemory> owner(result);
  if (status != IDN2_OK) return {};
  return ascii::to_lower(reinterpret_cast<const char*>(result));
}

// General-address-literal = Standardized-tag ":" 1*dcontent ; dcontent = %d33-90 / %d94-126
bool is_general_address_literal(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  const std::string_view tag = text.substr(0, colon);
  if (!is_letter_or_digit(tag.back())) return false;
  if (!std::ranges::all_of(tag, [](char c) { return is_letter_or_digit(c) || c == '-'; })) return false;
  return std::ranges::all_of(text.substr(colon + 1), [](char c) { return c >= 33 && c <= 126 && (c <= 90 || c >= 94); });
}

// address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"
/// The literal in one spelling per address; nothing when it is not one.
std::optional<std::string> address_literal(std::string_view text) {
  if (text.size() < 3 || text.size() > kMaxDomain || !text.starts_with('[') || !text.ends_with(']')) return std::nullopt;
  const std::string_view inner = text.substr(1, text.size() - 2);
  constexpr std::string_view kIpv6Tag = "IPv6:";
  const bool is_ipv6 = ascii::equal_ignoring_case(inner.substr(0, kIpv6Tag.size()), kIpv6Tag);
  if (!is_ipv6 && inner.find(':') != std::string_view::npos) {
    // WHY: "[2001:db8::1]" fits the rule with "2001" for a tag, but is an IPv6 address that lacks its own.
    const bool is_general = is_general_address_literal(inner) && !parse_ip_address(inner);
    return is_general ? std::optional<std::string>(text) : std::nullopt;
  }
  const std::string_view number = is_ipv6 ? inner.substr(kIpv6Tag.size()) : inner;
  if (is_ipv6 != (number.find(':') != std::string_view::npos)) return std::nullopt;
  const std::optional<IpAddress> ip = parse_ip_address(number);
  if (!ip) return std::nullopt;
  return "[" + to_address_literal(*ip) + "]";
}

/// Case-folded and in NFC; bytes that are not UTF-8 stay as they are.
std::string fold_local_part(const std::string& local_part) {
  if (!ascii::has_high_bit(local_part)) return ascii::to_lower(local_part);
  std::size_t length = 0;
  const std::unique_ptr<std::uint8_t, FreeMemory> folded(u8_casefold(reinterpret_cast<const std::uint8_t*>(local_part.data()),
                                                                     local_part.size(), nullptr, UNINORM_NFC, nullptr, &length));
  if (!folded) return local_part;
  return {reinterpret_cast<const char*>(folded.get()), length};
}

}  // namespace

// Mailbox = Local-part "@" ( Domain / address-literal ) ; Local-part = Dot-string / Quoted-string
Result<Address> parse_mailbox(std::string_view text, Utf8 utf8) {
  if (text.empty() || text.size() > kMaxMailbox) return fail(ErrorKind::kInvalid, "address length");
  if (ascii::has_high_bit(text) && (utf8 == Utf8::kRefuse || !is_utf8(text)))
    return fail(ErrorKind::kInvalid, "address is not ASCII");
  Address address;
  std::size_t at = 0;
  if (text.front() == '"') {
    at = quoted_string(text, address.local_part);
    if (at == 0) return fail(ErrorKind::kInvalid, "quoted local part");
  } else {
    at = std::min(text.find('@'), text.size());
    if (!is_dot_string(text.substr(0, at))) return fail(ErrorKind::kInvalid, "local part");
    address.local_part = text.substr(0, at);
  }
  if (at >= text.size() || text[at] != '@') return fail(ErrorKind::kInvalid, "address without domain");
  const std::size_t limit = is_forward_address(address.local_part) ? kMaxForwardLocalPart : kMaxLocalPart;
  if (address.local_part.size() > limit) return fail(ErrorKind::kInvalid, "local part too long");
  const std::string_view domain = text.substr(at + 1);
  if (domain.starts_with('[')) {
    std::optional<std::string> literal = address_literal(domain);
    if (!literal) return fail(ErrorKind::kInvalid, "address literal");
    address.domain = *std::move(literal);
  } else {
    if (domain.ends_with('.')) return fail(ErrorKind::kInvalid, "domain ends with a dot");
    address.domain = POSTHUS_TRY(normalise_domain(domain));
  }
  return address;
}

std::string to_string(const Address& address) { return quote_local_part(address.local_part) + "@" + address.domain; }

std::string quote_local_part(std::string_view local_part) {
  if (is_dot_string(local_part)) return std::string(local_part);
  std::string out = "\"";
  for (const char c : local_part) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

Result<std::string> normalise_domain(std::string_view domain) {
  if (domain.size() > kMaxDomain) return fail(ErrorKind::kInvalid, "domain too long");
  std::string out = !ascii::has_high_bit(domain) ? ascii::to_lower(domain) : std::string();
  if (out.empty() && is_utf8(domain) && domain.find('\0') == std::string_view::npos) out = to_a_labels(std::string(domain));
  if (out.ends_with('.')) out.pop_back();
  if (!is_domain(out)) return fail(ErrorKind::kInvalid, "domain");
  return out;
}

std::string domain_to_unicode(std::string_view domain) {
  const std::string text(domain);
  if (text.find("xn--") == std::string::npos || text.find('\0') != std::string::npos) return text;
  char* result = nullptr;
  const int status = idn2_to_unicode_8z8z(text.c_str(), &result, 0);
  const std::unique_ptr<char, FreeMemory> owner(result);
  return status == IDN2_OK ? std::string(result) : text;
}

bool is_domain_literal(std::string_view text) { return address_literal(text).has_value(); }

std::string lookup_key(const Address& address) { return fold_local_part(address.local_part) + "@" + address.domain; }

std::string_view without_detail(std::string_view local_part) {
  const std::size_t plus = local_part.find('+');
  return plus == std::string_view::npos || plus == 0 ? local_part : local_part.substr(0, plus);
}

}  // namespace posthus::mail
