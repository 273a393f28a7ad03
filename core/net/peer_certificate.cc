// OpenSSL does the work: X509_VERIFY_PARAM for names, SSL_dane for TLSA records.
#include "core/net/peer_certificate.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

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

constexpr std::size_t kMaxNameText = 300;  // of a subject or issuer: a line that people read

std::string one_line(const X509_NAME* name) {
  char text[kMaxNameText + 1] = {};
  X509_NAME_oneline(name, text, sizeof text);
  return text;
}

// RFC 5280 §4.2.1.6: the names that count.
std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> names;
  auto* const all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all) && names.size() < session::kMaxCertificateNames; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all, i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    const ASN1_STRING* const value = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
    const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                            static_cast<std::size_t>(ASN1_STRING_length(value)));
    names.push_back(name->type == GEN_DNS ? bytes.substr(0, kMaxNameText) : address_text(bytes));
  }
  GENERAL_NAMES_free(all);
  return names;
}

bool has_usable_record(const PeerVerification& verification, SSL* ssl) {
  return std::any_of(verification.tlsa.begin(), verification.tlsa.end(),
                     [](const PeerVerification::Tlsa& record) { return is_usable_usage(record.usage); }) &&
         SSL_get0_dane_authority(ssl, nullptr, nullptr) >= 0;
}

}  // namespace

Result<> expect_peer(ssl_st* ssl, const PeerVerification& verification) {
  // RFC 9525 §6.3, RFC 8461 §4.1: names are those of the subjectAltName, never a common name. DANE-TA alone still reads the
  // common name of a certificate without any (RFC 7672 §3.2.3).
  const bool is_dane = verification.kind == PeerVerification::Kind::kDane;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | (is_dane ? 0 : X509_CHECK_FLAG_NEVER_CHECK_SUBJECT));
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

std::optional<session::CertificateFacts> describe_peer(ssl_st* ssl) {
  const X509* const certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return std::nullopt;
  session::CertificateFacts facts;
  facts.subject = one_line(X509_get_subject_name(certificate));
  facts.issuer = one_line(X509_get_issuer_name(certificate));
  facts.names = names_of(certificate);
  facts.not_before = seconds_of(X509_get0_notBefore(certificate));
  facts.not_after = seconds_of(X509_get0_notAfter(certificate));
  return facts;
}

std::string certificate_error(ssl_st* ssl) {
  const long result = SSL_get_verify_result(ssl);
  return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

}  // namespace posthus::net
