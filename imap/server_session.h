// The IMAP server (RFC 9051, RFC 3501 and what CAPABILITY announces) as a session for the driver of core/net.
// Thread rule: a ServerContext may be shared by sessions on any threads; sessions as in core/session/session.h.
#pragma once

#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/session/open_sessions.h"
#include "core/session/session.h"
#include "imap/limits.h"
#include "imap/uid_cache.h"

namespace posthus::store {
class Store;
}
namespace posthus::sasl {
class Authenticator;
}

namespace posthus::imap {

/// What all IMAP sessions share. Everything in it must outlive them.
struct ServerContext {
  store::Store& store;
  sasl::Authenticator& authenticator;
  const Clock& clock;
  std::string hostname;                // ours, for the greeting
  bool offers_tls = false;             // STARTTLS is possible
  bool allow_plaintext_login = false;  // login without TLS: behind a proxy that ends TLS, and in tests
  std::uint64_t max_message_bytes = kMaxMessage;
  UidCache uid_cache{};
  session::OpenSessions* open_sessions = nullptr;  // of those who have signed in; none: nobody ends them
};

std::unique_ptr<session::Session> make_server_session(ServerContext& context, const session::ConnectionFacts& facts,
                                                      session::Waker waker);

}  // namespace posthus::imap
