// OutboundOptions: a connection we open, e.g. to a mail exchanger. The session is an ordinary one, whose peer happens to
// be the server; kStartTls makes a client handshake.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/net/listener.h"
#include "core/session/dialer.h"

namespace posthus::net {

struct OutboundOptions {
  std::string address;  // an IP address, not a name
  std::uint16_t port = 25;
  std::string bind_address;  // the source address; empty: the system chooses
  std::chrono::seconds connect_deadline{30};
  TlsMode tls = TlsMode::kStartTls;
  std::shared_ptr<TlsContext> tls_context;  // from TlsContext::create_client; REQUIRED unless tls is kNone
  std::string server_name;                  // for SNI; may be empty
  session::PeerVerification verification;   // when it does not hold, the handshake fails (Session::tls_failed)
};

/// The connection could not be made (kTimeout, kUnavailable, kInvalid), or the session has ended (no error). Must not throw.
using OutboundDone = std::move_only_function<void(Result<>)>;

}  // namespace posthus::net
