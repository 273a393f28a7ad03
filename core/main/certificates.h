// The server's certificate: the one named in the settings, else a self-signed one made at the first start and kept in
// <data>/tls. Thread rule: the main thread.
#pragma once

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/main/settings.h"
#include "core/net/certificate.h"

namespace posthus::main {

/// Reads the certificate, or makes it. Errors name the file.
Result<net::CertificateAndKey> load_certificate(const Settings& settings, const Clock& clock);

}  // namespace posthus::main
