// OpenSSL does the work: X509_VERIFY_PARAM for names, SSL_dane for TLSA records.
#include "core/net/peer_certificate.h"

#include <algorithm>

#include "core/base/ip_address.h"
#include "core/net/openssl_pointers.h"

namespace posthus::net {
namespace {

using session::PeerVerification;

// RFC 9325 §4.2, and behind it what is still better than no encryption: taken only where nothing is to be proved.
constexpr const char* kOpportunisticCiphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:AESGCM:AES:!aNULL:!eNULL:!PSK:!SRP";
constexpr int kOpportunisticSecurityLevel = 1;  // RSA of 1024 bits and SHA-1 signatures, as above

// RFC 7672 §3.1.3: of the certificate usages only DANE-TA(2) and DANE-EE(3) are usable for SMTP.
bool is_usable_usage(std::uint8_t usage) { return usage == 2 || usage == 3; }

// Every name, or one address: a certificate is asked for names or for an address, never for either.
void set_names(SSL* ssl, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (parse_ip_address(name)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
      return;
    }
  }
  for (const std::string& name : names) SSL_add1_host(ssl, name.c_str());
}

std::size_t add_records(SSL* ssl, const std::vector<PeerVerification::Tlsa>& records) {
  std::size_t usable = 0;
  for (const PeerVerification::Tlsa& record : records) {
    if (!is_usable_usage(record.usage)) continue;
    const auto* data = reinterpret_cast<const unsigned char*>(record.data.data());
    if (SSL_dane_tlsa_add(ssl, record.usage, record.selector, record.matching_type, data, record.data.size()) == 1) ++usable;
    ERR_clear_error();  // a record of a kind OpenSSL does not know is unusable, no failure
  }
  return usable;
}

Result<> expect_dane(SSL* ssl, const PeerVerification& verification) {
  const char* const base = verification.names.empty() ? nullptr : verification.names.front().c_str();
  if (SSL_dane_enable(ssl, base) != 1) return fail(ErrorKind::kIo, "DANE: " + take_openssl_error());
  for (std::size_t i = 1; i < verification.names.size(); ++i) SSL_add1_host(ssl, verification.names[i].c_str());
  // RFC 7672 §3.1.1: with DANE-EE the names in the certificate do not count.
  SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
  // RFC 7672 §2.2: when none is usable, TLS is still required, but proves nothing.
  const bool is_usable = add_records(ssl, verification.tlsa) > 0;
  SSL_set_verify(ssl, is_usable ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return {};
}

bool has_usable_record(const PeerVerification& verification, SSL* ssl) {
  return std::any_of(verification.tlsa.begin(), verification.tlsa.end(),
                     [](const PeerVerification::Tlsa& record) { return is_usable_usage(record.usage); }) &&
         SSL_get0_dane_authority(ssl, nullptr, nullptr) >= 0;
}

}  // namespace

Result<> expect_peer(ssl_st* ssl, const PeerVerification& verification) {
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  switch (verification.kind) {
    case PeerVerification::Kind::kDane: return expect_dane(ssl, verification);
    case PeerVerification::Kind::kPkix:
      if (verification.names.empty()) return fail(ErrorKind::kInvalid, "no name to verify");
      set_names(ssl, verification.names);
      SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
      return {};
    case PeerVerification::Kind::kNone:
      set_names(ssl, verification.names);
      SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);  // it is verified all the same, and goes on whatever comes of it
      SSL_set_cipher_list(ssl, kOpportunisticCiphers);
      SSL_set_security_level(ssl, kOpportunisticSecurityLevel);
      return {};
  }
  return fail(ErrorKind::kInvalid, "verification");
}

PeerVerdict judge_peer(ssl_st* ssl, const PeerVerification& verification) {
  if (SSL_get0_peer_certificate(ssl) == nullptr) return {false, "no certificate"};
  const long result = SSL_get_verify_result(ssl);
  if (verification.kind == PeerVerification::Kind::kDane) {
    if (has_usable_record(verification, ssl)) return {true, {}};
    return {false, "no usable TLSA record"};
  }
  if (verification.names.empty()) return {false, "no name to verify"};
  if (result != X509_V_OK) return {false, X509_verify_cert_error_string(result)};
  return {true, {}};
}

std::string certificate_error(ssl_st* ssl) {
  const long result = SSL_get_verify_result(ssl);
  return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

}  // namespace posthus::net
