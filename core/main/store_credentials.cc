// Reads credentials. A user of a disabled domain counts as disabled.
#include "core/main/store_credentials.h"

#include "core/base/log.h"
#include "store/directory_reader.h"

namespace posthus::main {
namespace {

Result<std::optional<sasl::Credentials>> read(const store::Store& store, std::string_view login) {
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  const store::DirectoryReader directory(*snapshot);
  auto user = POSTHUS_TRY(directory.user(login));
  if (!user) return std::nullopt;
  const auto domain = POSTHUS_TRY(directory.domain(std::string_view(user->address).substr(user->address.rfind('@') + 1)));
  return sasl::Credentials{.account = user->account,
                           .login = std::move(user->address),
                           .password_hash = std::move(user->password_hash),
                           .scram = {user->scram_iterations, std::move(user->scram_salt), std::move(user->scram_stored_key),
                                     std::move(user->scram_server_key)},
                           .is_disabled = user->is_disabled || !domain || domain->is_disabled};
}

}  // namespace

Result<std::optional<sasl::Credentials>> StoreCredentials::find(std::string_view login) const {
  auto credentials = read(store_, login);
  if (credentials) return credentials;
  // What is no address is nobody's login.
  if (credentials.error().kind == ErrorKind::kInvalid) return std::nullopt;
  log::error("login.directory_unreadable",
             {{"error", to_string(credentials.error().kind)}, {"context", credentials.error().context}});
  return credentials;
}

}  // namespace posthus::main
