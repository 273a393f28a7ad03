// What the administrator said about the CA: the store's settings, else those of posthus.toml and the environment.
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>

#include "core/acme/issuance.h"
#include "core/base/result.h"
#include "core/main/settings.h"
#include "store/engine.h"

namespace posthus::main {

inline constexpr const char* kLetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";

struct AcmeSettings {
  std::string directory = kLetsEncrypt;
  std::string contact;  // "mailto:..."; may be empty
  bool accepts_terms = false;
  std::optional<acme::Proof> proof;  // nothing: one after the other
  std::optional<acme::ExternalAccount> external_account;
};

/// Errors: kInvalid, for people: the key of the external account cannot be read.
Result<AcmeSettings> acme_settings(const Settings& settings, const store::Snapshot& snapshot);

}  // namespace posthus::main
