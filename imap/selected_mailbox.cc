// SelectedMailbox. See selected_mailbox.h.
#include "imap/selected_mailbox.h"

#include <algorithm>

#include "imap/response_writer.h"

namespace posthus::imap {

SelectedMailbox::SelectedMailbox(const store::MailboxRecord& record, const store::UidSet& uids, Access access)
    : mailbox_(record.mailbox),
      owner_(record.account),
      uid_validity_(record.uid_validity),
      access_(access),
      map_(uids),
      uid_next_(record.uid_next),
      flags_seen_(record.highest_modseq),
      expunges_seen_(record.highest_modseq),
      recent_from_(record.uid_next > record.recent_from ? record.recent_from : record.uid_next),
      has_unclaimed_recent_(access == Access::kReadWrite && recent_count() > 0) {}

void SelectedMailbox::become_read_only() {
  access_ = Access::kReadOnly;
  has_unclaimed_recent_ = false;
}

std::uint32_t SelectedMailbox::recent_count() const {
  if (recent_from_.value == 0 || map_.largest() < recent_from_) return 0;
  const auto recent = intersection(map_.uids(), {{recent_from_, map_.largest()}});
  return static_cast<std::uint32_t>(count(recent));
}

Result<store::UidSet> SelectedMailbox::resolve(const SequenceSet& set, Numbers numbers) const {
  if (set.is_saved_result) return intersection(map_.uids(), saved_result_);
  if (numbers == Numbers::kUid) {
    // RFC 9051 §9, seq-number: "*" is the last message's uid or, in an empty mailbox, UIDNEXT.
    const std::uint32_t largest = map_.size() > 0 ? map_.largest().value : uid_next_.value;
    return intersection(map_.uids(), normalise(set, largest));
  }
  for (const auto& range : set.ranges) {
    // QUIRK(various): "1:*" in an empty mailbox and "N:*" behind the last message mean what is there.
    const bool has_star = range.first == SequenceSet::kLargest || range.last == SequenceSet::kLargest;
    if (!has_star && std::max(range.first, range.last) > map_.size()) return syntax_error("No such message sequence number");
  }
  return map_.uids_of(normalise(set, map_.size()));
}

Result<SelectedMailbox::Update> SelectedMailbox::update(const store::Snapshot& snapshot, std::string& out, std::size_t limit,
                                                        Expunges expunges, const ToldFlags& told, bool is_rev2) {
  const auto reader = POSTHUS_TRY(store::MailboxReader::open(snapshot, mailbox_));
  const auto& record = reader.record();
  const Output output{out, out.size() + limit};
  if (expunges == Expunges::kReport && expunges_seen_ < record.highest_modseq) {
    if (POSTHUS_TRY(report_expunges(reader, output)) == Update::kMore) return Update::kMore;
    expunges_seen_ = record.highest_modseq;
  }
  if (!flags_target_ && flags_seen_ < record.highest_modseq) {
    flags_target_ = record.highest_modseq;
    flags_next_ = Uid{1};
    flags_last_ = map_.largest();
  }
  if (record.uid_next > uid_next_) POSTHUS_TRY_VOID(report_new(reader, output, is_rev2));
  if (!flags_target_) return Update::kDone;
  if (POSTHUS_TRY(report_flags(reader, output, told, is_rev2)) == Update::kMore) return Update::kMore;
  flags_seen_ = *flags_target_;
  flags_target_.reset();
  return Update::kDone;
}

Result<SelectedMailbox::Update> SelectedMailbox::report_expunges(const store::MailboxReader& reader, Output out) {
  const auto vanished = POSTHUS_TRY(reader.vanished_since(expunges_seen_));
  const auto known = map_.uids();
  const auto gone = vanished ? intersection(known, *vanished) : difference(known, POSTHUS_TRY(reader.uids()));
  // From the highest down: no number told is moved by those told before it.
  store::UidSet told;
  bool is_cut = false;
  for (auto range = gone.rbegin(); range != gone.rend() && !is_cut; ++range) {
    std::uint32_t sequence = *map_.sequence_of(range->last);
    std::uint32_t first = range->last.value;
    for (;; --first, --sequence) {
      out.text.append("* ");
      append_number(out.text, sequence);
      out.text.append(" EXPUNGE\r\n");
      is_cut = out.is_full();
      if (is_cut || first == range->first.value) break;
    }
    told.push_back({Uid{first}, range->last});
  }
  std::reverse(told.begin(), told.end());
  map_.remove(told);
  return is_cut ? Update::kMore : Update::kDone;
}

Result<> SelectedMailbox::report_new(const store::MailboxReader& reader, Output out, bool is_rev2) {
  store::UidSet arrived;
  POSTHUS_TRY_VOID(reader.for_each(uid_next_, Uid{UINT32_MAX}, [&](const store::MessageRecord& message) {
    append_uid(arrived, message.uid);
    return store::Visit::kContinue;
  }));
  uid_next_ = reader.record().uid_next;
  if (arrived.empty()) return {};
  map_.append(arrived);
  out.text.append("* ");
  append_number(out.text, map_.size());
  out.text.append(" EXISTS\r\n");
  if (is_rev2 || recent_from_.value == 0) return {};
  has_unclaimed_recent_ = !is_read_only();
  out.text.append("* ");
  append_number(out.text, recent_count());
  out.text.append(" RECENT\r\n");
  return {};
}

Result<SelectedMailbox::Update> SelectedMailbox::report_flags(const store::MailboxReader& reader, Output out,
                                                              const ToldFlags& told, bool is_rev2) {
  if (flags_last_.value == 0) return Update::kDone;
  const auto keywords = POSTHUS_TRY(reader.keywords());
  if (keywords.size() > keywords_told_) {
    append_flag_lists(out.text, keywords, is_read_only());
    keywords_told_ = keywords.size();
  }
  auto result = Update::kDone;
  POSTHUS_TRY_VOID(reader.for_each_changed(flags_seen_, flags_next_, flags_last_, [&](const store::MessageRecord& message) {
    const auto sequence = map_.sequence_of(message.uid);
    if (!sequence || (message.modseq <= told.until && contains(told.uids, message.uid))) return store::Visit::kContinue;
    if (out.is_full()) {
      flags_next_ = message.uid;
      result = Update::kMore;
      return store::Visit::kStop;
    }
    append_flags_fetch(out.text, *sequence, message, keywords, !is_rev2 && is_recent(message.uid));
    return store::Visit::kContinue;
  }));
  return result;
}

void append_flag_lists(std::string& out, const std::vector<std::string>& keywords, bool is_read_only) {
  std::string names = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";
  for (const auto& keyword : keywords) names.append(" ").append(keyword);
  out.append("* FLAGS (").append(names).append(")\r\n");
  if (is_read_only) {
    out.append("* OK [PERMANENTFLAGS ()] Read-only mailbox\r\n");
    return;
  }
  if (keywords.size() < store::kMaxKeywordsPerMailbox) names.append(" \\*");
  out.append("* OK [PERMANENTFLAGS (").append(names).append(")] Flags permitted\r\n");
}

void append_flags_fetch(std::string& out, std::uint32_t sequence, const store::MessageRecord& record,
                        const std::vector<std::string>& keywords, bool is_recent) {
  out.append("* ");
  append_number(out, sequence);
  out.append(" FETCH (UID ");
  append_number(out, record.uid.value);
  out.append(" FLAGS (");
  const std::size_t before = out.size();
  append_flags(out, record.flags, record.keywords, keywords);
  if (is_recent) out.append(out.size() > before ? " \\Recent" : "\\Recent");
  out.append("))\r\n");
}

}  // namespace posthus::imap
