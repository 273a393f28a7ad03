// Threads, listeners, and the order in which they end.
#include "core/net/network.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/net/acceptor.h"
#include "core/net/connector.h"
#include "core/net/io_thread.h"

namespace posthus::net {
namespace {

int processors() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

constexpr std::chrono::seconds kStillWaitingInterval{10};

// Each connection is a descriptor; the usual soft limit of 1024 is meant for programs that use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

struct Network::State {
  explicit State(const NetworkOptions& options) : workers(options.workers > 0 ? options.workers : processors() + 2) {
    const int count = options.io_threads > 0 ? options.io_threads : processors();
    for (int i = 0; i < count; ++i) threads.push_back(std::make_shared<IoThread>(open));
  }

  Result<std::uint16_t> add_tcp_listener(const std::shared_ptr<const Listener>& listener);
  Result<std::uint16_t> add_unix_listener(const std::shared_ptr<const Listener>& listener);
  void add_acceptor(std::shared_ptr<Acceptor> acceptor);
  void end_connections(std::chrono::milliseconds drain);

  OpenConnections open;
  Workers workers;
  Timers timers;
  std::vector<std::shared_ptr<IoThread>> threads;
  std::vector<std::shared_ptr<Acceptor>> acceptors;
  std::atomic<std::size_t> next_thread{0};
  bool is_started = false;
  bool is_stopped = false;
};

Network::Network(NetworkOptions options) : state_(std::make_unique<State>(options)) {
  // WHY: OpenSSL writes sockets with write(2), which cannot be told MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
}

Network::~Network() { stop(std::chrono::milliseconds(0)); }

Workers& Network::workers() { return state_->workers; }
Timers& Network::timers() { return state_->timers; }
std::size_t Network::open_connections() const { return state_->open.count(); }

Result<std::uint16_t> Network::add_listener(ListenerOptions options) {
  CHECK(!state_->is_stopped);
  CHECK(options.make_session != nullptr);
  if (options.tls != TlsMode::kNone && !options.tls_context) return fail(ErrorKind::kInvalid, options.name + ": no certificate");
  const bool is_unix = !options.unix_path.empty();
  const auto listener = std::make_shared<const Listener>(std::move(options), state_->workers);
  return is_unix ? state_->add_unix_listener(listener) : state_->add_tcp_listener(listener);
}

Result<std::uint16_t> Network::State::add_unix_listener(const std::shared_ptr<const Listener>& listener) {
  UniqueFd fd = POSTHUS_TRY(listen_on_unix(listener->options.unix_path));
  add_acceptor(std::make_shared<Acceptor>(threads.front(), listener, std::move(fd)));
  return std::uint16_t{0};
}

Result<std::uint16_t> Network::State::add_tcp_listener(const std::shared_ptr<const Listener>& listener) {
  const ListenerOptions& options = listener->options;
  std::uint16_t port = options.port;
  if (port != 0) {
    // WHY: sockets that share a port share it with another running copy of us, too. One that does not share finds out.
    POSTHUS_TRY(listen_on_tcp(options.address, port, PortSharing::kExclusive));
  }
  std::vector<UniqueFd> fds;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    UniqueFd fd = POSTHUS_TRY(listen_on_tcp(options.address, port, PortSharing::kOneAcceptorPerThread));
    if (port == 0) port = local_endpoint(fd.get()).value_or(IpEndpoint{}).port;
    fds.push_back(std::move(fd));
  }
  for (std::size_t i = 0; i < threads.size(); ++i) {
    add_acceptor(std::make_shared<Acceptor>(threads[i], listener, std::move(fds[i])));
  }
  return port;
}

void Network::State::add_acceptor(std::shared_ptr<Acceptor> acceptor) {
  acceptors.push_back(acceptor);
  // WHY: before start() nothing is posted; a loop that never runs would hold its own acceptor for ever.
  if (is_started) asio::post(acceptor->thread().context(), [acceptor] { acceptor->start(); });
}

void Network::start() {
  CHECK(!state_->is_started);
  state_->is_started = true;
  for (const std::shared_ptr<Acceptor>& acceptor : state_->acceptors) {
    asio::post(acceptor->thread().context(), [acceptor] { acceptor->start(); });
  }
  for (const std::shared_ptr<IoThread>& thread : state_->threads) thread->start();
}

void Network::connect(OutboundOptions options, session::SessionFactory make_session, OutboundDone done) {
  const std::size_t index = state_->next_thread.fetch_add(1) % state_->threads.size();
  const std::shared_ptr<IoThread>& thread = state_->threads[index];
  asio::post(thread->context(),
             [owner = std::weak_ptr(thread), options = std::move(options), make_session = std::move(make_session),
              workers = &state_->workers, done = std::move(done)]() mutable {
               connect_outbound(owner.lock(), std::move(options), std::move(make_session), *workers, std::move(done));
             });
}

void Network::State::end_connections(std::chrono::milliseconds drain) {
  for (const std::shared_ptr<Acceptor>& acceptor : acceptors) {
    asio::post(acceptor->thread().context(), [acceptor] { acceptor->close(); });
  }
  for (const std::shared_ptr<IoThread>& thread : threads) {
    asio::post(thread->context(), [thread = thread.get()] { thread->shut_sessions_down(); });
  }
  if (open.wait_for_none(drain)) return;
  for (const std::shared_ptr<IoThread>& thread : threads) {
    asio::post(thread->context(), [thread = thread.get()] { thread->cut_connections(); });
  }
  while (!open.wait_for_none(kStillWaitingInterval)) {
    log::warning("net.stop_waits", {{"connections", static_cast<std::uint64_t>(open.count())}});
  }
}

void Network::stop(std::chrono::milliseconds drain) {
  if (state_->is_stopped) return;
  state_->is_stopped = true;
  state_->timers.stop();
  if (state_->is_started) {
    state_->end_connections(drain);
    for (const std::shared_ptr<IoThread>& thread : state_->threads) thread->join();
  }
  state_->workers.stop();
  state_->acceptors.clear();
}

}  // namespace posthus::net
