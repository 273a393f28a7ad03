// ENABLE (RFC 9051 §6.3.1). What can be enabled: IMAP4rev2.
#include "core/base/ascii.h"
#include "imap/execution.h"

namespace posthus::imap {
namespace {

class Enable final : public Execution {
 public:
  explicit Enable(EnableArguments arguments) : arguments_(std::move(arguments)) {}

  Progress run(SessionState& state, session::Output& out) override {
    out.append("* ENABLED");
    for (const auto& capability : arguments_.capabilities) {
      if (state.is_rev2 || !ascii::equal_ignoring_case(capability, "IMAP4rev2")) continue;
      state.is_rev2 = true;
      if (state.selected) state.selected->forget_recent();
      out.append(" IMAP4rev2");
    }
    out.append("\r\n");
    return Progress::kDone;
  }

 private:
  EnableArguments arguments_;
};

}  // namespace

Making make_enable(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<Enable>(std::get<EnableArguments>(std::move(arguments)));
}

}  // namespace posthus::imap
