// Certificate files, and the certificates of the store.
#include "core/main/certificates.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "core/base/ascii.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/main/data_directory.h"
#include "core/net/certificate_facts.h"
#include "store/certificate_reader.h"

namespace posthus::main {
namespace {

constexpr std::uint64_t kMaxFilePem = 1024 * 1024;  // a chain is some 10 KiB
constexpr std::size_t kCertificatesPage = 100;      // records of the store at a time
constexpr std::int64_t kDay = 86'400, kWarnDays = 14;
constexpr int kSelfSignedDays = 824;  // it begins a day ago; clients and scanners frown on more than 825 in all

// Relative names are relative to the data directory: where the server was started from does not matter.
std::string resolve(const Settings& settings, const std::string& path) {
  return path.starts_with('/') ? path : settings.data + "/" + path;
}

Result<net::CertificateAndKey> read_pair(const std::string& certificate, const std::string& key) {
  auto certificate_pem = read_file(certificate, kMaxFilePem);
  if (!certificate_pem)
    return fail(certificate_pem.error().kind, "certificate " + certificate + ": " + certificate_pem.error().context);
  auto key_pem = read_file(key, kMaxFilePem);
  if (!key_pem) return fail(key_pem.error().kind, "key " + key + ": " + key_pem.error().context);
  return net::CertificateAndKey{std::move(*certificate_pem), Secret(std::move(*key_pem))};
}

// The last third of its life is left for noticing that renewal does not work.
bool is_fresh(const net::CertificateAndKey& pair, const Clock& clock) {
  const auto begin = net::certificate_not_before(pair.certificate_pem), end = net::certificate_not_after(pair.certificate_pem);
  return begin && end && clock.now().seconds() < *begin + (*end - *begin) / 3 * 2;
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

Result<net::CertificateAndKey> load_self_signed(const Settings& settings, const Clock& clock) {
  const std::string certificate = tls_directory(settings) + "/certificate.pem";
  const std::string key = tls_directory(settings) + "/key.pem";
  auto pair = read_pair(certificate, key);
  if (pair && is_fresh(*pair, clock)) return pair;
  if (!pair && pair.error().kind != ErrorKind::kNotFound) return pair;
  return make_pair(settings, certificate, key);
}

/// Can TLS be spoken with it? What is merely unwise is the operator's choice. The error is for people.
Result<> usability(const net::CertificateAndKey& pair) {
  const auto context = net::TlsContext::create_server(pair);
  if (context) return {};
  POSTHUS_TRY_VOID(net::check_pair(pair));
  return std::unexpected(context.error());
}

}  // namespace

Result<net::CertificateAndKey> load_certificate(const Settings& settings, const Clock& clock) {
  if (settings.tls_certificate.empty()) return load_self_signed(settings, clock);
  return read_pair(resolve(settings, settings.tls_certificate), resolve(settings, settings.tls_key));
}

std::string describe(const CertificateFileFailure& failure) {
  return failure.file + " and its key cannot be used: " + failure.reason +
         ". Another certificate is served meanwhile. Put a certificate with its chain and its key there, for this user to read: "
         "they are taken within seconds.";
}

std::string_view to_string(DefaultCertificate::Source source) {
  switch (source) {
    case DefaultCertificate::Source::kFile: return "file";
    case DefaultCertificate::Source::kStore: return "store";
    case DefaultCertificate::Source::kSelfSigned: break;
  }
  return "self-signed";
}

struct ServerCertificates::Loaded {
  DefaultCertificate::Source source = DefaultCertificate::Source::kSelfSigned;
  net::CertificateAndKey pair;  // the default
  std::vector<net::NamedCertificate> by_name;
  std::optional<CertificateFileFailure> file_failure;

  /// As TlsContext chooses: the exact name, a wildcard, the default. What cannot be used it passes over.
  const net::CertificateAndKey& pair_for(const std::string& hostname) const {
    const std::string name = ascii::to_lower(hostname);
    const std::size_t dot = name.find('.');
    const std::string wildcard = dot == std::string::npos ? "" : "*" + name.substr(dot);
    for (const std::string& wanted : {name, wildcard}) {
      const auto found = std::ranges::find(by_name, wanted, &net::NamedCertificate::name);
      if (found != by_name.end() && net::check_pair(found->pair)) return found->pair;
    }
    return pair;
  }

  Sha256Digest digest() const {
    Sha256 hash;
    const auto add = [&hash](std::string_view text) {
      hash.update(std::to_string(text.size()) + ":");
      hash.update(text);
    };
    add(pair.certificate_pem);
    add(pair.private_key_pem.reveal());
    for (const net::NamedCertificate& named : by_name) {
      add(named.name);
      add(named.pair.certificate_pem);
      add(named.pair.private_key_pem.reveal());
    }
    return hash.finish();
  }
};

Result<ServerCertificates::Loaded> ServerCertificates::load() const {
  Loaded loaded;
  bool has_default = false;
  std::string after;
  do {
    if (store_ == nullptr) break;
    const auto snapshot = POSTHUS_TRY(store_->snapshot());
    auto page = POSTHUS_TRY(store::CertificateReader(*snapshot).certificates(after, kCertificatesPage));
    for (store::CertificateRecord& record : page.items) {
      if (record.chain.empty()) continue;
      const bool is_own = ascii::equal_ignoring_case(record.hostname, settings_.hostname) && settings_.tls_certificate.empty();
      net::CertificateAndKey pair{record.chain, Secret(std::move(record.private_key))};
      if (is_own) {
        loaded.pair = {pair.certificate_pem, pair.private_key_pem.clone()};
        loaded.source = DefaultCertificate::Source::kStore;
      }
      // WHY checked: one record that cannot be used must not keep the server from starting.
      has_default = has_default || (is_own && net::check_pair(pair).has_value());
      loaded.by_name.push_back({std::move(record.hostname), std::move(pair)});
    }
    after = page.next;
  } while (!after.empty());
  if (has_default) return loaded;
  if (settings_.tls_certificate.empty()) {
    loaded.pair = POSTHUS_TRY(load_self_signed(settings_, clock_));
    loaded.source = DefaultCertificate::Source::kSelfSigned;
  } else {
    POSTHUS_TRY_VOID(load_files(loaded));
  }
  return loaded;
}

// WHY another one is served when they cannot be used: half a renewal, or a folder that is not mounted, must not keep mail from
// coming in and from being read, least of all after a restart.
Result<> ServerCertificates::load_files(Loaded& loaded) const {
  using Source = DefaultCertificate::Source;
  auto pair = load_certificate(settings_, clock_);
  const auto usable = pair ? usability(*pair) : Result<>(std::unexpected(pair.error()));
  if (usable) {
    loaded.pair = *std::move(pair);
    loaded.source = Source::kFile;
    return {};
  }
  loaded.file_failure = CertificateFileFailure{resolve(settings_, settings_.tls_certificate), usable.error().context};
  {
    const std::lock_guard guard(mutex_);
    if (!of_files_.certificate_pem.empty()) {
      loaded.pair = {of_files_.certificate_pem, of_files_.private_key_pem.clone()};
      loaded.source = Source::kFile;
      return {};
    }
  }
  const net::CertificateAndKey& named = loaded.pair_for(settings_.hostname);  // empty: the store has none
  if (named.certificate_pem.empty()) {
    loaded.pair = POSTHUS_TRY(load_self_signed(settings_, clock_));
  } else {
    loaded.pair = {named.certificate_pem, named.private_key_pem.clone()};
    loaded.source = Source::kStore;
  }
  return {};
}

net::CertificateAndKey ServerCertificates::own_pair() const {
  const std::lock_guard guard(mutex_);
  return {own_.certificate_pem, own_.private_key_pem.clone()};
}

ServerCertificates::FileState ServerCertificates::state_of(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return {};
  return {.modified = static_cast<std::int64_t>(found.st_mtim.tv_sec) * 1'000'000'000 + found.st_mtim.tv_nsec,
          .inode = found.st_ino,
          .size = static_cast<std::uint64_t>(found.st_size)};
}

ServerCertificates::FileStates ServerCertificates::file_states() const {
  if (settings_.tls_certificate.empty()) return {};
  return {state_of(resolve(settings_, settings_.tls_certificate)), state_of(resolve(settings_, settings_.tls_key))};
}

bool ServerCertificates::have_files_changed() const {
  const FileStates now = file_states();
  const std::lock_guard guard(mutex_);
  return file_failure_ || now != files_;  // their owner and mode may change, too
}

std::optional<CertificateFileFailure> ServerCertificates::file_failure() const {
  const std::lock_guard guard(mutex_);
  return file_failure_;
}

DefaultCertificate ServerCertificates::default_certificate() const {
  const std::lock_guard guard(mutex_);
  return default_;
}

void ServerCertificates::note(const Loaded& loaded, FileStates files) {
  std::map<std::string, CertificateLife> lives;
  const auto add = [&lives](const std::string& name, const std::string& pem) {
    const auto begin = net::certificate_not_before(pem), end = net::certificate_not_after(pem);
    if (begin && end) lives[name] = {*begin, *end};
  };
  for (const net::NamedCertificate& named : loaded.by_name) add(named.name, named.pair.certificate_pem);
  static metrics::Gauge& own = metrics::gauge("posthus_tls_certificate_not_after_seconds", "When the default certificate ends");
  static metrics::Gauge& first =
      metrics::gauge("posthus_tls_certificates_first_not_after_seconds", "When the first of all certificates in use ends");
  if (loaded.source != DefaultCertificate::Source::kSelfSigned) add(settings_.hostname, loaded.pair.certificate_pem);
  std::int64_t first_end = 0;
  if (const auto end = net::certificate_not_after(loaded.pair.certificate_pem)) own.set(first_end = *end);
  for (const auto& [name, life] : lives) first_end = first_end == 0 ? life.end : std::min(first_end, life.end);
  first.set(first_end);
  const std::lock_guard guard(mutex_);
  in_use_ = loaded.digest();
  default_ = {loaded.source, loaded.pair.certificate_pem};
  const net::CertificateAndKey& own_pair = loaded.pair_for(settings_.hostname);
  own_ = {own_pair.certificate_pem, own_pair.private_key_pem.clone()};
  if (loaded.source == DefaultCertificate::Source::kFile) {
    of_files_ = {loaded.pair.certificate_pem, loaded.pair.private_key_pem.clone()};
  }
  files_ = files;
  file_failure_ = loaded.file_failure;
  lives_ = std::move(lives);
}

Result<std::unique_ptr<ServerCertificates>> ServerCertificates::load(const Settings& settings, const store::Store* store,
                                                                     const Clock& clock) {
  auto certificates = std::unique_ptr<ServerCertificates>(new ServerCertificates(settings, store, clock));
  const FileStates files = certificates->file_states();
  const Loaded loaded = POSTHUS_TRY(certificates->load());
  certificates->tls_ = POSTHUS_TRY(net::TlsContext::create_server(loaded.pair));
  if (!loaded.by_name.empty()) POSTHUS_TRY_VOID(certificates->tls_->replace(loaded.pair, loaded.by_name));
  certificates->note(loaded, files);
  return certificates;
}

Result<bool> ServerCertificates::refresh() {
  const std::lock_guard guard(refreshing_);
  const FileStates files = file_states();
  const Loaded loaded = POSTHUS_TRY(load());
  const bool is_same = [&] {
    const std::lock_guard inner(mutex_);
    return loaded.digest() == in_use_;
  }();
  if (!is_same) POSTHUS_TRY_VOID(tls_->replace(loaded.pair, loaded.by_name));
  note(loaded, files);
  return !is_same;
}

std::map<std::string, CertificateLife> ServerCertificates::lives() const {
  const std::lock_guard guard(mutex_);
  return lives_;
}

void ServerCertificates::warn_of_expiry() {
  const std::lock_guard guard(mutex_);
  for (const auto& [name, life] : lives_) {
    const std::int64_t left = life.end - clock_.now().seconds();
    const std::int64_t days = left < 0 ? -1 : left / kDay;
    if (days >= kWarnDays) {
      days_told_.erase(name);
      continue;
    }
    const auto told = days_told_.find(name);
    if (told != days_told_.end() && told->second == days) continue;
    days_told_[name] = days;
    if (days < 0) log::error("tls.certificate_expired", {{"hostname", name}});
    if (days >= 0) log::warning("tls.certificate_expires", {{"hostname", name}, {"days_left", days}});
  }
}

}  // namespace posthus::main
