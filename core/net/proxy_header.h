// The header of the PROXY protocol, with which a proxy says whom a connection is from. Versions 1 (a line of text) and 2
// (binary). Source: "The PROXY protocol, versions 1 & 2", haproxy, doc/proxy-protocol.txt of 2020-03-05, sections 2.1 and 2.2.
// Thread rule: pure function. Known limits: of the TLVs of version 2 only the checksum counts, the others are passed over.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "core/net/socket_address.h"

namespace posthus::net {

inline constexpr std::size_t kMaxProxyLine = 107;    // section 2.1: the longest line of version 1, with CRLF
inline constexpr std::size_t kMaxProxyHeader = 536;  // section 2: both versions fit the smallest TCP segment

struct ProxyHeader {
  enum class Kind : std::uint8_t {
    kAddresses,  // `client` connected to `server`
    kUnknown,    // somebody connected, the proxy does not say from where: UNKNOWN, no IP address, no TCP
    kLocal,      // the proxy itself, which looks whether we live
  };
  Kind kind = Kind::kUnknown;
  std::size_t size = 0;  // bytes of the header; what follows is the client's
  IpEndpoint client, server;
};

/// The header at the beginning of `bytes`; nothing as long as it is incomplete: then all of `bytes` belongs to it, and fewer than
/// kMaxProxyHeader. Errors: kInvalid for what is no header and never will be, the context says why.
Result<std::optional<ProxyHeader>> parse_proxy_header(std::string_view bytes);

}  // namespace posthus::net
