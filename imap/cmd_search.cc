// SEARCH and UID SEARCH (RFC 9051 §6.4.4; ESEARCH, RFC 4731; SEARCHRES, RFC 5182; SEARCH responses of RFC 3501 §7.2.5).
// Lets go of its snapshot after every slice, so a search through bodies holds nothing up; long answers come in chunks.
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
    if (is_answering_) return write_numbers(state, out);
    const auto progress = slice(state);
    if (!progress) {
      if (program_.options.save) state.selected->save_result({});
      return failed(progress.error(), "Cannot search the mailbox");
    }
    if (*progress == Progress::kMore) return Progress::kMore;
    return answer(state, out);
  }

  bool is_mid_response() const override { return is_answering_; }

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
      if (++messages < kSearchSliceMessages && matcher_->bytes_read() - bytes_before < kSearchSliceBytes)
        return store::Visit::kContinue;
      progress = Progress::kMore;
      return store::Visit::kStop;
    }));
    POSTHUS_TRY_VOID(std::move(result));
    return progress;
  }

  Progress answer(SessionState& state, session::Output& out) {
    const auto& options = program_.options;
    if (options.save) state.selected->save_result(saved());
    has_esearch_ = options.is_given || state.is_rev2;
    if (options.is_given && !options.min && !options.max && !options.all && !options.count) return Progress::kDone;  // SAVE alone
    if (has_esearch_) {
      begin_esearch(state, out);
    } else {
      out.append("* SEARCH");
    }
    is_answering_ = true;
    return write_numbers(state, out);
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

  /// The numbers of the answer, a chunk at a time: a hundred thousand hits with gaps are most of a megabyte.
  Progress write_numbers(const SessionState& state, session::Output& out) {
    const std::size_t before = out.size();
    const bool has_numbers = !has_esearch_ || program_.options.all || !program_.options.is_given;
    while (has_numbers && range_ < found_.size()) {
      if (out.size() - before >= kChunk) return Progress::kMore;
      if (has_esearch_) {
        write_run(state, out);
      } else {
        write_one(state, out);
      }
    }
    if (has_esearch_ && program_.options.count) {
      out.append(" COUNT ");
      append_number(out, count(found_));
    }
    out.append("\r\n");
    is_answering_ = false;
    return Progress::kDone;
  }

  /// The next number of a SEARCH response.
  void write_one(const SessionState& state, session::Output& out) {
    const Uid first = found_[range_].first, last = found_[range_].last;
    if (uid_ < first) uid_ = first;
    out.push_back(' ');
    append_number(out, number_of(state, uid_));
    if (uid_ == last) ++range_;
    uid_ = Uid{uid_.value + 1};  // past the last of all uids it is 0, and no range is left
  }

  /// The next run of an ESEARCH response. Uids next to each other have sequence numbers next to each other, and runs of
  /// uids with only strangers between them are one run of sequence numbers.
  void write_run(const SessionState& state, session::Output& out) {
    out.append(range_ == 0 ? " ALL " : ",");
    const std::uint32_t first = number_of(state, found_[range_].first);
    std::uint32_t last = number_of(state, found_[range_].last);
    for (++range_; range_ < found_.size() && number_of(state, found_[range_].first) == last + 1; ++range_) {
      last = number_of(state, found_[range_].last);
    }
    append_number(out, first);
    if (last == first) return;
    out.push_back(':');
    append_number(out, last);
  }

  // esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
  void begin_esearch(const SessionState& state, session::Output& out) const {
    const auto& options = program_.options;
    out.append("* ESEARCH (TAG ");
    append_quoted(out, state.running_tag);
    out.append(numbers_ == Numbers::kUid ? ") UID" : ")");
    const auto item = [&out](std::string_view name, std::uint64_t value) {
      out.append(name);
      append_number(out, value);
    };
    if (options.min && !found_.empty()) item(" MIN ", number_of(state, found_.front().first));
    if (options.max && !found_.empty()) item(" MAX ", number_of(state, found_.back().last));
  }

  const SearchProgram program_;
  const Numbers numbers_;
  session::RunCost cost_ = session::RunCost::kBrief;
  std::optional<MessageMatcher> matcher_;
  Uid next_{1}, last_{0};
  store::UidSet found_;
  bool is_answering_ = false, has_esearch_ = false;
  std::size_t range_ = 0;  // of found_: the next to write
  Uid uid_{0};             // in it, for SEARCH responses
};

}  // namespace

Making make_search(SessionState&, Arguments arguments, Numbers numbers) {
  return std::make_unique<Search>(std::get<SearchProgram>(std::move(arguments)), numbers);
}

}  // namespace posthus::imap
