// The SMTP server: sessions for mail from other servers (MX) and from our users (submission). RFC 5321, 6409, 1870,
// 2034, 2920, 3030, 3207, 3461, 4954, 6152, 6531, 9422. What it says and does is in session_*.cc, one file per phase.
// Thread rule: the context is read by all sessions and must not change while any lives; a session as session.h says.
// Known limits: NOTIFY=SUCCESS of recipients here is recorded, but no report is sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/sasl/authenticator.h"
#include "core/session/open_sessions.h"
#include "core/session/session.h"
#include "smtp/admission.h"
#include "smtp/recipient_check.h"
#include "store/store.h"

namespace posthus {
class SharedAddresses;
}

namespace posthus::smtp {

struct ServerLimits {
  std::uint64_t max_message_bytes = 50ull << 20;  // what the large mail providers take (25 MiB attachments as base64, and room)
  std::uint32_t max_recipients = 1000;            // LIMITS RCPTMAX; RFC 5321 §4.5.3.1.8 asks for at least 100
  std::uint32_t max_transactions = 10'000;        // LIMITS MAILMAX; a connection is then opened anew, perhaps elsewhere
};

class SigningKeys;

struct ServerContext {
  store::Store& store;
  sasl::Authenticator& authenticator;
  const Clock& clock;
  std::string hostname;     // greeting, EHLO answer, Received
  bool offers_tls = false;  // STARTTLS
  bool offers_dsn = true;   // DSN parameters
  bool checks_from = true;  // submission: From must be the user's own, like the envelope's sender
  ServerLimits limits = {};
  std::vector<std::string> address_literals = {};  // ours, as "[192.0.2.1]": mail to them is mail without a domain
  SigningKeys* signing = nullptr;                  // of submitted mail that leaves; nothing: it is not signed
  /// Called after a message was queued, with its destinations (each once), on the thread of the session; must not block.
  std::function<void(const std::vector<std::string>& domains)> queued = {};
  /// Told who brings mail, and asked before a client is judged by its address: what SPF or a block list says of an address that
  /// many share is of none of them. Nothing: no address is shared.
  SharedAddresses* shared = nullptr;
  session::OpenSessions* open_sessions = nullptr;  // of those who have signed in; none: nobody ends them
  RecipientCheck* recipient_check = nullptr;       // for relay domains that want it; none: their recipients are taken unasked
};

// RFC 5321 §4.5.3.2: what a server waits for.
inline constexpr std::chrono::seconds kCommandTimeout{300};    // §4.5.3.2.7: a whole command line, however it trickles in
inline constexpr std::chrono::seconds kDataBlockTimeout{180};  // §4.5.3.2.5: the next bytes of a message
inline constexpr std::chrono::seconds kDataGrace{600};         // §4.5.3.2.6: a message may take this long ...
inline constexpr std::uint64_t kMinBytesPerSecond = 512;       // ... and beyond that a second for so many bytes (a modem's
                                                               // quarter): one byte per second cannot hold a session

// What one connection may do wrong.
inline constexpr std::uint32_t kMaxErrors = 20;         // refused commands
inline constexpr std::uint32_t kMaxLoginFailures = 5;   // the login throttle counts across connections
inline constexpr std::uint32_t kMaxIdleCommands = 100;  // EHLO, NOOP, RSET, VRFY, HELP without a message; then they are errors
inline constexpr std::uint32_t kMaxRefusedRecipients = 200;  // unknown users since the last message: somebody is guessing
inline constexpr std::uint32_t kMaxSurplusRecipients =
    20'000;                                         // put off in one transaction: more than any client has in its pipeline
inline constexpr std::size_t kMaxInboxes = 10'000;  // of one message after aliases: bounds the write request

/// REQUIRES: the context outlives the session.
std::unique_ptr<session::Session> make_server_session(ServerContext& context, ListenerRole role,
                                                      const session::ConnectionFacts& facts, session::Waker waker);

}  // namespace posthus::smtp
