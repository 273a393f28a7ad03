// SEARCH and UID SEARCH (RFC 9051 §6.4.4; ESEARCH, RFC 4731; SEARCHRES, RFC 5182; SEARCH responses of RFC 3501 §7.2.5).
// Lets go of its snapshot after every slice, so a search through bodies holds nothing up.
#include <algorithm>

#include "imap/execution.h"
#include "imap/message_matcher.h"

namespace posthus::imap {
namespace {

class Search final : public Execution {
 public:
  Search(SearchProgram program, Numbers numbers) : program_(std::move(program)), numbers_(numbers) {}

  session::RunCost cost() const override { return cost_; }

  Progress run(SessionState& state, session::Output& out) override {
    if (!matcher_) {
      if (program_.has_unknown_charset) return refuse(state, "NO [BADCHARSET (UTF-8 US-ASCII)] Charset is not supported");
      auto matcher = MessageMatcher::create(program_, *state.selected);
      if (!matcher) return done("BAD " + matcher.error().context);
      matcher_.emplace(std::move(*matcher));
      last_ = state.selected->map().largest();
      const bool is_quick = program_.root.cost < SearchKeyKind::kSentBefore && state.selected->map().size() < 10'000;
      cost_ = is_quick ? session::RunCost::kBrief : session::RunCost::kBlocking;
      return Progress::kMore;
    }
    const auto progress = slice(state);
    if (!progress) {
      if (program_.options.save) state.selected->save_result({});
      return failed(progress.error(), "Cannot search the mailbox");
    }
    if (*progress == Progress::kMore) return Progress::kMore;
    answer(state, out);
    return Progress::kDone;
  }

 private:
  Progress refuse(SessionState& state, std::string_view text) {
    // RFC 9051 §6.4.4.1: NO empties the saved result.
    if (program_.options.save) state.selected->save_result({});
    return done(std::string(text));
  }

  Result<Progress> slice(SessionState& state) {
    if (last_ < next_) return Progress::kDone;
    const auto snapshot = POSTHUS_TRY(state.context.store.snapshot());
    const auto reader = POSTHUS_TRY(store::MailboxReader::open(*snapshot, state.selected->mailbox()));
    const auto keywords = POSTHUS_TRY(reader.keywords());
    matcher_->set_keywords(keywords);
    const std::uint64_t bytes_before = matcher_->bytes_read();
    std::size_t messages = 0;
    auto progress = Progress::kDone;
    Result<> result;
    POSTHUS_TRY_VOID(reader.for_each(next_, last_, [&](const store::MessageRecord& record) {
      if (!state.selected->map().sequence_of(record.uid)) return store::Visit::kContinue;
      MessageSource source(state.context.store, *snapshot, reader, record);
      const auto matches = matcher_->matches(source);
      if (!matches) {
        result = std::unexpected(matches.error());
        return store::Visit::kStop;
      }
      if (*matches) append_uid(found_, record.uid);
      next_ = Uid{record.uid.value + 1};
      if (++messages < kSearchSliceMessages && matcher_->bytes_read() - bytes_before < kSearchSliceBytes) return store::Visit::kContinue;
      progress = Progress::kMore;
      return store::Visit::kStop;
    }));
    POSTHUS_TRY_VOID(std::move(result));
    return progress;
  }

  void answer(SessionState& state, session::Output& out) {
    const auto& options = program_.options;
    if (options.save) state.selected->save_result(saved());
    const bool has_esearch = options.is_given || state.is_rev2;
    if (!has_esearch) return answer_search(state, out);
    if (options.is_given && !options.min && !options.max && !options.all && !options.count) return;  // SAVE alone
    answer_esearch(state, out);
  }

  /// RFC 9051 §6.4.4.1, table 4.
  store::UidSet saved() const {
    const auto& options = program_.options;
    if (options.all || options.count || (!options.min && !options.max) || found_.empty()) return found_;
    store::UidSet chosen;
    if (options.min) append_uid(chosen, found_.front().first);
    if (options.max && (chosen.empty() || chosen.back().last != found_.back().last)) append_uid(chosen, found_.back().last);
    return chosen;
  }

  std::uint32_t number_of(const SessionState& state, Uid uid) const {
    return numbers_ == Numbers::kUid ? uid.value : state.selected->map().sequence_of(uid).value_or(0);
  }

  void answer_search(const SessionState& state, session::Output& out) const {
    out.append("* SEARCH");
    for (const auto& range : found_) {
      for (std::uint64_t uid = range.first.value; uid <= range.last.value; ++uid) {
        out.push_back(' ');
        append_number(out, number_of(state, Uid{static_cast<std::uint32_t>(uid)}));
      }
    }
    out.append("\r\n");
  }

  /// The found messages as the command counts them.
  store::UidSet numbers(const SessionState& state) const {
    if (numbers_ == Numbers::kUid) return found_;
    store::UidSet sequence_numbers;
    for (const auto& range : found_) {
      // Uids next to each other have sequence numbers next to each other.
      const Uid first{number_of(state, range.first)}, last{number_of(state, range.last)};
      if (!sequence_numbers.empty() && sequence_numbers.back().last.value + 1 == first.value) {
        sequence_numbers.back().last = last;
      } else {
        sequence_numbers.push_back({first, last});
      }
    }
    return sequence_numbers;
  }

  // esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
  void answer_esearch(const SessionState& state, session::Output& out) const {
    const auto& options = program_.options;
    out.append("* ESEARCH (TAG ");
    append_quoted(out, state.running_tag);
    out.append(numbers_ == Numbers::kUid ? ") UID" : ")");
    const auto item = [&out](std::string_view name, std::uint64_t value) {
      out.append(name);
      append_number(out, value);
    };
    const bool has_any = !found_.empty();
    if (options.min && has_any) item(" MIN ", number_of(state, found_.front().first));
    if (options.max && has_any) item(" MAX ", number_of(state, found_.back().last));
    if ((options.all || !options.is_given) && has_any) {
      out.append(" ALL ");
      append_uid_set(out, numbers(state));
    }
    if (options.count) item(" COUNT ", count(found_));
    out.append("\r\n");
  }

  const SearchProgram program_;
  const Numbers numbers_;
  session::RunCost cost_ = session::RunCost::kBrief;
  std::optional<MessageMatcher> matcher_;
  Uid next_{1}, last_{0};
  store::UidSet found_;
};

}  // namespace

Making make_search(SessionState&, Arguments arguments, Numbers numbers) {
  return std::make_unique<Search>(std::get<SearchProgram>(std::move(arguments)), numbers);
}

}  // namespace posthus::imap
