// Certificates of our hostnames and accounts at CAs. RFC 8555.
#include "core/base/ip_address.h"
#include "core/mail/address.h"
#include "store/apply_kinds.h"
#include "store/certificate_reader.h"
#include "store/directory_reader.h"
#include "store/long_value.h"
#include "store/record_certificate.h"

namespace posthus::store {
namespace {

constexpr std::size_t kMaxDirectoryUrl = 1024;
constexpr std::size_t kMaxAccountRecord = 16 * 1024;  // a key and two URLs
constexpr std::string_view kWildcard = "*.";

Result<std::size_t> count_certificates(const Snapshot& snapshot) {
  std::size_t count = 0;
  POSTHUS_TRY_VOID(snapshot.scan(Table::kCertificates, {}, {}, [&](std::string_view key, std::string_view) {
    if (key.ends_with(std::string_view("\0\0\0", 3))) ++count;  // a first row (store/long_value.h)
    return Visit::kContinue;
  }));
  return count;
}

}  // namespace

Result<std::string> normalise_certificate_name(std::string_view name) {
  const bool is_wildcard = name.starts_with(kWildcard);
  auto domain = mail::normalise_domain(is_wildcard ? name.substr(kWildcard.size()) : name);
  const bool is_name = domain && domain->find('.') != std::string::npos && !mail::is_domain_literal(*domain);
  if (!is_name || parse_ip_address(*domain)) {
    return fail(ErrorKind::kInvalid, "'" + std::string(name.substr(0, 300)) + "' is no hostname like mail.example.org");
  }
  return is_wildcard ? std::string(kWildcard) + *domain : *domain;
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutCertificate& request) {
  CertificateRecord record = request.certificate;
  record.hostname = POSTHUS_TRY(normalise_certificate_name(record.hostname));
  if (record.source == CertificateSource::kAcme && record.hostname.starts_with(kWildcard)) {
    return fail(ErrorKind::kInvalid, "a certificate for a wildcard can be uploaded only, not ordered");
  }
  if (record.chain.empty() != record.private_key.empty())
    return fail(ErrorKind::kInvalid, "a certificate and its key go together");
  if (!request.domain.empty() && !POSTHUS_TRY(DirectoryReader(context.transaction).domain(request.domain))) {
    return fail(ErrorKind::kNotFound, "there is no domain " + request.domain);
  }
  const auto before = POSTHUS_TRY(CertificateReader(context.transaction).certificate(record.hostname));
  if (request.is_of_order && (!before || before->source != CertificateSource::kAcme)) {
    return fail(ErrorKind::kNotFound, "nothing is ordered for " + record.hostname);
  }
  if (!before && POSTHUS_TRY(count_certificates(context.transaction)) >= kMaxCertificates) {
    return fail(ErrorKind::kTooLarge, "there are " + std::to_string(kMaxCertificates) + " certificates already");
  }
  record.created = before ? before->created : context.now;
  const std::string bytes = encode_certificate(record);
  if (bytes.size() > kMaxCertificateRecord) return fail(ErrorKind::kTooLarge, "certificate of " + record.hostname);
  POSTHUS_TRY_VOID(replace_long_value(context.transaction, Table::kCertificates, certificate_key(record.hostname), bytes));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveCertificate& request) {
  const std::string hostname = POSTHUS_TRY(normalise_certificate_name(request.hostname));
  if (!POSTHUS_TRY(CertificateReader(context.transaction).certificate(hostname))) {
    return fail(ErrorKind::kNotFound, "there is no certificate of " + hostname + " in the store");
  }
  POSTHUS_TRY_VOID(erase_long_value(context.transaction, Table::kCertificates, certificate_key(hostname)));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutAcmeAccount& request) {
  AcmeAccountRecord record = request.account;
  const bool is_whole = !record.directory.empty() && record.directory.size() <= kMaxDirectoryUrl && !record.private_key.empty();
  if (!is_whole) return fail(ErrorKind::kInvalid, "an account at a CA needs its directory and its key");
  const auto before = POSTHUS_TRY(CertificateReader(context.transaction).acme_account(record.directory));
  record.created = before ? before->created : context.now;
  const std::string bytes = encode_acme_account(record);
  if (bytes.size() > kMaxAccountRecord) return fail(ErrorKind::kTooLarge, "account at a CA");
  POSTHUS_TRY_VOID(replace_long_value(context.transaction, Table::kAcmeAccounts, acme_account_key(record.directory), bytes));
  return WriteOutcome{};
}

}  // namespace posthus::store
