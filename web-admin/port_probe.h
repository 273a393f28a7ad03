// Tries whether a mail server's port 25 can be reached from here, and which address it sees: connects, waits for its greeting,
// says EHLO and QUIT. RFC 5321 §4.2.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip_address.h"
#include "core/session/dialer.h"

namespace posthus::web_admin {

struct CheckProgress;
struct ProbedPort {
  std::string host;
  IpAddress address;
  std::string failure = "no answer in time";  // empty: it greeted
  std::optional<IpAddress> sees;              // the address it says we come from; many servers do not say
};

struct ProbeDialog {
  std::uint16_t port = 25;
  std::string hostname;  // what EHLO names
};

/// The address in the first line of the reply to EHLO: its text is free (RFC 5321 §4.1.1.1), and many receivers greet with the
/// client's address literal there.
std::optional<IpAddress> address_in_greeting(std::string_view line);
/// All at once; returns when all are known, at `deadline`, or when `stop` is requested. Blocks: workers only.
void probe_ports(session::Dialer& dialer, std::vector<ProbedPort>& ports, const ProbeDialog& dialog,
                 std::chrono::steady_clock::time_point deadline, std::stop_token stop,
                 const std::shared_ptr<CheckProgress>& progress);

}  // namespace posthus::web_admin
