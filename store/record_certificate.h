// Encodings of certificates and accounts at CAs. Each begins with a version byte; decoding arbitrary bytes gives a record or
// kCorrupt. Texts are a length and bytes (core/base/bytes.h). Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/certificate_records.h"

namespace posthus::store {

std::string encode_certificate(const CertificateRecord& record);
Result<CertificateRecord> decode_certificate(std::string_view bytes);

std::string encode_acme_account(const AcmeAccountRecord& record);
Result<AcmeAccountRecord> decode_acme_account(std::string_view bytes);

/// Bases of long values (store/long_value.h).
std::string certificate_key(std::string_view hostname);    // kCertificates
std::string acme_account_key(std::string_view directory);  // kAcmeAccounts

}  // namespace posthus::store
