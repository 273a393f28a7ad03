// RENAME (RFC 9051 §6.3.6). Renaming INBOX moves its messages; the store does that.
#include "imap/execution.h"
#include "imap/mailbox_name.h"
#include "imap/mailbox_place.h"

namespace posthus::imap {
namespace {

class Rename final : public Execution {
 public:
  explicit Rename(RenameArguments arguments) : arguments_(std::move(arguments)) {}

  Progress run(SessionState& state, session::Output& out) override {
    if (!is_written_) {
      to_ = arguments_.to.name;
      if (to_.ends_with(kHierarchySeparator)) to_.pop_back();
      const auto from = find_place(state, arguments_.from.name), to = find_place(state, to_);
      if (!from || !to) return failed(from ? to.error() : from.error(), "Cannot rename the mailbox");
      if (!*from) return done("NO [NONEXISTENT] No such mailbox");
      if (!*to) return done(kNotYours);
      if ((*from)->access != MailboxAccess::kFull || (*to)->access != MailboxAccess::kFull) return done(kMayNotChange);
      if ((*from)->account != (*to)->account)
        return done("NO [CANNOT] A mailbox stays with its owner; copy the messages instead");
      is_written_ = true;
      return write(store::RenameMailbox{.account = (*from)->account, .from = (*from)->name, .to = (*to)->name});
    }
    if (!outcome) return failed(outcome.error(), "Cannot rename the mailbox");
    // RFC 9051 §6.3.9.7; INBOX stays, so it has no new name.
    if (state.is_rev2 && arguments_.from.name != "INBOX") {
      append_list_response(out, "", to_, arguments_.from.written, state.name_form());
    }
    return Progress::kDone;
  }

 private:
  const RenameArguments arguments_;
  std::string to_;
  bool is_written_ = false;
};

}  // namespace

Making make_rename(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<Rename>(std::get<RenameArguments>(std::move(arguments)));
}

}  // namespace posthus::imap
