// Outside: what handlers may use of the world beyond this server: the DNS, the web, connections. The running server fills it;
// the command line alone has none, and what needs it is refused there. Each is a seam that tests fill with twins.
// Thread rule: filled before the first request; afterwards any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "core/base/ip_address.h"
#include "core/base/result.h"
#include "core/dns/resolver.h"
#include "core/session/dialer.h"

namespace posthus::web_admin {

struct CheckProgress;
struct DeliveryReport;

/// What a plug-in for a DNS provider said.
struct PlugInAnswer {
  int status = 0;
  std::string body;
};

struct Outside {
  /// A resolver of its own for one check, so that what was remembered from before does not count: a record that was just made is
  /// there at once.
  std::function<std::unique_ptr<dns::Resolver>()> make_resolver;
  /// The MTA-STS policy as other servers fetch it: the body of https://mta-sts.DOMAIN/.well-known/mta-sts.txt.
  std::function<void(std::string domain, std::move_only_function<void(Result<std::string>)> done)> fetch_sts_policy;
  session::Dialer* dialer = nullptr;
  /// One DNS message over TCP (RFC 1035 §4.2.2, without the length), blocking, within some seconds. `server`: "IP" or "IP@PORT".
  std::function<Result<std::string>(const std::string& server, const std::string& message)> exchange_dns;
  /// JSON, posted to an https URL, or http on this machine, blocking, within some seconds.
  std::function<Result<PlugInAnswer>(const std::string& url, const std::string& body)> post_json;
  std::uint16_t smtp_port = 25;  // of other servers
  std::string roots_file;        // who vouches for certificates; empty: the system's
  /// What waits for the world ends when the server stops.
  std::stop_source stop;
  /// One check at a time: each may take a worker for some seconds.
  std::mutex one_at_a_time;
  std::mutex report_mutex;                        // of the following
  std::shared_ptr<const CheckProgress> progress;  // of the check under way (web-admin/check_progress.h); null: none is
  std::shared_ptr<const DeliveryReport> last_report;
};

}  // namespace posthus::web_admin
