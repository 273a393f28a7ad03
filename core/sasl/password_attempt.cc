// Logins that send the password: PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login, obsolete but what many devices
// speak), and begin_password(). Unknown users cost the same evaluation as known ones.
#include "core/base/ascii.h"
#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/sasl/login_attempt.h"
#include "core/sasl/saslprep.h"

namespace posthus::sasl {
namespace {

class PasswordAttempt : public LoginAttempt {
 public:
  using LoginAttempt::LoginAttempt;
  void respond(std::string_view) override { reject("malformed"); }

  void submit(std::string_view typed_login, std::string_view typed_password) {
    if (typed_login.size() > kMaxPreparedText || typed_password.size() > kMaxPreparedText) return reject("malformed");
    password_ = Secret(prepare_password(typed_password));
    if (!identify(typed_login)) return;
    if (const AppCredential* app = find_app_password()) return conclude_with(*app);
    if (is_cached()) return conclude();
    await_verification();
  }

  void verify() override {
    if (state() != State::kVerify) return;
    const bool is_known_user = credentials() != nullptr;
    const auto stored = is_known_user ? parse_phc(credentials()->password_hash) : std::nullopt;
    const Argon2Hash& hash = stored ? *stored : context().nobody_hash;
    const EvaluationPlace place(hash);
    // WHY: attempts that waited beside this one may have failed meanwhile (guesses sent all at once), or succeeded (a
    // client that opens ten connections).
    if (!is_admitted()) return;
    if (is_cached()) return conclude();
    const auto computed = evaluate(place, hash, password_.reveal());
    if (!computed) return finish(LoginVerdict::kUnavailable, "out of memory");
    const bool is_right = equal_in_constant_time(*computed, hash.hash);
    if (!stored || !is_right || password_.empty()) {
      return reject_wrong(is_known_user ? "wrong password" : "unknown user", fingerprint());
    }
    // WHY it counts as a wrong one, and costs as much: else the answer would tell a guesser that he has found the password.
    if (needs_app_password()) return reject_wrong("an app password is needed", fingerprint());
    context().cache.remember(key_login(), credentials()->password_hash, password_.reveal());
    password_.wipe();
    conclude();
  }

 private:
  /// The app password that was typed, if it is one for this protocol. All are compared, whichever it is. WHY no slow hash: it has
  /// 100 random bits.
  const AppCredential* find_app_password() {
    if (app_passwords().empty()) return nullptr;
    std::string text = app_password_text(password_.reveal());
    const Sha256Digest digest = sha256(text);
    wipe(text);
    const AppCredential* found = nullptr;
    for (const AppCredential& password : app_passwords()) {
      if (equal_in_constant_time(password.secret_hash, as_view(digest)) && is_valid_here(password)) found = &password;
    }
    return found;
  }
  bool is_cached() {
    return credentials() != nullptr && !credentials()->password_hash.empty() && !needs_app_password() &&
           context().cache.knows(key_login(), credentials()->password_hash, password_.reveal());
  }
  std::uint64_t fingerprint() { return ByteReader(hmac_sha256(context().key, password_.reveal())).u64() | 1; }

  Secret password_;
};

class PlainAttempt final : public PasswordAttempt {
 public:
  PlainAttempt(LoginContext& context, LoginFacts facts) : PasswordAttempt(context, "PLAIN", std::move(facts)) { ask({}); }

  // message = [authzid] UTF8NUL authcid UTF8NUL passwd
  void respond(std::string_view message) override {
    const std::size_t first = message.find('\0');
    const std::size_t second = first == std::string_view::npos ? first : message.find('\0', first + 1);
    if (message.size() > kMaxResponse || second == std::string_view::npos) return reject("malformed");
    const std::string_view authzid = message.substr(0, first);
    const std::string_view authcid = message.substr(first + 1, second - first - 1);
    const std::string_view passwd = message.substr(second + 1);
    if (authcid.empty() || passwd.empty() || passwd.find('\0') != std::string_view::npos) return reject("malformed");
    // Nobody acts for somebody else here.
    if (!authzid.empty() && !ascii::equal_ignoring_case(authzid, authcid)) return reject("authorization identity differs");
    submit(authcid, passwd);
  }
};

class LoginMechanismAttempt final : public PasswordAttempt {
 public:
  LoginMechanismAttempt(LoginContext& context, LoginFacts facts) : PasswordAttempt(context, "LOGIN", std::move(facts)) {
    ask("Username:");
  }

  void respond(std::string_view text) override {
    if (text.empty() || text.size() > kMaxPreparedText || text.find('\0') != std::string_view::npos) return reject("malformed");
    if (user_.empty()) {
      user_ = text;
      return ask("Password:");
    }
    submit(user_, text);
  }

 private:
  std::string user_;
};

}  // namespace

std::unique_ptr<LoginExchange> make_plain_attempt(LoginContext& context, LoginFacts facts,
                                                  std::optional<std::string_view> initial_response) {
  auto attempt = std::make_unique<PlainAttempt>(context, std::move(facts));
  if (initial_response) attempt->respond(*initial_response);
  return attempt;
}

std::unique_ptr<LoginExchange> make_login_attempt(LoginContext& context, LoginFacts facts,
                                                  std::optional<std::string_view> initial_response) {
  auto attempt = std::make_unique<LoginMechanismAttempt>(context, std::move(facts));
  if (initial_response) attempt->respond(*initial_response);
  return attempt;
}

std::unique_ptr<LoginExchange> make_password_attempt(LoginContext& context, LoginFacts facts, std::string_view login,
                                                     Secret password) {
  auto attempt = std::make_unique<PasswordAttempt>(context, "password", std::move(facts));
  attempt->submit(login, password.reveal());
  return attempt;
}

}  // namespace posthus::sasl
