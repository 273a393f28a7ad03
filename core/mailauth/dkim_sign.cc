// DKIM signatures (RFC 6376 §5, RFC 8301, RFC 8463) with OpenSSL's keys. Thread rule: as the header says.
// Known limit: a message is signed as it comes; what a later hop converts from 8-bit to 7-bit breaks the signature (§5.3).
#include "core/mailauth/dkim_sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <utility>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/mail/header.h"
#include "core/mailauth/dkim_canon.h"

namespace posthus::mailauth {
namespace {

constexpr int kMinRsaBits = 1024;  // RFC 8301 §3.2: verifiers need not take less
constexpr int kNewRsaBits = 2048;
constexpr std::size_t kFoldAt = 76;
constexpr std::size_t kHeaderPiece = 4096;  // of the input at a time, so that a body is not copied in search of the header's end

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct KeyContextDeleter {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
struct DigestContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct Pkcs8Deleter {
  void operator()(PKCS8_PRIV_KEY_INFO* info) const { PKCS8_PRIV_KEY_INFO_free(info); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyDeleter>;

/// The reason OpenSSL gives last, and an empty error queue.
std::unexpected<Error> refused(std::string_view what) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return fail(ErrorKind::kInvalid, std::string(what) + ": " + (reason ? reason : "refused"));
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

enum class Oversign : std::uint8_t { kNo, kWhenPresent, kAlways };
struct SignedField {
  std::string_view name;
  Oversign oversign;
};

// RFC 6376 §5.4.1, and what decides how the message is shown: MIME fields and those of RFC 8058 §4. Fields of which there may be
// one only are signed once more, so that none can be added. WHY not those that are absent (but From): a gateway may add them.
constexpr SignedField kSignedFields[] = {
    {"from", Oversign::kAlways},
    {"sender", Oversign::kWhenPresent},
    {"reply-to", Oversign::kWhenPresent},
    {"to", Oversign::kWhenPresent},
    {"cc", Oversign::kWhenPresent},
    {"subject", Oversign::kWhenPresent},
    {"date", Oversign::kWhenPresent},
    {"message-id", Oversign::kWhenPresent},
    {"in-reply-to", Oversign::kWhenPresent},
    {"references", Oversign::kWhenPresent},
    {"mime-version", Oversign::kWhenPresent},
    {"content-type", Oversign::kWhenPresent},
    {"content-transfer-encoding", Oversign::kWhenPresent},
    {"resent-date", Oversign::kNo},
    {"resent-from", Oversign::kNo},
    {"resent-to", Oversign::kNo},
    {"resent-cc", Oversign::kNo},
    {"list-id", Oversign::kNo},
    {"list-help", Oversign::kNo},
    {"list-unsubscribe", Oversign::kNo},
    {"list-unsubscribe-post", Oversign::kNo},
    {"list-subscribe", Oversign::kNo},
    {"list-post", Oversign::kNo},
    {"list-owner", Oversign::kNo},
    {"list-archive", Oversign::kNo},
};
constexpr std::size_t kKnownFields = std::size(kSignedFields);

/// The h= list for `header`.
Result<std::vector<std::string_view>> names_to_sign(std::string_view header) {
  std::size_t counts[kKnownFields] = {};
  mail::for_each_field(header, [&](const mail::HeaderField& field) {
    const auto found = std::ranges::find_if(
        kSignedFields, [&](const SignedField& known) { return ascii::equal_ignoring_case(known.name, field.name); });
    if (found != std::end(kSignedFields)) ++counts[found - kSignedFields];
    return true;
  });
  if (counts[0] == 0) return fail(ErrorKind::kInvalid, "no From field to sign");
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kKnownFields; ++i) {
    const Oversign oversign = kSignedFields[i].oversign;
    const bool is_once_more = oversign == Oversign::kAlways || (oversign == Oversign::kWhenPresent && counts[i] > 0);
    const std::size_t times = counts[i] + (is_once_more ? 1 : 0);
    if (names.size() + times > kMaxSignedFields) return fail(ErrorKind::kTooLarge, "too many fields to sign");
    names.insert(names.end(), times, kSignedFields[i].name);
  }
  return names;
}

/// Appends `piece`, before it a fold when the line would get too long. `column`: characters on the line.
void append_folded(std::string& out, std::size_t& column, std::string_view piece) {
  if (column + piece.size() > kFoldAt) {
    out += "\r\n\t";
    column = 1;
  }
  out += piece;
  column += piece.size();
}

// sig-h-tag = "h" [FWS] "=" [FWS] hdr-name *( [FWS] ":" [FWS] hdr-name )
/// The field up to "b=", whose value comes last.
std::string unsigned_field(const SigningKey& key, const std::vector<std::string_view>& names, const std::string& body_hash,
                           Timestamp now) {
  const bool is_rsa = key.key->algorithm() == SigningAlgorithm::kRsaSha256;
  std::string out = "DKIM-Signature: v=1; a=";
  out += is_rsa ? "rsa-sha256" : "ed25519-sha256";
  out += "; c=relaxed/relaxed;\r\n\td=" + key.domain + ";\r\n\ts=" + key.selector + "; t=" + std::to_string(now.seconds()) +
         ";\r\n\th=";
  std::size_t column = 3;
  for (std::size_t i = 0; i < names.size(); ++i) {
    append_folded(out, column, std::string(names[i]) + (i + 1 < names.size() ? ":" : ";"));
  }
  return out += "\r\n\tbh=" + body_hash + ";\r\n\tb=";
}

std::string with_signature(std::string field, std::string_view signature) {
  const std::string encoded = base64_encode(signature);
  std::size_t column = 3;
  for (std::size_t at = 0; at < encoded.size();) {
    const std::size_t length = std::min(encoded.size() - at, kFoldAt - column);
    field += encoded.substr(at, length);
    at += length;
    if (at < encoded.size()) field += "\r\n\t";
    column = 1;
  }
  return field += "\r\n";
}

Result<std::string> public_key_of(const EVP_PKEY* key, SigningAlgorithm algorithm) {
  if (algorithm == SigningAlgorithm::kEd25519Sha256) {
    std::size_t size = 32;
    std::string raw(size, '\0');
    if (EVP_PKEY_get_raw_public_key(key, bytes_of(raw), &size) != 1 || size != raw.size()) return refused("public key");
    return raw;
  }
  unsigned char* der = nullptr;  // SubjectPublicKeyInfo, as every key record in use has it
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return refused("public key");
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

}  // namespace

struct PrivateKey::State {
  SigningAlgorithm algorithm;
  Key key;
};

PrivateKey::PrivateKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
PrivateKey::~PrivateKey() = default;
SigningAlgorithm PrivateKey::algorithm() const { return state_->algorithm; }

Result<std::shared_ptr<const PrivateKey>> PrivateKey::read(SigningAlgorithm algorithm, std::string_view pkcs8) {
  const unsigned char* at = bytes_of(pkcs8);
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, Pkcs8Deleter> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(std::min<std::size_t>(pkcs8.size(), 64 * 1024))));
  if (!info) return refused("private key");
  Key key(EVP_PKCS82PKEY(info.get()));
  if (!key) return refused("private key");
  const bool is_rsa = EVP_PKEY_is_a(key.get(), "RSA") == 1;
  const bool is_ed25519 = EVP_PKEY_is_a(key.get(), "ED25519") == 1;
  if (algorithm == SigningAlgorithm::kRsaSha256 ? !is_rsa : !is_ed25519)
    return fail(ErrorKind::kInvalid, "key of another algorithm");
  if (is_rsa && EVP_PKEY_get_bits(key.get()) < kMinRsaBits) return fail(ErrorKind::kInvalid, "RSA key too short");
  return std::shared_ptr<const PrivateKey>(new PrivateKey(std::make_unique<State>(algorithm, std::move(key))));
}

Result<std::string> PrivateKey::sign(std::string_view digest) const {
  std::string signature(512, '\0');
  std::size_t size = signature.size();
  if (state_->algorithm == SigningAlgorithm::kEd25519Sha256) {
    const std::unique_ptr<EVP_MD_CTX, DigestContextDeleter> context(EVP_MD_CTX_new());
    const bool is_signed = context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1 &&
                           EVP_DigestSign(context.get(), bytes_of(signature), &size, bytes_of(digest), digest.size()) == 1;
    if (!is_signed) return refused("signature");
  } else {
    signature.resize(static_cast<std::size_t>(EVP_PKEY_get_size(state_->key.get())));
    size = signature.size();
    const std::unique_ptr<EVP_PKEY_CTX, KeyContextDeleter> context(EVP_PKEY_CTX_new(state_->key.get(), nullptr));
    const bool is_signed = context && EVP_PKEY_sign_init(context.get()) == 1 &&
                           EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
                           EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
                           EVP_PKEY_sign(context.get(), bytes_of(signature), &size, bytes_of(digest), digest.size()) == 1;
    if (!is_signed) return refused("signature");
  }
  signature.resize(size);
  return signature;
}

Result<NewKey> make_signing_key(SigningAlgorithm algorithm) {
  const bool is_rsa = algorithm == SigningAlgorithm::kRsaSha256;
  const Key key(is_rsa ? EVP_RSA_gen(kNewRsaBits) : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) return refused("new key");
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, Pkcs8Deleter> info(EVP_PKEY2PKCS8(key.get()));
  unsigned char* der = nullptr;
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der) : 0;
  if (size <= 0) return refused("new key");
  NewKey made;
  made.private_key = Secret(std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)));
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  made.public_key = POSTHUS_TRY(public_key_of(key.get(), algorithm));
  return made;
}

std::string key_record(SigningAlgorithm algorithm, std::string_view public_key) {
  const std::string_view name = algorithm == SigningAlgorithm::kRsaSha256 ? "rsa" : "ed25519";
  return "v=DKIM1; k=" + std::string(name) + "; p=" + base64_encode(public_key);
}

struct DkimSigner::State {
  std::string header;  // until the blank line; then complete
  bool is_in_body = false, is_too_large = false;
  RelaxedBody body;

  /// Takes header bytes from `piece`, up to the blank line and with it; says how many.
  std::size_t take_header(std::string_view piece) {
    const std::size_t before = header.size();
    const std::size_t seen = before < 3 ? 0 : before - 3;  // where the blank line may begin
    header += piece;
    const std::size_t blank = header.starts_with("\r\n") ? 0 : header.find("\r\n\r\n", seen);
    is_in_body = blank != std::string::npos;
    if (is_in_body) header.resize(blank == 0 ? 2 : blank + 4);
    const std::size_t taken = header.size() - before;
    is_too_large = header.size() > kMaxSignedHeader;
    if (is_too_large) header = std::string();
    return taken;
  }
};

DkimSigner::DkimSigner() : state_(std::make_unique<State>()) {}
DkimSigner::~DkimSigner() = default;

void DkimSigner::append(std::string_view bytes) {
  State& s = *state_;
  while (!s.is_in_body && !s.is_too_large && !bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kHeaderPiece);
    bytes.remove_prefix(s.take_header(piece));
  }
  if (s.is_in_body) s.body.append(bytes);
}

Result<std::string> DkimSigner::finish(const std::vector<SigningKey>& keys, Timestamp now) {
  State& s = *state_;
  if (s.is_too_large) return fail(ErrorKind::kTooLarge, "header to sign");
  const std::vector<std::string_view> names = POSTHUS_TRY(names_to_sign(s.header));
  const std::string body_hash = base64_encode(as_view(s.body.finish()));
  std::string out;
  for (const SigningKey& key : keys) {
    std::string field = unsigned_field(key, names, body_hash, now);
    const Sha256Digest digest = sha256(signed_header(s.header, names, field));
    out += with_signature(std::move(field), POSTHUS_TRY(key.key->sign(as_view(digest))));
  }
  *state_ = State();
  return out;
}

}  // namespace posthus::mailauth
