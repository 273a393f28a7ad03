// Certificates made by the test that needs them: an authority, and servers it vouches for, valid or not.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/net/certificate.h"
#include "core/net/openssl_pointers.h"

namespace posthus::net {

struct MadeCertificate {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;

  std::string pem() const {
    const BioPointer bio(BIO_new(BIO_s_mem()));
    CHECK(PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
    return text_of(bio.get());
  }
  /// With the certificate of `issuer` behind it.
  CertificateAndKey pair(const MadeCertificate* issuer = nullptr) const {
    const BioPointer bio(BIO_new(BIO_s_mem()));
    CHECK(PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return {pem() + (issuer ? issuer->pem() : std::string()), Secret(text_of(bio.get()))};
  }
  std::string der() const {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(certificate.get(), &bytes);
    std::string out(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return out;
  }
  /// What a TLSA record of selector 1 and matching type 1 holds.
  std::string key_digest() const {
    unsigned char* bytes = nullptr;
    const int size = i2d_PUBKEY(key.get(), &bytes);
    const Sha256Digest digest = sha256({reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size)});
    OPENSSL_free(bytes);
    return std::string(as_view(digest));
  }

 private:
  static std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<std::size_t>(size));
  }
};

enum class MadeAs : std::uint8_t { kServer, kAuthority, kServerByCommonName };  // the last without a subjectAltName

/// Valid from `from_days` to `to_days` from now. Without an issuer it is self-signed.
inline MadeCertificate make_certificate(const std::string& name, MadeAs as, const MadeCertificate* issuer = nullptr,
                                        int from_days = -10, int to_days = 10) {
  MadeCertificate made{{X509_new(), X509_free}, {EVP_EC_gen("P-256"), EVP_PKEY_free}};
  X509* x = made.certificate.get();
  X509_set_version(x, X509_VERSION_3);
  static long serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x), 86'400L * from_days);
  X509_gmtime_adj(X509_getm_notAfter(x), 86'400L * to_days);
  X509_NAME* subject = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer->certificate.get()) : subject);
  X509_set_pubkey(x, made.key.get());
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer ? issuer->certificate.get() : x, x, nullptr, nullptr, 0);
  const auto add = [&](int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    CHECK(extension != nullptr && X509_add_ext(x, extension, -1) == 1);
    X509_EXTENSION_free(extension);
  };
  if (as == MadeAs::kAuthority) {
    add(NID_basic_constraints, "critical,CA:TRUE");
    add(NID_key_usage, "critical,keyCertSign");
  } else {
    add(NID_basic_constraints, "critical,CA:FALSE");
    if (as == MadeAs::kServer)
      add(NID_subject_alt_name, (name.find_first_not_of("0123456789.") == std::string::npos ? "IP:" : "DNS:") + name);
  }
  CHECK(X509_sign(x, (issuer ? issuer->key : made.key).get(), EVP_sha256()) > 0);
  return made;
}

}  // namespace posthus::net
