// RENAME (RFC 9051 §6.3.6). Renaming INBOX moves its messages; the store does that.
#include "imap/execution.h"
#include "imap/mailbox_name.h"

namespace posthus::imap {
namespace {

class Rename final : public Execution {
 public:
  explicit Rename(RenameArguments arguments) : arguments_(std::move(arguments)) {}

  Progress run(SessionState& state, session::Output& out) override {
    if (!is_written_) {
      is_written_ = true;
      to_ = arguments_.to.name;
      if (to_.ends_with(kHierarchySeparator)) to_.pop_back();
      return write(store::RenameMailbox{.account = state.account, .from = arguments_.from.name, .to = to_});
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
