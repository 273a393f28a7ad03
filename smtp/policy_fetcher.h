// PolicyFetcher: the seam to the web. Fetches MTA-STS policies (RFC 8461 §3.3), hands in TLS reports (RFC 8460 §5.4).
// core/main has the one over HTTPS; tests have one in memory.
#pragma once

#include <functional>
#include <string>

#include "core/base/result.h"

namespace posthus::smtp {

/// Thread rule: any thread. Each `done` is called once, from any thread, possibly before the call returns; must not block.
class PolicyFetcher {
 public:
  virtual ~PolicyFetcher() = default;
  /// The body of https://mta-sts.`domain`/.well-known/mta-sts.txt. Takes a minute at most. Errors: kDenied (the
  /// certificate does not hold), kTooLarge (above 64 KiB), kInvalid (no text), kUnavailable, kTimeout, kBusy (too many at once).
  virtual void fetch(std::string domain, std::move_only_function<void(Result<std::string>)> done) = 0;
  /// POSTs a gzip-compressed report to an https: URI. Errors as above.
  virtual void post(std::string uri, std::string report, std::move_only_function<void(Result<>)> done) = 0;
};

}  // namespace posthus::smtp
