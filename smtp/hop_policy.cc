// See hop_policy.h.
#include "smtp/hop_policy.h"

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

session::DialOptions dial_options(const Hop& hop, const TlsPolicy& policy, TlsUse use, const OutgoingSettings& settings) {
  session::DialOptions options;
  options.address = to_string(hop.address);
  options.port = hop.port;
  options.bind_address = source_address(settings.bind_addresses, hop.address);
  options.connect_deadline = settings.connect_deadline;
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
  options.may_login_without_tls = hop.is_from_route && is_loopback(hop.address);
  return options;
}

}  // namespace posthus::smtp
