// Lays the two sources of ACME settings over each other.
#include "core/main/acme_settings.h"

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/base/file.h"
#include "store/queue_reader.h"

namespace posthus::main {
namespace {

constexpr std::uint64_t kMaxKeyFile = 4096;

Result<std::string> eab_key(const Settings& settings, const std::string& from_store) {
  if (!from_store.empty() || settings.acme_eab_key_file.empty()) return from_store;
  const std::string& file = settings.acme_eab_key_file;
  auto text = read_file(file.starts_with('/') ? file : settings.data + "/" + file, kMaxKeyFile);
  if (!text) return fail(ErrorKind::kInvalid, "acme.eab_key_file: " + text.error().context);
  return std::string(ascii::trim(*text));
}

}  // namespace

Result<AcmeSettings> acme_settings(const Settings& settings, const store::Snapshot& snapshot) {
  const store::QueueReader reader(snapshot);
  const auto read = [&](std::string_view name, const std::string& otherwise) -> Result<std::string> {
    const auto value = POSTHUS_TRY(reader.setting(name));
    return value && !value->empty() ? *value : otherwise;
  };
  AcmeSettings out;
  out.directory = POSTHUS_TRY(read("acme.directory", settings.acme_directory.empty() ? kLetsEncrypt : settings.acme_directory));
  const std::string contact = POSTHUS_TRY(read("acme.contact", settings.acme_contact));
  if (!contact.empty()) out.contact = "mailto:" + contact;
  out.accepts_terms = POSTHUS_TRY(read("acme.accept_terms", settings.acme_accept_terms ? "1" : "0")) != "0";
  const std::string proof = POSTHUS_TRY(read("acme.challenge", ""));
  for (const acme::Proof known : {acme::Proof::kHttp, acme::Proof::kTlsAlpn}) {
    if (proof == acme::to_string(known)) out.proof = known;
  }
  const std::string key_id = POSTHUS_TRY(read("acme.eab_key_id", settings.acme_eab_key_id));
  if (key_id.empty()) return out;
  const std::string from_store = POSTHUS_TRY(read("acme.eab_key", ""));
  std::string key = POSTHUS_TRY(eab_key(settings, from_store));
  while (key.ends_with('=')) key.pop_back();
  auto bytes = base64url_decode(key);
  if (!bytes || bytes->empty()) return fail(ErrorKind::kInvalid, "acme.eab_key must be the key the CA gave you, in base64url");
  out.external_account = acme::ExternalAccount{key_id, std::move(*bytes)};
  return out;
}

}  // namespace posthus::main
