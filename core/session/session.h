// Session: a protocol as a pure state machine, bytes in, bytes out, plus a Step. No sockets, no clocks of its own, no
// threads: what can be tested, fuzzed and trusted. The driver (core/net/driver.h) performs the steps.
//
// Thread rule: one thread at a time touches a session: its io thread; or a worker during run(); or the completing
// thread between begin() and resume(). No locks in sessions. It is created and destroyed on its io thread. The driver
// never abandons a run or a wait: it lets them finish before the session dies, also when the client has gone.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/session/step.h"
#include "core/session/waker.h"

namespace posthus::session {

/// Unconsumed client bytes: what was left over before, then what came now. The session consumes whole commands (or all
/// of a message's bytes) and leaves the rest; the driver keeps it.
class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}
  std::string_view bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  void consume(std::size_t count) { bytes_.remove_prefix(count); }

 private:
  std::string_view bytes_;
};

/// Bytes for the client, appended. The driver flushes before every client wait, or when it holds 64 KiB or more.
using Output = std::string;

/// Who is at the other end, fixed for the life of the connection.
struct ConnectionFacts {
  std::string remote_address;  // "192.0.2.1", "2001:db8::1"; empty on a Unix socket
  std::uint16_t remote_port = 0;
  std::string local_address;
  std::uint16_t local_port = 0;
  bool is_unix_socket = false;  // the admin socket in the data directory: whoever opened it may do everything
};

/// Facts of a completed TLS handshake.
struct TlsFacts {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // "TLS_AES_256_GCM_SHA384"
  std::string server_name;  // SNI, may be empty
  // Channel bindings, raw bytes; empty when the connection has none of that type.
  std::string tls_exporter;          // RFC 9266 §2 (TLS 1.3)
  std::string tls_unique;            // RFC 5929 §3 (TLS 1.2)
  std::string tls_server_end_point;  // RFC 5929 §4
  // Of connections we made: did the peer's certificate hold against what was asked (core/session/dialer.h)?
  bool is_peer_verified = false;
  std::string peer_error;  // why not, for people: "certificate has expired"
};

/// Whether run() may block for long. The driver runs kBrief inline on the io thread (a hop to a worker costs more than
/// the work) and kBlocking on a worker. Bodies, long scans and password hashing are kBlocking.
enum class RunCost : std::uint8_t { kBrief, kBlocking };

/// Called exactly once, from any thread; must not throw.
using Resume = std::move_only_function<void()>;

class Session {
 public:
  virtual ~Session() = default;

  /// The connection is open (with implicit TLS: tls_started() was called before). Writes the greeting.
  virtual Step opened(Output& output) = 0;

  /// Client bytes. Called again without new bytes as long as it consumes some and answers kRead; with kRead and
  /// nothing consumed the driver reads more. REQUIRES: a session must refuse what grows without end (a line without an
  /// end is consumed or answered before it exceeds the protocol's limit), the driver keeps at most kMaxLeftover bytes.
  virtual Step received(Input& input, Output& output) = 0;

  /// After kStartTls. With implicit TLS it is called before opened(), and what it returns is ignored.
  virtual Step tls_started(const TlsFacts& facts, Output& output) = 0;

  /// After kStartTls, instead of tls_started(): no handshake came about. The connection is closed after this.
  virtual void tls_failed(std::string_view reason) { static_cast<void>(reason); }

  /// Of connections we made: the peer takes no more of what we send, and this is what it said last. May come whatever the
  /// step is; nothing can be answered, the connection is closed after this.
  virtual void last_words(std::string_view bytes) { static_cast<void>(bytes); }

  /// After kRun: work that may block, on the thread RunCost asks for. Writes at most 256 KiB or so of output, then returns.
  virtual void run(Output& output) { static_cast<void>(output); }
  virtual RunCost run_cost() const { return RunCost::kBlocking; }

  /// After kWait: starts something asynchronous, which calls resume() once when it has finished.
  virtual void begin(Resume resume) { resume(); }

  /// After run() returned or resume() was called, on the io thread.
  virtual Step resumed(Output& output) = 0;

  /// During kIdle: somebody called the Waker. (A wake that arrives in another step is delivered at the next kIdle.)
  virtual Step woken(Output& output) {
    static_cast<void>(output);
    return Step::kIdle;
  }

  /// How long the client may take with its next bytes (kRead, kIdle) or to accept output. Asked at each client wait.
  virtual std::chrono::seconds deadline() const = 0;
  /// Asked with it: whether what is awaited now is still what was awaited before, so that the time runs on instead of
  /// beginning anew. A peer that trickles byte after byte gains nothing.
  virtual bool keeps_deadline() const { return false; }
  /// Whether shutting_down() may come at this client wait. A session that says no waits on (for the answer to what it
  /// has sent, say) until something else happens or the server's patience ends and the connection is cut.
  virtual bool is_interruptible() const { return true; }

  /// The deadline passed (of connections we made: also when the peer took our output too slowly, whatever the step is; then
  /// nothing more is sent), or the server is shutting down: write the farewell the protocol allows (e.g. 421, BYE).
  /// The connection closes after the flush.
  virtual void timed_out(Output& output) = 0;
  virtual void shutting_down(Output& output) = 0;
};

/// Bytes the driver keeps for a session between calls: longer than any command line of any protocol (IMAP: 64 KiB).
inline constexpr std::size_t kMaxLeftover = 128 * 1024;

/// Makes the session of a new connection; called on its io thread.
using SessionFactory = std::function<std::unique_ptr<Session>(const ConnectionFacts& facts, Waker waker)>;

}  // namespace posthus::session
