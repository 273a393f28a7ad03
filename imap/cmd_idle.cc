// IDLE (RFC 9051 §6.3.13). The change hub wakes the session, which then writes the same updates as NOOP.
#include "core/base/ascii.h"
#include "imap/execution.h"

namespace posthus::imap {
namespace {

class Idle final : public Execution {
 public:
  Progress run(SessionState& state, session::Output& out) override {
    if (!has_begun_) {
      has_begun_ = true;
      out.append("+ idling\r\n");
      if (state.selected) {
        // Before the first look at the store: a change in between is then seen or announced, never lost.
        watch_ = state.context.store.changes().watch(state.selected->mailbox(), [waker = state.waker] { waker.wake(); });
      }
    }
    const Progress updates = write_updates(state, out, Expunges::kReport, told);
    return updates == Progress::kDone ? Progress::kIdle : updates;
  }

  Progress on_line(SessionState&, std::string_view line, session::Output&) override {
    watch_ = {};
    if (!ascii::equal_ignoring_case(ascii::trim(line), "DONE")) return done("BAD Expected DONE");
    return Progress::kDone;
  }

 private:
  bool has_begun_ = false;
  store::ChangeHub::Watch watch_;
};

}  // namespace

Making make_idle(SessionState&, Arguments, Numbers) { return std::make_unique<Idle>(); }

}  // namespace posthus::imap
