// ZoneWriter: whoever can write into the zone of a domain: a name server by dynamic update (RFC 2136), or a plug-in for a DNS
// provider, which is any program that takes the changes as JSON over HTTP (web-admin/README.md says what it gets). Another way
// is another class here, chosen in make_zone_writer(). Thread rule: workers; each call may block for some seconds.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/dns/update.h"

namespace posthus::web_admin {

struct ServerContext;

class ZoneWriter {
 public:
  virtual ~ZoneWriter() = default;
  /// What may be written: names within this zone.
  virtual const std::string& zone() const = 0;
  /// Who takes the changes, for the log; without secrets.
  virtual std::string target() const = 0;
  /// The texts (TXT) that stand under `name` now: what is replaced must be known.
  virtual Result<std::vector<std::string>> texts(const std::string& name) = 0;
  /// All changes or none, as far as the other side can. Errors: for people; kDenied, kUnavailable, kInvalid.
  virtual Result<> write(const std::vector<dns::SetChange>& changes) = 0;
};

/// As the settings dns.update_* of this domain say; the plug-in when both are set. Errors: kInvalid when neither is.
Result<std::unique_ptr<ZoneWriter>> make_zone_writer(const ServerContext& context, const std::string& domain);

}  // namespace posthus::web_admin
