// WebConnection: one HTTPS exchange, blocking, with one deadline and an end from outside. RFC 9112, RFC 6125.
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/base/ip_address.h"
#include "core/base/result.h"
#include "core/main/http_response.h"
#include "core/net/tls_context.h"

namespace posthus::main {

struct WebEnd {
  std::chrono::steady_clock::time_point deadline;
  int stop_descriptor = -1;  // readable: give up
};

/// Sends `request` to `address` and returns all bytes of the answer, until it is whole, the server closes in order, or `limit` is
/// passed (kTooLarge). The certificate must be of a trusted root and have `host` among its DNS-IDs. Errors: kDenied (the
/// certificate), kTimeout, kUnavailable.
Result<std::string> exchange_over_tls(const net::TlsContext& tls, const IpAddress& address, std::uint16_t port,
                                      const std::string& host, std::string_view request, std::size_t limit, const WebEnd& end,
                                      BodyRule rule = BodyRule::kAsSaid);

/// The same without TLS. REQUIRES: an address of this machine itself: nobody else is between.
Result<std::string> exchange_in_clear(const IpAddress& address, std::uint16_t port, std::string_view request, std::size_t limit,
                                      const WebEnd& end, BodyRule rule = BodyRule::kAsSaid);

}  // namespace posthus::main
