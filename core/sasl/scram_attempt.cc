// The SCRAM-SHA-256 exchange of RFC 5802 §5 with channel bindings (§6, RFC 5929, RFC 9266). Needs no kVerify: the server's
// part of SCRAM costs microseconds.
#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/base/random.h"
#include "core/sasl/login_attempt.h"
#include "core/sasl/scram.h"

namespace posthus::sasl {
namespace {

constexpr std::size_t kServerNonceBytes = 18;  // 24 characters of base64, none of them a comma

bool has_binding(const LoginFacts& facts) {
  return !facts.tls_exporter.empty() || !facts.tls_unique.empty() || !facts.tls_server_end_point.empty();
}

/// The channel's data of that type; empty when the channel has none.
std::string_view binding_data(const LoginFacts& facts, std::string_view name) {
  if (name == "tls-exporter") return facts.tls_exporter;
  if (name == "tls-unique") return facts.tls_unique;
  if (name == "tls-server-end-point") return facts.tls_server_end_point;
  return {};
}

class ScramAttempt final : public LoginAttempt {
 public:
  ScramAttempt(LoginContext& context, LoginFacts facts, ScramVariant variant)
      : LoginAttempt(context, variant == ScramVariant::kPlus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256", std::move(facts)),
        variant_(variant) {
    ask({});
  }

  void respond(std::string_view message) override {
    if (state() != State::kChallenge) return;
    switch (phase_) {
      case Phase::kClientFirst: return on_client_first(message);
      case Phase::kClientFinal: return on_client_final(message);
      case Phase::kAcknowledge:
        if (!message.empty()) return reject("malformed");
        return used_ ? conclude_with(*used_) : accept();
    }
  }

 private:
  enum class Phase : std::uint8_t { kClientFirst, kClientFinal, kAcknowledge };

  void on_client_first(std::string_view message) {
    const auto first = parse_client_first(message);
    if (!first) return reject("malformed");
    if (!first->authzid.empty() && !ascii::equal_ignoring_case(first->authzid, first->username)) {
      return reject("authorization identity differs");
    }
    if (!take_binding(*first)) return;
    if (!identify(first->username)) return;
    find_keys();
    nonce_.assign(first->nonce).append(base64_encode(random_bytes(kServerNonceBytes)));
    client_first_bare_ = first->bare;
    server_first_ = make_server_first(nonce_, keys_);
    phase_ = Phase::kClientFinal;
    ask(server_first_);
  }

  /// RFC 5802 §6: which flags may come with which variant, and what the client must send back in "c=".
  bool take_binding(const ScramClientFirst& first) {
    const bool wants_binding = first.flag == ChannelBindingFlag::kUsed;
    if (wants_binding != (variant_ == ScramVariant::kPlus))
      return reject("channel binding flag does not fit the mechanism"), false;
    if (first.flag == ChannelBindingFlag::kClientThinksNone && has_binding(facts())) {
      return reject("downgrade: -PLUS was announced"), false;
    }
    const std::string_view data = binding_data(facts(), first.binding_name);
    if (wants_binding && data.empty()) return reject("channel binding type not available"), false;
    expected_binding_.assign(first.gs2_header).append(data);
    return true;
  }

  void on_client_final(std::string_view message) {
    const auto final = parse_client_final(message);
    if (!final) return reject("malformed");
    if (final->nonce != nonce_) return reject("nonce differs");
    if (!equal_in_constant_time(final->channel_binding, expected_binding_)) return reject_wrong("channel binding differs", 0);
    // WHY: exchanges begun beside this one may have failed meanwhile.
    if (!is_admitted()) return;
    const std::string auth_message = make_auth_message(client_first_bare_, server_first_, final->without_proof);
    const bool is_right = is_valid_proof(keys_, auth_message, final->proof) && has_keys_;
    used_ = find_app_password(auth_message, final->proof);
    if (!is_right && !used_) return reject_wrong(credentials() ? "wrong password" : "unknown user", 0);
    if (credentials()->is_disabled) return finish(LoginVerdict::kDisabled, "account disabled");
    phase_ = Phase::kAcknowledge;
    ask(make_server_final(used_ ? used_->scram : keys_, auth_message));
  }

  /// The keys whose salt and iterations the client is told. The other passwords of the account have the same, so that one
  /// exchange fits them all: the proof tells which it is.
  void find_keys() {
    const Credentials* user = credentials();
    const bool has_main = user && user->scram.iterations != 0;
    if (has_main) keys_ = user->scram;
    for (const AppCredential& password : app_passwords()) {
      if (keys_.iterations == 0 && password.scram.iterations != 0) keys_ = password.scram;
    }
    has_keys_ = has_main && !needs_app_password();
    if (keys_.iterations == 0) keys_ = context().make_fake_keys(key_login());
  }
  const AppCredential* find_app_password(std::string_view auth_message, std::string_view proof) const {
    const AppCredential* found = nullptr;
    for (const AppCredential& password : app_passwords()) {
      const ScramKeys& keys = password.scram;
      if (keys.iterations != keys_.iterations || keys.salt != keys_.salt || !is_valid_here(password)) continue;
      if (is_valid_proof(keys, auth_message, proof)) found = &password;
    }
    return found;
  }

  const ScramVariant variant_;
  Phase phase_ = Phase::kClientFirst;
  bool has_keys_ = false;
  const AppCredential* used_ = nullptr;
  ScramKeys keys_;
  std::string nonce_, client_first_bare_, server_first_, expected_binding_;
};

}  // namespace

std::unique_ptr<LoginExchange> make_scram_attempt(LoginContext& context, LoginFacts facts, ScramVariant variant,
                                                  std::optional<std::string_view> initial_response) {
  auto attempt = std::make_unique<ScramAttempt>(context, std::move(facts), variant);
  if (initial_response) attempt->respond(*initial_response);
  return attempt;
}

}  // namespace posthus::sasl
