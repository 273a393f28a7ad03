// Checker's walk over certificates and accounts at CAs: every record decodes and stands under its key.
#include "store/check.h"
#include "store/long_value.h"
#include "store/record_certificate.h"

namespace posthus::store {

void Checker::check_certificates() {
  const auto is_first_row = [](std::string_view key) { return key.ends_with(std::string_view("\0\0\0", 3)); };
  std::string buffer;
  scan(Table::kCertificates, "certificates", [&](std::string_view key, std::string_view) {
    if (!is_first_row(key)) return;
    const std::string_view base = key.substr(0, key.size() - 2);
    const auto value = get_long_value(snapshot_, Table::kCertificates, base, buffer);
    if (!value) return find("a certificate", value.error().context);
    const auto record = decode_certificate(*value);
    if (!record || certificate_key(record->hostname) != base) find("a certificate", record ? "key" : record.error().context);
  });
  scan(Table::kAcmeAccounts, "accounts at CAs", [&](std::string_view key, std::string_view) {
    if (!is_first_row(key)) return;
    const std::string_view base = key.substr(0, key.size() - 2);
    const auto value = get_long_value(snapshot_, Table::kAcmeAccounts, base, buffer);
    if (!value) return find("an account at a CA", value.error().context);
    const auto record = decode_acme_account(*value);
    if (!record || acme_account_key(record->directory) != base)
      find("an account at a CA", record ? "key" : record.error().context);
  });
}

}  // namespace posthus::store
