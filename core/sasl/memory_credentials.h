// MemoryCredentials: a directory of logins in memory, the twin of the one over the store. For tests and fuzzing.
// Thread rule: find() from any thread; put() and remove() not beside it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ascii.h"
#include "core/sasl/authenticator.h"

namespace posthus::sasl {

class MemoryCredentials final : public CredentialSource {
 public:
  /// Any case of the login finds it.
  Result<std::optional<Credentials>> find(std::string_view login) const override {
    if (is_unreadable) return fail(ErrorKind::kIo, "unreadable");
    const auto found = users_.find(ascii::to_lower(login));
    if (found == users_.end()) return std::nullopt;
    return found->second;
  }
  void put(Credentials credentials) {
    std::string key = ascii::to_lower(credentials.login);
    users_[std::move(key)] = std::move(credentials);
  }
  /// Hashes the password: blocks for tens of milliseconds.
  void put(AccountId account, std::string_view login, std::string_view password) {
    PasswordRecord record = make_password_record(Secret(std::string(password)));
    put(Credentials{account, std::string(login), std::move(record.password_hash), std::move(record.scram), false});
  }
  void remove(std::string_view login) { users_.erase(ascii::to_lower(login)); }

  bool is_unreadable = false;  // every find() fails

 private:
  std::map<std::string, Credentials> users_;
};

}  // namespace posthus::sasl
