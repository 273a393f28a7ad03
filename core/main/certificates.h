// The server's certificate: the one named in the settings, else a self-signed one made at the first start and kept in
// <data>/tls. Self-signed ones are made anew when two thirds of their life are over. Thread rule: any thread.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/result.h"
#include "core/main/settings.h"
#include "core/net/certificate.h"
#include "core/net/tls_context.h"

namespace posthus::main {

/// Reads the certificate, or makes it. Errors name the file.
Result<net::CertificateAndKey> load_certificate(const Settings& settings, const Clock& clock);

/// The certificate in use, and the TLS context that has it.
class ServerCertificate {
 public:
  /// REQUIRES: settings and clock outlive it.
  static Result<std::unique_ptr<ServerCertificate>> load(const Settings& settings, const Clock& clock);

  const std::shared_ptr<net::TlsContext>& tls() const { return tls_; }
  /// Loads the certificate again; true when it is another one: connections made from now on get it. After an error nothing
  /// has changed.
  Result<bool> refresh();

 private:
  ServerCertificate(const Settings& settings, const Clock& clock) : settings_(settings), clock_(clock) {}
  void note(const net::CertificateAndKey& pair);

  const Settings& settings_;
  const Clock& clock_;
  std::mutex mutex_;       // one refresh at a time
  Sha256Digest in_use_{};  // of certificate and key
  std::shared_ptr<net::TlsContext> tls_;
};

}  // namespace posthus::main
