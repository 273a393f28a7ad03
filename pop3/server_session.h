// The POP3 server: RFC 1939 with CAPA (RFC 2449), AUTH (RFC 5034), STLS (RFC 2595), UTF8 and LANG (RFC 6856) and the
// response codes of RFC 2449 §8 and RFC 3206. APOP is not offered: it would need passwords in the clear (RFC 1939 §7).
// Thread rule: the context is read by all sessions and must not change while any lives; a session as session.h says.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/sasl/authenticator.h"
#include "core/session/open_sessions.h"
#include "core/session/session.h"
#include "pop3/maildrop_locks.h"
#include "store/store.h"

namespace posthus::pop3 {

struct ServerContext {
  store::Store& store;
  sasl::Authenticator& authenticator;
  const Clock& clock;
  MaildropLocks& locks;
  std::string hostname;                            // in the greeting
  bool offers_tls = false;                         // STLS
  bool allow_plaintext_auth = false;               // USER and PASS without TLS (never AUTH)
  std::chrono::seconds login_delay{0};             // LOGIN-DELAY, enforced per account
  session::OpenSessions* open_sessions = nullptr;  // of those who have signed in; none: nobody ends them
};

// RFC 1939 §3: an autologout timer MUST be at least 10 minutes; strangers get less.
inline constexpr std::chrono::seconds kAutologout{600};
inline constexpr std::chrono::seconds kLoginTimeout{60};    // for the next bytes ...
inline constexpr std::chrono::seconds kLoginPatience{300};  // ... and for all of it, however it trickles in

// What one connection may do wrong.
inline constexpr std::uint32_t kMaxErrors = 20;               // commands that are no commands
inline constexpr std::uint32_t kMaxLoginFailures = 5;         // the login throttle counts across connections
inline constexpr std::uint32_t kMaxCommandsBeforeLogin = 50;  // CAPA for ever must not keep a stranger's connection open

/// With implicit TLS tls_started() comes before opened(). REQUIRES: the context outlives the session.
std::unique_ptr<session::Session> make_server_session(ServerContext& context, const session::ConnectionFacts& facts,
                                                      session::Waker waker);

}  // namespace posthus::pop3
