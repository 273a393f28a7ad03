// LOGOUT (RFC 9051 §6.1.3).
#include "imap/execution.h"

namespace posthus::imap {
namespace {

class Logout final : public Execution {
 public:
  Progress run(SessionState& state, session::Output& out) override {
    leave_mailbox(state);
    out.append("* BYE Logging out\r\n");
    tagged = "OK LOGOUT completed";
    return Progress::kClose;
  }
};

}  // namespace

Making make_logout(SessionState&, Arguments, Numbers) { return std::make_unique<Logout>(); }

}  // namespace posthus::imap
