// StoreCredentials: the directory of the store as the Authenticator sees it.
// Thread rule: any thread; reads may block briefly.
#pragma once

#include "core/sasl/authenticator.h"
#include "store/store.h"

namespace posthus::main {

class StoreCredentials final : public sasl::CredentialSource {
 public:
  /// REQUIRES: the store outlives it.
  explicit StoreCredentials(store::Store& store) : store_(store) {}
  Result<std::optional<sasl::Credentials>> find(std::string_view login) const override;
  void app_password_used(AccountId account, std::string_view id, std::string_view remote_address) const override;

 private:
  store::Store& store_;
};

}  // namespace posthus::main
