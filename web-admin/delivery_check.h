// Will mail from this server be taken? What others see of it: name and reverse name, the way out through port 25, block lists,
// certificate. Each item says what it means and what to do. RFC 5782 (block lists), RFC 1912 §2.1, RFC 5321 §4.1.1.1.
// Judging is pure; the check itself blocks for some seconds: workers only, one at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/dns/answers.h"
#include "core/mailauth/dns_check.h"
#include "web-admin/api.h"

namespace posthus::web_admin {

struct DeliveryItem {
  std::string check;    // "addresses", "reverse", "host_address", "blocklist", "port_25", "certificate", "clock"
  std::string subject;  // an address, a family, a list, a host
  mailauth::RecordState state = mailauth::RecordState::kUnknown;  // never kMissing
  std::string meaning;
  std::string action;  // what to do; empty: nothing
};
struct DeliveryReport {
  Timestamp checked;
  std::vector<DeliveryItem> items;
};

/// Whose port 25 is tried: nobody's, the hosts of delivery.probe_hosts, or some well-known receivers' mail exchangers.
enum class Probe : std::uint8_t { kNone, kConfigured, kWellKnown };
enum class Extent : std::uint8_t { kAll, kBlocklists };  // kBlocklists: what is looked at each day

/// Runs the check; the report is also kept as the last one. Errors: kUnavailable, kBusy, those of the store.
Result<std::shared_ptr<const DeliveryReport>> check_delivery(const ServerContext& context, Probe probe, Extent extent);
std::shared_ptr<const DeliveryReport> last_delivery_report(const ServerContext& context);

/// Is `address` on the list `zone`? Nothing while answers are lacking. WHY the test entry is asked as well (RFC 5782 §5): a list
/// that has ended, or does not answer us, says "not listed" of everybody.
std::optional<DeliveryItem> judge_listing(const IpAddress& address, const std::string& zone, dns::Answers& answers);
/// What the outcome of dialing a host's port 25 means. `failure`: empty when it greeted.
DeliveryItem judge_port(const std::string& host, const IpAddress& address, const std::string& failure);
/// Whether our clock is right, as far as other servers have said. `mark`: seconds from which it is wrong.
DeliveryItem judge_clock(const ClockVerdict& verdict, std::int64_t mark);
DeliveryItem judge_certificate(const ServerContext& context, const std::string& roots_file);

}  // namespace posthus::web_admin
