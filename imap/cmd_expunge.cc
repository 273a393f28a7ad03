// EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9). The EXPUNGE responses are the updates after the command.
#include "imap/execution.h"
#include "imap/mailbox_place.h"

namespace posthus::imap {
namespace {

class ExpungeCommand final : public Execution {
 public:
  explicit ExpungeCommand(ExpungeArguments arguments) : arguments_(std::move(arguments)) {}

  Progress run(SessionState& state, session::Output&) override {
    if (is_written_) return outcome ? Progress::kDone : failed(outcome.error(), "Cannot remove the messages");
    if (state.selected->is_read_only()) return done(read_only_refusal(state));
    store::UidSet uids;
    if (arguments_.uids) {
      const auto resolved = state.selected->resolve(*arguments_.uids, Numbers::kUid);
      if (!resolved) return done("BAD " + resolved.error().context);
      uids = *resolved;
    } else if (state.selected->map().size() > 0) {
      uids = {{Uid{1}, state.selected->map().largest()}};
    }
    if (uids.empty()) return Progress::kDone;
    is_written_ = true;
    return write(store::Expunge{.mailbox = state.selected->mailbox(), .uids = std::move(uids)});
  }

 private:
  const ExpungeArguments arguments_;
  bool is_written_ = false;
};

}  // namespace

Making make_expunge(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<ExpungeCommand>(std::get<ExpungeArguments>(std::move(arguments)));
}

}  // namespace posthus::imap
