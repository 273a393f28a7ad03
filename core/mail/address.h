// Mail addresses as the envelope has them (RFC 5321 §4.1.2, RFC 6531 §3.3). Parsing is strict; values are normalised.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace posthus::mail {

/// A mailbox address. `local_part` is unquoted (the quoted string "a b"@x becomes `a b`), `domain` is the lower-case
/// A-label form ("xn--…") or, for a domain literal, the text with its brackets ("[192.0.2.1]", "[IPv6:2001:db8::1]").
struct Address {
  std::string local_part;
  std::string domain;
  friend bool operator==(const Address&, const Address&) = default;
};

/// Longest parts accepted (RFC 5321 §4.5.3.1.1 and §4.5.3.1.2), in bytes.
inline constexpr std::size_t kMaxLocalPart = 64;
inline constexpr std::size_t kMaxDomain = 255;
/// Of a forward address (core/mail/forward_address.h), of whichever server: it holds a whole address and is often longer.
inline constexpr std::size_t kMaxForwardLocalPart = 180;

enum class Utf8 : bool { kRefuse, kAllow };  // kAllow: RFC 6531 (SMTPUTF8)

/// The rule Mailbox = Local-part "@" ( Domain / address-literal ), the whole of `text`.
Result<Address> parse_mailbox(std::string_view text, Utf8 utf8);

/// Back to text: the local part quoted when it must be; the domain as stored.
std::string to_string(const Address& address);
/// `local_part` as the wire needs it: a dot-string as it is, anything else as quoted-string.
std::string quote_local_part(std::string_view local_part);

/// Normalises a domain name: lower case, A-labels (IDNA2008, non-transitional), no trailing dot. Errors: kInvalid.
Result<std::string> normalise_domain(std::string_view domain);
/// For people to read: U-labels where they are valid.
std::string domain_to_unicode(std::string_view domain);
/// Is it a syntactically valid domain literal with its brackets (RFC 5321 §4.1.3)?
bool is_domain_literal(std::string_view text);

/// The form under which addresses are looked up here: NFC, case-folded local part, normalised domain. "Anna" and "anna"
/// are the same mailbox here (RFC 5321 §2.4 lets the final host decide).
std::string lookup_key(const Address& address);
/// The local part without its plus-detail: "anna+shop" -> "anna"; the text itself when it has none.
std::string_view without_detail(std::string_view local_part);

}  // namespace posthus::mail
