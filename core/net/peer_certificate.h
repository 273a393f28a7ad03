// What the certificate of a server we connect to must prove (core/session/dialer.h), in OpenSSL's terms. RFC 5280, 6125,
// RFC 7671 and RFC 7672 (DANE for SMTP), RFC 7435 (opportunistic security). Thread rule: any thread, one at a time for an SSL.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/session/dialer.h"

struct ssl_st;

namespace posthus::net {

/// Before the handshake. Errors: kInvalid when nothing could ever prove it (kPkix without a name).
Result<> expect_peer(ssl_st* ssl, const session::PeerVerification& verification);

struct PeerVerdict {
  bool is_verified = false;
  std::string error;  // why not
};
/// After the handshake.
PeerVerdict judge_peer(ssl_st* ssl, const session::PeerVerification& verification);

/// After the handshake: what the certificate says of itself; nothing when there is none.
std::optional<session::CertificateFacts> describe_peer(ssl_st* ssl);

/// What was wrong with the certificate when a handshake failed for it: "certificate has expired"; empty: nothing was.
std::string certificate_error(ssl_st* ssl);

}  // namespace posthus::net
