// Acceptor: a listening socket on one io thread. Listener: what the acceptors of one port share.
// Only for .cc files of this folder (it includes Asio). Thread rule: its io thread; Listener is constant.
#pragma once

#include <asio/posix/basic_stream_descriptor.hpp>
#include <memory>

#include "core/base/file.h"
#include "core/base/metrics.h"
#include "core/base/rate_limiter.h"
#include "core/net/connection_limits.h"
#include "core/net/driver.h"
#include "core/net/io_thread.h"
#include "core/net/listener.h"
#include "core/net/socket_address.h"

namespace posthus::net {

class Listener {
 public:
  Listener(ListenerOptions options, Workers& workers);

  const ListenerOptions options;
  const std::shared_ptr<const Endpoint> endpoint;
  const std::shared_ptr<ConnectionLimits> limits;
  metrics::Counter& accepted;
  metrics::Counter& refused;
  metrics::Counter& bad_headers;
  bool is_proxy(const IpAddress& address) const;
  /// A place for a connection; `client` is empty as long as a proxy has not said who it is.
  std::optional<ConnectionLimits::Place> take_place(const std::optional<IpAddress>& client) const;
  /// Whether another line about refusals may go to the log; a flood of connections must not become a flood of lines.
  bool may_log() const { return log_limit_.try_take(""); }

 private:
  SystemClock clock_;
  mutable RateLimiter log_limit_;
};

class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(std::shared_ptr<IoThread> thread, std::shared_ptr<const Listener> listener, UniqueFd fd);
  void start();
  void close();
  IoThread& thread() { return *thread_; }

 private:
  void wait();
  void pause();
  void accept_waiting();
  void admit(UniqueFd fd, const SocketAddress& peer);
  void admit_from_proxy(UniqueFd fd, const session::ConnectionFacts& facts, const IpAddress& proxy);
  struct FromProxy;
  static bool names_client(const FromProxy& from, const ProxyHeader& header);
  static std::unique_ptr<session::Session> introduced(const FromProxy& from, const ProxyHeader& header);
  static void header_failed(const FromProxy& from, std::string_view why);
  void refuse(const UniqueFd& fd, const std::string& remote_address) { refuse(*listener_, fd.get(), remote_address); }
  static void refuse(const Listener& listener, int fd, const std::string& remote_address);
  session::ConnectionFacts facts_of(const UniqueFd& fd, const SocketAddress& peer) const;

  using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
  const std::shared_ptr<IoThread> thread_;
  const std::shared_ptr<const Listener> listener_;
  Descriptor descriptor_;
  asio::steady_timer retry_;
  bool is_closed_ = false;
};

}  // namespace posthus::net
