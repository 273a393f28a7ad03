// See dialer.h.
#include "core/main/dialer.h"

#include <utility>

namespace posthus::main {
namespace {

net::TlsMode to_mode(session::DialTls tls) {
  switch (tls) {
    case session::DialTls::kNone: return net::TlsMode::kNone;
    case session::DialTls::kStartTls: return net::TlsMode::kStartTls;
    case session::DialTls::kImplicit: return net::TlsMode::kImplicit;
  }
  return net::TlsMode::kNone;
}

}  // namespace

Result<std::unique_ptr<NetworkDialer>> NetworkDialer::create(net::Network& network, const net::RootCertificates& roots) {
  std::shared_ptr<net::TlsContext> tls = POSTHUS_TRY(net::TlsContext::create_client(roots));
  return std::unique_ptr<NetworkDialer>(new NetworkDialer(network, std::move(tls)));
}

void NetworkDialer::dial(session::DialOptions options, session::SessionFactory make_session, session::DialDone done) {
  net::OutboundOptions outbound{.address = std::move(options.address),
                                .port = options.port,
                                .bind_address = std::move(options.bind_address),
                                .connect_deadline = options.connect_deadline,
                                .tls = to_mode(options.tls),
                                .tls_context = tls_,
                                .server_name = std::move(options.server_name),
                                .verification = std::move(options.verification)};
  // WHY: what ended a session the session has told already; a failure here means that there never was one.
  auto has_session = std::make_shared<bool>(false);
  auto make = [make_session = std::move(make_session), has_session](const session::ConnectionFacts& facts, session::Waker waker) {
    std::unique_ptr<session::Session> session = make_session(facts, std::move(waker));
    *has_session = session != nullptr;
    return session;
  };
  network_.connect(std::move(outbound), std::move(make), [done = std::move(done), has_session](Result<> outcome) mutable {
    done(outcome || *has_session ? std::string() : outcome.error().context);
  });
}

}  // namespace posthus::main
