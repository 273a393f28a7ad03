// Reads credentials. A user of a disabled domain counts as disabled.
#include "core/main/store_credentials.h"

#include "core/base/log.h"
#include "store/directory_reader.h"
#include "store/identity_reader.h"
#include "store/queue_reader.h"

namespace posthus::main {
namespace {

static_assert(store::mail_protocol::kImap == sasl::app_protocol::kImap &&
              store::mail_protocol::kPop3 == sasl::app_protocol::kPop3 &&
              store::mail_protocol::kSmtp == sasl::app_protocol::kSmtp);

/// The second factor and the app passwords of the account.
Result<> read_identity(const store::Snapshot& snapshot, sasl::Credentials& credentials) {
  const store::IdentityReader identity(snapshot);
  credentials.has_second_factor = POSTHUS_TRY(identity.has_second_factor(credentials.account));
  if (credentials.has_second_factor) {
    const auto setting = POSTHUS_TRY(store::QueueReader(snapshot).setting("login.main_password_with_second_factor"));
    credentials.needs_app_password = setting.value_or("0") != "1";
  }
  for (store::AppPasswordRecord& record : POSTHUS_TRY(identity.app_passwords(credentials.account))) {
    credentials.app_passwords.push_back({.id = std::move(record.id),
                                         .protocols = record.protocols,
                                         .secret_hash = std::move(record.secret_hash),
                                         .scram = {record.scram_iterations, std::move(record.scram_salt),
                                                   std::move(record.scram_stored_key), std::move(record.scram_server_key)},
                                         .expires = record.expires.value_or(Timestamp{}),
                                         .last_used = record.last_used});
  }
  return {};
}

Result<std::optional<sasl::Credentials>> read(const store::Store& store, std::string_view login) {
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  const store::DirectoryReader directory(*snapshot);
  auto user = POSTHUS_TRY(directory.user_of_login(login));
  if (!user) return std::nullopt;
  const auto domain = POSTHUS_TRY(directory.domain(std::string_view(user->address).substr(user->address.rfind('@') + 1)));
  sasl::Credentials credentials{.account = user->account,
                                .login = std::move(user->address),
                                .password_hash = std::move(user->password_hash),
                                .scram = {user->scram_iterations, std::move(user->scram_salt), std::move(user->scram_stored_key),
                                          std::move(user->scram_server_key)},
                                .is_disabled = user->is_disabled || !domain || domain->is_disabled};
  POSTHUS_TRY_VOID(read_identity(*snapshot, credentials));
  return credentials;
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

void StoreCredentials::app_password_used(AccountId account, std::string_view id, std::string_view remote_address) const {
  store_.submit(store::UseAppPassword{account, std::string(id), std::string(remote_address)},
                [](Result<store::WriteOutcome> done) {
                  // WHY only told: it is when it was used last, not whether it may be; and it may have been removed meanwhile.
                  if (!done) log::info("login.app_password_use", {{"context", done.error().context}});
                });
}

}  // namespace posthus::main
