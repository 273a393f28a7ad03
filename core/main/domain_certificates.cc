// Looking for names without certificate. Read look() first.
#include "core/main/domain_certificates.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/base/log.h"
#include "core/mail/address.h"
#include "core/main/acme_settings.h"
#include "core/net/certificate_facts.h"
#include "store/certificate_reader.h"
#include "store/directory_reader.h"
#include "web-admin/setting_values.h"

namespace posthus::main {
namespace {

constexpr std::size_t kDomainsPage = 50;      // domains at a time: their questions fit into one dns::Answers
constexpr std::size_t kMaxPassedOver = 1000;  // told of; more nobody reads
constexpr std::chrono::seconds kAddressPatience{15};

/// The addresses of a name, or why they are not known.
struct Found {
  std::vector<IpAddress> addresses;
  bool is_unknown = false;
};

Found addresses_of(dns::Answers& answers, const std::string& name) {
  Found found;
  for (const dns::RecordType type : {dns::RecordType::kA, dns::RecordType::kAaaa}) {
    const dns::Answer* const answer = answers.ask(name, type);
    if (!answer) {
      found.is_unknown = true;
      continue;
    }
    const bool is_lost = answer->status == dns::Status::kTemporary || answer->status == dns::Status::kBogus;
    found.is_unknown = found.is_unknown || is_lost;
    found.addresses.insert(found.addresses.end(), answer->addresses.begin(), answer->addresses.end());
  }
  return found;
}

std::string texts_of(const std::vector<IpAddress>& addresses) {
  std::string out;
  for (const IpAddress& address : addresses) out += (out.empty() ? "" : ", ") + to_string(address);
  return out;
}

// Why no certificate can be had for a name that leads to `there`; nothing when one can. WHY all of them: the CA asks any.
std::optional<PassedOver> objection_to(const std::string& hostname, const Found& there, const std::vector<IpAddress>& here) {
  using Kind = PassedOver::Kind;
  if (there.is_unknown) return PassedOver{hostname, Kind::kDnsSilent};
  if (there.addresses.empty()) return PassedOver{hostname, Kind::kNameMissing};
  if (here.empty()) return PassedOver{hostname, Kind::kOwnUnknown};
  const bool is_here =
      std::ranges::all_of(there.addresses, [&](const IpAddress& a) { return std::ranges::find(here, a) != here.end(); });
  if (is_here) return std::nullopt;
  return PassedOver{hostname, Kind::kLeadsElsewhere, {texts_of(there.addresses), texts_of(here)}};
}

}  // namespace

/// One look, and what it knows.
struct DomainCertificates::Look {
  std::optional<net::CertificateFacts> default_facts;
  std::size_t ordered = 0;
  std::vector<PassedOver> passed_over;

  void pass_over(PassedOver name) {
    if (passed_over.size() < kMaxPassedOver) passed_over.push_back(std::move(name));
  }
};

std::string_view to_string(PassedOver::Kind kind) {
  switch (kind) {
    case PassedOver::Kind::kDnsSilent: return "dns_silent";
    case PassedOver::Kind::kNameMissing: return "name_missing";
    case PassedOver::Kind::kOwnUnknown: return "own_addresses_unknown";
    case PassedOver::Kind::kLeadsElsewhere: return "leads_elsewhere";
    case PassedOver::Kind::kLater: break;
  }
  return "later";
}

std::string describe(const PassedOver& passed) {
  switch (passed.kind) {
    case PassedOver::Kind::kDnsSilent: return "The DNS did not answer; it is asked again later.";
    case PassedOver::Kind::kNameMissing: return "The DNS does not have the name yet.";
    case PassedOver::Kind::kOwnUnknown:
      return "It is not known under which addresses the world sees this server: set public.addresses.";
    case PassedOver::Kind::kLeadsElsewhere:
      return "The name leads to " + passed.facts[0] + ", and this server is at " + passed.facts[1] + ".";
    case PassedOver::Kind::kLater: break;
  }
  return "Others are ordered first: CAs limit how many may be at once.";
}

std::vector<PassedOver> DomainCertificates::passed_over() const {
  const std::lock_guard lock(mutex_);
  return passed_over_;
}

Result<> DomainCertificates::look() {
  Look look;
  bool is_on = false;
  {
    const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
    is_on = POSTHUS_TRY(acme_settings(context_.settings, *snapshot)).accepts_terms;
  }
  if (auto facts = net::certificate_facts(context_.certificates.default_certificate().chain))
    look.default_facts = std::move(*facts);
  std::string after;
  bool is_more = is_on;
  while (is_more && !context_.stop.stop_requested()) {
    const std::vector<std::string> names = POSTHUS_TRY(lacking_names(look, after));
    is_more = !after.empty();
    if (!names.empty()) POSTHUS_TRY_VOID(ask_and_order(look, names));
  }
  if (look.ordered > 0) context_.ordered();
  const std::lock_guard lock(mutex_);
  passed_over_ = std::move(look.passed_over);
  return {};
}

// Of the domains behind `after`, which becomes where to go on.
Result<std::vector<std::string>> DomainCertificates::lacking_names(Look& look, std::string& after) const {
  const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  const store::CertificateReader certificates(*snapshot);
  const auto page = POSTHUS_TRY(store::DirectoryReader(*snapshot).domains(after, kDomainsPage));
  after = page.next;
  std::vector<std::string> names;
  for (const store::DomainRecord& domain : page.items) {
    if (domain.is_disabled || domain.kind != store::DomainKind::kMailboxes) continue;
    if (POSTHUS_TRY(web_admin::setting_number(*snapshot, "acme.domain_names", domain.name)) == 0) continue;
    const bool has_policy = POSTHUS_TRY(web_admin::setting_value(*snapshot, "mta_sts.mode", domain.name)) != "off";
    const auto wildcard = POSTHUS_TRY(certificates.certificate("*." + domain.name));
    if (wildcard && !wildcard->chain.empty()) continue;
    for (const std::string_view label : store::kDomainNameLabels) {
      if (label == "mta-sts." && !has_policy) continue;
      const std::string name = std::string(label) + domain.name;
      if (!store::normalise_certificate_name(name)) continue;  // too long
      if (look.default_facts && look.default_facts->covers(name)) continue;
      if (!POSTHUS_TRY(certificates.certificate(name))) names.push_back(name);
    }
  }
  return names;
}

Result<> DomainCertificates::ask_and_order(Look& look, const std::vector<std::string>& names) const {
  std::vector<IpAddress> known;
  {
    const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
    known = POSTHUS_TRY(context_.own_addresses(*snapshot));
  }
  const std::string hostname = mail::normalise_domain(context_.settings.hostname).value_or(context_.settings.hostname);
  dns::Answers answers;
  std::vector<Found> found(names.size());
  std::vector<IpAddress> here;
  const auto resolver = context_.make_resolver();
  dns::ask_until_complete(*resolver, answers, std::chrono::steady_clock::now() + kAddressPatience, context_.stop,
                          [&](dns::Answers& given) {
                            here = known;
                            // Behind a NAT our interfaces do not know the address; who set the name of this server up did.
                            for (const IpAddress& address : addresses_of(given, hostname).addresses) here.push_back(address);
                            for (std::size_t i = 0; i < names.size(); ++i) found[i] = addresses_of(given, names[i]);
                          });
  std::ranges::sort(here);
  here.erase(std::unique(here.begin(), here.end()), here.end());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (auto passed = objection_to(names[i], found[i], here)) {
      look.pass_over(*std::move(passed));
    } else {
      POSTHUS_TRY_VOID(order(look, names[i]));
    }
  }
  return {};
}

Result<> DomainCertificates::order(Look& look, const std::string& hostname) const {
  if (look.ordered >= kOrdersAtOnce) {
    look.pass_over({hostname, PassedOver::Kind::kLater});
    return {};
  }
  // Looked at again: the DNS took its time, and somebody may have uploaded one.
  const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  if (POSTHUS_TRY(store::CertificateReader(*snapshot).certificate(hostname))) return {};
  const std::string domain = hostname.substr(hostname.find('.') + 1);
  auto put = context_.store.apply(store::PutCertificate{{.hostname = hostname}, false, domain});
  if (!put && put.error().kind == ErrorKind::kNotFound) return {};  // the domain was removed meanwhile
  POSTHUS_TRY_VOID(std::move(put));
  ++look.ordered;
  log::info("acme.ordered_for_domain", {{"hostname", hostname}});
  return {};
}

}  // namespace posthus::main
