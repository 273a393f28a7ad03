// SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.7, §6.3.8). Names that do not exist may be subscribed to.
#include "imap/execution.h"

namespace posthus::imap {
namespace {

class Subscribe final : public Execution {
 public:
  Subscribe(MailboxArgument mailbox, bool is_subscribed) : mailbox_(std::move(mailbox)), is_subscribed_(is_subscribed) {}

  Progress run(SessionState& state, session::Output&) override {
    if (!is_written_) {
      is_written_ = true;
      return write(store::SetSubscription{.account = state.account, .name = mailbox_.name, .is_subscribed = is_subscribed_});
    }
    return outcome ? Progress::kDone : failed(outcome.error(), "Cannot change the subscription");
  }

 private:
  const MailboxArgument mailbox_;
  const bool is_subscribed_;
  bool is_written_ = false;
};

}  // namespace

Making make_subscribe(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<Subscribe>(std::get<MailboxArgument>(std::move(arguments)), true);
}

Making make_unsubscribe(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<Subscribe>(std::get<MailboxArgument>(std::move(arguments)), false);
}

}  // namespace posthus::imap
