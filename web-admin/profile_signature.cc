// CMS signature of a configuration profile, RFC 5652, with the server's certificate: the phone shows whom it is from.
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "web-admin/client_settings.h"

namespace posthus::web_admin {
namespace {

constexpr int kMaxSignerChain = 20;

struct FreeSigner {
  void operator()(BIO* x) const { BIO_free(x); }
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* x) const { EVP_PKEY_free(x); }
  void operator()(CMS_ContentInfo* x) const { CMS_ContentInfo_free(x); }
  void operator()(STACK_OF(X509) * x) const { sk_X509_pop_free(x, X509_free); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeSigner>;

Owned<BIO> over(std::string_view text) { return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::unexpected<Error> wrong(std::string what) {
  ERR_clear_error();
  return fail(ErrorKind::kInvalid, std::move(what));
}

}  // namespace

Result<std::string> sign_profile(std::string_view profile, const net::CertificateAndKey& pair) {
  const Owned<BIO> certificates = over(pair.certificate_pem), keys = over(pair.private_key_pem.reveal()), content = over(profile);
  const Owned<X509> certificate(certificates ? PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr) : nullptr);
  const Owned<EVP_PKEY> key(keys ? PEM_read_bio_PrivateKey(keys.get(), nullptr, nullptr, nullptr) : nullptr);
  const Owned<STACK_OF(X509)> chain(sk_X509_new_null());
  if (!certificate || !key || !chain || !content) return wrong("the server's certificate or key cannot be read");
  while (X509* const next = sk_X509_num(chain.get()) < kMaxSignerChain
                                ? PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)
                                : nullptr) {
    sk_X509_push(chain.get(), next);
  }
  ERR_clear_error();
  const Owned<CMS_ContentInfo> signature(
      CMS_sign(certificate.get(), key.get(), chain.get(), content.get(), CMS_BINARY | CMS_NOSMIMECAP));
  if (!signature) return wrong("the profile cannot be signed: certificate and key do not belong together");
  unsigned char* der = nullptr;
  const int length = i2d_CMS_ContentInfo(signature.get(), &der);
  if (length <= 0) return wrong("the signature cannot be written");
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return out;
}

}  // namespace posthus::web_admin
