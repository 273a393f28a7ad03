// CAPABILITY (RFC 9051 §6.1.1).
#include "imap/execution.h"

namespace posthus::imap {
namespace {

class Capability final : public Execution {
 public:
  Progress run(SessionState& state, session::Output& out) override {
    out.append("* ").append(capabilities(state)).append("\r\n");
    return Progress::kDone;
  }
};

}  // namespace

Making make_capability(SessionState&, Arguments, Numbers) { return std::make_unique<Capability>(); }

}  // namespace posthus::imap
