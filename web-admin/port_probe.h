// Tries whether a mail server's port 25 can be reached from here: connects, waits for its greeting, says QUIT. RFC 5321 §4.2.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/ip_address.h"
#include "core/session/dialer.h"

namespace posthus::web_admin {

struct ProbedPort {
  std::string host;
  IpAddress address;
  std::string failure = "no answer in time";  // empty: it greeted
};
/// All at once; returns when all are known, at `deadline`, or when `stop` is requested. Blocks: workers only.
void probe_ports(session::Dialer& dialer, std::vector<ProbedPort>& ports, std::uint16_t port,
                 std::chrono::steady_clock::time_point deadline, std::stop_token stop);

}  // namespace posthus::web_admin
