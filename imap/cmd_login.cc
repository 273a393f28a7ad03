// LOGIN (RFC 9051 §6.2.3).
#include "imap/login_facts.h"
#include "imap/login_run.h"

namespace posthus::imap {
namespace {

class Login final : public LoginRun {
 public:
  explicit Login(LoginArguments arguments) : arguments_(std::move(arguments)) {}

 protected:
  Progress begin(SessionState& state) override {
    if (!may_log_in(state)) return done("NO [PRIVACYREQUIRED] LOGIN needs TLS");
    exchange_ = state.context.authenticator.begin_password(arguments_.user, std::move(arguments_.password), login_facts(state));
    return Progress::kMore;
  }

 private:
  LoginArguments arguments_;
};

}  // namespace

Making make_login(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<Login>(std::get<LoginArguments>(std::move(arguments)));
}

}  // namespace posthus::imap
