// Facts for the DNS of a domain. See domain_publication.h.
#include "web-admin/domain_publication.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/hash.h"
#include "core/mail/address.h"
#include "core/mailauth/dkim_sign.h"
#include "store/directory_reader.h"
#include "web-admin/certificate_facts.h"
#include "web-admin/setting_values.h"
#include "web-admin/signing_keys.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kIdDigits = 20;  // of a hash, in hex: no two policies of a domain meet

dns::OfferedKey::State offered_state(KeyState state) {
  switch (state) {
    case KeyState::kActive: return dns::OfferedKey::State::kActive;
    case KeyState::kPending: return dns::OfferedKey::State::kPending;
    case KeyState::kRetiring: break;
  }
  return dns::OfferedKey::State::kRetiring;
}

Result<std::vector<dns::OfferedKey>> offered_keys(const ServerContext& context, const store::Snapshot& snapshot,
                                                  std::string_view domain) {
  std::vector<dns::OfferedKey> keys;
  for (const store::DkimKeyRecord& key : POSTHUS_TRY(listed_keys(snapshot, domain, context.clock.now()))) {
    const auto algorithm = key.algorithm == store::DkimAlgorithm::kRsaSha256 ? mailauth::SigningAlgorithm::kRsaSha256
                                                                             : mailauth::SigningAlgorithm::kEd25519Sha256;
    keys.push_back({key.selector, mailauth::key_record(algorithm, key.public_key), offered_state(key_state(key))});
  }
  return keys;
}

std::string key_digest(const ServerContext& context) {
  const auto pair = context.certificate();
  const auto facts = pair ? certificate_facts(pair->certificate_pem) : Result<CertificateFacts>(fail(pair.error().kind));
  return facts ? facts->key_digest : std::string();
}

}  // namespace

Result<store::DomainRecord> our_domain(const store::Snapshot& snapshot, std::string_view text) {
  const auto name = mail::normalise_domain(text);
  if (!name) return fail(ErrorKind::kInvalid, "'" + std::string(text) + "' is not a domain name");
  auto domain = POSTHUS_TRY(store::DirectoryReader(snapshot).domain(*name));
  if (!domain) return fail(ErrorKind::kNotFound, "there is no domain " + *name);
  return std::move(*domain);
}

Result<std::vector<IpAddress>> public_addresses(const ServerContext& context, const store::Snapshot& snapshot) {
  std::vector<IpAddress> addresses;
  for (const std::string& text : POSTHUS_TRY(setting_items(snapshot, "public.addresses"))) {
    if (const auto address = parse_ip_address(text)) addresses.push_back(*address);
  }
  return addresses.empty() ? context.interface_addresses() : addresses;
}

Result<std::vector<dns::OfferedService>> offered_services(const ServerContext& context, const store::Snapshot& snapshot) {
  struct Row {
    std::string_view label, setting;
    bool is_enabled;
  };
  const EnabledServices& on = context.services;
  const Row rows[] = {{"_submissions", "public.submissions_port", on.submissions},
                      {"_submission", "public.submission_port", on.submission},
                      {"_imaps", "public.imaps_port", on.imaps},
                      {"_imap", "public.imap_port", on.imap},
                      {"_pop3s", "public.pop3s_port", on.pop3s},
                      {"_pop3", "public.pop3_port", on.pop3}};
  std::vector<dns::OfferedService> services;
  for (const Row& row : rows) {
    const std::uint64_t port = row.is_enabled ? POSTHUS_TRY(setting_number(snapshot, row.setting)) : 0;
    services.push_back({row.label, static_cast<std::uint16_t>(port)});
  }
  return services;
}

// WHY the others from a setting and not from the DNS: the policy is there for the case that somebody forges the DNS.
Result<std::vector<std::string>> sts_hosts(const ServerContext& context, const store::Snapshot& snapshot,
                                           std::string_view domain) {
  std::vector<std::string> hosts{context.hostname};
  for (std::string& host : POSTHUS_TRY(setting_items(snapshot, "mta_sts.mx", domain))) {
    const bool is_known = std::ranges::any_of(hosts, [&](const std::string& h) { return ascii::equal_ignoring_case(h, host); });
    if (!is_known) hosts.push_back(std::move(host));
  }
  return hosts;
}

// sts-policy-record (RFC 8461 §3.2)
Result<std::string> sts_policy(const ServerContext& context, const store::Snapshot& snapshot, std::string_view domain) {
  const std::string mode = POSTHUS_TRY(setting_value(snapshot, "mta_sts.mode", domain));
  if (mode == "off") return std::string();
  const std::uint64_t age = POSTHUS_TRY(setting_number(snapshot, "mta_sts.max_age", domain));
  std::string hosts;
  for (const std::string& host : POSTHUS_TRY(sts_hosts(context, snapshot, domain))) hosts += "mx: " + host + "\r\n";
  return "version: STSv1\r\nmode: " + mode + "\r\n" + hosts + "max_age: " + std::to_string(age) + "\r\n";
}

std::string sts_policy_id(std::string_view policy) {
  return policy.empty() ? std::string() : to_hex(as_view(sha256(policy))).substr(0, kIdDigits);
}

Result<dns::PublicationFacts> publication_facts(const ServerContext& context, const store::Snapshot& snapshot,
                                                const store::DomainRecord& domain) {
  const bool wants_reports = POSTHUS_TRY(setting_value(snapshot, "public.reports", domain.name)) != "none";
  return dns::PublicationFacts{.domain = domain.name,
                               .hostname = mail::normalise_domain(context.hostname).value_or(context.hostname),
                               .addresses = POSTHUS_TRY(public_addresses(context, snapshot)),
                               .is_backup = domain.kind == store::DomainKind::kRelay,
                               .keys = POSTHUS_TRY(offered_keys(context, snapshot, domain.name)),
                               .services = POSTHUS_TRY(offered_services(context, snapshot)),
                               .report_address = wants_reports ? "postmaster@" + domain.name : "",
                               .sts_id = sts_policy_id(POSTHUS_TRY(sts_policy(context, snapshot, domain.name))),
                               .key_digest = key_digest(context),
                               .authorities = POSTHUS_TRY(setting_items(snapshot, "dns.certificate_authorities"))};
}

}  // namespace posthus::web_admin
