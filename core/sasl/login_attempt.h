// LoginAttempt: what the exchanges of all mechanisms share: looking the user up, the throttle, the cache, the verdict
// with its log line and metrics. Internal to core/sasl. Thread rule: as LoginExchange; LoginContext: any thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/sasl/argon2id.h"
#include "core/sasl/authenticator.h"
#include "core/sasl/login_throttle.h"
#include "core/sasl/sign_in_log.h"
#include "core/sasl/verification_cache.h"

namespace posthus::sasl {

inline constexpr std::size_t kMaxResponse = 4096;  // decoded bytes of one client response; names and passwords are far below

/// What one Authenticator knows.
struct LoginContext {
  LoginContext(const CredentialSource& source, const Clock& clock, AuthenticatorOptions options);

  const CredentialSource& source;
  const Clock& clock;
  SignInLog sign_ins;
  LoginThrottle throttle;
  SharedAddresses* const shared;
  VerificationCache cache;
  const std::string key;         // for what unknown users are shown
  const Argon2Hash nobody_hash;  // evaluated for unknown users; matches nothing
  const std::uint32_t fake_iterations;

  /// Keys for a user who is not there: the same each time, and like real ones.
  ScramKeys make_fake_keys(std::string_view login) const;
};

/// Counts an attempt for the metrics.
void count_login(std::string_view protocol, LoginVerdict verdict);

class LoginAttempt : public LoginExchange {
 public:
  LoginAttempt(LoginContext& context, std::string_view mechanism, LoginFacts facts);
  State state() const override { return state_; }
  std::string_view challenge() const override { return challenge_; }
  LoginVerdict verdict() const override { return verdict_; }
  AccountId account() const override { return account_; }
  const std::string& login() const override { return login_; }
  void verify() override {}
  void abort() override;

 protected:
  void ask(std::string challenge);
  void await_verification() { state_ = State::kVerify; }
  /// Looks the user up and asks the throttle. False: the attempt is over (kThrottled, kUnavailable).
  bool identify(std::string_view typed_login);
  bool is_admitted();
  void accept();
  void reject(std::string_view reason);
  /// A wrong password: counts for the throttle.
  void reject_wrong(std::string_view reason, std::uint64_t fingerprint);
  /// The password was right: accepted, unless the account is disabled.
  void conclude();
  /// The same with an app password.
  void conclude_with(const AppCredential& password);
  /// May this app password be used here and now?
  bool is_valid_here(const AppCredential& password) const;
  /// Is the main password no good here, because the account has a second factor?
  bool needs_app_password() const;
  void finish(LoginVerdict verdict, std::string_view reason);

  LoginContext& context() { return context_; }
  const LoginFacts& facts() const { return facts_; }
  /// Null for unknown users.
  const Credentials* credentials() const { return credentials_ ? &*credentials_ : nullptr; }
  std::span<const AppCredential> app_passwords() const {
    return credentials_ ? std::span<const AppCredential>(credentials_->app_passwords) : std::span<const AppCredential>();
  }
  /// The name the throttle and the cache know the user by.
  const std::string& key_login() const { return key_login_; }

 private:
  LoginContext& context_;
  std::string_view mechanism_;
  LoginFacts facts_;
  State state_ = State::kChallenge;
  LoginVerdict verdict_ = LoginVerdict::kRejected;
  std::string challenge_;
  std::optional<Credentials> credentials_;
  LoginThrottle::Origin origin_;
  AccountId account_;
  std::string login_, key_login_, app_password_;
};

std::unique_ptr<LoginExchange> make_plain_attempt(LoginContext& context, LoginFacts facts,
                                                  std::optional<std::string_view> initial_response);
std::unique_ptr<LoginExchange> make_login_attempt(LoginContext& context, LoginFacts facts,
                                                  std::optional<std::string_view> initial_response);
std::unique_ptr<LoginExchange> make_password_attempt(LoginContext& context, LoginFacts facts, std::string_view login,
                                                     Secret password);
enum class ScramVariant : std::uint8_t { kPlain, kPlus };
std::unique_ptr<LoginExchange> make_scram_attempt(LoginContext& context, LoginFacts facts, ScramVariant variant,
                                                  std::optional<std::string_view> initial_response);

}  // namespace posthus::sasl
