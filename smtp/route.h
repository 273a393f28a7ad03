// Where mail for a domain goes: a restartable pure function of facts and DNS answers. It returns the hosts in order, the
// questions whose answers it still lacks (then it is called again), or why there is no way. RFC 5321 §5.1, RFC 7505,
// RFC 8305 (families take turns). Thread rule: pure functions.
// Known limits: at most kMaxExchangers hosts and kMaxHops addresses of a destination are tried.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip_address.h"
#include "core/dns/resolver.h"
#include "smtp/client_session.h"
#include "store/queue_records.h"

namespace posthus::smtp {

inline constexpr std::size_t kMaxExchangers = 20;  // more hosts than any mail system has; a thousand are an attack
inline constexpr std::size_t kMaxHops = 40;        // addresses of all of them together

struct Question {
  std::string name;
  dns::RecordType type = dns::RecordType::kA;
  friend auto operator<=>(const Question&, const Question&) = default;
};
using Answers = std::map<Question, dns::Answer>;

/// Whether 127.0.0.0/8, ::1 and unspecified addresses may be what an MX or a domain points to: only in tests.
enum class LoopbackRule : bool { kRefuse, kAllow };

struct RouteFacts {
  std::string domain;                         // normalised, or an address literal
  const store::RouteRecord* route = nullptr;  // the one that holds, of a reroute as well; without hops: as if none
  std::string hostname;                       // ours, normalised
  std::uint16_t port = 25;                    // of mail exchangers
  LoopbackRule loopback = LoopbackRule::kRefuse;
  std::uint64_t seed = 0;  // exchangers of equal preference are shuffled by it
  std::function<bool(const std::string& address, std::uint16_t port)> is_own_address;
  bool is_relay = false;                  // we are backup MX of the domain: whatever its DNS says, mail waits for the primary
  bool is_local = false;                  // the domain became ours while the mail waited
  std::optional<IpAddress> own_listener;  // where our own MX listener is reached; none: nowhere
  std::uint16_t own_listener_port = 25;
  bool is_proxy_for_own_listener = false;  // it takes connections from ourselves for a proxy's
};

/// One address to connect to.
struct Hop {
  std::string host;  // for SNI, the certificate and people; of an address literal the address
  IpAddress address;
  std::uint16_t port = 25;
  TlsUse tls = TlsUse::kOpportunistic;
  std::string login, password;                                  // AUTH; empty: none
  bool is_from_route = false;                                   // named by the admin
  bool is_from_mx = false;                                      // an MX record names the host
  bool is_own_listener = false;                                 // ours: connected to from its own address
  bool begins_with_proxy_header = false;                        // ours, behind a proxy at our own address
  bool is_exchanger_secure = false, is_address_secure = false;  // DNSSEC held for the MX answer, for the address
};

struct RoutePlan {
  enum class Kind : std::uint8_t {
    kLacking,   // `questions`
    kHops,      // `hops`, at least one
    kFailed,    // returned to the sender: `status` and `explanation`
    kDeferred,  // later perhaps
  };
  Kind kind = Kind::kLacking;
  std::vector<Question> questions;
  std::vector<Hop> hops;
  std::string status;            // RFC 3463: "5.1.2", "4.4.3"
  std::string explanation;       // a sentence for people
  std::string canonical_domain;  // of the domain, after aliases; empty: nobody asked for its exchangers
};

RoutePlan route(const RouteFacts& facts, const Answers& answers);

}  // namespace posthus::smtp
