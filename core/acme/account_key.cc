// P-256 keys by OpenSSL. Thread rule: as the header says.
#include "core/acme/account_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/base/base64.h"
#include "core/base/hash.h"

namespace posthus::acme {
namespace {

constexpr std::size_t kCoordinate = 32;  // bytes of a P-256 coordinate, and of R and S

template <auto kFree>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_clear_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

std::unexpected<Error> refused(std::string_view what) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return fail(ErrorKind::kInvalid, std::string(what) + ": " + (reason ? reason : "refused"));
}

std::string fixed_bytes(const BIGNUM* number) {
  std::string out(kCoordinate, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(kCoordinate));
  return out;
}

Result<std::string> coordinate(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return refused("account key");
  const Number owner(number);
  return base64url_encode(fixed_bytes(number));
}

}  // namespace

Result<AccountKey> AccountKey::of(std::shared_ptr<evp_pkey_st> key) {
  char group[32] = {};
  const bool is_p256 = EVP_PKEY_get_utf8_string_param(key.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, nullptr) == 1 &&
                       std::string_view(group) == "prime256v1";
  if (!is_p256) return refused("the account key is no P-256 key");
  AccountKey account;
  account.jwk_ = R"({"crv":"P-256","kty":"EC","x":")" + POSTHUS_TRY(coordinate(key.get(), OSSL_PKEY_PARAM_EC_PUB_X)) +
                 R"(","y":")" + POSTHUS_TRY(coordinate(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y)) + "\"}";
  account.key_ = std::move(key);
  return account;
}

Result<AccountKey> AccountKey::make() {
  std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  if (!key) return refused("making an account key");
  return of(std::move(key));
}

Result<AccountKey> AccountKey::from_pem(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const auto refuse_password = [](char*, int, int, void*) { return -1; };
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_password, nullptr), EVP_PKEY_free);
  if (!key) return refused("account key");
  return of(std::move(key));
}

Result<Secret> AccountKey::pem() const {
  const Bio bio(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) return refused("account key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return Secret(std::string(data, static_cast<std::size_t>(size)));
}

std::string AccountKey::thumbprint() const { return base64url_encode(as_view(sha256(jwk_))); }

Result<std::string> AccountKey::sign(std::string_view bytes) const {
  const Digest context(EVP_MD_CTX_new());
  std::size_t size = 0;
  const auto* input = reinterpret_cast<const unsigned char*>(bytes.data());
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, input, bytes.size()) != 1) {
    return refused("signing");
  }
  std::string der(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size, input, bytes.size()) != 1) {
    return refused("signing");
  }
  const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
  const Signature signature(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(size)));
  if (!signature) return refused("signing");
  return fixed_bytes(ECDSA_SIG_get0_r(signature.get())) + fixed_bytes(ECDSA_SIG_get0_s(signature.get()));
}

}  // namespace posthus::acme
