// DELETE (RFC 9051 §6.3.5). A mailbox with inferiors is kept (HASCHILDREN).
#include "imap/execution.h"
#include "imap/mailbox_place.h"

namespace posthus::imap {
namespace {

class Delete final : public Execution {
 public:
  explicit Delete(MailboxArgument mailbox) : mailbox_(std::move(mailbox)) {}

  Progress run(SessionState& state, session::Output& out) override {
    if (is_written_) return written(state, out);
    const auto found = look_up_mailbox(state, mailbox_.name);
    if (!found) return failed(found.error(), "Cannot delete the mailbox");
    if (!*found) return done("NO [NONEXISTENT] No such mailbox");
    if (!(*found)->may_change()) return done(kMayNotChange);
    const auto place = find_place(state, mailbox_.name);
    if (!place || !*place) return done("NO [NONEXISTENT] No such mailbox");
    id_ = (*found)->mailbox;
    is_written_ = true;
    return write(store::DeleteMailbox{.account = (*place)->account, .name = (*place)->name});
  }

 private:
  Progress written(SessionState& state, session::Output& out) {
    if (!outcome && outcome.error().kind == ErrorKind::kExists) return done("NO [HASCHILDREN] The mailbox has inferior names");
    if (!outcome && outcome.error().kind == ErrorKind::kDenied) return done("NO [CANNOT] INBOX cannot be deleted");
    if (!outcome) return failed(outcome.error(), "Cannot delete the mailbox");
    if (state.selected && state.selected->mailbox() == id_) {
      state.selected.reset();
      out.append("* OK [CLOSED] The selected mailbox was deleted\r\n");
    }
    if (state.is_rev2 && mailbox_.written != mailbox_.name) {
      append_list_response(out, "\\NonExistent", mailbox_.name, mailbox_.written, state.name_form());
    }
    return Progress::kDone;
  }

  const MailboxArgument mailbox_;
  MailboxId id_;
  bool is_written_ = false;
};

}  // namespace

Making make_delete(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<Delete>(std::get<MailboxArgument>(std::move(arguments)));
}

}  // namespace posthus::imap
