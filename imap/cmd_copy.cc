// COPY, MOVE and their UID forms (RFC 9051 §6.4.7, §6.4.8, COPYUID of §7.1).
#include "imap/execution.h"
#include "imap/mailbox_place.h"

namespace posthus::imap {
namespace {

enum class Transfer : bool { kCopy, kMove };

class CopyCommand final : public Execution {
 public:
  CopyCommand(CopyArguments arguments, Numbers numbers, Transfer transfer)
      : arguments_(std::move(arguments)), numbers_(numbers), transfer_(transfer) {}

  Progress run(SessionState& state, session::Output& out) override {
    if (is_written_) return written(out);
    if (transfer_ == Transfer::kMove && state.selected->is_read_only()) return done(read_only_refusal(state));
    auto uids = state.selected->resolve(arguments_.set, numbers_);
    if (!uids) return done("BAD " + uids.error().context);
    const auto destination = look_up_mailbox(state, arguments_.mailbox.name);
    if (!destination) return failed(destination.error(), "Cannot look up the mailbox");
    if (!*destination) return done(kNoMailbox);
    if (!(*destination)->may_change()) return done(kMayNotChange);
    if (uids->empty()) return Progress::kDone;
    is_written_ = true;
    return write(store::CopyMessages{.source = state.selected->mailbox(),
                                     .uids = std::move(*uids),
                                     .destination = (*destination)->mailbox,
                                     .is_move = transfer_ == Transfer::kMove,
                                     .reach = (*destination)->owner == state.selected->owner()
                                                  ? store::CopyReach::kOneAccount
                                                  : store::CopyReach::kAcrossAccounts});
  }

 private:
  Progress written(session::Output& out) {
    if (!outcome && outcome.error().kind == ErrorKind::kNotFound) return done(kNoMailbox);
    if (!outcome) return failed(outcome.error(), "Cannot copy the messages");
    if (outcome->added.empty()) return Progress::kDone;
    std::string code = "[COPYUID ";
    append_number(code, outcome->added.front().uid_validity);
    code.push_back(' ');
    append_uid_set(code, outcome->uids);
    code.push_back(' ');
    store::UidSet copies;
    for (const auto& message : outcome->added) append_uid(copies, message.uid);
    append_uid_set(code, copies);
    code.append("] ");
    if (transfer_ == Transfer::kCopy) return done("OK " + code + "COPY completed");
    // RFC 9051 §6.4.8: in an untagged OK, before the EXPUNGE responses.
    out.append("* OK ").append(code).append("Moved\r\n");
    return Progress::kDone;
  }

  static constexpr const char* kNoMailbox = "NO [TRYCREATE] No such mailbox";
  CopyArguments arguments_;
  const Numbers numbers_;
  const Transfer transfer_;
  bool is_written_ = false;
};

}  // namespace

Making make_copy(SessionState&, Arguments arguments, Numbers numbers) {
  return std::make_unique<CopyCommand>(std::get<CopyArguments>(std::move(arguments)), numbers, Transfer::kCopy);
}

Making make_move(SessionState&, Arguments arguments, Numbers numbers) {
  return std::make_unique<CopyCommand>(std::get<CopyArguments>(std::move(arguments)), numbers, Transfer::kMove);
}

}  // namespace posthus::imap
