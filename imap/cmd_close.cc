// CLOSE and UNSELECT (RFC 9051 §6.4.1, §6.4.2).
#include "imap/execution.h"

namespace posthus::imap {
namespace {

class Close final : public Execution {
 public:
  Progress run(SessionState& state, session::Output&) override {
    if (is_written_ || state.selected->is_read_only() || state.selected->map().size() == 0) {
      leave_mailbox(state);
      return is_written_ && !outcome && outcome.error().kind != ErrorKind::kNotFound
                 ? failed(outcome.error(), "Closed, but deleted messages could not be removed")
                 : Progress::kDone;
    }
    is_written_ = true;
    // Only messages this session knows of: a message marked deleted on arrival is not the client's to lose.
    const Uid last = state.selected->map().largest();
    return write(store::Expunge{.mailbox = state.selected->mailbox(), .uids = {{Uid{1}, last}}});
  }

 private:
  bool is_written_ = false;
};

class Unselect final : public Execution {
 public:
  Progress run(SessionState& state, session::Output&) override {
    leave_mailbox(state);
    return Progress::kDone;
  }
};

}  // namespace

Making make_close(SessionState&, Arguments, Numbers) { return std::make_unique<Close>(); }
Making make_unselect(SessionState&, Arguments, Numbers) { return std::make_unique<Unselect>(); }

}  // namespace posthus::imap
