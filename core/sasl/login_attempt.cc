// The part of a login that all mechanisms share.
#include "core/sasl/login_attempt.h"

#include "core/base/ascii.h"
#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/random.h"
#include "core/base/secret.h"
#include "core/base/shared_addresses.h"
#include "core/sasl/saslprep.h"
#include "core/sasl/scram.h"

namespace posthus::sasl {
namespace {

constexpr std::size_t kMaxLoggedName = 100;  // enough to recognise an address; a log line stays a line

Argon2Hash make_nobody_hash(const PasswordCost& cost) {
  Argon2Hash hash;
  hash.memory_kib = cost.memory_kib;
  hash.passes = cost.passes;
  hash.salt = random_bytes(kArgon2SaltBytes);
  hash.hash = random_bytes(kArgon2HashBytes);
  return hash;
}

std::string_view name_of(LoginVerdict verdict) {
  switch (verdict) {
    case LoginVerdict::kAccepted: return "accepted";
    case LoginVerdict::kRejected: return "rejected";
    case LoginVerdict::kDisabled: return "disabled";
    case LoginVerdict::kThrottled: return "throttled";
    case LoginVerdict::kAborted: return "aborted";
    case LoginVerdict::kUnavailable: return "unavailable";
  }
  return "rejected";
}

/// Label values come from a fixed set, whatever the caller named.
std::string_view known_protocol(std::string_view protocol) {
  for (const std::string_view known : {"smtp", "pop3", "imap", "http"}) {
    if (protocol == known) return known;
  }
  return "other";
}

}  // namespace

void count_login(std::string_view protocol, LoginVerdict verdict) {
  std::string labels = "protocol=\"";
  labels.append(known_protocol(protocol)).append("\",result=\"").append(name_of(verdict)).append("\"");
  metrics::counter("posthus_logins_total", "Login attempts by protocol and result", labels).add();
}

LoginContext::LoginContext(const CredentialSource& credential_source, const Clock& clock, AuthenticatorOptions options)
    : source(credential_source),
      clock(clock),
      sign_ins(clock),
      throttle(clock, std::move(options.exempt_networks), options.shared),
      shared(options.shared),
      cache(clock, options.cache_lifetime, options.cache_entries),
      key(random_bytes(32)),
      nobody_hash(make_nobody_hash(options.cost)),
      fake_iterations(options.cost.scram_iterations) {}

ScramKeys LoginContext::make_fake_keys(std::string_view login) const {
  const auto derive = [&](std::string_view what) { return hmac_sha256(key, std::string(what).append(login)); };
  ScramKeys keys;
  keys.iterations = fake_iterations;
  keys.salt = derive("salt ").substr(0, kScramSaltBytes);
  keys.stored_key = derive("stored ");
  keys.server_key = derive("server ");
  return keys;
}

LoginAttempt::LoginAttempt(LoginContext& context, std::string_view mechanism, LoginFacts facts)
    : context_(context), mechanism_(mechanism), facts_(std::move(facts)) {}

void LoginAttempt::ask(std::string challenge) {
  challenge_ = std::move(challenge);
  state_ = State::kChallenge;
}

bool LoginAttempt::identify(std::string_view typed_login) {
  auto prepared = saslprep(typed_login);
  const bool is_name = prepared && !prepared->empty();
  login_ = is_name ? *std::move(prepared) : std::string(typed_login.substr(0, kMaxPreparedText));
  if (is_name) {
    auto found = context_.source.find(login_);
    if (!found) return finish(LoginVerdict::kUnavailable, "the directory cannot be read"), false;
    credentials_ = *std::move(found);
  }
  if (credentials_) login_ = credentials_->login;
  key_login_ = ascii::to_lower(login_);
  origin_ = context_.throttle.origin(key_login_, facts_.remote_address);
  return is_admitted();
}

bool LoginAttempt::is_admitted() {
  if (context_.throttle.admits(origin_)) return true;
  finish(LoginVerdict::kThrottled, "too many failures");
  return false;
}

void LoginAttempt::abort() {
  if (state_ != State::kDone) finish(LoginVerdict::kAborted, "aborted by the client");
}

void LoginAttempt::reject(std::string_view reason) { finish(LoginVerdict::kRejected, reason); }

void LoginAttempt::reject_wrong(std::string_view reason, std::uint64_t fingerprint) {
  context_.throttle.failed(origin_, fingerprint);
  finish(LoginVerdict::kRejected, reason);
}

void LoginAttempt::conclude() {
  if (credentials_->is_disabled) return finish(LoginVerdict::kDisabled, "account disabled");
  accept();
}

bool LoginAttempt::is_valid_here(const AppCredential& password) const {
  const bool is_for_this = (password.protocols & app_protocol_of(facts_.protocol)) != 0;
  return is_for_this && (password.expires.microseconds == 0 || context_.clock.now() < password.expires);
}

bool LoginAttempt::needs_app_password() const {
  return credentials_ && credentials_->needs_app_password && app_protocol_of(facts_.protocol) != 0;
}

void LoginAttempt::conclude_with(const AppCredential& password) {
  constexpr std::int64_t kTouchSeconds = 3600;  // the directory is not written at every poll for mail
  app_password_ = password.id;
  if (context_.clock.now().seconds() - password.last_used.seconds() >= kTouchSeconds && !credentials_->is_disabled) {
    context_.source.app_password_used(credentials_->account, password.id, facts_.remote_address);
  }
  conclude();
}

void LoginAttempt::accept() {
  account_ = credentials_->account;
  // WHY: with a second factor the password is half of it; else who has it could try code after code, forgiven each time.
  const bool is_half = credentials_->has_second_factor && facts_.protocol == "http";
  if (!is_half) context_.throttle.succeeded(origin_);
  if (context_.shared) context_.shared->logged_in(facts_.remote_address, login_);
  finish(LoginVerdict::kAccepted, is_half ? std::string_view("the code is asked for") : std::string_view());
}

void LoginAttempt::finish(LoginVerdict verdict, std::string_view reason) {
  verdict_ = verdict;
  state_ = State::kDone;
  challenge_.clear();
  count_login(facts_.protocol, verdict);
  const std::string_view user = std::string_view(login_).substr(0, kMaxLoggedName);
  const std::string_view tls = facts_.is_tls ? "yes" : "no";
  const bool is_half = verdict == LoginVerdict::kAccepted && !reason.empty();
  if (verdict != LoginVerdict::kAborted && verdict != LoginVerdict::kUnavailable) {
    context_.sign_ins.add({.login = std::string(user),
                           .protocol = std::string(facts_.protocol),
                           .mechanism = std::string(mechanism_),
                           .remote_address = facts_.remote_address,
                           .result = std::string(is_half ? "needs_code" : name_of(verdict)),
                           .reason = std::string(reason),
                           .app_password = app_password_,
                           .is_tls = facts_.is_tls});
  }
  if (verdict == LoginVerdict::kAccepted) {
    const std::string how = std::string(mechanism_) + (app_password_.empty() ? "" : " with app password " + app_password_);
    log::info(
        "login.accepted",
        {{"protocol", facts_.protocol}, {"user", user}, {"address", facts_.remote_address}, {"mechanism", how}, {"tls", tls}});
    return;
  }
  log::info("login.rejected", {{"protocol", facts_.protocol},
                               {"user", user},
                               {"address", facts_.remote_address},
                               {"mechanism", mechanism_},
                               {"tls", tls},
                               {"reason", reason}});
}

}  // namespace posthus::sasl
