// Authenticator: which mechanisms there are, and the beginning of every exchange.
#include "core/sasl/authenticator.h"

#include "core/base/ascii.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/base/shared_addresses.h"
#include "core/sasl/argon2id.h"
#include "core/sasl/login_attempt.h"
#include "core/sasl/saslprep.h"
#include "core/sasl/scram.h"

namespace posthus::sasl {
namespace {

using Begin = std::unique_ptr<LoginExchange> (*)(LoginContext&, LoginFacts, std::optional<std::string_view>);

template <ScramVariant kVariant>
std::unique_ptr<LoginExchange> begin_scram(LoginContext& context, LoginFacts facts,
                                           std::optional<std::string_view> initial_response) {
  return make_scram_attempt(context, std::move(facts), kVariant, initial_response);
}

struct Mechanism {
  std::string_view name;
  bool needs_channel_binding;
  Begin begin;
};

// Strongest first: clients that take the first they know get the best.
constexpr Mechanism kMechanisms[] = {
    {"SCRAM-SHA-256-PLUS", true, begin_scram<ScramVariant::kPlus>},
    {"SCRAM-SHA-256", false, begin_scram<ScramVariant::kPlain>},
    {"PLAIN", false, make_plain_attempt},
    {"LOGIN", false, make_login_attempt},
};

bool is_announced(const Mechanism& mechanism, const LoginFacts& facts) {
  if (!facts.is_tls && !facts.may_send_plaintext) return false;
  return !mechanism.needs_channel_binding || !facts.tls_exporter.empty() || !facts.tls_unique.empty() ||
         !facts.tls_server_end_point.empty();
}

}  // namespace

struct Authenticator::State {
  LoginContext context;
};

Authenticator::Authenticator(const CredentialSource& source, const Clock& clock, AuthenticatorOptions options)
    : state_(new State{LoginContext(source, clock, std::move(options))}) {}
Authenticator::~Authenticator() = default;

std::vector<std::string_view> Authenticator::mechanisms(const LoginFacts& facts) const {
  std::vector<std::string_view> names;
  for (const Mechanism& mechanism : kMechanisms) {
    if (is_announced(mechanism, facts)) names.push_back(mechanism.name);
  }
  return names;
}

std::unique_ptr<LoginExchange> Authenticator::begin(std::string_view mechanism, std::optional<std::string_view> initial_response,
                                                    LoginFacts facts) {
  for (const Mechanism& known : kMechanisms) {
    if (!ascii::equal_ignoring_case(known.name, mechanism)) continue;
    if (!is_announced(known, facts)) return nullptr;
    return known.begin(state_->context, std::move(facts), initial_response);
  }
  return nullptr;
}

std::unique_ptr<LoginExchange> Authenticator::begin_password(std::string_view login, Secret password, LoginFacts facts) {
  return make_password_attempt(state_->context, std::move(facts), login, std::move(password));
}

void Authenticator::forget(std::string_view login) {
  const auto prepared = saslprep(login);
  state_->context.cache.forget(ascii::to_lower(prepared ? std::string_view(*prepared) : login));
}

namespace {

/// The name the throttle knows an account by.
std::string key_login(std::string_view login) {
  const auto prepared = saslprep(login);
  return ascii::to_lower(prepared ? std::string_view(*prepared) : login);
}

}  // namespace

bool Authenticator::admits_code(std::string_view login) { return state_->context.throttle.admits_code(key_login(login)); }

void Authenticator::code_checked(std::string_view login, const LoginFacts& facts, CodeVerdict verdict) {
  LoginContext& context = state_->context;
  const std::string key = key_login(login);
  const bool is_right = verdict == CodeVerdict::kRight;
  if (is_right) {
    context.throttle.code_succeeded(key);
    context.throttle.succeeded(context.throttle.origin(key, facts.remote_address));
  } else {
    context.throttle.code_failed(key);
  }
  context.sign_ins.add({.login = std::string(login),
                        .protocol = std::string(facts.protocol),
                        .mechanism = "code",
                        .remote_address = facts.remote_address,
                        .result = is_right ? "accepted" : "rejected",
                        .reason = is_right ? "" : "wrong code",
                        .is_tls = facts.is_tls});
}

void Authenticator::passkey_checked(std::string_view login, const LoginFacts& facts, std::string_view reason) {
  LoginContext& context = state_->context;
  const std::string key = key_login(login);
  const bool is_right = reason.empty();
  if (is_right) {
    context.throttle.code_succeeded(key);
    context.throttle.succeeded(context.throttle.origin(key, facts.remote_address));
  }
  if (is_right && context.shared) context.shared->logged_in(facts.remote_address, login);
  count_login(facts.protocol, is_right ? LoginVerdict::kAccepted : LoginVerdict::kRejected);
  log::info(is_right ? "login.accepted" : "login.rejected", {{"protocol", facts.protocol},
                                                             {"user", login},
                                                             {"address", facts.remote_address},
                                                             {"mechanism", "passkey"},
                                                             {"reason", reason},
                                                             {"tls", facts.is_tls ? "yes" : "no"}});
  context.sign_ins.add({.login = std::string(login),
                        .protocol = std::string(facts.protocol),
                        .mechanism = "passkey",
                        .remote_address = facts.remote_address,
                        .result = is_right ? "accepted" : "rejected",
                        .reason = std::string(reason),
                        .is_tls = facts.is_tls});
}

void Authenticator::restore_sign_ins(std::vector<SignIn> kept) { state_->context.sign_ins.restore(std::move(kept)); }
std::vector<SignIn> Authenticator::take_unsaved_sign_ins(std::size_t most) { return state_->context.sign_ins.take_unsaved(most); }
void Authenticator::put_back_sign_ins(const std::vector<SignIn>& taken) { state_->context.sign_ins.put_back(taken); }

std::vector<SignIn> Authenticator::sign_ins() const { return state_->context.sign_ins.all(); }
std::vector<LoginBlock> Authenticator::blocks() const { return state_->context.throttle.blocks(); }
void Authenticator::restore_blocks(const std::vector<LoginBlock>& kept) { state_->context.throttle.restore(kept); }
bool Authenticator::unblock(std::string_view id) { return state_->context.throttle.lift(id); }

std::uint8_t app_protocol_of(std::string_view protocol) {
  if (protocol == "imap") return app_protocol::kImap;
  if (protocol == "pop3") return app_protocol::kPop3;
  return protocol == "smtp" ? app_protocol::kSmtp : 0;
}

std::string app_password_text(std::string_view typed) {
  std::string text;
  text.reserve(typed.size());  // no copy left behind by growth
  for (const char c : typed) {
    if (c != '-' && c != ' ') text.push_back(ascii::to_lower(c));
  }
  return text;
}

ScramKeys make_further_keys(std::string_view password, std::string salt, std::uint32_t iterations) {
  std::string prepared = prepare_password(password);
  ScramKeys keys = make_scram_keys(prepared, std::move(salt), iterations);
  wipe(prepared);
  return keys;
}

PasswordRecord make_password_record(const Secret& password, const PasswordCost& cost, std::string_view scram_salt) {
  std::string prepared = prepare_password(password.reveal());
  PasswordRecord record;
  record.password_hash = make_phc(prepared, cost);
  std::string salt = scram_salt.size() == kScramSaltBytes ? std::string(scram_salt) : random_bytes(kScramSaltBytes);
  record.scram = make_scram_keys(prepared, std::move(salt), cost.scram_iterations);
  wipe(prepared);
  return record;
}

}  // namespace posthus::sasl
