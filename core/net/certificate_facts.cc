// Certificates by OpenSSL.
#include "core/net/certificate_facts.h"

#include <ctime>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/base/hash.h"
#include "core/base/ip_address.h"
#include "core/net/openssl_pointers.h"

namespace posthus::net {
namespace {

constexpr int kLeastRsaBits = 2048, kLeastEcBits = 224;  // what clients still take (OpenSSL's security level 2)
constexpr std::size_t kMaxIntermediates = 10;

using NamesPointer = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;
using KeyIdPointer = std::unique_ptr<AUTHORITY_KEYID, OpensslDeleter<AUTHORITY_KEYID_free>>;

std::string_view bytes_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::vector<std::string> facts_names_of(X509* certificate) {
  std::vector<std::string> out;
  const NamesPointer names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()) && out.size() < kMaxNames; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) out.push_back(ascii::to_lower(bytes_of(name->d.dNSName)));
    if (name->type == GEN_IPADD) out.push_back(address_text(bytes_of(name->d.iPAddress)));
  }
  return out;
}

std::string part_of(const X509_NAME* name, int nid) {
  char text[200] = {};
  const int size = X509_NAME_get_text_by_NID(const_cast<X509_NAME*>(name), nid, text, sizeof text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::string issuer_of(const X509* certificate) {
  const X509_NAME* name = X509_get_issuer_name(certificate);
  const std::string organisation = part_of(name, NID_organizationName), common = part_of(name, NID_commonName);
  return organisation.empty() || common.empty() ? organisation + common : organisation + ", " + common;
}

std::string key_of(X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return "unknown";
  const char* type = EVP_PKEY_get0_type_name(key);
  return std::string(type == nullptr ? "unknown" : type) + " " + std::to_string(EVP_PKEY_get_bits(key));
}

// RFC 9773 §4.1: base64url(keyIdentifier of the authority) "." base64url(DER bytes of the serial number)
std::string renewal_id_of(X509* certificate) {
  const KeyIdPointer id(
      static_cast<AUTHORITY_KEYID*>(X509_get_ext_d2i(certificate, NID_authority_key_identifier, nullptr, nullptr)));
  if (!id || id->keyid == nullptr) return {};
  unsigned char* der = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &der);
  if (size <= 2) return {};
  const std::string serial(reinterpret_cast<char*>(der) + 2, static_cast<std::size_t>(size) - 2);  // without tag and length
  OPENSSL_free(der);
  return base64url_encode(bytes_of(id->keyid)) + "." + base64url_encode(serial);
}

CertificatePointer next_of(BIO* pem) { return CertificatePointer(PEM_read_bio_X509(pem, nullptr, nullptr, nullptr)); }

}  // namespace

bool CertificateFacts::covers(std::string_view hostname) const {
  const std::size_t dot = hostname.find('.');
  const std::string_view parent = dot == std::string_view::npos ? std::string_view{} : hostname.substr(dot);
  for (const std::string& name : names) {
    if (ascii::equal_ignoring_case(name, hostname)) return true;
    const bool is_wildcard = name.starts_with("*.") && !parent.empty();
    if (is_wildcard && ascii::equal_ignoring_case(std::string_view(name).substr(1), parent)) return true;
  }
  return false;
}

Result<CertificateFacts> certificate_facts(std::string_view certificate_pem) {
  const BioPointer pem = bio_of(certificate_pem);
  const CertificatePointer first = next_of(pem.get());
  if (!first) return fail(ErrorKind::kInvalid, "the certificate is not PEM: " + take_openssl_error());
  CertificateFacts facts;
  facts.names = facts_names_of(first.get());
  facts.issuer = issuer_of(first.get());
  facts.serial = ascii::to_lower(to_hex(bytes_of(X509_get0_serialNumber(first.get()))));
  facts.key = key_of(first.get());
  facts.not_before = seconds_of(X509_get0_notBefore(first.get()));
  facts.not_after = seconds_of(X509_get0_notAfter(first.get()));
  facts.is_self_signed = X509_NAME_cmp(X509_get_subject_name(first.get()), X509_get_issuer_name(first.get())) == 0;
  facts.renewal_id = renewal_id_of(first.get());
  while (facts.intermediates < kMaxIntermediates && next_of(pem.get())) ++facts.intermediates;
  ERR_clear_error();
  return facts;
}

Result<> check_pair(const CertificateAndKey& pair) {
  const BioPointer pem = bio_of(pair.certificate_pem);
  CertificatePointer certificate = next_of(pem.get());
  if (!certificate) return fail(ErrorKind::kInvalid, "the certificate is not PEM: " + take_openssl_error());
  const std::string_view key_text = pair.private_key_pem.reveal();
  if (key_text.find("ENCRYPTED") != std::string_view::npos) {
    return fail(ErrorKind::kInvalid, "the key is encrypted; decrypt it first: openssl pkey -in KEY -out PLAIN-KEY");
  }
  const auto refuse_password = [](char*, int, int, void*) { return -1; };
  const KeyPointer key(PEM_read_bio_PrivateKey(bio_of(key_text).get(), nullptr, refuse_password, nullptr));
  if (!key) return fail(ErrorKind::kInvalid, "the key is not PEM: " + take_openssl_error());
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return fail(ErrorKind::kInvalid, "key and certificate do not belong together; the chain must begin with the server's own");
  }
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < (EVP_PKEY_is_a(key.get(), "RSA") == 1 ? kLeastRsaBits : kLeastEcBits)) {
    return fail(ErrorKind::kInvalid, "the key has " + std::to_string(bits) + " bits; clients refuse so weak a key");
  }
  for (std::size_t i = 0; i < kMaxIntermediates; ++i) {
    CertificatePointer issuer = next_of(pem.get());
    ERR_clear_error();
    if (!issuer) return {};
    if (X509_NAME_cmp(X509_get_issuer_name(certificate.get()), X509_get_subject_name(issuer.get())) != 0) {
      return fail(ErrorKind::kInvalid, "each certificate of the chain must be followed by that of its issuer");
    }
    certificate = std::move(issuer);
  }
  return {};
}

}  // namespace posthus::net
