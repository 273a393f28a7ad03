// The SMTP client: one connection to one host, any number of messages over it. RFC 5321 §3, §4.5.3.2; RFC 1870, 2920,
// 3030, 3207, 3461, 4954, 6152, 6531, 8689. It sends what its MessageSource gives it and says what the host answered;
// where to connect, when to try again and what to tell the sender is decided elsewhere (delivery.h).
// Thread rule: core/session/session.h; the source is called from the session's thread (next() from a worker).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/session/dialer.h"
#include "core/session/session.h"
#include "store/queue_records.h"

namespace posthus::smtp {

/// What a server said: the last line's code and the text of all lines, joined with a space, without codes, at most
/// store::kMaxRemoteWords bytes, control characters replaced. Code 0: it said nothing (`text` tells what happened).
struct RemoteReply {
  std::uint16_t code = 0;
  std::string enhanced;  // "5.1.1"; empty when it gave none
  std::string text;
};

struct OutgoingRecipient {
  std::uint16_t number = 0;  // the caller's
  std::string address;
  std::uint8_t notify = 0;
  std::string original_recipient;
};

/// One transaction. `read` appends bytes [offset, offset + length) of the text as it is to be sent (before dot-stuffing)
/// to `out`; it may block and is called from run() only.
struct OutgoingMessage {
  QueueId id;
  std::string reverse_path;
  std::vector<OutgoingRecipient> recipients;  // at most kMaxRecipientsPerTransaction
  std::string envelope_id;
  store::ReturnContent return_content = store::ReturnContent::kUnset;
  store::BodyKind body = store::BodyKind::k7Bit;
  bool is_utf8 = false;
  bool requires_tls = false;
  std::uint64_t size = 0;
  /// So many bytes at the front are DKIM signatures of ours. A text that is converted for the host gets others in their place:
  /// `sign_again` is called from run() and makes them for what `converted` hands over, piece by piece. None: they stay as they
  /// are.
  std::uint64_t signature_bytes = 0;
  using TakePiece = std::function<void(std::string_view piece)>;
  std::function<Result<std::string>(const std::function<Result<>(const TakePiece& take)>& converted)> sign_again;
  bool is_trial = false;  // a dry run: over with the answers to RCPT, which are the results. `read` is not called
  std::function<Result<>(std::uint64_t offset, std::uint64_t length, std::string& out)> read;
};
inline constexpr std::size_t kMaxRecipientsPerTransaction = 100;  // RFC 5321 §4.5.3.1.8: what every server takes

struct RecipientResult {
  enum class Verdict : std::uint8_t {
    kDelivered,
    kDeferred,  // 4xx, or the connection broke before an answer
    kFailed,    // 5xx, or the host lacks what the message needs (SMTPUTF8, REQUIRETLS, SIZE)
  };
  std::uint16_t number = 0;
  Verdict verdict = Verdict::kDeferred;
  RemoteReply reply;
  std::string_view stage;  // static: "connect", "greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "end of data"
  // Another host of the destination may do better: the connection broke, 421, 4xx to MAIL, DATA or the text (not to RCPT),
  // or the host lacks what the message needs.
  bool is_host_fault = false;
};
struct MessageResult {
  QueueId id;
  std::vector<RecipientResult> recipients;
  bool was_slow = false;    // ConnectionResult::was_slow, so far
  bool offers_dsn = false;  // the host took over reporting success (RFC 3461 §5.2.2): else "relayed" is ours to report
};

/// What the connection was, for the trace.
struct ConnectionResult {
  bool was_ready = false;  // greeting, EHLO, TLS and AUTH went well: messages could be sent
  RemoteReply failure;     // when not: what went wrong, and where
  std::string_view stage;
  bool is_tls_failure = false;  // the handshake or the certificate; with opportunistic TLS the caller may try without
  bool is_lasting = false;      // of TLS or REQUIRETLS: the host does not have what is needed; a later attempt will not help
  std::string greeting_name;    // the host's name in its greeting
  std::optional<session::TlsFacts> tls;
  bool was_slow = false;  // its answers together took longer than kConnectionPatience
};

/// Where messages come from and results go. Outlives the session.
class MessageSource {
 public:
  virtual ~MessageSource() = default;
  /// At most once, before the first next(): greeting, EHLO, TLS and AUTH went well. Must not block.
  virtual void ready(const ConnectionResult& connection) { static_cast<void>(connection); }
  /// The next message for this host, nothing when there is none (the session then says QUIT). May block (worker).
  virtual std::optional<OutgoingMessage> next() = 0;
  /// After next() had nothing: shall the connection stay open for a moment? Then whoever has more for it wakes the session, and
  /// next() is asked again. Must not block.
  virtual bool may_stand_by() { return false; }
  /// Once for each message that next() gave. Must not block.
  virtual void finished(MessageResult result) = 0;
  /// Once, last.
  virtual void ended(ConnectionResult result) = 0;
};

enum class TlsUse : std::uint8_t {
  kNever,
  kOpportunistic,  // STARTTLS when offered
  kRequired,       // without STARTTLS nothing is sent (also kDane, MTA-STS enforce)
  kImplicit,       // the connection is TLS from its first byte
};
// RFC 5321 §4.5.3.2 says how long to wait for one answer. A host that uses that up again and again, for each of a hundred
// recipients, would hold a connection for hours: what it takes is bounded as a whole.
/// A transaction, up to the end of the text; and a second more for each kLeastBytesPerSecond of it. Longer than all time-outs of
/// a transaction with one recipient. The answer to the text is waited for in any case: the host has the message.
inline constexpr std::chrono::seconds kTransactionPatience{1800};
inline constexpr std::uint64_t kLeastBytesPerSecond = 16 * 1024;  // a line of 128 kbit/s
/// A host that took longer in all gets no further message over this connection.
inline constexpr std::chrono::seconds kConnectionPatience{600};

struct ClientOptions {
  std::string hostname;  // EHLO
  TlsUse tls = TlsUse::kOpportunistic;
  std::string login, password;            // AUTH PLAIN or LOGIN, only inside TLS; empty: none
  bool may_login_without_tls = false;     // the connection does not leave this machine (loopback)
  bool is_name_proven = false;            // by DNSSEC, MTA-STS or the admin: with a certificate that holds REQUIRETLS may be said
  bool is_certificate_needless = false;   // the host is this server: REQUIRETLS may be said inside TLS of any certificate
  bool needs_requiretls = false;          // a host that does not offer REQUIRETLS gets nothing (RFC 8689 §4.2.1)
  bool begins_with_proxy_header = false;  // the host takes us for a proxy: ourselves, where a listener reads PROXY headers
  std::uint32_t max_messages = 100;       // then QUIT: servers dislike connections that never end
  const Clock* clock = nullptr;           // for the bounds above; none: a slow host is waited for as long as it likes
};

std::unique_ptr<session::Session> make_client_session(ClientOptions options, MessageSource& source);

}  // namespace posthus::smtp
