// DomainCertificates: certificates of the names that clients and other servers derive from a domain: autoconfig., autodiscover.
// and mta-sts. (RFC 8461 §3.3). They are ordered by themselves when the terms of the CA are accepted, and only when the DNS leads
// such a name to this server alone: an order that cannot succeed would use up what a CA grants. What is passed over has a reason
// for people. Thread rule: look() on a worker, one at a time; the rest on any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip_address.h"
#include "core/dns/answers.h"
#include "core/dns/resolver.h"
#include "core/main/certificates.h"
#include "core/main/settings.h"
#include "store/store.h"

namespace posthus::main {

struct DomainCertificatesContext {
  const Settings& settings;
  store::Store& store;
  const ServerCertificates& certificates;
  std::function<std::unique_ptr<dns::Resolver>()> make_resolver;  // one for each look
  /// Addresses under which the world sees us, as far as we know.
  std::function<Result<std::vector<IpAddress>>(const store::Snapshot&)> own_addresses;
  std::function<void()> ordered;  // there are new orders
  std::stop_token stop = {};
};

struct PassedOver {
  enum class Kind : std::uint8_t {
    kDnsSilent,       // passes by itself
    kNameMissing,     // the DNS does not have the name
    kOwnUnknown,      // under which addresses the world sees us
    kLeadsElsewhere,  // facts: where, and where we are
    kLater            // passes by itself
  };
  std::string hostname;
  Kind kind = Kind::kDnsSilent;
  std::vector<std::string> facts = {};
};
std::string_view to_string(PassedOver::Kind kind);  // "dns_silent", ...
/// For people.
std::string describe(const PassedOver& passed);

class DomainCertificates {
 public:
  /// What the context refers to outlives it.
  explicit DomainCertificates(DomainCertificatesContext context) : context_(std::move(context)) {}

  /// Orders what is lacking and can be had. Blocks while the DNS is asked, some seconds for each 50 domains.
  Result<> look();
  /// Of the last look.
  std::vector<PassedOver> passed_over() const;

  static constexpr std::size_t kOrdersAtOnce = 20;  // in one look: CAs grant some hundreds of orders in a few hours

 private:
  struct Look;
  Result<std::vector<std::string>> lacking_names(Look& look, std::string& after) const;
  Result<> ask_and_order(Look& look, const std::vector<std::string>& names) const;
  Result<> order(Look& look, const std::string& hostname) const;

  const DomainCertificatesContext context_;
  mutable std::mutex mutex_;
  std::vector<PassedOver> passed_over_;
};

}  // namespace posthus::main
