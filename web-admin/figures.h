// Figures that other folders count, found by their names: for the status, the history and the alerts. They begin at nothing when
// the server starts. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace posthus::web_admin {

struct ServerContext;

/// Of the process; 0 where /proc does not tell.
std::uint64_t resident_bytes();

/// Login attempts of all protocols that ended so: "accepted", "rejected", "disabled", "throttled".
std::uint64_t sign_ins(std::string_view result);
/// Those that were refused, whatever for.
std::uint64_t refused_sign_ins();

/// Messages at the end of their data: "accepted", "4xx", "5xx".
std::uint64_t messages(std::string_view result);
/// Accepted ones, by whom they came from: "servers", "users".
std::uint64_t messages_from(std::string_view source);
/// Recipients refused: "4xx", "5xx".
std::uint64_t recipients_refused(std::string_view result);
/// Attempts at copies for other servers: "relayed", "deferred", "failed".
std::uint64_t copies(std::string_view result);

/// Connections open now at a listener ("imaps").
std::uint64_t open_connections(std::string_view listener);
/// At all of them but the admin's socket.
std::uint64_t open_connections(const ServerContext& context);

struct DiskRoom {
  std::uint64_t total = 0, available = 0;  // bytes; total 0: it cannot be told
};
DiskRoom disk_room(const std::string& directory);

}  // namespace posthus::web_admin
