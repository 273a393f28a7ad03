// Parsing of ESMTP parameters. RFC 5321 §4.1.2 (esmtp-param), RFC 3461 §4. Thread rule: pure functions.
#include "smtp/parameters.h"

#include <algorithm>

#include "core/base/ascii.h"

namespace posthus::smtp {
namespace {

struct Parameter {
  std::string_view keyword;
  std::string_view value;
  bool has_value = false;
};

constexpr std::uint64_t kMaxSizeDigits = 20;  // RFC 1870 §5: size-value ::= 1*20DIGIT

bool is_keyword(std::string_view text) {
  if (text.empty() || text.front() == '-') return false;
  for (const char c : text) {
    if (!ascii::is_alpha(c) && !ascii::is_digit(c) && c != '-') return false;
  }
  return true;
}

// WHY: "=" and bytes above 127 pass here: RFC 6533 §3 lets utf-8-addr-xtext carry them in ORCPT, and old clients
// send base64 with "=" in ENVID; the value's own rule decides.
bool is_value(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 32 || c == 127) return false;
  }
  return true;
}

// esmtp-param = esmtp-keyword ["=" esmtp-value]
// Takes the next one off `text`; an empty keyword at the end. Refusal: 501 5.5.4.
Parsed<Parameter> next_parameter(std::string_view& text) {
  if (!text.empty() && !ascii::is_space_or_tab(text.front())) return std::unexpected(reply::kBadArgument);
  while (!text.empty() && ascii::is_space_or_tab(text.front())) text.remove_prefix(1);
  if (text.empty()) return Parameter{};
  const std::size_t length = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view whole = text.substr(0, length);
  text.remove_prefix(length);
  const std::size_t equals = whole.find('=');
  Parameter parameter{whole.substr(0, equals), {}, equals != std::string_view::npos};
  if (parameter.has_value) parameter.value = whole.substr(equals + 1);
  if (!is_keyword(parameter.keyword)) return std::unexpected(reply::kBadArgument);
  if (parameter.has_value && !is_value(parameter.value)) return std::unexpected(reply::kBadParameter);
  return parameter;
}

int hex_value(char c) {
  if (ascii::is_digit(c)) return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_named(const Parameter& parameter, std::string_view keyword) {
  return ascii::equal_ignoring_case(parameter.keyword, keyword);
}

// body-value ::= "7BIT" / "8BITMIME" / "BINARYMIME"
std::optional<Body> body_value(std::string_view value) {
  if (ascii::equal_ignoring_case(value, "7BIT")) return Body::k7Bit;
  if (ascii::equal_ignoring_case(value, "8BITMIME")) return Body::k8BitMime;
  if (ascii::equal_ignoring_case(value, "BINARYMIME")) return Body::kBinaryMime;
  return std::nullopt;
}

// ret-value = "FULL" / "HDRS"
Ret ret_value(std::string_view value) {
  if (ascii::equal_ignoring_case(value, "FULL")) return Ret::kFull;
  if (ascii::equal_ignoring_case(value, "HDRS")) return Ret::kHeaders;
  return Ret::kUnset;
}

// notify-esmtp-value = "NEVER" / 1#notify-list-element
// notify-list-element = "SUCCESS" / "FAILURE" / "DELAY"
std::uint8_t notify_value(std::string_view value) {
  if (ascii::equal_ignoring_case(value, "NEVER")) return notify::kNever;
  std::uint8_t bits = notify::kUnset;
  while (true) {
    const std::size_t comma = value.find(',');
    const std::string_view element = value.substr(0, comma);
    if (ascii::equal_ignoring_case(element, "SUCCESS")) {
      bits |= notify::kSuccess;
    } else if (ascii::equal_ignoring_case(element, "FAILURE")) {
      bits |= notify::kFailure;
    } else if (ascii::equal_ignoring_case(element, "DELAY")) {
      bits |= notify::kDelay;
    } else {
      return notify::kUnset;
    }
    if (comma == std::string_view::npos) return bits;
    value.remove_prefix(comma + 1);
  }
}

// original-recipient-address = addr-type ";" generic-address
// WHY: for type utf-8 the encoded text is kept as it is (RFC 6533 §3 has an encoding of its own).
std::optional<std::string> original_recipient(std::string_view value) {
  if (value.size() > kMaxOriginalRecipient) return std::nullopt;
  const std::size_t semicolon = value.find(';');
  if (semicolon == std::string_view::npos || semicolon == 0 || semicolon + 1 == value.size()) return std::nullopt;
  const std::string_view type = value.substr(0, semicolon);
  if (!is_keyword(type)) return std::nullopt;
  if (ascii::equal_ignoring_case(type, "utf-8")) return std::string(value);
  const auto address = decode_xtext(value.substr(semicolon + 1));
  if (!address) return std::nullopt;
  std::string out = ascii::to_lower(type);
  out.push_back(';');
  return out + *address;
}

enum MailBit : std::uint8_t {
  kSizeSeen = 1,
  kBodySeen = 2,
  kUtf8Seen = 4,
  kAuthSeen = 8,
  kRetSeen = 16,
  kEnvidSeen = 32,
  kTlsSeen = 64
};

// Which parameter of MAIL it is; 0 for an unknown one.
std::uint8_t mail_bit(const Parameter& parameter) {
  if (is_named(parameter, "SIZE")) return kSizeSeen;
  if (is_named(parameter, "BODY")) return kBodySeen;
  if (is_named(parameter, "SMTPUTF8")) return kUtf8Seen;
  if (is_named(parameter, "AUTH")) return kAuthSeen;
  if (is_named(parameter, "RET")) return kRetSeen;
  if (is_named(parameter, "ENVID")) return kEnvidSeen;
  if (is_named(parameter, "REQUIRETLS")) return kTlsSeen;
  return 0;
}

bool set_size(MailParameters& out, std::string_view value) {
  if (value.size() > kMaxSizeDigits) return false;
  for (const char c : value) {
    if (!ascii::is_digit(c)) return false;
  }
  // WHY: twenty digits may pass 2^64; that is a valid way to say "too large".
  out.size = ascii::parse_decimal<std::uint64_t>(value).value_or(UINT64_MAX);
  return true;
}

bool set_auth(MailParameters& out, std::string_view value) {
  auto text = decode_xtext(value);
  if (!text) return false;
  out.auth = *text == "<>" ? std::string() : *std::move(text);
  return true;
}

bool set_envelope_id(MailParameters& out, std::string_view value) {
  auto text = decode_xtext(value);
  if (!text || value.size() > kMaxEnvelopeId) return false;
  out.envelope_id = *std::move(text);
  return true;
}

bool set_mail_parameter(MailParameters& out, std::uint8_t bit, const Parameter& parameter) {
  if (bit == kUtf8Seen) return out.is_utf8 = !parameter.has_value;
  if (bit == kTlsSeen) return out.requires_tls = !parameter.has_value;
  if (!parameter.has_value) return false;
  switch (bit) {
    case kSizeSeen: return set_size(out, parameter.value);
    case kBodySeen: {
      const auto body = body_value(parameter.value);
      if (body) out.body = *body;
      return body.has_value();
    }
    case kAuthSeen: return set_auth(out, parameter.value);
    case kRetSeen: return (out.ret = ret_value(parameter.value)) != Ret::kUnset;
    default: return set_envelope_id(out, parameter.value);
  }
}

}  // namespace

// xtext = *( xchar / hexchar )
// hexchar = ASCII "+" immediately followed by two upper case hexadecimal digits
std::optional<std::string> decode_xtext(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c < 33 || c > 126 || c == '=') return std::nullopt;
    if (c != '+') {
      out.push_back(c);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    const int value = high * 16 + low;
    // WHY: a control character decoded here would later be written into a report or a log.
    if (value < 32 || value == 127) return std::nullopt;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

// Mail-parameters = esmtp-param *(SP esmtp-param)
Parsed<MailParameters> parse_mail_parameters(std::string_view text) {
  MailParameters out;
  std::uint8_t seen = 0;
  while (true) {
    const auto parameter = next_parameter(text);
    if (!parameter) return std::unexpected(parameter.error());
    if (parameter->keyword.empty()) return out;
    const std::uint8_t bit = mail_bit(*parameter);
    if (bit == 0) return std::unexpected(reply::kUnknownParameter);
    if (seen & bit) return std::unexpected(reply::kDuplicateParameter);
    seen |= bit;
    if (!set_mail_parameter(out, bit, *parameter)) return std::unexpected(reply::kBadParameter);
  }
}

// Rcpt-parameters = esmtp-param *(SP esmtp-param)
Parsed<RcptParameters> parse_rcpt_parameters(std::string_view text) {
  RcptParameters out;
  while (true) {
    const auto parameter = next_parameter(text);
    if (!parameter) return std::unexpected(parameter.error());
    if (parameter->keyword.empty()) return out;
    if (is_named(*parameter, "NOTIFY")) {
      if (out.notify != notify::kUnset) return std::unexpected(reply::kDuplicateParameter);
      out.notify = notify_value(parameter->value);
      if (out.notify == notify::kUnset) return std::unexpected(reply::kBadParameter);
    } else if (is_named(*parameter, "ORCPT")) {
      if (!out.original_recipient.empty()) return std::unexpected(reply::kDuplicateParameter);
      auto recipient = original_recipient(parameter->value);
      if (!recipient) return std::unexpected(reply::kBadParameter);
      out.original_recipient = *std::move(recipient);
    } else {
      return std::unexpected(reply::kUnknownParameter);
    }
  }
}

}  // namespace posthus::smtp
