// StsPolicies: MTA-STS policies of other domains: looked up, fetched, kept in the store. RFC 8461 §3, §5.1.
// One fetch per domain at a time; who asks meanwhile waits for it. A fetch that failed is not tried again for five minutes
// (§3.3). Thread rule: any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/dns/resolver.h"
#include "core/mailauth/tls_policy.h"
#include "smtp/policy_fetcher.h"
#include "store/store.h"

namespace posthus::smtp {

struct FoundStsPolicy {
  mailauth::StsPolicy policy;
  std::string text;
};
/// Nothing: the domain has none, or none that can be had. `failure`: a fetch that went wrong just now.
struct StsAnswer {
  std::optional<FoundStsPolicy> found;
  std::optional<Error> failure;
  bool is_unknown = false;  // nothing was found, but there may be one
};
using StsDone = std::move_only_function<void(StsAnswer)>;

class StsPolicies {
 public:
  /// References outlive this object.
  StsPolicies(store::Store& store, dns::Resolver& resolver, PolicyFetcher& fetcher, const Clock& clock)
      : store_(store), resolver_(resolver), fetcher_(fetcher), clock_(clock) {}
  /// Waits for fetches under way: end the fetcher first.
  ~StsPolicies();

  /// `domain`: normalised, a name.
  void find(std::string domain, StsDone done);
  /// Removes what has expired; may block.
  void expire();

 private:
  struct Failure {
    std::string id;
    Timestamp until;
  };

  void have_record(const std::string& domain, const dns::Answer& answer, StsDone done);
  std::optional<store::StsPolicyRecord> stored(const std::string& domain) const;
  bool has_failed_lately(const std::string& domain, const std::string& id);
  void fetch(const std::string& domain, const std::string& id, StsDone done);
  void fetched(const std::string& domain, const std::string& id, const Result<std::string>& text);
  void settle(const std::string& domain, StsAnswer answer);
  void note_failure(const std::string& domain, const std::string& id, const Error& error);

  store::Store& store_;
  dns::Resolver& resolver_;
  PolicyFetcher& fetcher_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable all_settled_;
  std::size_t unsettled_ = 0;                             // fetches under way
  std::map<std::string, std::vector<StsDone>> fetching_;  // by domain
  std::map<std::string, Failure> failures_;               // by domain
};

}  // namespace posthus::smtp
