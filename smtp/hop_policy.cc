// See hop_policy.h.
#include "smtp/hop_policy.h"

#include <algorithm>

namespace posthus::smtp {
namespace {

using session::DialTls;
using session::PeerVerification;

bool is_checked(TlsUse use) { return use == TlsUse::kRequired || use == TlsUse::kImplicit; }

}  // namespace

std::optional<TlsQuestion> tls_question(const Hop& hop, const std::string& domain, const std::string& canonical_domain) {
  const bool is_settled_by_admin = hop.tls != TlsUse::kOpportunistic;
  if (is_settled_by_admin || parse_ip_address(hop.host)) return std::nullopt;
  TlsQuestion question;
  question.domain = hop.is_from_route ? hop.host : domain;
  question.host = hop.host;
  question.port = hop.port;
  question.is_from_mx = hop.is_from_mx;
  question.is_mx_secure = hop.is_from_route || hop.is_exchanger_secure;
  question.canonical_domain = hop.is_from_route ? std::string() : canonical_domain;
  return question;
}

TlsPolicy own_policy(const Hop& hop) {
  TlsPolicy policy;
  policy.verification.names = {hop.host};
  if (is_checked(hop.tls)) policy.verification.kind = PeerVerification::Kind::kPkix;
  if (!parse_ip_address(hop.host)) policy.server_name = hop.host;
  return policy;
}

TlsUse tls_use_of(const TlsPolicy& policy) {
  return policy.requirement == mailauth::TlsRequirement::kOpportunistic ? TlsUse::kOpportunistic : TlsUse::kRequired;
}

std::chrono::seconds connect_patience(const std::vector<Hop>& hops, std::size_t at, const OutgoingSettings& settings) {
  const bool has_other_family =
      at + 1 < hops.size() && hops[at + 1].host == hops[at].host && hops[at + 1].address.is_v6 != hops[at].address.is_v6;
  return has_other_family ? std::min(kFamilyPatience, settings.connect_deadline) : settings.connect_deadline;
}

session::DialOptions dial_options(const Hop& hop, const TlsPolicy& policy, TlsUse use, std::chrono::seconds connect_deadline,
                                  const OutgoingSettings& settings) {
  session::DialOptions options;
  options.address = to_string(hop.address);
  options.port = hop.port;
  // WHY our listener from its own address: whether it takes us for a proxy depends on that, and must be known.
  options.bind_address = hop.is_own_listener ? options.address : source_address(settings.bind_addresses, hop.address);
  options.connect_deadline = connect_deadline;
  options.server_name = policy.server_name;
  options.verification = policy.verification;
  if (use == TlsUse::kImplicit) options.tls = DialTls::kImplicit;
  if (use == TlsUse::kNever) options.tls = DialTls::kNone;
  return options;
}

ClientOptions client_options(const Hop& hop, TlsUse use, const std::string& hostname) {
  ClientOptions options;
  options.hostname = hostname;
  options.tls = use;
  options.login = hop.login;
  options.password = hop.password;
  options.begins_with_proxy_header = hop.begins_with_proxy_header;
  options.may_login_without_tls = hop.is_from_route && is_loopback(hop.address);
  return options;
}

}  // namespace posthus::smtp
