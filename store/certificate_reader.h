// Reads certificates and accounts at CAs in one snapshot. REQUIRES: the snapshot outlives the reader.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/certificate_records.h"
#include "store/directory_reader.h"
#include "store/engine.h"

namespace posthus::store {

class CertificateReader {
 public:
  explicit CertificateReader(const Snapshot& snapshot) : snapshot_(snapshot) {}

  Result<std::optional<CertificateRecord>> certificate(std::string_view hostname) const;
  /// In order of hostname, those after `after`, at most `limit`.
  Result<Page<CertificateRecord>> certificates(std::string_view after, std::size_t limit) const;
  Result<std::optional<AcmeAccountRecord>> acme_account(std::string_view directory) const;

 private:
  const Snapshot& snapshot_;
};

}  // namespace posthus::store
