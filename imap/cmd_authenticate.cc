// AUTHENTICATE with an initial response (RFC 9051 §6.2.2; SASL-IR, RFC 4959).
#include "core/base/base64.h"
#include "imap/login_facts.h"
#include "imap/login_run.h"

namespace posthus::imap {
namespace {

class Authenticate final : public LoginRun {
 public:
  explicit Authenticate(AuthenticateArguments arguments) : arguments_(std::move(arguments)) {}

 protected:
  Progress begin(SessionState& state) override {
    if (!may_log_in(state)) return done("NO [PRIVACYREQUIRED] AUTHENTICATE needs TLS");
    std::optional<std::string> initial;
    if (arguments_.initial_response) {
      initial = *arguments_.initial_response == "=" ? std::string() : base64_decode(*arguments_.initial_response);
      if (!initial) return done("BAD Initial response is not base64");
    }
    exchange_ = state.context.authenticator.begin(
        arguments_.mechanism, initial ? std::optional<std::string_view>(*initial) : std::nullopt, login_facts(state));
    if (!exchange_) return done("NO [CANNOT] Mechanism is not supported");
    return Progress::kMore;
  }

 private:
  AuthenticateArguments arguments_;
};

}  // namespace

Making make_authenticate(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<Authenticate>(std::get<AuthenticateArguments>(std::move(arguments)));
}

}  // namespace posthus::imap
