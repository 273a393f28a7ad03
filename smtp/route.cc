// Routing. Read route() first: a route by name, an address literal, or the exchangers of a domain.
// RFC 5321 §5.1, RFC 7505, RFC 3463. Thread rule: pure functions.
#include "smtp/route.h"

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

#include "core/mail/address.h"

namespace posthus::smtp {
namespace {

using dns::Answer;
using dns::RecordType;
using dns::Status;
using Kind = RoutePlan::Kind;

/// A host whose addresses are wanted.
struct Host {
  std::string name;
  std::uint16_t preference = 0;
  std::uint64_t rank = 0;  // by chance, among hosts of equal preference
};

/// What the address lookups of one host gave.
struct HostAddresses {
  std::vector<std::pair<IpAddress, bool>> found;  // and whether DNSSEC held
  bool is_temporary = false;                      // a lookup gave no answer for now
  std::string reason;                             // of that
};

bool is_temporary(Status status) { return status == Status::kTemporary || status == Status::kBogus; }

RoutePlan verdict(Kind kind, std::string status, std::string explanation) {
  RoutePlan plan;
  plan.kind = kind;
  plan.status = std::move(status);
  plan.explanation = std::move(explanation);
  return plan;
}

std::string in_brackets(const std::string& reason) { return reason.empty() ? "" : " (" + reason + ")"; }

RoutePlan dns_failure(const std::string& name, const std::string& reason) {
  return verdict(Kind::kDeferred, "4.4.3", "The DNS gave no answer about " + name + " for now" + in_brackets(reason) + ".");
}

RoutePlan loop(const std::string& domain) {
  return verdict(Kind::kFailed, "5.4.6",
                 "The mail exchanger of " + domain + " is this server, which does not know the domain: the mail would loop.");
}

class Lookup {
 public:
  explicit Lookup(const Answers& answers) : answers_(answers) {}

  /// nullptr, and the question noted, when there is no answer yet.
  const Answer* find(const std::string& name, RecordType type) {
    const auto it = answers_.find(Question{name, type});
    if (it != answers_.end()) return &it->second;
    lacking_.push_back({name, type});
    return nullptr;
  }
  bool is_complete() const { return lacking_.empty(); }
  RoutePlan lacking() {
    RoutePlan plan;
    plan.questions = std::move(lacking_);
    return plan;
  }

 private:
  const Answers& answers_;
  std::vector<Question> lacking_;
};

// Both families, IPv6 first, then in turns: a family that does not work costs one attempt, not all (RFC 8305 §4).
HostAddresses addresses_of(const std::string& host, Lookup& lookup) {
  HostAddresses result;
  if (const auto literal = parse_ip_address(host)) {
    result.found.emplace_back(*literal, false);
    return result;
  }
  const Answer* const v6 = lookup.find(host, RecordType::kAaaa);
  const Answer* const v4 = lookup.find(host, RecordType::kA);
  if (!v6 || !v4) return result;
  for (const Answer* answer : {v6, v4}) {
    if (!is_temporary(answer->status)) continue;
    result.is_temporary = true;
    result.reason = answer->reason;
  }
  const std::size_t most = std::max(v6->addresses.size(), v4->addresses.size());
  for (std::size_t i = 0; i < most && result.found.size() < kMaxHops; ++i) {
    if (i < v6->addresses.size()) result.found.emplace_back(v6->addresses[i], v6->is_secure);
    if (i < v4->addresses.size()) result.found.emplace_back(v4->addresses[i], v4->is_secure);
  }
  return result;
}

// Nobody's server is there: "this network", loopback, multicast, broadcast (RFC 6890 §2.2).
bool is_no_server(const IpAddress& address) {
  if (address.is_v6) {
    const bool is_zero = std::all_of(address.bytes.begin(), address.bytes.end(), [](std::uint8_t b) { return b == 0; });
    return is_zero || is_loopback(address) || address.bytes[0] == 0xFF;
  }
  return address.bytes[0] == 0 || address.bytes[0] == 127 || address.bytes[0] >= 224;
}
// Of these only loopback and unspecified ones may be allowed.
bool may_connect(const IpAddress& address, LoopbackRule rule) {
  return !is_no_server(address) || (rule == LoopbackRule::kAllow && is_loopback(address));
}

bool is_own(const RouteFacts& facts, const IpAddress& address, std::uint16_t port) {
  return facts.is_own_address && facts.is_own_address(to_string(address), port);
}

bool is_there(const std::vector<Hop>& hops, const IpAddress& address, std::uint16_t port) {
  return std::any_of(hops.begin(), hops.end(), [&](const Hop& hop) { return hop.address == address && hop.port == port; });
}

// ---- a route ----

TlsUse tls_use(store::RouteRecord::Tls tls) {
  switch (tls) {
    case store::RouteRecord::Tls::kNever: return TlsUse::kNever;
    case store::RouteRecord::Tls::kOpportunistic: return TlsUse::kOpportunistic;
    case store::RouteRecord::Tls::kRequired: return TlsUse::kRequired;
    case store::RouteRecord::Tls::kImplicit: return TlsUse::kImplicit;
  }
  return TlsUse::kRequired;
}

// A password is given only to a server whose certificate holds, or to this machine.
TlsUse route_tls(store::RouteRecord::Tls tls, const store::RouteRecord& record, const IpAddress& address) {
  const TlsUse use = tls_use(tls);
  return use == TlsUse::kOpportunistic && !record.login.empty() && !is_loopback(address) ? TlsUse::kRequired : use;
}

// WHY: what the admin named wrongly is deferred, never returned: he will mend it.
RoutePlan by_route(const RouteFacts& facts, Lookup& lookup) {
  const store::RouteRecord& record = *facts.route;
  RoutePlan plan;
  plan.kind = Kind::kHops;
  std::string problem;
  const std::size_t count = std::min(record.hops.size(), kMaxExchangers);
  for (std::size_t i = 0; i < count; ++i) {
    const store::RouteRecord::Hop& named = record.hops[i];
    const HostAddresses addresses = addresses_of(named.host, lookup);
    if (addresses.found.empty()) problem = "has no address" + in_brackets(addresses.reason);
    for (const auto& [address, is_secure] : addresses.found) {
      if (is_own(facts, address, named.port)) {
        problem = "is this server";
        continue;
      }
      if (plan.hops.size() >= kMaxHops || is_there(plan.hops, address, named.port)) continue;
      plan.hops.push_back({.host = named.host,
                           .address = address,
                           .port = named.port,
                           .tls = route_tls(named.tls, record, address),
                           .login = record.login,
                           .password = record.password,
                           .is_from_route = true,
                           .is_address_secure = is_secure});
    }
  }
  if (!lookup.is_complete()) return lookup.lacking();
  if (!plan.hops.empty()) return plan;
  return verdict(Kind::kDeferred, "4.4.4", "The host " + record.hops.front().host + " of the route " + problem + ".");
}

// ---- ourselves ----

// WHY by our own listener: what it does with mail for a domain of ours is right, and known to be.
RoutePlan by_own_listener(const RouteFacts& facts) {
  if (!facts.own_listener) {
    return verdict(Kind::kDeferred, "4.3.5", "The domain " + facts.domain + " is of this server, which takes no mail by SMTP.");
  }
  RoutePlan plan;
  plan.kind = Kind::kHops;
  plan.hops.push_back({.host = to_string(*facts.own_listener),
                       .address = *facts.own_listener,
                       .port = facts.own_listener_port,
                       .is_own_listener = true,
                       .begins_with_proxy_header = facts.is_proxy_for_own_listener});
  return plan;
}

// ---- address literals ----

// RFC 5321 §4.1.3: address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"
RoutePlan by_literal(const RouteFacts& facts) {
  std::string_view text = facts.domain;
  text = text.substr(1, text.size() - 2);
  if (text.size() > 5 && mail::is_domain_literal(facts.domain) && (text[0] == 'I' || text[0] == 'i')) text.remove_prefix(5);
  const auto address = parse_ip_address(text);
  if (!address) return verdict(Kind::kFailed, "5.1.2", "The address literal " + facts.domain + " is of a kind unknown here.");
  if (is_own(facts, *address, facts.port)) return loop(facts.domain);
  if (!may_connect(*address, facts.loopback)) {
    return verdict(Kind::kFailed, "5.4.4", "There is no mail server at " + facts.domain + ".");
  }
  RoutePlan plan;
  plan.kind = Kind::kHops;
  plan.hops.push_back({.host = to_string(*address), .address = *address, .port = facts.port});
  return plan;
}

// ---- MX ----

// By preference, equal ones shuffled (RFC 5321 §5.1); a name that comes twice counts once, with its better preference.
std::vector<Host> sorted_exchangers(const RouteFacts& facts, const Answer& mx) {
  std::vector<Host> hosts;
  std::mt19937_64 random(facts.seed);
  for (const dns::MxRecord& record : mx.exchanges) {
    // RFC 7505 §3: a null MX stands alone; beside others it means nothing.
    if (record.exchange.empty() || record.exchange == ".") continue;
    hosts.push_back({record.exchange, record.preference, random()});
  }
  std::sort(hosts.begin(), hosts.end(),
            [](const Host& a, const Host& b) { return std::tie(a.preference, a.rank) < std::tie(b.preference, b.rank); });
  std::set<std::string_view> seen;
  std::vector<Host> distinct;
  for (const Host& host : hosts) {
    if (seen.insert(host.name).second) distinct.push_back(host);
  }
  return distinct;
}

// RFC 5321 §5.1: when we are among the exchangers, those that are not better than us are dropped.
void cut_from(std::vector<Host>& hosts, std::uint16_t preference) {
  std::erase_if(hosts, [preference](const Host& host) { return host.preference >= preference; });
}

void cut_by_name(std::vector<Host>& hosts, const std::string& hostname) {
  const auto own = std::find_if(hosts.begin(), hosts.end(), [&](const Host& host) { return host.name == hostname; });
  if (own != hosts.end()) cut_from(hosts, std::uint16_t{own->preference});
}

struct Candidates {
  std::vector<Host> hosts;
  bool is_exchanger_secure = false;
  bool is_from_mx = false;
  bool was_cut = false;  // we are among the exchangers
};

void cut_by_address(const RouteFacts& facts, Candidates& candidates, const std::vector<HostAddresses>& addresses) {
  for (std::size_t i = 0; i < candidates.hosts.size(); ++i) {
    const auto& found = addresses[i].found;
    const bool is_us =
        std::any_of(found.begin(), found.end(), [&](const auto& entry) { return is_own(facts, entry.first, facts.port); });
    if (!is_us) continue;
    candidates.was_cut = true;
    cut_from(candidates.hosts, std::uint16_t{candidates.hosts[i].preference});  // sorted: those before i stay where they are
    return;
  }
}

// The hosts' addresses in order, or why there are none.
RoutePlan to_hops(const RouteFacts& facts, Candidates candidates, Lookup& lookup) {
  std::vector<HostAddresses> addresses;
  for (const Host& host : candidates.hosts) addresses.push_back(addresses_of(host.name, lookup));
  if (!lookup.is_complete()) return lookup.lacking();
  cut_by_address(facts, candidates, addresses);
  if (candidates.hosts.empty() && candidates.was_cut) return loop(facts.domain);
  RoutePlan plan;
  plan.kind = Kind::kHops;
  const HostAddresses* unanswered = nullptr;
  bool has_addresses = false;
  for (std::size_t i = 0; i < candidates.hosts.size(); ++i) {
    if (addresses[i].is_temporary && !unanswered) unanswered = &addresses[i];
    has_addresses = has_addresses || !addresses[i].found.empty();
    for (const auto& [address, is_secure] : addresses[i].found) {
      if (!may_connect(address, facts.loopback) || is_there(plan.hops, address, facts.port)) continue;
      if (plan.hops.size() >= kMaxHops) break;
      plan.hops.push_back({.host = candidates.hosts[i].name,
                           .address = address,
                           .port = facts.port,
                           .is_from_mx = candidates.is_from_mx,
                           .is_exchanger_secure = candidates.is_exchanger_secure,
                           .is_address_secure = is_secure});
    }
  }
  if (!plan.hops.empty()) return plan;
  if (unanswered) return dns_failure("the mail exchangers of " + facts.domain, unanswered->reason);
  if (has_addresses) {
    return verdict(Kind::kFailed, "5.4.4", "The mail exchangers of " + facts.domain + " have addresses where no server can be.");
  }
  return verdict(Kind::kFailed, "5.4.4", "The mail exchangers of " + facts.domain + " have no addresses.");
}

// RFC 5321 §5.1: without MX records the domain's own addresses are as an MX of preference 0.
RoutePlan by_implicit_exchanger(const RouteFacts& facts, const Answer& mx, Lookup& lookup) {
  const HostAddresses addresses = addresses_of(facts.domain, lookup);
  if (!lookup.is_complete()) return lookup.lacking();
  if (addresses.found.empty() && addresses.is_temporary) return dns_failure(facts.domain, addresses.reason);
  if (addresses.found.empty()) {
    return verdict(Kind::kFailed, "5.1.2",
                   "The domain " + facts.domain + " receives no mail: it has neither mail exchangers nor an address.");
  }
  return to_hops(facts, {.hosts = {{.name = facts.domain}}, .is_exchanger_secure = mx.is_secure}, lookup);
}

RoutePlan with_name(RoutePlan plan, const Answer& mx) {
  plan.canonical_domain = mx.canonical_name;
  return plan;
}

RoutePlan by_exchangers(const RouteFacts& facts, Lookup& lookup) {
  const Answer* const mx = lookup.find(facts.domain, RecordType::kMx);
  if (!mx) return lookup.lacking();
  if (mx->status == Status::kNoName) {
    return verdict(Kind::kFailed, "5.1.2", "The domain " + facts.domain + " does not exist.");
  }
  if (is_temporary(mx->status)) return dns_failure(facts.domain, mx->reason);
  if (mx->status == Status::kNoData || mx->exchanges.empty()) return with_name(by_implicit_exchanger(facts, *mx, lookup), *mx);
  Candidates candidates{.hosts = sorted_exchangers(facts, *mx), .is_exchanger_secure = mx->is_secure, .is_from_mx = true};
  if (candidates.hosts.empty()) {
    return verdict(Kind::kFailed, "5.1.10", "The domain " + facts.domain + " says that it receives no mail (null MX).");
  }
  cut_by_name(candidates.hosts, facts.hostname);
  if (candidates.hosts.empty()) return loop(facts.domain);
  if (candidates.hosts.size() > kMaxExchangers) candidates.hosts.resize(kMaxExchangers);
  return with_name(to_hops(facts, std::move(candidates), lookup), *mx);
}

// WHY: the admin made us backup MX. A registration that lapsed, a zone half edited or an exchanger that was forgotten is mended
// within the time a message waits; as long as nobody has refused it, nothing goes back.
RoutePlan kept_for_primary(RoutePlan plan) {
  if (plan.kind != Kind::kFailed) return plan;
  plan.kind = Kind::kDeferred;
  plan.status[0] = '4';
  plan.explanation += " This server keeps mail for the domain until its own server can be reached.";
  return plan;
}

}  // namespace

RoutePlan route(const RouteFacts& facts, const Answers& answers) {
  Lookup lookup(answers);
  if (facts.is_local) return by_own_listener(facts);
  if (facts.route && !facts.route->hops.empty()) return by_route(facts, lookup);
  if (facts.domain.size() > 2 && facts.domain.front() == '[') return by_literal(facts);
  RoutePlan plan = by_exchangers(facts, lookup);
  return facts.is_relay ? kept_for_primary(std::move(plan)) : plan;
}

}  // namespace posthus::smtp
