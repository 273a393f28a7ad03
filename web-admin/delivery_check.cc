// The delivery check. See delivery_check.h.
#include "web-admin/delivery_check.h"

#include <algorithm>
#include <chrono>

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/dns/record_text.h"
#include "core/mail/address.h"
#include "web-admin/certificate_facts.h"
#include "web-admin/check_progress.h"
#include "web-admin/domain_publication.h"
#include "web-admin/outside.h"
#include "web-admin/port_probe.h"
#include "web-admin/setting_values.h"

namespace posthus::web_admin {
namespace {

using dns::RecordType;
using dns::Status;
using mailauth::RecordState;

constexpr std::chrono::seconds kPatience{15};  // of the whole check: a person waits for it
constexpr std::size_t kMaxProbes = 12;
constexpr std::int64_t kClockMark = 30;          // seconds: a second factor takes no more (RFC 6238 §5.2)
constexpr std::int64_t kSoonOver = 14 * 86'400;  // seconds before the end of a certificate
constexpr std::string_view kWellKnown[] = {"gmail.com", "outlook.com", "yahoo.com"};  // asked only when the admin wants it

/// What the check is about, read in one go.
struct Subject {
  std::vector<IpAddress> addresses;
  std::vector<std::string> lists, hosts;
  std::string hostname;
  std::int64_t clock_mark = 0;
};

Result<Subject> read_subject(const ServerContext& context) {
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  Subject subject;
  subject.addresses = POSTHUS_TRY(public_addresses(context, *snapshot));
  subject.lists = POSTHUS_TRY(setting_items(*snapshot, "delivery.blocklists"));
  subject.hosts = POSTHUS_TRY(setting_items(*snapshot, "delivery.probe_hosts"));
  // Also when there is no alert of it (0).
  const std::uint64_t mark = POSTHUS_TRY(setting_number(*snapshot, "alerts.clock_seconds"));
  subject.clock_mark = mark == 0 ? kClockMark : static_cast<std::int64_t>(mark);
  subject.hostname = mail::normalise_domain(context.hostname).value_or(context.hostname);
  return subject;
}

bool is_known(const dns::Answer* answer) {
  return answer && answer->status != Status::kTemporary && answer->status != Status::kBogus;
}

/// 127.0.0.2 of RFC 5782 §5, ::FFFF:7F00:2 for IPv6.
std::string test_labels(bool is_v6) {
  if (!is_v6) return "2.0.0.127";
  std::string out = "2.0.0.0.0.0.f.7.f.f.f.f";
  for (int i = 0; i < 20; ++i) out += ".0";
  return out;
}

/// Of codes a list answers with: listed (127.0.0.0/8), or that it will not answer us (127.255.255.0/24).
enum class Code : std::uint8_t { kNotListed, kListed, kRefused };
Code code_of(const dns::Answer& answer) {
  Code code = Code::kNotListed;
  for (const IpAddress& address : answer.addresses) {
    if (address.is_v6 || address.bytes[0] != 127) return Code::kRefused;  // the list has ended, its name leads elsewhere
    if (address.bytes[1] == 255 && address.bytes[2] == 255) return Code::kRefused;
    code = Code::kListed;
  }
  return code;
}

void judge_families(const Subject& subject, std::vector<DeliveryItem>& items) {
  for (const bool is_v6 : {false, true}) {
    std::string found;
    for (const IpAddress& address : subject.addresses) {
      if (address.is_v6 == is_v6) found += (found.empty() ? "" : ", ") + to_string(address);
    }
    DeliveryItem item{.check = "addresses", .subject = is_v6 ? "IPv6" : "IPv4"};
    item.state = found.empty() ? RecordState::kUnknown : RecordState::kOk;
    item.meaning = found.empty() ? "No public address of this family is known." : "The world sees this server as " + found + ".";
    if (found.empty() && !is_v6)
      item.action = "Behind NAT or in a container: set public.addresses to the address the world sees.";
    items.push_back(std::move(item));
  }
}

/// Name and reverse name, as the check of a domain judges them.
void judge_names(const Subject& subject, dns::Answers& answers, std::vector<DeliveryItem>& items) {
  dns::PublicationFacts facts{
      .domain = subject.hostname, .hostname = subject.hostname, .addresses = subject.addresses, .is_backup = true};
  for (const mailauth::RecordFinding& finding : mailauth::check_publication({facts, "", std::nullopt}, answers)) {
    if (finding.record.purpose == dns::Purpose::kMailExchanger) continue;
    const bool is_reverse = finding.record.purpose == dns::Purpose::kReverse;
    const bool is_to_be_pasted = !finding.paste.empty();
    const bool is_red = finding.state == RecordState::kMissing || finding.state == RecordState::kWrong;
    items.push_back({.check = is_reverse ? "reverse" : "host_address",
                     .subject = is_reverse ? finding.record.name : finding.record.value,
                     .state = is_red ? RecordState::kWrong : finding.state,
                     .meaning = finding.meaning,
                     .action = is_to_be_pasted ? "The record should be: " + finding.paste.substr(0, finding.paste.size() - 1)
                               : is_red        ? "Put the records of " + subject.hostname + " right first."
                                               : ""});
  }
}

void judge_lists(const Subject& subject, dns::Answers& answers, std::vector<DeliveryItem>& items) {
  for (const IpAddress& address : subject.addresses) {
    for (const std::string& list : subject.lists) {
      if (auto item = judge_listing(address, list, answers)) items.push_back(std::move(*item));
    }
  }
}

/// Addresses of the hosts whose port 25 is tried.
std::vector<ProbedPort> probed_ports(const Subject& subject, Probe probe, dns::Answers& answers) {
  std::vector<std::string> hosts = subject.hosts;
  if (probe == Probe::kNone) hosts.clear();
  if (probe == Probe::kWellKnown) {
    for (const std::string_view domain : kWellKnown) {
      const dns::Answer* const answer = answers.ask(domain, RecordType::kMx);
      if (!is_known(answer) || answer->exchanges.empty()) continue;
      hosts.push_back(std::ranges::min_element(answer->exchanges, {}, &dns::MxRecord::preference)->exchange);
    }
  }
  std::vector<ProbedPort> ports;
  for (const std::string& host : hosts) {
    for (const RecordType type : {RecordType::kA, RecordType::kAaaa}) {
      const dns::Answer* const answer = answers.ask(host, type);
      if (is_known(answer) && !answer->addresses.empty() && ports.size() < kMaxProbes)
        ports.push_back({host, answer->addresses.front()});
    }
  }
  return ports;
}

DeliveryItem port_not_tried() {
  return {.check = "port_25",
          .subject = "",
          .state = RecordState::kUnknown,
          .meaning = "Whether this server can reach others was not tried.",
          .action = "Name a server in delivery.probe_hosts, or ask for the well-known receivers."};
}

/// What receivers say about the addresses we come from, beside what is known here. A host of our own network sees another one.
void judge_seen(const Subject& subject, const std::vector<ProbedPort>& ports, std::vector<DeliveryItem>& items) {
  for (DeliveryItem& item : items) {
    const bool is_v6 = item.subject == "IPv6";
    const auto told = std::ranges::find_if(
        ports, [&](const ProbedPort& port) { return port.sees && port.sees->is_v6 == is_v6 && is_global(*port.sees); });
    if (item.check != "addresses" || told == ports.end()) continue;
    const bool is_known_here = std::ranges::find(subject.addresses, *told->sees) != subject.addresses.end();
    item.state = is_known_here ? RecordState::kOk : RecordState::kWrong;
    item.meaning = told->host + " sees this server as " + to_string(*told->sees) + (is_known_here ? ", as it should." : ".");
    item.action = is_known_here ? ""
                                : "Set public.addresses to the addresses the world sees, so that the DNS and the block lists are "
                                  "checked for them.";
  }
}

void count_listings(const std::vector<DeliveryItem>& items) {
  static metrics::Gauge& gauge = metrics::gauge("posthus_delivery_listed", "Block lists that have an address of ours");
  const auto is_listed = [](const DeliveryItem& i) { return i.check == "blocklist" && i.state == RecordState::kWrong; };
  gauge.set(std::ranges::count_if(items, is_listed));
  for (const DeliveryItem& item : items) {
    if (is_listed(item)) log::warning("delivery.listed", {{"what", item.subject}, {"meaning", item.meaning}});
  }
}

}  // namespace

std::optional<DeliveryItem> judge_listing(const IpAddress& address, const std::string& zone, dns::Answers& answers) {
  const std::string name = dns::reverse_labels(address) + "." + zone;
  const dns::Answer* const listed = answers.ask(name, RecordType::kA);
  const dns::Answer* const test = answers.ask(test_labels(address.is_v6) + "." + zone, RecordType::kA);
  if (!listed || !test) return std::nullopt;
  DeliveryItem item{.check = "blocklist", .subject = to_string(address) + " at " + zone};
  if (!is_known(listed)) {
    item.meaning = "The list did not answer; it is asked again tomorrow.";
    return item;
  }
  const Code code = code_of(*listed);
  if (code == Code::kListed) {
    const dns::Answer* const why = answers.ask(name, RecordType::kTxt);
    if (!why) return std::nullopt;
    item.state = RecordState::kWrong;
    item.meaning = "The address is on the list" + (why->texts.empty() ? "." : ": " + why->texts.front().substr(0, 300));
    item.action =
        "Find out what was sent from it (posthus trace), stop it, then ask the list at its website to remove the address.";
    return item;
  }
  // WHY only for IPv4: many lists know no IPv6 address at all, not even the test entry.
  const bool is_alive = code != Code::kRefused && is_known(test) && code_of(*test) == Code::kListed;
  if (code == Code::kRefused || (!is_alive && !address.is_v6)) {
    item.meaning = "The list does not answer this server as it should.";
    item.action =
        "Many lists refuse questions that come through public resolvers: let the server ask by itself (dns.servers empty), or "
        "take "
        "the list out of delivery.blocklists.";
    return item;
  }
  item.state = RecordState::kOk;
  item.meaning = "The address is not on the list.";
  return item;
}

DeliveryItem judge_port(const std::string& host, const IpAddress& address, const std::string& failure) {
  DeliveryItem item{.check = "port_25", .subject = host + " (" + to_string(address) + ")"};
  item.state = failure.empty() ? RecordState::kOk : RecordState::kWrong;
  item.meaning = failure.empty() ? "The server greets: mail can leave by this way." : "It cannot be reached: " + failure + ".";
  if (!failure.empty()) {
    item.action =
        address.is_v6
            ? "If IPv4 works, this server has no way out by IPv6: mend it or take the IPv6 address away."
            : "Many providers block outgoing port 25 until they are asked; else send through a relay (posthus route set).";
  }
  return item;
}

DeliveryItem judge_clock(const ClockVerdict& verdict, std::int64_t mark) {
  DeliveryItem item{.check = "clock", .subject = ""};
  for (const std::string& host : verdict.hosts) item.subject += (item.subject.empty() ? "" : ", ") + host;
  const std::string seconds = std::to_string(verdict.ahead < 0 ? -verdict.ahead : verdict.ahead);
  const std::string off = seconds + " seconds " + (verdict.ahead < 0 ? "behind" : "ahead");
  switch (verdict.kind) {
    case ClockVerdict::Kind::kRight:
      item.state = RecordState::kOk;
      item.meaning = "The clock agrees with those servers to " + std::to_string(mark) + " seconds.";
      break;
    case ClockVerdict::Kind::kWrong:
      item.state = RecordState::kWrong;
      item.meaning = "Compared with those servers the clock is " + off + ".";
      item.action = "Set the clock of the machine, and let it be kept by NTP.";
      break;
    case ClockVerdict::Kind::kUnknown:
      item.meaning = verdict.hosts.empty()
                         ? "No other server has said the time lately, so nobody knows."
                         : "One server's clock differs from ours: ours is " + off + ". That alone proves nothing.";
      break;
  }
  return item;
}

DeliveryItem judge_certificate(const ServerContext& context, const std::string& roots_file) {
  DeliveryItem item{.check = "certificate", .subject = context.hostname};
  const auto pair = context.certificate();
  const auto facts = pair ? certificate_facts(pair->certificate_pem) : Result<CertificateFacts>(std::unexpected(pair.error()));
  if (!facts) {
    item.meaning = "The certificate cannot be read: " + facts.error().context + ".";
    return item;
  }
  const std::string wrong = chain_error(pair->certificate_pem, context.hostname, roots_file);
  const std::int64_t left = facts->not_after - context.clock.now().seconds();
  item.state = wrong.empty() && left > kSoonOver ? RecordState::kOk : RecordState::kWrong;
  if (facts->is_self_signed) {
    item.meaning = "The certificate is self-signed: mail programs warn of it, and MTA-STS does not accept it.";
    item.action = "Get a certificate for " + context.hostname + " from an authority.";
  } else if (!wrong.empty()) {
    item.meaning = "Clients do not accept the certificate: " + wrong + ".";
    item.action = facts->chain_length == 1
                      ? "Serve the whole chain: the certificate file should hold the intermediate certificates too."
                      : "Renew it, or get one that names " + context.hostname + ".";
  } else if (left <= kSoonOver) {
    item.meaning = "The certificate ends in " + std::to_string(std::max<std::int64_t>(left / 86'400, 0)) + " days.";
    item.action = "Renew it now; see the log for why that has not happened by itself.";
  } else {
    item.meaning = "Clients accept the certificate; it is good for " + std::to_string(left / 86'400) + " days more.";
  }
  return item;
}

Result<std::shared_ptr<const DeliveryReport>> check_delivery(const ServerContext& context, Probe probe, Extent extent) {
  Outside* const outside = context.outside;
  if (!outside || !outside->make_resolver) return fail(ErrorKind::kUnavailable, "only the running server can check this");
  const std::unique_lock lock(outside->one_at_a_time, std::try_to_lock);
  if (!lock) return fail(ErrorKind::kBusy, "another check is under way; try again in some seconds");
  const Subject subject = POSTHUS_TRY(read_subject(context));
  auto report = std::make_shared<DeliveryReport>();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::vector<ProbedPort> ports;
  dns::Answers answers;
  // WHY: without an address nothing is asked of the lists, and so nothing need be started to ask with.
  const bool has_questions = !subject.addresses.empty() || extent == Extent::kAll;
  const ProgressShown shown(*outside, "");
  auto inner = has_questions ? outside->make_resolver() : nullptr;
  const auto resolver = inner ? std::make_unique<CountedResolver>(std::move(inner), shown.progress()) : nullptr;
  const auto judge = [&](dns::Answers& known) {
    report->items.clear();
    if (extent == Extent::kAll) judge_families(subject, report->items);
    if (extent == Extent::kAll) judge_names(subject, known, report->items);
    judge_lists(subject, known, report->items);
    if (extent == Extent::kAll) ports = probed_ports(subject, probe, known);
  };
  if (resolver) dns::ask_until_complete(*resolver, answers, deadline, outside->stop.get_token(), judge);
  if (extent == Extent::kAll) {
    if (outside->dialer && !ports.empty())
      probe_ports(*outside->dialer, ports, {.port = outside->smtp_port, .hostname = context.hostname}, deadline,
                  outside->stop.get_token(), shown.progress());
    judge_seen(subject, ports, report->items);
    for (const ProbedPort& port : ports) report->items.push_back(judge_port(port.host, port.address, port.failure));
    if (ports.empty()) report->items.push_back(port_not_tried());
    report->items.push_back(judge_certificate(context, outside->roots_file));
    report->items.push_back(judge_clock(context.clock_verdict(subject.clock_mark), subject.clock_mark));
  }
  count_listings(report->items);
  report->checked = context.clock.now();
  const std::lock_guard guard(outside->report_mutex);
  outside->last_report = report;
  return report;
}

std::shared_ptr<const DeliveryReport> last_delivery_report(const ServerContext& context) {
  if (!context.outside) return nullptr;
  const std::lock_guard guard(context.outside->report_mutex);
  return context.outside->last_report;
}

}  // namespace posthus::web_admin
