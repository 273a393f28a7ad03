// SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3; RECENT and \Recent of RFC 3501 §6.3.1). The cost does not depend on the
// size of the mailbox: its uids come from the UidCache. Known limit: no UNSEEN response code of rev1 when the first unseen
// message is neither among the oldest nor among the newest thousands; RFC 3501 §6.3.1 then has clients SEARCH.
#include "imap/execution.h"

namespace posthus::imap {
namespace {

/// Pages of messages, from either end, that SELECT looks through for the first unseen one: 48 messages and microseconds each.
constexpr std::size_t kMaxUnseenPages = 64;

using Access = SelectedMailbox::Access;

class Select final : public Execution {
 public:
  Select(MailboxArgument mailbox, Access access) : mailbox_(std::move(mailbox)), asked_(access), access_(access) {}

  Progress run(SessionState& state, session::Output& out) override {
    if (state.selected) {
      leave_mailbox(state);
      out.append("* OK [CLOSED] Previous mailbox closed\r\n");
    }
    const auto selected = select(state, out);
    if (!selected) return failed(selected.error(), "Cannot select the mailbox");
    if (asked_ == Access::kReadOnly) return done("OK [READ-ONLY] EXAMINE completed");
    return done(access_ == Access::kReadOnly ? "OK [READ-ONLY] SELECT completed" : "OK [READ-WRITE] SELECT completed");
  }

 private:
  Result<> select(SessionState& state, session::Output& out) {
    const auto snapshot = POSTHUS_TRY(state.context.store.snapshot());
    const auto found = POSTHUS_TRY(look_up_mailbox(*snapshot, state.account, mailbox_.name));
    if (!found) return fail(ErrorKind::kNotFound);
    if (!found->may_change()) access_ = Access::kReadOnly;
    const auto reader = POSTHUS_TRY(store::MailboxReader::open(*snapshot, found->mailbox));
    const auto uids = POSTHUS_TRY(state.context.uid_cache.uids(reader));
    const auto keywords = POSTHUS_TRY(reader.keywords());
    state.selected = std::make_unique<SelectedMailbox>(reader.record(), uids, access_);
    if (state.is_rev2) state.selected->forget_recent();
    state.selected->set_keywords_told(keywords.size());
    const auto unseen = state.is_rev2 ? std::nullopt : POSTHUS_TRY(reader.first_unseen(kMaxUnseenPages));
    write_responses(state, reader.record(), keywords, unseen, out);
    if (!state.is_rev2 && state.selected->take_unclaimed_recent()) {
      // Nobody waits for it: a lost claim shows messages as \Recent once more (RFC 3501 §2.3.2 allows that).
      state.context.store.submit(store::ClaimRecent{found->mailbox}, [](Result<store::WriteOutcome>) {});
    }
    return {};
  }

  void write_responses(const SessionState& state, const store::MailboxRecord& record, const std::vector<std::string>& keywords,
                       std::optional<Uid> unseen, session::Output& out) const {
    append_flag_lists(out, keywords, access_ == Access::kReadOnly);
    out.append("* ");
    append_number(out, state.selected->map().size());
    out.append(" EXISTS\r\n");
    if (!state.is_rev2) {
      out.append("* ");
      append_number(out, state.selected->recent_count());
      out.append(" RECENT\r\n");
    }
    if (const auto sequence = unseen ? state.selected->map().sequence_of(*unseen) : std::nullopt) {
      out.append("* OK [UNSEEN ");
      append_number(out, *sequence);
      out.append("] First unseen message\r\n");
    }
    out.append("* OK [UIDVALIDITY ");
    append_number(out, record.uid_validity);
    out.append("] UIDs valid\r\n* OK [UIDNEXT ");
    append_number(out, record.uid_next.value);
    out.append("] Predicted next UID\r\n");
    if (!state.is_rev2) return;
    const bool is_own = record.account == state.account;
    const std::string& name = is_own ? record.name : mailbox_.name;
    append_list_response(out, special_use_attribute(is_own ? record.special_use : store::SpecialUse::kNone), name,
                         mailbox_.written == name ? std::string_view{} : mailbox_.written, state.name_form());
  }

  const MailboxArgument mailbox_;
  const Access asked_;
  Access access_;
};

}  // namespace

Making make_select(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<Select>(std::get<MailboxArgument>(std::move(arguments)), Access::kReadWrite);
}

Making make_examine(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<Select>(std::get<MailboxArgument>(std::move(arguments)), Access::kReadOnly);
}

}  // namespace posthus::imap
