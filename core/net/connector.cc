// Non-blocking connect with a deadline.
#include "core/net/connector.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>

#include "core/net/socket_address.h"

namespace posthus::net {
namespace {

Result<UniqueFd> begin_connecting(const OutboundOptions& options) {
  const std::optional<IpAddress> address = parse_ip_address(options.address);
  if (!address) return fail(ErrorKind::kInvalid, "address " + options.address);
  UniqueFd fd(::socket(address->is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(error_from_errno(errno, options.address));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!options.bind_address.empty()) {
    const std::optional<IpAddress> source = parse_ip_address(options.bind_address);
    if (!source || source->is_v6 != address->is_v6) return fail(ErrorKind::kInvalid, "source address " + options.bind_address);
    const SocketAddress from = to_socket_address(*source, 0);
    if (::bind(fd.get(), from.get(), from.size) != 0) return std::unexpected(error_from_errno(errno, options.bind_address));
  }
  const SocketAddress to = to_socket_address(*address, options.port);
  if (::connect(fd.get(), to.get(), to.size) != 0 && errno != EINPROGRESS) {
    return std::unexpected(Error{ErrorKind::kUnavailable, error_from_errno(errno, options.address).context});
  }
  return fd;
}

std::shared_ptr<const Endpoint> dialling_endpoint(const OutboundOptions& options, Workers& workers) {
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->name = "outbound";
  endpoint->side = Endpoint::Side::kClient;
  endpoint->tls = options.tls;
  endpoint->tls_context = options.tls_context;
  endpoint->server_name = options.server_name;
  endpoint->verification = options.verification;
  endpoint->workers = &workers;
  register_metrics(*endpoint);
  return endpoint;
}

class Connector : public std::enable_shared_from_this<Connector> {
 public:
  Connector(std::shared_ptr<IoThread> thread, OutboundOptions options, session::SessionFactory make_session, Workers& workers,
            OutboundDone done)
      : thread_(std::move(thread)),
        options_(std::move(options)),
        make_session_(std::move(make_session)),
        workers_(workers),
        done_(std::move(done)),
        descriptor_(thread_->context().get_executor()),
        deadline_(thread_->context()) {}

  void start() {
    if (thread_->is_stopping()) return end(fail(ErrorKind::kUnavailable, "shutting down"));
    Result<UniqueFd> fd = begin_connecting(options_);
    if (!fd) return end(std::unexpected(fd.error()));
    asio::error_code error;
    descriptor_.assign(fd->get(), error);
    if (error) return end(fail(ErrorKind::kUnavailable, error.message()));
    fd->release();
    thread_->add_pending(this, [self = shared_from_this()] { self->end(fail(ErrorKind::kUnavailable, "shutting down")); });
    is_pending_ = true;
    deadline_.expires_after(options_.connect_deadline);
    deadline_.async_wait([self = shared_from_this()](const asio::error_code& cancelled) {
      if (!cancelled) self->end(fail(ErrorKind::kTimeout, "connecting to " + self->options_.address));
    });
    descriptor_.async_wait(Descriptor::wait_write, [self = shared_from_this()](const asio::error_code& failed) {
      if (!failed) self->connected();
    });
  }

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

  void end(Result<> outcome) {
    if (!done_) return;
    asio::error_code ignored;
    if (descriptor_.is_open()) descriptor_.close(ignored);
    deadline_.cancel();
    const std::shared_ptr<Connector> self = shared_from_this();
    std::exchange(done_, nullptr)(std::move(outcome));
    no_longer_pending();
  }

  // WHY: after `done` and after a driver has been added, so that the server does not believe that nothing is left.
  void no_longer_pending() {
    if (std::exchange(is_pending_, false)) thread_->remove_pending(this);
  }

  void connected() {
    if (!done_) return;
    int number = 0;
    socklen_t size = sizeof number;
    ::getsockopt(descriptor_.native_handle(), SOL_SOCKET, SO_ERROR, &number, &size);
    if (number != 0) return end(fail(ErrorKind::kUnavailable, error_from_errno(number, options_.address).context));
    deadline_.cancel();
    UniqueFd fd(descriptor_.release());
    session::ConnectionFacts facts;
    facts.remote_address = options_.address;
    facts.remote_port = options_.port;
    if (const std::optional<IpEndpoint> local = local_endpoint(fd.get())) {
      facts.local_address = to_string(local->address);
      facts.local_port = local->port;
    }
    const auto driver = std::make_shared<Driver>(thread_, dialling_endpoint(options_, workers_), std::move(fd), std::move(done_));
    done_ = nullptr;
    driver->start_or_fail(facts, make_session_);
    no_longer_pending();
  }

  const std::shared_ptr<IoThread> thread_;
  const OutboundOptions options_;
  const session::SessionFactory make_session_;
  Workers& workers_;
  OutboundDone done_;
  Descriptor descriptor_;
  asio::steady_timer deadline_;
  bool is_pending_ = false;
};

}  // namespace

void connect_outbound(std::shared_ptr<IoThread> thread, OutboundOptions options, session::SessionFactory make_session,
                      Workers& workers, OutboundDone done) {
  std::make_shared<Connector>(std::move(thread), std::move(options), std::move(make_session), workers, std::move(done))->start();
}

}  // namespace posthus::net
