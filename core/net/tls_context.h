// TlsContext: what TLS connections share (certificate, key, protocol rules), replaceable while connections are open.
// Servers may have a certificate for each hostname, chosen by what the client names (SNI, RFC 6066 §3); who names none or an
// unknown one gets the default. tls-alpn-01 challenges (RFC 8737) are answered on every listener, and only to who asks for them.
// TLS 1.2 and 1.3, ECDHE with AEAD only, the server's preference, no renegotiation, no compression (RFC 9325 §3, §4).
// Thread rule: any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/net/certificate.h"

struct ssl_st;
struct ssl_ctx_st;

namespace posthus::net {

struct SslDeleter {
  void operator()(ssl_st* ssl) const;
};
using SslPointer = std::unique_ptr<ssl_st, SslDeleter>;

/// Whom we trust to vouch for servers. Both empty: the system's roots (OpenSSL's default places).
struct RootCertificates {
  std::string file;       // PEM, any number
  std::string directory;  // of files named by hash, as c_rehash makes them
};

/// A certificate and whom it is for: "mail.example.org", or "*.example.org" for all names one label longer.
struct NamedCertificate {
  std::string name;  // lower case
  CertificateAndKey pair;
};

class TlsContext {
 public:
  /// For accepting. Errors: kInvalid when the PEM cannot be read or key and certificate do not belong together.
  static Result<std::shared_ptr<TlsContext>> create_server(const CertificateAndKey& certificate_and_key);

  /// For connecting. What a peer's certificate must prove is said for each connection. Without `roots` the system's are
  /// read at the first connection. Errors: kInvalid when `roots` cannot be read.
  static Result<std::shared_ptr<TlsContext>> create_client(const RootCertificates& roots = {});

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// Handshakes begun from now on use the new certificates, all of them at once. One of `by_name` that cannot be used is left out
  /// and logged. After an error nothing has changed. REQUIRES: a context for accepting.
  Result<> replace(const CertificateAndKey& certificate_and_key, const std::vector<NamedCertificate>& by_name = {});

  /// From now on, until withdrawn, who offers nothing but "acme-tls/1" and names `hostname` gets this certificate (RFC 8737 §3).
  Result<> serve_challenge(const std::string& hostname, const CertificateAndKey& challenge);
  void withdraw_challenge(const std::string& hostname);

  /// A connection in accept state on `fd`. `protocol` is what ALPN (RFC 7301) may select, "" for none; a client that
  /// offers only others is refused. REQUIRES: `protocol` and the TlsContext outlive the connection; `fd` stays with the caller.
  SslPointer accept_on(int fd, const std::string& protocol) const;

  /// A connection in connect state on `fd`; `server_name` goes into SNI unless it is empty or an address (RFC 6066 §3).
  /// What the peer must prove is set by expect_peer (peer_certificate.h).
  SslPointer connect_on(int fd, const std::string& server_name) const;

 private:
  using ContextPointer = std::shared_ptr<ssl_ctx_st>;
  using ContextsByName = std::map<std::string, ContextPointer, std::less<>>;
  struct Callbacks;  // OpenSSL's, in tls_context.cc

  TlsContext() = default;
  Result<ContextPointer> make_server_context(const CertificateAndKey& pair);
  ContextPointer context_for(std::string_view server_name) const;
  ContextPointer challenge_for(std::string_view server_name) const;
  bool has_challenges() const;
  ContextPointer current() const;
  void load_system_roots() const;

  mutable std::mutex mutex_;
  ContextPointer context_;  // the default
  ContextsByName by_name_, challenges_;
  mutable bool awaits_system_roots_ = false;
};

}  // namespace posthus::net
