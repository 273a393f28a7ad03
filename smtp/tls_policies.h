// TlsPolicies: the TlsPolicySource over resolver, store and web. A question becomes an inquiry that walks: addresses, alias,
// TLSA (RFC 7672 §2.2.2), the MTA-STS record and its policy (RFC 8461 §5.1). What is decided is core/mailauth/tls_policy.h.
// Thread rule: any thread. Known limits: a policy is refreshed when mail goes to its domain and it is a day old, not before.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/dns/resolver.h"
#include "smtp/policy_fetcher.h"
#include "smtp/tls_policy_source.h"
#include "store/store.h"

namespace posthus::smtp {

struct TlsPoliciesContext {
  store::Store& store;
  dns::Resolver& resolver;
  PolicyFetcher& fetcher;
  const Clock& clock;
};

/// Told of every outcome; counts them for the daily reports (smtp/tls_reports.h).
class TlsOutcomes {
 public:
  virtual ~TlsOutcomes() = default;
  virtual void add(const TlsPolicy& policy, TlsOutcome outcome) = 0;  // must not block
};

class TlsPolicies final : public TlsPolicySource {
 public:
  /// `outcomes` may be null. Everything outlives this object.
  TlsPolicies(TlsPoliciesContext context, TlsOutcomes* outcomes);
  /// Waits until what was asked is answered: end resolver and fetcher first.
  ~TlsPolicies() override;

  void policy_for(TlsQuestion question, TlsPolicyDone done) override;
  void connected(const TlsPolicy& policy, TlsOutcome outcome) override;
  /// Forgets policies that have expired. May block; once an hour is plenty.
  void expire();

 private:
  struct State;
  class Inquiry;
  std::unique_ptr<State> state_;
};

}  // namespace posthus::smtp
