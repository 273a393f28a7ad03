// Self-signed certificates and requests for others (RFC 5280 §4, RFC 2986, names in subjectAltName as RFC 6125 §6.4.4 wants
// them).
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
constexpr std::size_t kDigest = 32;  // SHA-256

bool is_domain_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestDomainName) return false;
  for (const char c : name) {
    if (!ascii::is_alpha(c) && !ascii::is_digit(c) && c != '-' && c != '.' && c != '_') return false;
  }
  return true;
}

using NamesPointer = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;
using RequestPointer = std::unique_ptr<X509_REQ, OpensslDeleter<X509_REQ_free>>;
struct ExtensionsDeleter {
  void operator()(STACK_OF(X509_EXTENSION) * list) const { sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free); }
};
using ExtensionsPointer = std::unique_ptr<STACK_OF(X509_EXTENSION), ExtensionsDeleter>;

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

void set_times(X509* certificate, int days) {
  // WHY: a day ago, so that clients whose clock is a little slow accept it.
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kSecondsPerDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kSecondsPerDay * days);
}

void set_name(X509_NAME* name, std::string_view hostname) {
  const std::string_view common_name = hostname.size() <= kLongestCommonName ? hostname : "mail server";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
}

bool fill(X509* certificate, EVP_PKEY* key, std::string_view hostname, int days) {
  X509_set_version(certificate, X509_VERSION_3);
  if (!set_serial(certificate)) return false;
  set_times(certificate, days);
  X509_NAME* name = X509_get_subject_name(certificate);
  set_name(name, hostname);
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

// Authorization ::= OCTET STRING (SIZE (32)), in extension id-pe 31 (RFC 8737 §3)
bool add_acme_identifier(X509* certificate, std::string_view digest) {
  std::string der{'\x04', '\x20'};
  der += digest;
  ASN1_OBJECT* oid = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
  ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(value, reinterpret_cast<const unsigned char*>(der.data()), static_cast<int>(der.size()));
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, oid, 1, value);
  const bool is_added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  ASN1_OCTET_STRING_free(value);
  ASN1_OBJECT_free(oid);
  return is_added;
}

bool fill_challenge(X509* certificate, EVP_PKEY* key, std::string_view hostname, std::string_view digest) {
  X509_set_version(certificate, X509_VERSION_3);
  if (!set_serial(certificate)) return false;
  set_times(certificate, 1);
  X509_NAME* name = X509_get_subject_name(certificate);
  set_name(name, hostname);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, key);
  const NamesPointer names(GENERAL_NAMES_new());
  add_name(names.get(), hostname);
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1 &&
         add_acme_identifier(certificate, digest) && X509_sign(certificate, key, EVP_sha256()) > 0;
}

std::string bio_bytes(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::unexpected<Error> cannot_make() { return fail(ErrorKind::kIo, "making a certificate: " + take_openssl_error()); }

Result<Secret> key_pem_of(const EVP_PKEY* key) {
  const BioPointer pem(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PrivateKey(pem.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) return cannot_make();
  return Secret(bio_bytes(pem.get()));
}

Result<CertificateAndKey> pair_of(X509* certificate, const EVP_PKEY* key) {
  const BioPointer pem(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(pem.get(), certificate) != 1) return cannot_make();
  return CertificateAndKey{bio_bytes(pem.get()), POSTHUS_TRY(key_pem_of(key))};
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
  if (!key || !certificate || !fill(certificate.get(), key.get(), hostname, days)) return cannot_make();
  return pair_of(certificate.get(), key.get());
}

Result<CertificateAndKey> make_challenge_certificate(std::string_view hostname, std::string_view digest) {
  if (!is_domain_name(hostname) || digest.size() != kDigest) return fail(ErrorKind::kInvalid, "challenge of a certificate");
  const KeyPointer key(EVP_EC_gen("P-256"));
  const CertificatePointer certificate(X509_new());
  if (!key || !certificate || !fill_challenge(certificate.get(), key.get(), hostname, digest)) return cannot_make();
  return pair_of(certificate.get(), key.get());
}

Result<Secret> make_certificate_key() {
  const KeyPointer key(EVP_EC_gen("P-256"));
  if (!key) return cannot_make();
  return key_pem_of(key.get());
}

Result<std::string> make_certificate_request(std::string_view hostname, std::string_view key_pem) {
  if (!is_domain_name(hostname)) return fail(ErrorKind::kInvalid, "hostname of the certificate");
  const auto refuse_password = [](char*, int, int, void*) { return -1; };
  const KeyPointer key(PEM_read_bio_PrivateKey(bio_of(key_pem).get(), nullptr, refuse_password, nullptr));
  const RequestPointer request(X509_REQ_new());
  const NamesPointer names(GENERAL_NAMES_new());
  if (!key || !request || !names) return cannot_make();
  add_name(names.get(), hostname);
  // WHY no subject: CAs take names from the extension only, and one longer than 64 bytes fits no common name.
  const ExtensionsPointer extensions(sk_X509_EXTENSION_new_null());
  X509_EXTENSION* extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, names.get());
  if (extension == nullptr || sk_X509_EXTENSION_push(extensions.get(), extension) == 0) return cannot_make();
  if (X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 || X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_add_extensions(request.get(), extensions.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0) {
    return cannot_make();
  }
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_REQ(request.get(), &bytes);
  if (size <= 0) return cannot_make();
  std::string der(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

Result<std::int64_t> certificate_not_before(std::string_view certificate_pem) {
  return time_of(certificate_pem, X509_get0_notBefore);
}

Result<std::int64_t> certificate_not_after(std::string_view certificate_pem) {
  return time_of(certificate_pem, X509_get0_notAfter);
}

}  // namespace posthus::net
