// Certificate files.
#include "core/main/certificates.h"

#include <sys/stat.h>

#include <filesystem>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/main/data_directory.h"

namespace posthus::main {
namespace {

constexpr std::uint64_t kMaxPem = 1024 * 1024;  // a chain is some 10 KiB
constexpr int kSelfSignedDays = 824;            // it begins a day ago; clients and scanners frown on more than 825 in all

// Relative names are relative to the data directory: where the server was started from does not matter.
std::string resolve(const Settings& settings, const std::string& path) {
  return path.starts_with('/') ? path : settings.data + "/" + path;
}

Result<net::CertificateAndKey> read_pair(const std::string& certificate, const std::string& key) {
  auto certificate_pem = read_file(certificate, kMaxPem);
  if (!certificate_pem)
    return fail(certificate_pem.error().kind, "certificate " + certificate + ": " + certificate_pem.error().context);
  auto key_pem = read_file(key, kMaxPem);
  if (!key_pem) return fail(key_pem.error().kind, "key " + key + ": " + key_pem.error().context);
  return net::CertificateAndKey{std::move(*certificate_pem), Secret(std::move(*key_pem))};
}

// The last third of its life is left for noticing that renewal does not work.
bool is_fresh(const net::CertificateAndKey& pair, const Clock& clock) {
  const auto begin = net::certificate_not_before(pair.certificate_pem), end = net::certificate_not_after(pair.certificate_pem);
  return begin && end && clock.now().seconds() < *begin + (*end - *begin) / 3 * 2;
}

Sha256Digest digest_of(const net::CertificateAndKey& pair) {
  Sha256 hash;
  hash.update(pair.certificate_pem);
  hash.update(pair.private_key_pem.reveal());
  return hash.finish();
}

Result<net::CertificateAndKey> make_pair(const Settings& settings, const std::string& certificate, const std::string& key) {
  auto pair = POSTHUS_TRY(net::make_self_signed_certificate(settings.hostname, kSelfSignedDays));
  std::error_code error;
  std::filesystem::create_directories(tls_directory(settings), error);
  if (error) return fail(ErrorKind::kIo, tls_directory(settings) + ": " + error.message());
  POSTHUS_TRY_VOID(write_file_durably(key, pair.private_key_pem.reveal(), 0600));
  POSTHUS_TRY_VOID(write_file_durably(certificate, pair.certificate_pem, 0644));
  log::info("tls.self_signed", {{"hostname", settings.hostname}, {"file", certificate}});
  return pair;
}

}  // namespace

Result<net::CertificateAndKey> load_certificate(const Settings& settings, const Clock& clock) {
  if (!settings.tls_certificate.empty()) {
    return read_pair(resolve(settings, settings.tls_certificate), resolve(settings, settings.tls_key));
  }
  const std::string certificate = tls_directory(settings) + "/certificate.pem";
  const std::string key = tls_directory(settings) + "/key.pem";
  auto pair = read_pair(certificate, key);
  if (pair && is_fresh(*pair, clock)) return pair;
  if (!pair && pair.error().kind != ErrorKind::kNotFound) return pair;
  return make_pair(settings, certificate, key);
}

void ServerCertificate::note(const net::CertificateAndKey& pair) {
  in_use_ = digest_of(pair);
  static metrics::Gauge& end = metrics::gauge("posthus_tls_certificate_not_after_seconds", "When the certificate in use ends");
  if (const auto not_after = net::certificate_not_after(pair.certificate_pem)) end.set(*not_after);
}

Result<std::unique_ptr<ServerCertificate>> ServerCertificate::load(const Settings& settings, const Clock& clock) {
  const net::CertificateAndKey pair = POSTHUS_TRY(load_certificate(settings, clock));
  auto certificate = std::unique_ptr<ServerCertificate>(new ServerCertificate(settings, clock));
  certificate->tls_ = POSTHUS_TRY(net::TlsContext::create_server(pair));
  certificate->note(pair);
  return certificate;
}

Result<bool> ServerCertificate::refresh() {
  const std::lock_guard guard(mutex_);
  const net::CertificateAndKey pair = POSTHUS_TRY(load_certificate(settings_, clock_));
  if (digest_of(pair) == in_use_) return false;
  POSTHUS_TRY_VOID(tls_->replace(pair));
  note(pair);
  return true;
}

}  // namespace posthus::main
