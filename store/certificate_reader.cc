// Reads certificates and accounts at CAs; see certificate_reader.h.
#include "store/certificate_reader.h"

#include "store/key.h"
#include "store/long_value.h"
#include "store/read_long.h"
#include "store/record_certificate.h"

namespace posthus::store {
namespace {}  // namespace

Result<std::optional<CertificateRecord>> CertificateReader::certificate(std::string_view hostname) const {
  return read_long(snapshot_, Table::kCertificates, certificate_key(hostname), decode_certificate);
}

Result<Page<CertificateRecord>> CertificateReader::certificates(std::string_view after, std::size_t limit) const {
  Page<CertificateRecord> page;
  const std::string from = after.empty() ? std::string() : end_of_prefix(certificate_key(after));
  POSTHUS_TRY_VOID(
      scan_long_values(snapshot_, Table::kCertificates, from, {}, [&](std::string_view, std::string_view value) -> Result<Visit> {
        if (page.items.size() == limit) {
          if (!page.items.empty()) page.next = page.items.back().hostname;
          return Visit::kStop;
        }
        page.items.push_back(POSTHUS_TRY(decode_certificate(value)));
        return Visit::kContinue;
      }));
  return page;
}

Result<std::vector<std::string>> CertificateReader::ordered_names_of(std::string_view domain) const {
  std::vector<std::string> names;
  for (const std::string_view label : kDomainNameLabels) {
    std::string name = std::string(label).append(domain);
    const auto record = POSTHUS_TRY(certificate(name));
    if (record && record->source == CertificateSource::kAcme) names.push_back(std::move(name));
  }
  return names;
}

Result<std::optional<AcmeAccountRecord>> CertificateReader::acme_account(std::string_view directory) const {
  return read_long(snapshot_, Table::kAcmeAccounts, acme_account_key(directory), decode_acme_account);
}

}  // namespace posthus::store
