// NetworkDialer: the Dialer of the running server: connections over core/net. Thread rule: any thread.
#pragma once

#include <memory>

#include "core/net/network.h"
#include "core/net/tls_context.h"
#include "core/session/dialer.h"

namespace posthus::main {

class NetworkDialer final : public session::Dialer {
 public:
  /// Errors: kInvalid when the root certificates cannot be read. REQUIRES: `network` outlives the dialer, and dial() is
  /// called between its start() and the end of its stop().
  static Result<std::unique_ptr<NetworkDialer>> create(net::Network& network, const net::RootCertificates& roots = {});

  void dial(session::DialOptions options, session::SessionFactory make_session, session::DialDone done) override;

 private:
  NetworkDialer(net::Network& network, std::shared_ptr<net::TlsContext> tls) : network_(network), tls_(std::move(tls)) {}

  net::Network& network_;
  const std::shared_ptr<net::TlsContext> tls_;
};

}  // namespace posthus::main
