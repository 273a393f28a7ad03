// Encodings of certificates and accounts at CAs; see record_certificate.h.
#include "store/record_certificate.h"

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "store/key.h"
#include "store/record_fields.h"

namespace posthus::store {
namespace {

constexpr std::uint8_t kCertificateVersion = 1;

}  // namespace

// version, hostname, source u8, chain, key, created, obtained, next_attempt, failures u32, last_attempt, last_error,
// next_enquiry, explanation_url
std::string encode_certificate(const CertificateRecord& record) {
  std::string out;
  append_u8(out, kCertificateVersion);
  append_text(out, record.hostname);
  append_u8(out, static_cast<std::uint8_t>(record.source));
  append_text(out, record.chain);
  append_text(out, record.private_key);
  append_timestamp(out, record.created);
  append_timestamp(out, record.obtained);
  append_timestamp(out, record.next_attempt);
  append_u32(out, record.failures);
  append_timestamp(out, record.last_attempt);
  append_text(out, record.last_error);
  append_timestamp(out, record.next_enquiry);
  append_text(out, record.explanation_url);
  return out;
}

Result<CertificateRecord> decode_certificate(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_known = reader.u8() == kCertificateVersion;
  CertificateRecord record;
  record.hostname = reader.text();
  record.source = static_cast<CertificateSource>(reader.u8());
  record.chain = reader.text();
  record.private_key = reader.text();
  record.created = read_timestamp(reader);
  record.obtained = read_timestamp(reader);
  record.next_attempt = read_timestamp(reader);
  record.failures = reader.u32();
  record.last_attempt = read_timestamp(reader);
  record.last_error = reader.text();
  record.next_enquiry = read_timestamp(reader);
  record.explanation_url = reader.text();
  const bool is_good = is_known && reader.ok() && reader.at_end() && record.source <= CertificateSource::kUpload;
  if (!is_good) return fail(ErrorKind::kCorrupt, "certificate");
  return record;
}

// version, directory, key, url, created
std::string encode_acme_account(const AcmeAccountRecord& record) {
  std::string out;
  append_u8(out, kCertificateVersion);
  append_text(out, record.directory);
  append_text(out, record.private_key);
  append_text(out, record.url);
  append_timestamp(out, record.created);
  return out;
}

Result<AcmeAccountRecord> decode_acme_account(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_known = reader.u8() == kCertificateVersion;
  AcmeAccountRecord record;
  record.directory = reader.text();
  record.private_key = reader.text();
  record.url = reader.text();
  record.created = read_timestamp(reader);
  if (!is_known || !reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "ACME account");
  return record;
}

std::string certificate_key(std::string_view hostname) { return domain_key(hostname) + '\0'; }

// URLs may be longer than a key.
std::string acme_account_key(std::string_view directory) { return to_hex(as_view(sha256(directory))) + '\0'; }

}  // namespace posthus::store
