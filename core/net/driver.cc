// The coroutine of a connection. Read converse() first: it is the contract of core/session/session.h in one switch.
#include "core/net/driver.h"

#include <utility>

#include "core/base/log.h"
#include "core/net/peer_certificate.h"
#include "core/net/socket_address.h"

namespace posthus::net {
namespace {

using session::Step;

constexpr std::size_t kFlushAt = 64 * 1024;             // the contract of session::Output
constexpr std::chrono::seconds kHandshakePatience{30};  // generous for a phone on a bad line
constexpr std::chrono::seconds kClosePatience{30};      // for the last output
constexpr std::chrono::seconds kLeastPatience{0};
constexpr std::chrono::seconds kLinger{2};                 // for the client to see the end and close first
constexpr std::size_t kMaxDiscardedAtClose = 1024 * 1024;  // a client that talks on is cut
constexpr std::uint8_t kStepsWithoutPause = 16;            // brief runs in a row before other connections have a turn

bool is_client_wait(Step step) { return step == Step::kRead || step == Step::kIdle; }

}  // namespace

void register_metrics(Endpoint& endpoint) {
  const std::string label = "listener=\"" + endpoint.name + "\"";
  endpoint.open = &metrics::gauge("posthus_connections_open", "Connections open now.", label);
  endpoint.handshakes_failed = &metrics::counter("posthus_tls_handshakes_failed_total", "TLS handshakes that failed.", label);
  endpoint.bytes_in = &metrics::counter("posthus_network_received_bytes_total", "Bytes from peers, without TLS framing.", label);
  endpoint.bytes_out = &metrics::counter("posthus_network_sent_bytes_total", "Bytes to peers, without TLS framing.", label);
}

Driver::Driver(std::shared_ptr<IoThread> thread, std::shared_ptr<const Endpoint> endpoint, UniqueFd fd, OutboundDone done)
    : thread_(*thread), owner_(thread), endpoint_(std::move(endpoint)), stream_(fd.get()), done_(std::move(done)) {
  descriptor_.emplace(thread_.context().get_executor());
  asio::error_code error;
  descriptor_->assign(fd.get(), error);
  if (error) {
    descriptor_.reset();
  } else {
    fd.release();  // the descriptor closes it
  }
}

Driver::~Driver() = default;

void Driver::begin() {
  thread_.add(*this);
  endpoint_->open->add(1);
  if (thread_.is_stopping()) pending_ |= kShutdown;
}

void Driver::start(std::unique_ptr<session::Session> session) {
  session_ = std::move(session);
  begin();
  drive(shared_from_this());
}

void Driver::start_or_fail(const session::ConnectionFacts& facts, const session::SessionFactory& make_session) {
  std::unique_ptr<session::Session> session;
  if (is_open()) session = make_session(facts, session::Waker(shared_from_this()));
  if (session) return start(std::move(session));
  std::exchange(done_, nullptr)(fail(ErrorKind::kUnavailable, "no session"));
}

void Driver::signal(Events events) {
  pending_ |= events;
  if (!suspended_ || (pending_ & wanted_) == 0) return;
  const std::shared_ptr<Driver> self = shared_from_this();  // the coroutine may end in here
  std::exchange(suspended_, nullptr).resume();
}

void Driver::post(Event event) {
  if (const std::shared_ptr<IoThread> thread = owner_.lock()) {
    asio::post(thread->context(), [self = shared_from_this(), event] { self->signal(event); });
  }
}

void Driver::wake() {
  if (is_wake_posted_.exchange(true)) return;
  const std::shared_ptr<IoThread> thread = owner_.lock();
  if (!thread) return;
  asio::post(thread->context(), [self = shared_from_this()] {
    // WHY: cleared before the session looks, so that a change it just missed posts again.
    self->is_wake_posted_.store(false);
    self->signal(kWoken);
  });
}

void Driver::end() {
  const std::shared_ptr<IoThread> thread = owner_.lock();
  if (thread) asio::post(thread->context(), [self = shared_from_this()] { self->shut_down(); });
}

std::string Driver::client_address() {
  if (client_) return to_string(*client_);
  const std::optional<IpEndpoint> remote = remote_endpoint(descriptor_->native_handle());
  return remote ? to_string(remote->address) : std::string();
}

Detached Driver::drive(std::shared_ptr<Driver> self) {
  co_await self->converse();
  self->finish();
}

void Driver::finish() {
  session_.reset();
  thread_.clear_deadline(*this);
  stream_.release_tls();
  descriptor_.reset();
  std::string().swap(leftover_);
  std::string().swap(output_);
  endpoint_->open->add(-1);
  if (OutboundDone done = std::exchange(done_, nullptr)) done(std::move(outcome_));
  thread_.remove(*this);  // last: the server may end as soon as nobody is left
}

void Driver::fail_with(ErrorKind kind, std::string context) { outcome_ = fail(kind, std::move(context)); }

Task<bool> Driver::converse() {
  if (endpoint_->tls == TlsMode::kImplicit) {
    if (!co_await handshake()) co_return false;
    session_->tls_started(tls_facts(), output_);
  }
  thread_.lend_output(output_);
  std::optional<Step> step = session_->opened(output_);
  while (step) {
    switch (*step) {
      case Step::kRead:
      case Step::kIdle: step = co_await wait_for_client(*step); break;
      case Step::kStartTls: step = co_await start_tls(); break;
      case Step::kRun: step = co_await run(); break;
      case Step::kWait: step = co_await wait(); break;
      case Step::kClose: co_return co_await close();
    }
  }
  co_return false;
}

Task<std::optional<Step>> Driver::wait_for_client(Step step) {
  has_progressed_ = true;
  for (;;) {
    if (has_progressed_ && !leftover().empty()) {
      const Fed fed = feed(leftover());
      drop_leftover(fed.consumed);
      step = fed.step;
      if (!is_client_wait(step)) co_return step;
      if (output_size() >= kFlushAt && !co_await flush(session_->deadline())) co_return std::nullopt;
      continue;
    }
    if (leftover().size() >= session::kMaxLeftover) {
      log::error("net.leftover_too_large", {{"listener", endpoint_->name}});
      co_return std::nullopt;
    }
    if (has_output() && !co_await flush(session_->deadline())) co_return std::nullopt;
    const Events wanted = prepare_client_wait(step);
    const Events got = co_await events(wanted);
    const std::optional<Step> next = after_client_wait(got, step);
    if (!next || !is_client_wait(*next)) co_return next;
    step = *next;
  }
}

Driver::Fed Driver::feed(std::string_view bytes) {
  session::Input input(bytes);
  for (;;) {
    const std::size_t before = input.size();
    thread_.lend_output(output_);
    const Step step = session_->received(input, output_);
    has_progressed_ = input.size() < before;
    const bool is_done = !is_client_wait(step) || !has_progressed_ || input.empty() || output_size() >= kFlushAt;
    if (is_done) return {step, bytes.size() - input.size()};
  }
}

Driver::Events Driver::prepare_client_wait(Step step) {
  thread_.take_back_output(output_);
  const auto now = std::chrono::steady_clock::now();
  if (!session_->keeps_deadline()) wait_ends_ = now + session_->deadline();
  pending_ &= ~static_cast<Events>(kDeadline);
  // WHY: the wheel is coarse; who comes back within a tick each time would move a passed deadline along for ever.
  if (wait_ends_ <= now) pending_ |= kDeadline;
  thread_.set_deadline(*this, std::chrono::ceil<std::chrono::milliseconds>(wait_ends_ - now));
  steps_without_pause_ = 0;
  Events wanted = kReadable | kDeadline | kCut;
  if (session_->is_interruptible()) wanted |= kShutdown;
  if (step == Step::kIdle) wanted |= kWoken;
  if (stream_.has_buffered_input()) {
    pending_ |= kReadable;
  } else if (read_needs_write_) {
    arm_write();
    wanted |= kWritable;
  } else {
    arm_read();
  }
  return wanted;
}

std::optional<Step> Driver::after_client_wait(Events got, Step step) {
  thread_.pause_deadline(*this);
  if ((got & kCut) != 0) return std::nullopt;
  if ((got & kShutdown) != 0 && session_->is_interruptible()) {
    session_->shutting_down(output_);
    return Step::kClose;
  }
  if ((got & kWoken) != 0) {
    pending_ &= ~static_cast<Events>(kWoken);
    has_progressed_ = true;
    thread_.lend_output(output_);
    return session_->woken(output_);
  }
  if ((got & (kReadable | kWritable)) != 0) return read_and_feed(step);
  session_->timed_out(output_);
  return Step::kClose;
}

std::optional<Step> Driver::read_and_feed(Step step) {
  pending_ &= ~static_cast<Events>(kReadable | kWritable);
  const std::span<char> buffer = thread_.read_buffer();
  const std::size_t room = std::min(buffer.size(), session::kMaxLeftover - leftover().size());
  const IoResult got = stream_.read(buffer.data(), room);
  read_needs_write_ = got.status == IoStatus::kWantWrite;
  if (got.status == IoStatus::kClosed) return std::nullopt;
  if (got.status != IoStatus::kDone) {
    has_progressed_ = false;
    return step;
  }
  endpoint_->bytes_in->add(got.bytes);
  const std::string_view bytes(buffer.data(), got.bytes);
  if (!leftover().empty()) {
    leftover_.append(bytes);
    has_progressed_ = true;
    return step;
  }
  // WHY: fed from the thread's buffer; only what is left is copied, so an idle connection holds nothing.
  const Fed fed = feed(bytes);
  leftover_.assign(bytes.substr(fed.consumed));
  leftover_begin_ = 0;
  return fed.step;
}

void Driver::drop_leftover(std::size_t count) {
  leftover_begin_ += count;
  if (leftover_begin_ == leftover_.size()) {
    std::string().swap(leftover_);
    leftover_begin_ = 0;
  } else if (leftover_begin_ > leftover_.size() / 2) {
    leftover_.erase(0, leftover_begin_);
    leftover_begin_ = 0;
  }
}

void Driver::arm_read() {
  if (is_read_armed_ || (pending_ & kReadable) != 0) return;
  is_read_armed_ = true;
  descriptor_->async_wait(Descriptor::wait_read, [self = shared_from_this()](const asio::error_code&) {
    self->is_read_armed_ = false;
    self->signal(kReadable);
  });
}

void Driver::arm_write() {
  if (is_write_armed_ || (pending_ & kWritable) != 0) return;
  is_write_armed_ = true;
  descriptor_->async_wait(Descriptor::wait_write, [self = shared_from_this()](const asio::error_code&) {
    self->is_write_armed_ = false;
    self->signal(kWritable);
  });
}

Task<bool> Driver::flush(std::chrono::seconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (has_output()) {
    const IoResult put = stream_.write(std::string_view(output_).substr(output_begin_));
    if (put.status == IoStatus::kClosed) {
      hear_last_words();
      co_return false;
    }
    if (put.status == IoStatus::kDone) {
      output_begin_ += put.bytes;
      endpoint_->bytes_out->add(put.bytes);
      continue;
    }
    // WHY: a server that takes a byte now and then must not hold us; clients of ours may be on any line (RFC 5321 §4.5.3.2.5).
    std::chrono::seconds left = patience;
    if (endpoint_->side == Endpoint::Side::kClient) {
      left = std::max(std::chrono::ceil<std::chrono::seconds>(until - std::chrono::steady_clock::now()), kLeastPatience);
    }
    if (left <= kLeastPatience || !co_await wait_for_socket(put.status, left, kCut)) {
      tell_too_slow();
      co_return false;
    }
  }
  output_begin_ = 0;
  thread_.take_back_output(output_);
  co_return true;
}

Task<bool> Driver::wait_for_socket(IoStatus status, std::chrono::seconds patience, Events giving_up) {
  const Event ready = status == IoStatus::kWantWrite ? kWritable : kReadable;
  if (ready == kWritable) {
    arm_write();
  } else {
    arm_read();
  }
  thread_.set_deadline(*this, patience);
  pending_ &= ~static_cast<Events>(kDeadline);
  const Events got = co_await events(ready | kDeadline | giving_up);
  thread_.pause_deadline(*this);
  if ((got & giving_up) != 0) co_return false;
  if ((got & ready) == 0) {
    fail_with(ErrorKind::kTimeout, "peer too slow");
    co_return false;
  }
  pending_ &= ~static_cast<Events>(ready);
  co_return true;
}

// A server that takes no more of what we send has often said why. Nobody but a client session wants to know.
void Driver::hear_last_words() {
  if (endpoint_->side != Endpoint::Side::kClient || !session_) return;
  const std::span<char> buffer = thread_.read_buffer();
  const IoResult got = stream_.read(buffer.data(), buffer.size());
  if (got.status == IoStatus::kDone) session_->last_words({buffer.data(), got.bytes});
}

// Its output has not gone out in time. A server session has nothing to say to that, a client session has results to tell.
void Driver::tell_too_slow() {
  if (endpoint_->side != Endpoint::Side::kClient || !session_ || (pending_ & kCut) != 0) return;
  fail_with(ErrorKind::kTimeout, "peer too slow");
  std::string unsent;
  session_->timed_out(unsent);
}

bool Driver::begin_handshake() {
  const int fd = descriptor_->native_handle();
  if (endpoint_->side == Endpoint::Side::kServer) {
    stream_.begin_tls(endpoint_->tls_context->accept_on(fd, endpoint_->alpn));
    return true;
  }
  SslPointer ssl = endpoint_->tls_context->connect_on(fd, endpoint_->server_name);
  const Result<> is_set = expect_peer(ssl.get(), endpoint_->verification);
  stream_.begin_tls(std::move(ssl));
  if (!is_set) handshake_failed(is_set.error().context);
  return is_set.has_value();
}

session::TlsFacts Driver::tls_facts() {
  session::TlsFacts facts = stream_.tls_facts();
  if (endpoint_->side == Endpoint::Side::kServer) return facts;
  PeerVerdict verdict = judge_peer(stream_.ssl(), endpoint_->verification);
  facts.is_peer_verified = verdict.is_verified;
  facts.peer_error = std::move(verdict.error);
  if (endpoint_->verification.certificate_seen) {
    if (const auto certificate = describe_peer(stream_.ssl())) endpoint_->verification.certificate_seen(*certificate);
  }
  return facts;
}

void Driver::handshake_failed(const std::string& why) {
  endpoint_->handshakes_failed->add();
  log::info("tls.handshake_failed", {{"listener", endpoint_->name}, {"remote", client_address()}, {"error", why}});
  fail_with(ErrorKind::kUnavailable, "TLS handshake: " + why);
  session_->tls_failed(why);
}

Task<bool> Driver::handshake() {
  if (!begin_handshake()) co_return false;
  const auto until = std::chrono::steady_clock::now() + kHandshakePatience;
  for (;;) {
    const IoResult result = stream_.handshake();
    if (result.status == IoStatus::kDone) co_return true;
    // WHY: one deadline for all of it, or a byte now and then would hold the connection for ever.
    const auto left = std::chrono::ceil<std::chrono::seconds>(until - std::chrono::steady_clock::now());
    const bool may_go_on = result.status != IoStatus::kClosed && left.count() > 0;
    if (may_go_on && co_await wait_for_socket(result.status, left, kCut | kShutdown)) continue;
    handshake_failed(stream_.failure().empty() ? "timeout or shutdown" : stream_.failure());
    co_return false;
  }
}

Task<std::optional<Step>> Driver::start_tls() {
  if (endpoint_->tls == TlsMode::kNone || stream_.is_tls()) {
    log::error("net.starttls_impossible", {{"listener", endpoint_->name}});
    co_return std::nullopt;
  }
  if (!co_await flush(session_->deadline())) co_return std::nullopt;
  // RFC 3207 §4.2, RFC 2595 §2.1: what came before TLS may be forged; nothing of it reaches the session.
  if (!leftover().empty())
    log::warning("net.plaintext_after_starttls", {{"listener", endpoint_->name}, {"bytes", leftover().size()}});
  drop_leftover(leftover().size());
  if (!co_await handshake()) co_return std::nullopt;
  thread_.lend_output(output_);
  co_return session_->tls_started(tls_facts(), output_);
}

Task<std::optional<Step>> Driver::run() {
  if (output_size() >= kFlushAt && !co_await flush(session_->deadline())) co_return std::nullopt;
  if (session_->run_cost() == session::RunCost::kBrief) {
    thread_.lend_output(output_);
    session_->run(output_);
    if (++steps_without_pause_ >= kStepsWithoutPause) {
      steps_without_pause_ = 0;
      post(kContinue);
      co_await events(kContinue);
      pending_ &= ~static_cast<Events>(kContinue);
    }
    co_return session_->resumed(output_);
  }
  endpoint_->workers->submit([self = shared_from_this()] {
    self->session_->run(self->output_);
    self->post(kFinished);
  });
  co_await events(kFinished);
  pending_ &= ~static_cast<Events>(kFinished);
  co_return session_->resumed(output_);
}

/// The Resume a session gets. Destroyed without a call it ends the connection, which would otherwise wait for ever.
struct Driver::ResumeOnce {
  std::shared_ptr<Driver> driver;
  explicit ResumeOnce(std::shared_ptr<Driver> d) : driver(std::move(d)) {}
  ResumeOnce(ResumeOnce&&) noexcept = default;
  ResumeOnce& operator=(ResumeOnce&&) = delete;
  ~ResumeOnce() {
    if (!driver) return;
    driver->is_resume_dropped_ = true;
    driver->resume_from_session();
  }
  void operator()() {
    if (const std::shared_ptr<Driver> waiting = std::exchange(driver, nullptr)) waiting->resume_from_session();
  }
};

void Driver::resume_from_session() {
  // Called inside begin() no hop is needed; is_beginning_ belongs to the io thread, so that is asked first.
  if (thread_.is_current() && is_beginning_) {
    signal(kFinished);
  } else {
    post(kFinished);
  }
}

Task<std::optional<Step>> Driver::wait() {
  if (output_size() >= kFlushAt && !co_await flush(session_->deadline())) co_return std::nullopt;
  is_beginning_ = true;
  session_->begin(ResumeOnce(shared_from_this()));
  is_beginning_ = false;
  co_await events(kFinished);
  pending_ &= ~static_cast<Events>(kFinished);
  if (is_resume_dropped_) {
    log::error("net.resume_dropped", {{"listener", endpoint_->name}});
    co_return std::nullopt;
  }
  thread_.lend_output(output_);
  co_return session_->resumed(output_);
}

Task<bool> Driver::close() {
  if (!co_await flush(kClosePatience)) co_return false;
  session_.reset();
  stream_.shut_down_write();
  if ((pending_ & kShutdown) != 0) co_return true;
  // WHY: closing a socket with unread input resets the connection, and the client may lose the last reply.
  thread_.set_deadline(*this, kLinger);
  pending_ &= ~static_cast<Events>(kDeadline);
  for (std::size_t discarded = 0; discarded < kMaxDiscardedAtClose;) {
    const IoResult got = stream_.discard(thread_.read_buffer());
    if (got.status == IoStatus::kClosed) co_return true;
    discarded += got.bytes;
    if (got.status == IoStatus::kDone) continue;
    pending_ &= ~static_cast<Events>(kReadable);
    arm_read();
    const Events stop = kDeadline | kShutdown | kCut;
    const Events happened = co_await events(kReadable | stop);
    if ((happened & stop) != 0) co_return true;
  }
  co_return true;
}

}  // namespace posthus::net
