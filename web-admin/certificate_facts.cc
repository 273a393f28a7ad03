// Certificates through OpenSSL. See certificate_facts.h.
#include "web-admin/certificate_facts.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <time.h>

#include <memory>

#include "core/base/ascii.h"
#include "core/base/hash.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kMaxNames = 100;
constexpr std::size_t kMaxChain = 20;

struct FreeCertificate {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(BIO* x) const { BIO_free(x); }
  void operator()(X509_STORE* x) const { X509_STORE_free(x); }
  void operator()(X509_STORE_CTX* x) const { X509_STORE_CTX_free(x); }
  void operator()(STACK_OF(X509) * x) const { sk_X509_free(x); }
  void operator()(GENERAL_NAMES* x) const { GENERAL_NAMES_free(x); }
};
template <class T>
using OwnedPart = std::unique_ptr<T, FreeCertificate>;
using Chain = std::vector<OwnedPart<X509>>;

Chain read_chain(std::string_view pem) {
  Chain chain;
  const OwnedPart<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (bio && chain.size() < kMaxChain) {
    OwnedPart<X509> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    chain.push_back(std::move(certificate));
  }
  ERR_clear_error();
  return chain;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(timegm(&parts)) : 0;
}

std::vector<std::string> dns_names(X509* certificate) {
  std::vector<std::string> out;
  const OwnedPart<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()) && out.size() < kMaxNames; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* const bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    out.push_back(ascii::to_lower(std::string_view(bytes, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)))));
  }
  return out;
}

std::string digest_of_key(X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) return {};
  const std::string digest = to_hex(as_view(sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)})));
  OPENSSL_free(der);
  return digest;
}

}  // namespace

Result<CertificateFacts> certificate_facts(std::string_view pem) {
  const Chain chain = read_chain(pem);
  if (chain.empty()) return fail(ErrorKind::kInvalid, "no certificate can be read");
  X509* const first = chain.front().get();
  CertificateFacts facts{.key_digest = digest_of_key(first),
                         .names = dns_names(first),
                         .not_before = seconds_of(X509_get0_notBefore(first)),
                         .not_after = seconds_of(X509_get0_notAfter(first)),
                         .is_self_signed = X509_NAME_cmp(X509_get_subject_name(first), X509_get_issuer_name(first)) == 0,
                         .chain_length = chain.size()};
  if (facts.key_digest.empty()) return fail(ErrorKind::kInvalid, "the certificate has no key");
  return facts;
}

std::string chain_error(std::string_view pem, const std::string& host, const std::string& roots_file) {
  const Chain chain = read_chain(pem);
  if (chain.empty()) return "no certificate can be read";
  const OwnedPart<X509_STORE> roots(X509_STORE_new());
  const OwnedPart<STACK_OF(X509)> others(sk_X509_new_null());
  const OwnedPart<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (!roots || !others || !context) return "out of memory";
  const bool has_roots = roots_file.empty() ? X509_STORE_set_default_paths(roots.get()) == 1
                                            : X509_STORE_load_file(roots.get(), roots_file.c_str()) == 1;
  if (!has_roots) {
    ERR_clear_error();
    return "the trusted roots cannot be read";
  }
  for (std::size_t i = 1; i < chain.size(); ++i) sk_X509_push(others.get(), chain[i].get());
  X509_STORE_CTX_init(context.get(), roots.get(), chain.front().get(), others.get());
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size());
  if (X509_verify_cert(context.get()) == 1) return {};
  std::string reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  ERR_clear_error();
  return reason;
}

}  // namespace posthus::web_admin
