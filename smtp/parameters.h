// ESMTP parameters of MAIL and RCPT: SIZE (RFC 1870 §5), BODY (RFC 6152 §2, RFC 3030 §3), SMTPUTF8 (RFC 6531 §3.4),
// AUTH (RFC 4954 §5), RET, ENVID, NOTIFY and ORCPT (RFC 3461 §4), REQUIRETLS (RFC 8689 §2). Unknown ones are refused (RFC 5321
// §4.1.1.11). Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "smtp/reply.h"
#include "store/queue_records.h"

namespace posthus::smtp {

enum class Body : std::uint8_t { k7Bit, k8BitMime, kBinaryMime };
enum class Ret : std::uint8_t { kUnset, kFull, kHeaders };

struct MailParameters {
  std::uint64_t size = 0;  // bytes the client announced; 0: not said
  Body body = Body::k7Bit;
  bool is_utf8 = false;       // SMTPUTF8
  bool requires_tls = false;  // REQUIRETLS
  Ret ret = Ret::kUnset;
  std::string envelope_id;          // ENVID, decoded; empty: none
  std::optional<std::string> auth;  // AUTH=, decoded; "" for "<>"
};

namespace notify = store::notify;

struct RcptParameters {
  std::uint8_t notify = notify::kUnset;
  std::string original_recipient;  // ORCPT as "rfc822;anna@example.test", the address decoded; empty: none
};

inline constexpr std::size_t kMaxEnvelopeId = 100;         // RFC 3461 §4.4
inline constexpr std::size_t kMaxOriginalRecipient = 500;  // RFC 3461 §4.2

/// `text` is what follows the path: "" or " SIZE=1000 BODY=8BITMIME". Refusals: 501 5.5.4 (bad or doubled), 555 5.5.4.
Parsed<MailParameters> parse_mail_parameters(std::string_view text);
Parsed<RcptParameters> parse_rcpt_parameters(std::string_view text);

/// xtext of RFC 3461 §4 decoded; nothing when it is malformed.
std::optional<std::string> decode_xtext(std::string_view text);

}  // namespace posthus::smtp
