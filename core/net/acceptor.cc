// Accepting connections: non-blocking accept4 in small batches, limits, farewells.
#include "core/net/acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/base/log.h"

namespace posthus::net {
namespace {

constexpr int kBatch = 32;                                     // then other connections have a turn
constexpr std::chrono::milliseconds kPauseWhenExhausted{100};  // out of descriptors or memory: somebody must close first

std::shared_ptr<const Endpoint> listening_endpoint(const ListenerOptions& options, Workers& workers) {
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->name = options.name;
  endpoint->tls = options.tls;
  endpoint->tls_context = options.tls_context;
  endpoint->alpn = options.alpn;
  endpoint->workers = &workers;
  register_metrics(*endpoint);
  return endpoint;
}

std::string label_of(const ListenerOptions& options) { return "listener=\"" + options.name + "\""; }

// The client's fault or the network's; the next one may be fine.
bool is_passing(int number) {
  switch (number) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EPERM: return true;
    default: return false;
  }
}

}  // namespace

/// A connection from a proxy while its header is awaited.
struct Acceptor::FromProxy {
  std::shared_ptr<const Listener> listener;
  session::ConnectionFacts facts;  // of the proxy
  IpAddress proxy;
  std::shared_ptr<ConnectionLimits::Place> place;
  std::weak_ptr<Driver> driver;
};

// May the header's client count as the client? WHY not loopback: it is taken for this machine, but the proxy means its own.
bool Acceptor::names_client(const FromProxy& from, const ProxyHeader& header) {
  if (header.kind != ProxyHeader::Kind::kAddresses || header.client.address == IpAddress{.is_v6 = header.client.address.is_v6})
    return false;
  return !is_loopback(header.client.address) || is_loopback(from.proxy);
}

void Acceptor::header_failed(const FromProxy& from, std::string_view why) {
  if (why.empty()) {  // came and went, as a look whether the port is open does
    log::debug("net.proxy_left", {{"listener", from.listener->options.name}, {"proxy", from.facts.remote_address}});
    return;
  }
  from.listener->bad_headers.add();
  if (!from.listener->may_log()) return;
  log::warning("net.proxy_header_refused",
               {{"listener", from.listener->options.name}, {"proxy", from.facts.remote_address}, {"error", why}});
}

Listener::Listener(ListenerOptions o, Workers& workers)
    : options(std::move(o)),
      endpoint(listening_endpoint(options, workers)),
      limits(std::make_shared<ConnectionLimits>(options.max_connections, options.max_per_network)),
      accepted(metrics::counter("posthus_connections_accepted_total", "Connections accepted.", label_of(options))),
      refused(metrics::counter("posthus_connections_refused_total", "Connections refused at a limit.", label_of(options))),
      bad_headers(metrics::counter("posthus_proxy_headers_refused_total",
                                   "Connections from proxies that did not begin with a PROXY header.", label_of(options))),
      log_limit_(clock_, {.burst = 3, .microseconds_per_token = 10'000'000, .max_keys = 1}) {}

bool Listener::is_proxy(const IpAddress& address) const {
  return std::ranges::any_of(options.proxies, [&](const IpNetwork& network) { return network.contains(address); });
}

std::optional<ConnectionLimits::Place> Listener::take_place(const std::optional<IpAddress>& client) const {
  const bool is_shared = client && options.is_shared && options.is_shared(*client);
  return limits->take(is_shared ? std::nullopt : client);
}

Acceptor::Acceptor(std::shared_ptr<IoThread> thread, std::shared_ptr<const Listener> listener, UniqueFd fd)
    : thread_(std::move(thread)),
      listener_(std::move(listener)),
      descriptor_(thread_->context().get_executor(), fd.release()),
      retry_(thread_->context()) {}

void Acceptor::start() { wait(); }

void Acceptor::close() {
  is_closed_ = true;
  asio::error_code ignored;
  descriptor_.close(ignored);
  retry_.cancel();
}

void Acceptor::wait() {
  descriptor_.async_wait(Descriptor::wait_read, [self = shared_from_this()](const asio::error_code& error) {
    if (!error && !self->is_closed_) self->accept_waiting();
  });
}

void Acceptor::pause() {
  retry_.expires_after(kPauseWhenExhausted);
  retry_.async_wait([self = shared_from_this()](const asio::error_code& error) {
    if (!error && !self->is_closed_) self->wait();
  });
}

void Acceptor::accept_waiting() {
  for (int i = 0; i < kBatch; ++i) {
    SocketAddress peer;
    UniqueFd fd(::accept4(descriptor_.native_handle(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      admit(std::move(fd), peer);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (is_passing(errno)) continue;
    const int number = errno;
    if (listener_->may_log()) {
      log::error("net.accept_failed",
                 {{"listener", listener_->options.name}, {"error", std::generic_category().message(number)}});
    }
    return pause();
  }
  wait();
}

session::ConnectionFacts Acceptor::facts_of(const UniqueFd& fd, const SocketAddress& peer) const {
  session::ConnectionFacts facts;
  facts.is_unix_socket = !listener_->options.unix_path.empty();
  if (const std::optional<IpEndpoint> remote = to_ip_endpoint(peer)) {
    facts.remote_address = to_string(remote->address);
    facts.remote_port = remote->port;
  }
  if (facts.is_unix_socket) return facts;
  if (const std::optional<IpEndpoint> local = local_endpoint(fd.get())) {
    facts.local_address = to_string(local->address);
    facts.local_port = local->port;
  }
  return facts;
}

void Acceptor::admit(UniqueFd fd, const SocketAddress& peer) {
  const session::ConnectionFacts facts = facts_of(fd, peer);
  const std::optional<IpEndpoint> remote = to_ip_endpoint(peer);
  if (remote) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (listener_->is_proxy(remote->address)) return admit_from_proxy(std::move(fd), facts, remote->address);
  }
  std::optional<ConnectionLimits::Place> place = listener_->take_place(remote ? std::optional(remote->address) : std::nullopt);
  if (!place) return refuse(fd, facts.remote_address);
  const int number = fd.get();
  const auto driver = std::make_shared<Driver>(thread_, listener_->endpoint, std::move(fd),
                                               [held = std::move(*place)](const Result<>&) { static_cast<void>(held); });
  if (!driver->is_open()) return;
  std::unique_ptr<session::Session> session = listener_->options.make_session(facts, session::Waker(driver));
  if (!session) {
    UniqueFd copy(::dup(number));  // the driver closes its own
    return refuse(copy, facts.remote_address);
  }
  listener_->accepted.add();
  driver->start(std::move(session));
}

std::unique_ptr<session::Session> Acceptor::introduced(const FromProxy& from, const ProxyHeader& header) {
  const std::shared_ptr<Driver> driver = from.driver.lock();
  const Listener& listener = *from.listener;
  session::ConnectionFacts facts = from.facts;
  std::optional<IpAddress> client;
  if (names_client(from, header)) {
    client = header.client.address;
    facts.remote_address = to_string(*client);
    facts.remote_port = header.client.port;
    facts.local_address = to_string(header.server.address);
    facts.local_port = header.server.port;
    driver->set_client(*client);
  }
  const bool is_shared = client && listener.options.is_shared && listener.options.is_shared(*client);
  // WHY not counted without a client's address: it would be the proxy's, which all of its clients share.
  std::unique_ptr<session::Session> session;
  if (!client || is_shared || from.place->take_for(*client))
    session = listener.options.make_session(facts, session::Waker(driver));
  if (session) {
    listener.accepted.add();
  } else {
    refuse(listener, driver->descriptor(), facts.remote_address);
  }
  return session;
}

// The session is made when the header has come; only then its client counts against the limit of its network.
void Acceptor::admit_from_proxy(UniqueFd fd, const session::ConnectionFacts& facts, const IpAddress& proxy) {
  std::optional<ConnectionLimits::Place> taken = listener_->take_place(std::nullopt);
  if (!taken) return refuse(fd, facts.remote_address);
  const auto place = std::make_shared<ConnectionLimits::Place>(std::move(*taken));
  const auto driver = std::make_shared<Driver>(thread_, listener_->endpoint, std::move(fd),
                                               [place](const Result<>&) { static_cast<void>(place); });
  if (!driver->is_open()) return;
  const FromProxy from{listener_, facts, proxy, place, driver};
  driver->start_introduced({.introduced = [from](const ProxyHeader& header) { return introduced(from, header); },
                            .failed = [from](std::string_view why) { header_failed(from, why); }});
}

void Acceptor::refuse(const Listener& listener, int fd, const std::string& remote_address) {
  listener.refused.add();
  if (listener.may_log()) {
    log::warning("net.connection_refused", {{"listener", listener.options.name}, {"remote", remote_address}});
  }
  const std::string& farewell = listener.options.farewell;
  if (listener.options.tls != TlsMode::kImplicit && !farewell.empty()) {
    static_cast<void>(::send(fd, farewell.data(), farewell.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  }
  ::shutdown(fd, SHUT_RDWR);
}

}  // namespace posthus::net
