// Self-signed certificates (RFC 5280 §4, names in subjectAltName as RFC 6125 §6.4.4 wants them).
#include "core/net/certificate.h"

#include <ctime>

#include "core/base/ascii.h"
#include "core/base/ip_address.h"
#include "core/base/random.h"
#include "core/net/openssl_pointers.h"

namespace posthus::net {
namespace {

constexpr std::size_t kLongestCommonName = 64;   // RFC 5280 appendix A.1, ub-common-name
constexpr std::size_t kLongestDomainName = 253;  // RFC 1035 §2.3.4
constexpr long kSecondsPerDay = 86'400;

bool is_domain_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestDomainName) return false;
  for (const char c : name) {
    if (!ascii::is_alpha(c) && !ascii::is_digit(c) && c != '-' && c != '.' && c != '_') return false;
  }
  return true;
}

using NamesPointer = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;

void add_name(GENERAL_NAMES* names, std::string_view name) {
  const std::optional<IpAddress> address = parse_ip_address(name);
  GENERAL_NAME* entry = GENERAL_NAME_new();
  ASN1_STRING* value = address ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  if (address) {
    ASN1_STRING_set(value, address->bytes.data(), address->is_v6 ? 16 : 4);
  } else {
    ASN1_STRING_set(value, name.data(), static_cast<int>(name.size()));
  }
  GENERAL_NAME_set0_value(entry, address ? GEN_IPADD : GEN_DNS, value);
  sk_GENERAL_NAME_push(names, entry);
}

bool add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (extension == nullptr) return false;
  const bool is_added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return is_added;
}

bool set_serial(X509* certificate) {
  // RFC 5280 §4.1.2.2: positive, at most 20 octets.
  std::string bytes = random_bytes(16);
  bytes[0] = static_cast<char>((bytes[0] & 0x3F) | 0x40);
  BIGNUM* number = BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr);
  const bool is_set = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return is_set;
}

bool fill(X509* certificate, EVP_PKEY* key, std::string_view hostname, int days) {
  X509_set_version(certificate, X509_VERSION_3);
  if (!set_serial(certificate)) return false;
  // WHY: a day ago, so that clients whose clock is a little slow accept it.
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kSecondsPerDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kSecondsPerDay * days);
  X509_NAME* name = X509_get_subject_name(certificate);
  const std::string_view common_name = hostname.size() <= kLongestCommonName ? hostname : "mail server";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, key);
  const NamesPointer names(GENERAL_NAMES_new());
  add_name(names.get(), hostname);
  for (const std::string_view local : {"localhost", "127.0.0.1", "::1"}) {
    if (local != hostname) add_name(names.get(), local);
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         add_extension(certificate, NID_subject_key_identifier, "hash") && X509_sign(certificate, key, EVP_sha256()) > 0;
}

std::string bytes_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Result<std::int64_t> time_of(std::string_view certificate_pem, const ASN1_TIME* (*which)(const X509*)) {
  const CertificatePointer certificate(PEM_read_bio_X509(bio_of(certificate_pem).get(), nullptr, nullptr, nullptr));
  if (!certificate) return fail(ErrorKind::kInvalid, "certificate: " + take_openssl_error());
  std::tm parts{};
  if (ASN1_TIME_to_tm(which(certificate.get()), &parts) != 1) return fail(ErrorKind::kInvalid, "certificate date");
  return static_cast<std::int64_t>(timegm(&parts));
}

}  // namespace

Result<CertificateAndKey> make_self_signed_certificate(std::string_view hostname, int days) {
  if (!is_domain_name(hostname) && !parse_ip_address(hostname)) return fail(ErrorKind::kInvalid, "hostname of the certificate");
  const KeyPointer key(EVP_EC_gen("P-256"));
  const CertificatePointer certificate(X509_new());
  if (!key || !certificate || !fill(certificate.get(), key.get(), hostname, days)) {
    return fail(ErrorKind::kIo, "making a certificate: " + take_openssl_error());
  }
  const BioPointer certificate_pem(BIO_new(BIO_s_mem()));
  const BioPointer key_pem(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_X509(certificate_pem.get(), certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(ErrorKind::kIo, "making a certificate: " + take_openssl_error());
  }
  return CertificateAndKey{bytes_of(certificate_pem.get()), Secret(bytes_of(key_pem.get()))};
}

Result<std::int64_t> certificate_not_before(std::string_view certificate_pem) {
  return time_of(certificate_pem, X509_get0_notBefore);
}

Result<std::int64_t> certificate_not_after(std::string_view certificate_pem) {
  return time_of(certificate_pem, X509_get0_notAfter);
}

}  // namespace posthus::net
