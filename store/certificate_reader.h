// Reads certificates and accounts at CAs in one snapshot. REQUIRES: the snapshot outlives the reader.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "store/certificate_records.h"
#include "store/directory_reader.h"
#include "store/engine.h"

namespace posthus::store {

/// What clients and other servers put before the name of a domain; certificates of these names are ordered for the domain, and
/// their orders go with it (RemoveDomain).
inline constexpr std::array<std::string_view, 3> kDomainNameLabels{"autoconfig.", "autodiscover.", "mta-sts."};

class CertificateReader {
 public:
  explicit CertificateReader(const Snapshot& snapshot) : snapshot_(snapshot) {}

  Result<std::optional<CertificateRecord>> certificate(std::string_view hostname) const;
  /// In order of hostname, those after `after`, at most `limit`.
  Result<Page<CertificateRecord>> certificates(std::string_view after, std::size_t limit) const;
  /// Names of the domain (kDomainNameLabels) whose certificates were ordered, not uploaded.
  Result<std::vector<std::string>> ordered_names_of(std::string_view domain) const;
  Result<std::optional<AcmeAccountRecord>> acme_account(std::string_view directory) const;

 private:
  const Snapshot& snapshot_;
};

}  // namespace posthus::store
