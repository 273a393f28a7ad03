// STORE and UID STORE (RFC 9051 §6.4.6).
#include "imap/execution.h"
#include "imap/mailbox_place.h"

namespace posthus::imap {
namespace {

class StoreCommand final : public Execution {
 public:
  StoreCommand(StoreArguments arguments, Numbers numbers) : arguments_(std::move(arguments)), numbers_(numbers) {}

  session::RunCost cost() const override {
    return count(told.uids) > 10 * kBriefMessages ? session::RunCost::kBlocking : session::RunCost::kBrief;
  }

  Progress run(SessionState& state, session::Output& out) override {
    if (is_written_) return written(state, out);
    if (state.selected->is_read_only()) return done(read_only_refusal(state));
    auto uids = state.selected->resolve(arguments_.set, numbers_);
    if (!uids) return done("BAD " + uids.error().context);
    if (uids->empty()) return Progress::kDone;
    told.uids = std::move(*uids);
    next_ = told.uids.front().first;
    is_written_ = true;
    return write(store::ChangeFlags{.mailbox = state.selected->mailbox(),
                                    .uids = told.uids,
                                    .change = arguments_.change,
                                    .flags = arguments_.flags.flags,
                                    .keywords = std::move(arguments_.flags.keywords)});
  }

 private:
  Progress written(SessionState& state, session::Output& out) {
    if (!outcome && outcome.error().kind == ErrorKind::kTooLarge) {
      told = {};
      return done("NO [LIMIT] The mailbox has too many keywords");
    }
    if (!outcome) {
      told = {};
      return failed(outcome.error(), "Cannot change the flags");
    }
    if (arguments_.is_silent) {
      told.until = outcome->modseq;
      return Progress::kDone;
    }
    const auto progress = tell_flags(state, out);
    if (!progress) return failed(progress.error(), "Cannot read the flags");
    return *progress;
  }

  /// A FETCH response per message, a chunk at a time (RFC 9051 §6.4.6).
  Result<Progress> tell_flags(SessionState& state, session::Output& out) {
    const auto snapshot = POSTHUS_TRY(state.context.store.snapshot());
    const auto reader = POSTHUS_TRY(store::MailboxReader::open(*snapshot, state.selected->mailbox()));
    if (told.until == ModSeq{}) told.until = reader.record().highest_modseq;
    const auto keywords = POSTHUS_TRY(reader.keywords());
    if (keywords.size() > state.selected->keywords_told()) {
      append_flag_lists(out, keywords, false);
      state.selected->set_keywords_told(keywords.size());
    }
    bool is_full = false;
    for (const auto& range : told.uids) {
      if (range.last < next_) continue;
      POSTHUS_TRY_VOID(reader.for_each(std::max(range.first, next_), range.last, [&](const store::MessageRecord& message) {
        const auto sequence = state.selected->map().sequence_of(message.uid);
        if (sequence)
          append_flags_fetch(out, *sequence, message, keywords, !state.is_rev2 && state.selected->is_recent(message.uid));
        next_ = Uid{message.uid.value + 1};
        is_full = out.size() >= kChunk;
        return is_full ? store::Visit::kStop : store::Visit::kContinue;
      }));
      if (is_full) return Progress::kMore;
    }
    return Progress::kDone;
  }

  StoreArguments arguments_;
  const Numbers numbers_;
  bool is_written_ = false;
  Uid next_;
};

}  // namespace

Making make_store(SessionState&, Arguments arguments, Numbers numbers) {
  return std::make_unique<StoreCommand>(std::get<StoreArguments>(std::move(arguments)), numbers);
}

}  // namespace posthus::imap
