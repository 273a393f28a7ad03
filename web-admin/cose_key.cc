// COSE keys of passkeys become keys of OpenSSL. RFC 9052 §7, RFC 9053 §7, RFC 8230 §4; WebAuthn Level 3 §5.8.5.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>

#include "web-admin/cbor.h"
#include "web-admin/webauthn.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kP256Coordinate = 32, kEd25519Key = 32;
constexpr std::size_t kLeastModulus = 256, kMostModulus = 512;  // bytes: RSA 2048 to 4096
constexpr std::string_view kExponent("\x01\x00\x01", 3);        // 65537: all that authenticators use
constexpr std::uint64_t kMaxMembers = 8;                        // kty, alg and three of the key; kid and key_ops may be there

// Labels of members, and values of kty and crv.
constexpr std::int64_t kKeyType = 1, kAlgorithm = 3, kCurve = -1, kX = -2, kY = -3;  // RSA: -1 the modulus, -2 the exponent
constexpr std::int64_t kOctetPair = 1, kEllipticCurve = 2, kRsa = 3;
constexpr std::int64_t kP256 = 1, kEd25519 = 6;

using KeyOwner = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using ParameterOwner = std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)>;
using BuilderOwner = std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)>;
using NumberOwner = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

std::unexpected<Error> refuse_key(std::string_view reason) { return fail(ErrorKind::kDenied, "key: " + std::string(reason)); }

const unsigned char* unsigned_bytes(std::string_view view) { return reinterpret_cast<const unsigned char*>(view.data()); }

/// What a COSE key may have. Member -1 is a number (the curve), or of RSA a byte string.
struct Members {
  std::int64_t type = 0, algorithm = 0, curve = 0;
  std::string_view minus_one, minus_two, minus_three;
};

/// Members 1, 3, -1, -2 and -3, each once; others are passed over.
std::optional<Members> members_of(std::string_view bytes) {
  CborReader reader(bytes);
  const auto count = reader.map();
  if (!count || *count > kMaxMembers) return std::nullopt;
  Members members;
  unsigned seen = 0;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto label = reader.integer();
    if (!label) return std::nullopt;
    const bool is_known = *label >= kY && *label <= kAlgorithm;
    const unsigned bit = is_known ? 1u << static_cast<unsigned>(*label - kY) : 0;
    if ((seen & bit) != 0) return std::nullopt;
    seen |= bit;
    if (*label == kKeyType || *label == kAlgorithm || (*label == kCurve && CborReader(reader.rest()).integer())) {
      const auto value = reader.integer();
      if (!value) return std::nullopt;
      (*label == kKeyType ? members.type : *label == kAlgorithm ? members.algorithm : members.curve) = *value;
    } else if (*label >= kY && *label <= kCurve) {
      const auto value = reader.byte_string();
      if (!value) return std::nullopt;
      (*label == kCurve ? members.minus_one : *label == kX ? members.minus_two : members.minus_three) = *value;
    } else if (!reader.skip()) {
      return std::nullopt;
    }
  }
  if (!reader.rest().empty()) return std::nullopt;
  return members;
}

KeyOwner make_key(const char* type, const BuilderOwner& builder) {
  const ParameterOwner parameters(OSSL_PARAM_BLD_to_param(builder.get()), OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr),
                                                                            EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  const bool is_made = parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                       EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1;
  return {is_made ? key : nullptr, EVP_PKEY_free};
}

Result<KeyOwner> p256_key(const Members& members) {
  if (members.type != kEllipticCurve || members.curve != kP256) return refuse_key("curve");
  if (members.minus_two.size() != kP256Coordinate || members.minus_three.size() != kP256Coordinate) return refuse_key("point");
  std::string point("\x04");  // uncompressed (SEC 1 §2.3.3)
  point.append(members.minus_two).append(members.minus_three);
  const BuilderOwner builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return make_key("EC", builder);  // refuses points beside the curve
}

Result<KeyOwner> ed25519_key(const Members& members) {
  if (members.type != kOctetPair || members.curve != kEd25519) return refuse_key("curve");
  if (members.minus_two.size() != kEd25519Key) return refuse_key("length");
  return KeyOwner(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, unsigned_bytes(members.minus_two), kEd25519Key),
                  EVP_PKEY_free);
}

Result<KeyOwner> rsa_key(const Members& members) {
  const std::string_view modulus = members.minus_one;
  if (members.type != kRsa || members.minus_two != kExponent) return refuse_key("exponent");
  const bool is_sized = modulus.size() >= kLeastModulus && modulus.size() <= kMostModulus;
  if (!is_sized || (modulus.front() & 0x80) == 0 || (modulus.back() & 1) == 0) return refuse_key("modulus");
  const NumberOwner n(BN_bin2bn(unsigned_bytes(modulus), static_cast<int>(modulus.size()), nullptr), BN_free);
  const NumberOwner e(BN_bin2bn(unsigned_bytes(kExponent), static_cast<int>(kExponent.size()), nullptr), BN_free);
  const BuilderOwner builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return make_key("RSA", builder);
}

Result<KeyOwner> openssl_key_of(const Members& members) {
  switch (members.algorithm) {
    case cose::kEs256: return p256_key(members);
    case cose::kEdDsa: return ed25519_key(members);
    case cose::kRs256: return rsa_key(members);
    default: return refuse_key("algorithm");
  }
}

}  // namespace

Result<CredentialKey> parse_cose_key(std::string_view bytes) {
  const auto members = members_of(bytes);
  if (!members) return refuse_key("no COSE key");
  const KeyOwner key = POSTHUS_TRY(openssl_key_of(*members));
  unsigned char* der = nullptr;
  const int size = key ? i2d_PUBKEY(key.get(), &der) : 0;
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(der, [](unsigned char* bytes) { OPENSSL_free(bytes); });
  if (size <= 0) return refuse_key("it is none");
  return CredentialKey{.algorithm = static_cast<std::int32_t>(members->algorithm),
                       .public_key = std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size))};
}

}  // namespace posthus::web_admin
