// Driver: the one coroutine that performs the Steps of a session (core/session/session.h) on a connection. The only place
// that knows sockets, TLS, deadlines and back-pressure. Only for .cc files of this folder (it includes Asio).
// Thread rule: its io thread, except wake() and the Resume it hands to a session.
//
// How it waits: whatever may happen to a connection is a bit of Events; the coroutine suspends in one way only, until one
// of the bits it names is set. A bit set early is not lost, so there is no order of events to get wrong.
#pragma once

#include <asio/posix/basic_stream_descriptor.hpp>
#include <atomic>
#include <chrono>
#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/file.h"
#include "core/base/metrics.h"
#include "core/net/deadline_wheel.h"
#include "core/net/io_thread.h"
#include "core/net/outbound.h"
#include "core/net/proxy_header.h"
#include "core/net/stream.h"
#include "core/net/task.h"
#include "core/net/workers.h"
#include "core/session/session.h"

namespace posthus::net {

/// What the connections of one listener, or of outbound dialogs, share. Constant once it exists.
struct Endpoint {
  enum class Side : std::uint8_t { kServer, kClient };
  std::string name;
  Side side = Side::kServer;
  TlsMode tls = TlsMode::kNone;
  std::shared_ptr<TlsContext> tls_context;
  std::string alpn;                        // kServer
  std::string server_name;                 // kClient
  session::PeerVerification verification;  // kClient
  Workers* workers = nullptr;
  metrics::Gauge* open = nullptr;
  metrics::Counter* handshakes_failed = nullptr;
  metrics::Counter* bytes_in = nullptr;
  metrics::Counter* bytes_out = nullptr;
};

/// What comes of a PROXY header; called on the io thread.
struct Introduction {
  std::function<std::unique_ptr<session::Session>(const ProxyHeader&)> introduced;  // may return null: the connection is refused
  std::function<void(std::string_view why)> failed;                                 // the connection is closed
};

/// Fills the metrics of `endpoint` by its name.
void register_metrics(Endpoint& endpoint);

class Driver final : public session::WakeTarget, public DeadlineWheel::Entry, public std::enable_shared_from_this<Driver> {
 public:
  /// `done` is called after the session's end, on the io thread.
  Driver(std::shared_ptr<IoThread> thread, std::shared_ptr<const Endpoint> endpoint, UniqueFd fd, OutboundDone done);
  ~Driver() override;

  /// Whether the event loop took the socket (it may be out of memory).
  bool is_open() const { return descriptor_.has_value(); }

  /// Runs the connection until it ends; returns at its first wait.
  void start(std::unique_ptr<session::Session> session);

  /// The same with a session that is made now; without one `done` hears of an error.
  void start_or_fail(const session::ConnectionFacts& facts, const session::SessionFactory& make_session);

  /// The same for a connection from a proxy: reads its header first, before TLS, then asks for the session.
  void start_introduced(Introduction introduction);

  /// Whom a proxy has named, for the log.
  void set_client(const IpAddress& client) { client_ = std::make_unique<IpAddress>(client); }
  int descriptor() { return descriptor_->native_handle(); }

  void wake() override;
  void end() override;

  void deadline_passed() { signal(kDeadline); }
  void shut_down() { signal(kShutdown); }
  void cut() { signal(kCut); }

 private:
  enum Event : unsigned {
    kReadable = 1,
    kWritable = 2,
    kWoken = 4,
    kDeadline = 8,
    kFinished = 16,  // a run or a wait
    kContinue = 32,  // others had their turn
    kShutdown = 64,  // stays set
    kCut = 128,      // stays set
  };
  using Events = unsigned;

  struct EventAwaiter {
    Driver& driver;
    Events wanted;
    bool await_ready() const noexcept { return (driver.pending_ & wanted) != 0; }
    void await_suspend(std::coroutine_handle<> coroutine) const noexcept {
      driver.wanted_ = wanted;
      driver.suspended_ = coroutine;
    }
    Events await_resume() const noexcept { return driver.pending_ & wanted; }
  };
  EventAwaiter events(Events wanted) { return {*this, wanted}; }
  void signal(Events events);
  void post(Event event);

  // The coroutines. A bool is whether the connection may go on; no Step means it may not.
  static Detached drive(std::shared_ptr<Driver> self);
  static Detached drive_introduced(std::shared_ptr<Driver> self, Introduction introduction);
  Task<bool> be_introduced(const Introduction& introduction);
  Task<bool> converse();
  Task<std::optional<session::Step>> wait_for_client(session::Step step);
  Task<std::optional<session::Step>> start_tls();
  Task<std::optional<session::Step>> run();
  Task<std::optional<session::Step>> wait();
  Task<bool> handshake();
  bool begin_handshake();
  session::TlsFacts tls_facts();
  /// Tells log, session and caller.
  void handshake_failed(const std::string& why);
  Task<bool> flush(std::chrono::seconds patience);
  /// `status` says for what. False when `patience` ended, or the connection was cut, or one of `giving_up` came first.
  Task<bool> wait_for_socket(IoStatus status, std::chrono::seconds patience, Events giving_up);
  Task<bool> close();
  enum class HeaderState : std::uint8_t { kWaits, kRead, kOver };
  HeaderState read_header(const Introduction& introduction, std::string& header);
  std::string client_address();
  void begin();
  void hear_last_words();
  void tell_too_slow();

  struct Fed {
    session::Step step;
    std::size_t consumed;
  };
  Fed feed(std::string_view bytes);
  Events prepare_client_wait(session::Step step);
  std::optional<session::Step> after_client_wait(Events got, session::Step step);
  std::optional<session::Step> read_and_feed(session::Step step);
  std::string_view leftover() const { return std::string_view(leftover_).substr(leftover_begin_); }
  void drop_leftover(std::size_t count);
  void arm_read();
  void arm_write();
  bool has_output() const { return output_begin_ < output_.size(); }
  std::size_t output_size() const { return output_.size() - output_begin_; }
  struct ResumeOnce;
  void resume_from_session();
  void fail_with(ErrorKind kind, std::string context);
  void finish();

  using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

  IoThread& thread_;                     // alive until finish()
  const std::weak_ptr<IoThread> owner_;  // for calls from other threads, also after finish()
  const std::shared_ptr<const Endpoint> endpoint_;
  std::optional<Descriptor> descriptor_;
  Stream stream_;
  std::unique_ptr<session::Session> session_;
  OutboundDone done_;
  Result<> outcome_;
  std::unique_ptr<IpAddress> client_;  // when a proxy has named it

  std::string leftover_;
  std::size_t leftover_begin_ = 0;
  std::string output_;
  std::size_t output_begin_ = 0;

  std::chrono::steady_clock::time_point wait_ends_;  // of the client wait, which may go on over several reads
  std::coroutine_handle<> suspended_;
  Events wanted_ = 0;
  Events pending_ = 0;
  std::uint8_t steps_without_pause_ = 0;
  bool is_read_armed_ = false;
  bool is_write_armed_ = false;
  bool has_progressed_ = true;     // whether received() may find something to do in what is left over
  bool read_needs_write_ = false;  // TLS has something to send before it can read on
  bool is_beginning_ = false;      // inside Session::begin
  std::atomic<bool> is_resume_dropped_{false};
  std::atomic<bool> is_wake_posted_{false};
};

}  // namespace posthus::net
