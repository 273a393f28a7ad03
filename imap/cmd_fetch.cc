// FETCH and UID FETCH (RFC 9051 §6.4.5). \Seen is set before the bodies are sent, with one request for the whole set.
// Known limit: a client that goes away in the middle finds messages \Seen that it did not get.
#include <algorithm>

#include "imap/execution.h"
#include "imap/fetch_writer.h"

namespace posthus::imap {
namespace {

class Fetch final : public Execution {
 public:
  Fetch(FetchArguments arguments, Numbers numbers) : arguments_(std::move(arguments)), numbers_(numbers) {}

  session::RunCost cost() const override { return cost_; }
  bool is_mid_response() const override { return writer_ && writer_->is_mid_response(); }

  Progress run(SessionState& state, session::Output& out) override {
    switch (phase_) {
      case Phase::kPlan: return plan(state);
      case Phase::kSeen: return mark_seen(state);
      case Phase::kWrite: break;
    }
    if (!told.uids.empty() && outcome && told.until == ModSeq{}) told.until = outcome->modseq;
    const auto chunk = writer_->write(state, out);
    if (chunk) return *chunk == FetchWriter::Chunk::kMore ? Progress::kMore : finish();
    if (!writer_->is_mid_response()) return failed(chunk.error(), "Cannot read the messages");
    // The client waits for bytes of a literal that cannot be had: nothing can be said any more.
    return Progress::kClose;
  }

 private:
  enum class Phase : std::uint8_t { kPlan, kSeen, kWrite };

  Progress plan(SessionState& state) {
    auto uids = state.selected->resolve(arguments_.set, numbers_);
    if (!uids) return done("BAD " + uids.error().context);
    if (uids->empty()) return Progress::kDone;
    uids_ = std::move(*uids);
    auto& items = arguments_.items;
    const auto has = [&items](FetchKind kind) {
      return std::any_of(items.begin(), items.end(), [kind](const FetchItem& item) { return item.kind == kind; });
    };
    // RFC 9051 §6.4.9: UID FETCH answers with the UID whether it was asked for or not.
    if (numbers_ == Numbers::kUid && !has(FetchKind::kUid)) items.insert(items.begin(), item(FetchKind::kUid, "UID"));
    const bool sets_seen = !state.selected->is_read_only() &&
                           std::any_of(items.begin(), items.end(), [](const FetchItem& fetched) { return fetched.sets_seen; });
    cost_ = is_brief(state) ? session::RunCost::kBrief : session::RunCost::kBlocking;
    phase_ = sets_seen ? Phase::kSeen : Phase::kWrite;
    if (!sets_seen) writer_.emplace(uids_, items);
    return Progress::kMore;
  }

  static FetchItem item(FetchKind kind, std::string_view label) {
    FetchItem made;
    made.kind = kind;
    made.label = label;
    return made;
  }

  bool is_brief(SessionState& state) const {
    if (count(uids_) > kBriefMessages) return false;
    if (!may_read_text(arguments_.items)) return true;
    const auto snapshot = state.context.store.snapshot();
    if (!snapshot) return true;
    const auto reader = store::MailboxReader::open(**snapshot, state.selected->mailbox());
    if (!reader) return true;
    std::uint64_t bytes = 0;
    for (const auto& range : uids_) {
      const auto visited = reader->for_each(range.first, range.last, [&bytes](const store::MessageRecord& message) {
        bytes += message.size;
        return store::Visit::kContinue;
      });
      if (!visited) return true;
    }
    return bytes <= kBriefBytes;
  }

  /// RFC 9051 §6.4.5: fetching a body sets \Seen; only those are written that do not have it.
  Progress mark_seen(SessionState& state) {
    phase_ = Phase::kWrite;
    const auto unseen = find_unseen(state);
    // Without the flag the messages can be read all the same.
    if (unseen && !unseen->empty()) {
      const bool has_flags = std::any_of(arguments_.items.begin(), arguments_.items.end(),
                                         [](const FetchItem& fetched) { return fetched.kind == FetchKind::kFlags; });
      if (!has_flags) arguments_.items.push_back(item(FetchKind::kFlags, "FLAGS"));
      told.uids = *unseen;
    }
    writer_.emplace(uids_, arguments_.items);
    if (told.uids.empty()) return Progress::kMore;
    return write(store::ChangeFlags{
        .mailbox = state.selected->mailbox(), .uids = told.uids, .change = store::FlagChange::kAdd, .flags = store::flag::kSeen});
  }

  Result<store::UidSet> find_unseen(SessionState& state) const {
    store::UidSet unseen;
    const auto snapshot = POSTHUS_TRY(state.context.store.snapshot());
    const auto reader = POSTHUS_TRY(store::MailboxReader::open(*snapshot, state.selected->mailbox()));
    if (reader.record().unseen == 0) return unseen;
    for (const auto& range : uids_) {
      POSTHUS_TRY_VOID(reader.for_each(range.first, range.last, [&unseen](const store::MessageRecord& message) {
        if (!(message.flags & store::flag::kSeen)) append_uid(unseen, message.uid);
        return store::Visit::kContinue;
      }));
    }
    return unseen;
  }

  Progress finish() {
    if (writer_->has_unknown_encoding()) return done("NO [UNKNOWN-CTE] A part has an unknown transfer encoding");
    if (writer_->has_failures()) return done("NO [SERVERBUG] Some messages could not be read");
    // RFC 2180 §4.1.2, RFC 5530 §3: those that are gone are passed over; their EXPUNGE follows when it may.
    if (writer_->has_expunged() && numbers_ == Numbers::kSequence) {
      return done("NO [EXPUNGEISSUED] Some of the messages no longer exist");
    }
    return Progress::kDone;
  }

  FetchArguments arguments_;
  const Numbers numbers_;
  session::RunCost cost_ = session::RunCost::kBrief;
  Phase phase_ = Phase::kPlan;
  store::UidSet uids_;
  std::optional<FetchWriter> writer_;
};

}  // namespace

Making make_fetch(SessionState&, Arguments arguments, Numbers numbers) {
  return std::make_unique<Fetch>(std::get<FetchArguments>(std::move(arguments)), numbers);
}

}  // namespace posthus::imap
