// The server's certificates: the default, and one for each hostname of the store (uploaded, or obtained by ACME), chosen by SNI.
// The default is the one named in the settings; else the store's for our own hostname; else a self-signed one made at the first
// start, kept in <data>/tls, made anew when two thirds of its life are over. Files that cannot be used keep no server from
// starting: what was read of them before is served on, else the store's or the self-signed one. Thread rule: any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/result.h"
#include "core/main/settings.h"
#include "core/net/certificate.h"
#include "core/net/tls_context.h"
#include "store/store.h"

namespace posthus::main {

/// Reads the certificate of the settings, or makes the self-signed one. Errors name the file.
Result<net::CertificateAndKey> load_certificate(const Settings& settings, const Clock& clock);

/// What clients get that name no hostname, or none that has a certificate of its own.
struct DefaultCertificate {
  enum class Source : std::uint8_t { kFile, kStore, kSelfSigned };
  Source source = Source::kSelfSigned;
  std::string chain;  // PEM
};
/// Why the files of the settings are not what is served.
struct CertificateFileFailure {
  std::string file;  // of the certificate
  std::string reason;
};
/// With what to do; for people.
std::string describe(const CertificateFileFailure& failure);
/// How long a certificate holds. Seconds since 1970.
struct CertificateLife {
  std::int64_t begin = 0, end = 0;
};
std::string_view to_string(DefaultCertificate::Source source);  // "file", "store", "self-signed"

/// The certificates in use, and the TLS context that has them.
class ServerCertificates {
 public:
  /// `store` may be null: then there is the default only. REQUIRES: settings, store and clock outlive it.
  static Result<std::unique_ptr<ServerCertificates>> load(const Settings& settings, const store::Store* store,
                                                          const Clock& clock);

  const std::shared_ptr<net::TlsContext>& tls() const { return tls_; }
  /// Loads all certificates again; true when something has changed: connections made from now on get it. After an error nothing
  /// has changed. Files that cannot be used are no error: file_failure() tells of them.
  Result<bool> refresh();
  /// Nothing: the files are in use, or the settings name none.
  std::optional<CertificateFileFailure> file_failure() const;
  /// Have the files of the settings changed since they were read last, or could they not be used then? Two calls of stat().
  bool have_files_changed() const;
  DefaultCertificate default_certificate() const;
  /// Of every certificate in use but a self-signed one, by hostname.
  std::map<std::string, CertificateLife> lives() const;
  /// What clients get that name our own hostname, as those do that found it in an MX or SRV record.
  net::CertificateAndKey own_pair() const;
  /// A line in the log for each certificate that ends within two weeks, once for each day left.
  void warn_of_expiry();

 private:
  struct Loaded;
  struct FileState {
    std::int64_t modified;  // nanoseconds
    std::uint64_t inode, size;
    friend bool operator==(const FileState&, const FileState&) = default;
  };
  using FileStates = std::pair<FileState, FileState>;  // zeros: no files

  ServerCertificates(const Settings& settings, const store::Store* store, const Clock& clock)
      : settings_(settings), store_(store), clock_(clock) {}
  Result<Loaded> load() const;
  Result<> load_files(Loaded& loaded) const;
  FileStates file_states() const;
  static FileState state_of(const std::string& path);
  void note(const Loaded& loaded, FileStates files);

  const Settings& settings_;
  const store::Store* const store_;
  const Clock& clock_;
  std::mutex refreshing_;  // one refresh at a time
  mutable std::mutex mutex_;
  Sha256Digest in_use_{};  // of all certificates and keys
  DefaultCertificate default_;
  net::CertificateAndKey own_;
  net::CertificateAndKey of_files_;  // the last that could be used; empty: none
  FileStates files_;
  std::optional<CertificateFileFailure> file_failure_;
  std::map<std::string, CertificateLife> lives_;
  std::map<std::string, std::int64_t> days_told_;  // hostname -> days left when the log was told last
  std::shared_ptr<net::TlsContext> tls_;
};

}  // namespace posthus::main
