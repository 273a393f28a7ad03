// Routes as people write them: "smtp://host:port", "smtps://host:port", with "?tls=required" and the like.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/queue_records.h"

namespace posthus::store {

/// "smtp://" (port 25) or "smtps://" (port 465, TLS from the first byte), a name, an IPv4 address or an IPv6 address in
/// brackets, perhaps ":port"; of smtp also "?tls=never", "?tls=opportunistic" (what holds without it) or "?tls=required".
/// Errors: kInvalid.
Result<RouteRecord::Hop> parse_route_url(std::string_view text);
/// What parse_route_url reads; the port always said.
std::string to_text(const RouteRecord::Hop& hop);

}  // namespace posthus::store
