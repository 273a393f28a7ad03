// TlsPolicySource: asked before each connection to another server what the connection must prove, and told afterwards how
// it went. DANE (RFC 7672), then MTA-STS (RFC 8461); outcomes are counted for TLSRPT (RFC 8460).
// The implementation over resolver and store is tls_policies.h; a delivery without a source is opportunistic everywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/mailauth/tls_policy.h"
#include "core/session/dialer.h"

namespace posthus::smtp {

/// One host of a destination.
struct TlsQuestion {
  std::string domain;  // the next hop: the recipient's domain, normalised; with a route: its host
  std::string host;    // the MX host, normalised; without MX records or with a route: `domain`. An IP address: no policy
  std::uint16_t port = 25;
  bool is_from_mx = false;       // an MX record names the host
  bool is_mx_secure = false;     // dns::Answer::is_secure of the MX question; true when nobody asked (a route)
  std::string canonical_domain;  // dns::Answer::canonical_name of the MX question; empty: `domain`
  bool is_counted = true;        // what goes wrong counts for TLSRPT; false for dry runs
};

struct TlsPolicy {
  enum class Kind : std::uint8_t { kNone, kDane, kMtaSts };
  Kind kind = Kind::kNone;
  /// False: nothing may be sent to this host now, `reason` says why; the next host may do, else the mail waits.
  bool may_connect = true;
  std::string reason;
  mailauth::TlsRequirement requirement = mailauth::TlsRequirement::kOpportunistic;
  session::PeerVerification verification;  // for DialOptions; `names` are set also when nothing is demanded
  std::string server_name;                 // for SNI
  bool is_testing = false;                 // MTA-STS testing: what fails is reported, mail goes all the same
  bool is_host_listed = true;              // MTA-STS: the host is one of the policy's
  bool is_policy_unknown = false;          // there may be an MTA-STS policy, but it cannot be had now
  std::vector<std::string> text;           // the policy as TLSRPT quotes it (RFC 8460 §4.5)
  std::vector<std::string> mx_patterns;    // of MTA-STS
};

/// Of TLSRPT, RFC 8460 §4.3.
enum class TlsResult : std::uint8_t {
  kSuccess,
  kStartTlsNotSupported,
  kCertificateHostMismatch,
  kCertificateExpired,
  kCertificateNotTrusted,
  kValidationFailure,
  kTlsaInvalid,
  kDnssecInvalid,
  kStsPolicyFetchError,
  kStsPolicyInvalid,
  kStsWebpkiInvalid,
};
/// How a connection to a host went, as far as TLS goes. Time-outs and refused connections are none (RFC 8460 §4.3.4).
struct TlsOutcome {
  std::string domain, host;
  TlsResult result = TlsResult::kSuccess;
  std::string sending_address, receiving_address, greeting_name;  // may be empty
  std::string reason;                                             // for people: what OpenSSL or the host said
};

using TlsPolicyDone = std::move_only_function<void(TlsPolicy)>;

/// Thread rule: any thread.
class TlsPolicySource {
 public:
  virtual ~TlsPolicySource() = default;
  /// `done` is called once, from any thread, possibly before this returns; must not block. Takes a DNS answer or two, all
  /// cached as a rule; when the domain has a new MTA-STS policy, also its fetching, a minute at most.
  virtual void policy_for(TlsQuestion question, TlsPolicyDone done) = 0;
  /// Must not block. Not for connections of mail that the policy does not hold up ("TLS-Required: No"; our own
  /// TLS reports, RFC 8460 §3).
  virtual void connected(const TlsPolicy& policy, TlsOutcome outcome) = 0;
};

/// Which result a failed handshake is, from OpenSSL's words (TlsFacts::peer_error, Session::tls_failed).
TlsResult tls_result_of(std::string_view peer_error);

}  // namespace posthus::smtp
