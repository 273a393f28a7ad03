// Certificates of our hostnames and our accounts at CAs. RFC 8555. Keys stand in the store as DKIM keys do: as they are, in a
// directory only we may read; they leave it neither by the API nor by the log. Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace posthus::store {

enum class CertificateSource : std::uint8_t { kAcme, kUpload };

/// The certificate of one hostname, and how getting the next one goes.
struct CertificateRecord {
  std::string hostname;  // normalised; "*.domain" may be uploaded
  CertificateSource source = CertificateSource::kAcme;
  std::string chain;        // PEM, the hostname's certificate first; empty: ordered, none came yet
  std::string private_key;  // PEM; empty exactly when chain is
  Timestamp created;        // of the record; set by the store
  Timestamp obtained;       // of the certificate

  // Of kAcme:
  Timestamp next_attempt;      // when to order; 0: at once
  std::uint32_t failures = 0;  // in a row
  Timestamp last_attempt;
  std::string last_error;       // for people; empty after a success
  Timestamp next_enquiry;       // when to ask the CA when to renew (ARI); 0: at once
  std::string explanation_url;  // why the CA wants a renewal; may be empty
};

struct AcmeAccountRecord {
  std::string directory;    // URL of the CA's directory
  std::string private_key;  // PEM
  std::string url;          // of the account at the CA; empty: not registered
  Timestamp created;        // set by the store
};

/// The former record of the hostname is replaced. kInvalid for what is no hostname, kTooLarge above the limits.
struct PutCertificate {
  CertificateRecord certificate;
  /// True: kNotFound unless there is a record of source kAcme, so that what comes back late from a CA neither brings back what
  /// was removed nor replaces what was uploaded meanwhile.
  bool is_of_order = false;
  /// Not empty: the domain for which a name of its own (kDomainNameLabels) is ordered. kNotFound when that has gone, so that no
  /// order outlives its domain.
  std::string domain;
};
/// kNotFound when there is none.
struct RemoveCertificate {
  std::string hostname;
};
/// The former account at this directory is replaced.
struct PutAcmeAccount {
  AcmeAccountRecord account;
};

/// The name as it is stored. Errors: kInvalid, for people.
Result<std::string> normalise_certificate_name(std::string_view name);

inline constexpr std::size_t kMaxCertificateRecord = 256 * 1024;  // encoded
inline constexpr std::size_t kMaxCertificates = 10'000;           // hostnames: every one is held in memory by the TLS listeners

}  // namespace posthus::store
