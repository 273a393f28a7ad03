// What a destination demands of TLS: MTA-STS (RFC 8461 §3.1, §3.2, §4.1) and DANE (RFC 7672 §2.2, §3). Decisions only:
// pure functions of texts and dns::Answers; who asks, fetches and remembers is smtp/tls_policy_source.h.
// Thread rule: pure functions. Hostile input: every text is bounded, one pass.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/dns/resolver.h"

namespace posthus::mailauth {

/// What a connection to a host must be before mail goes over it, from nothing to most.
enum class TlsRequirement : std::uint8_t {
  kOpportunistic,  // TLS when it is offered, any certificate, else none
  kEncrypted,      // TLS, any certificate (RFC 7672 §2.2: only unusable TLSA records)
  kPkix,           // TLS, a certificate of a trusted root for one of the names (RFC 8461 §4.2)
  kDane,           // TLS, a certificate that matches a TLSA record (RFC 7672 §3)
};

// ---- MTA-STS ----

enum class StsMode : std::uint8_t { kNone, kTesting, kEnforce };
struct StsPolicy {
  StsMode mode = StsMode::kNone;
  std::chrono::seconds max_age{0};  // at most kMaxStsAge
  std::vector<std::string> mx;      // normalised, "mx.example.org" or "*.example.org"
  friend bool operator==(const StsPolicy&, const StsPolicy&) = default;
};
inline constexpr std::chrono::seconds kMaxStsAge{31'557'600};  // RFC 8461 §3.2
inline constexpr std::size_t kMaxStsPolicy = 64 * 1024;        // bytes, RFC 8461 §3.3
inline constexpr std::size_t kMaxStsPatterns = 256;            // no mail system names more

/// The id of the one valid record among the TXT records of _mta-sts.DOMAIN; nothing when there is none or more than one.
std::optional<std::string> find_sts_id(const std::vector<std::string>& texts);
/// The body of https://mta-sts.DOMAIN/.well-known/mta-sts.txt. Errors: kInvalid (what is wrong), kTooLarge.
Result<StsPolicy> parse_sts_policy(std::string_view body);
/// Does one of the patterns match (RFC 8461 §4.1)? `host`: normalised.
bool sts_allows(const StsPolicy& policy, std::string_view host);

// ---- DANE ----

/// A host mail may go to, and how we came to it.
struct DaneHost {
  std::string host;              // as the MX record or the admin named it, normalised
  std::string domain;            // the next-hop domain whose MX set named it; equal to `host` without MX
  std::string canonical_domain;  // of `domain`, after aliases
  bool is_from_mx = false;
  bool is_mx_secure = false;  // the MX answer was, also when it said that there is none
};
/// Candidate TLSA base domains, in order (RFC 7672 §2.2.2). `addresses`: the A or AAAA answer that was found, `alias`:
/// the CNAME answer of the host, needed only when needs_alias(). None: DANE does not apply.
std::vector<std::string> tlsa_base_domains(const DaneHost& host, const dns::Answer& addresses, const dns::Answer* alias);
/// Is the host an alias with insecure addresses, so that a CNAME question must tell whether its own zone is secure (§2.1.3)?
bool needs_alias(const DaneHost& host, const dns::Answer& addresses);
/// "_25._tcp.mx.example.org"
std::string tlsa_name(std::string_view base_domain, std::uint16_t port);

struct DanePolicy {
  TlsRequirement requirement = TlsRequirement::kOpportunistic;  // kDane, kEncrypted; kOpportunistic: none found, try the next
  std::vector<dns::TlsaRecord> tlsa;                            // usable ones, at most kMaxUsableTlsa
  std::vector<std::string> names;  // reference identifiers for DANE-TA (§3.2.2); the first is the base domain, for SNI (§8.1)
};
inline constexpr std::size_t kMaxUsableTlsa = 32;  // a roll-over has four
/// Errors: kUnavailable, the records could not be had (kTemporary, kBogus): the host must not be used now (§2.1.2).
Result<DanePolicy> dane_policy(const DaneHost& host, const std::string& base_domain, const dns::Answer& tlsa);
/// RFC 7672 §3.1, §3.1.3, RFC 6698 §2.1: DANE-TA or DANE-EE, a known selector, data as long as its matching type says.
bool is_usable(const dns::TlsaRecord& record);

}  // namespace posthus::mailauth
