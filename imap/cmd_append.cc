// APPEND (RFC 9051 §6.3.12, APPENDUID of §7.1; LITERAL+, RFC 7888). The message streams into the store as it arrives.
// Known limit: one message per command (MULTIAPPEND, RFC 3502, is not announced).
#include "imap/execution.h"
#include "imap/mailbox_place.h"

namespace posthus::imap {
namespace {

class Append final : public Execution {
 public:
  Append(AppendArguments arguments, std::uint64_t size, Synchronizing literal)
      : arguments_(std::move(arguments)), size_(size), literal_(literal) {}

  session::RunCost cost() const override {
    // Ending a spooled message syncs its file.
    const bool may_block = phase_ == Phase::kReceived && size_ > store::kSpoolThreshold;
    return may_block ? session::RunCost::kBlocking : session::RunCost::kBrief;
  }

  Progress run(SessionState& state, session::Output& out) override {
    switch (phase_) {
      case Phase::kBegin: return begin(state, out);
      case Phase::kReceived: return received(state);
      case Phase::kWritten: break;
    }
    return written();
  }

  void on_bytes(std::string_view bytes) override {
    if (!message_ || !received_) return;
    received_ = message_->append(bytes);
    if (!received_) message_.reset();
  }

 private:
  enum class Phase : std::uint8_t { kBegin, kReceived, kWritten };

  Progress begin(SessionState& state, session::Output& out) {
    phase_ = Phase::kReceived;
    const auto mailbox = look_up_mailbox(state, arguments_.mailbox.name);
    if (!mailbox) {
      failed(mailbox.error(), "Cannot look up the mailbox");
    } else if (!*mailbox) {
      tagged = kNoMailbox;
    } else if (!(*mailbox)->may_change()) {
      tagged = kMayNotChange;
    } else if (size_ > state.context.max_message_bytes) {
      tagged = "NO [TOOBIG] The message is too large";
    } else if (size_ == 0) {
      tagged = "NO [CANNOT] An empty message cannot be stored";
    } else {
      mailbox_ = (*mailbox)->mailbox;
      message_ = state.context.store.begin_message();
    }
    literal_left = size_;
    if (message_) {
      if (literal_ == Synchronizing::kYes) out.append("+ Ready for the message\r\n");
      return Progress::kLiteral;
    }
    if (literal_ == Synchronizing::kYes) return Progress::kDone;  // the client will not send it
    if (size_ <= kMaxDiscardedLiteral) return Progress::kLiteral;
    out.append("* BYE [TOOBIG] Literal is too large\r\n");
    tagged.clear();
    return Progress::kClose;
  }

  Progress received(SessionState& state) {
    if (!tagged.empty()) return Progress::kDone;
    if (received_) received_ = message_->finish();
    if (!received_) return failed(received_.error(), "Cannot store the message");
    phase_ = Phase::kWritten;
    store::AddMessage add{.message = std::move(*message_)};
    message_.reset();
    add.targets.push_back(
        {.mailbox = mailbox_, .flags = arguments_.flags.flags, .keywords = std::move(arguments_.flags.keywords)});
    add.quota = store::QuotaRule::kStrict;
    add.internal_date = arguments_.internal_date.value_or(Timestamp::from_seconds(state.context.clock.now().seconds()));
    return write(std::move(add));
  }

  Progress written() {
    if (!outcome && outcome.error().kind == ErrorKind::kNotFound) return done(kNoMailbox);
    if (!outcome) return failed(outcome.error(), "Cannot store the message");
    tagged = "OK [APPENDUID ";
    append_number(tagged, outcome->added.front().uid_validity);
    tagged.push_back(' ');
    append_number(tagged, outcome->added.front().uid.value);
    tagged.append("] APPEND completed");
    return Progress::kDone;
  }

  static constexpr const char* kNoMailbox = "NO [TRYCREATE] No such mailbox";
  AppendArguments arguments_;
  const std::uint64_t size_;
  const Synchronizing literal_;
  Phase phase_ = Phase::kBegin;
  MailboxId mailbox_;
  std::optional<store::IncomingMessage> message_;
  Result<> received_;
};

}  // namespace

Making make_append(AppendArguments arguments, std::uint64_t size, Synchronizing literal) {
  return std::make_unique<Append>(std::move(arguments), size, literal);
}

}  // namespace posthus::imap
