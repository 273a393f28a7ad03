// ListenerOptions: one port or Unix socket, whom it lets in, and the sessions it makes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/ip_address.h"
#include "core/net/tls_context.h"
#include "core/session/session.h"

namespace posthus::net {

enum class TlsMode : std::uint8_t {
  kNone,      // a session that asks for kStartTls is closed
  kStartTls,  // when the session asks for it
  kImplicit,  // from the first byte (RFC 8314 §3)
};

struct ListenerOptions {
  std::string name;                   // in logs and metrics: "smtp", "imaps"; from a fixed set
  std::string address = "127.0.0.1";  // an address; "*" is every address of both families
  std::uint16_t port = 0;             // 0: the system chooses
  std::string unix_path;              // instead of address and port; the socket has mode 0600
  TlsMode tls = TlsMode::kNone;
  std::shared_ptr<TlsContext> tls_context;  // REQUIRED unless tls is kNone
  std::string alpn;                         // what ALPN may select, e.g. "http/1.1"; empty: ALPN is ignored
  session::SessionFactory make_session;     // may return null: the connection is refused
  std::size_t max_connections = 10'000;     // 0: no limit
  std::size_t max_per_network = 100;        // from one IPv4 address or IPv6 /64; 0: no limit
  /// Whom a PROXY header is taken from. Their connections must begin with one, before TLS; of others it is never read.
  std::vector<IpNetwork> proxies;
  /// Whether many clients come from an address: then max_per_network does not count them. Empty: no address is such. Any thread.
  std::function<bool(const IpAddress&)> is_shared;
  std::string farewell;  // sent to a refused plain connection, e.g. "421 4.3.2 Too many connections\r\n"
};

}  // namespace posthus::net
