// STATUS (RFC 9051 §6.3.11 with SIZE and DELETED; RECENT of RFC 3501 §6.3.10).
#include "imap/execution.h"
#include "imap/status_writer.h"

namespace posthus::imap {
namespace {

Result<std::uint32_t> count_recent(const store::Snapshot& snapshot, const store::MailboxRecord& record) {
  std::uint32_t recent = 0;
  if (record.recent_from >= record.uid_next) return recent;
  const auto reader = POSTHUS_TRY(store::MailboxReader::open(snapshot, record.mailbox));
  POSTHUS_TRY_VOID(reader.for_each(record.recent_from, Uid{UINT32_MAX}, [&recent](const store::MessageRecord&) {
    ++recent;
    return store::Visit::kContinue;
  }));
  return recent;
}

class Status final : public Execution {
 public:
  explicit Status(StatusArguments arguments) : arguments_(std::move(arguments)) {}

  Progress run(SessionState& state, session::Output& out) override {
    const auto written = status(state, out);
    return written ? Progress::kDone : failed(written.error(), "Cannot look at the mailbox");
  }

 private:
  Result<> status(SessionState& state, session::Output& out) const {
    const auto snapshot = POSTHUS_TRY(state.context.store.snapshot());
    const auto found = POSTHUS_TRY(look_up_mailbox(*snapshot, state.account, arguments_.mailbox.name));
    if (!found) return fail(ErrorKind::kNotFound);
    const auto reader = POSTHUS_TRY(store::MailboxReader::open(*snapshot, found->mailbox));
    if (found->owner == state.account) {
      return append_status(out, *snapshot, reader.record(), arguments_.items, state.name_form());
    }
    store::MailboxRecord record = reader.record();
    record.name = arguments_.mailbox.name;
    return append_status(out, *snapshot, record, arguments_.items, state.name_form());
  }

  const StatusArguments arguments_;
};

}  // namespace

Result<> append_status(std::string& out, const store::Snapshot& snapshot, const store::MailboxRecord& record,
                       const StatusItems& items, NameForm form) {
  const std::uint32_t recent = items.recent ? POSTHUS_TRY(count_recent(snapshot, record)) : 0;
  out.append("* STATUS ");
  append_mailbox(out, record.name, form);
  out.append(" (");
  const auto item = [&out](bool is_wanted, std::string_view name, std::uint64_t value) {
    if (!is_wanted) return;
    if (out.back() != '(') out.push_back(' ');
    out.append(name);
    append_number(out, value);
  };
  item(items.messages, "MESSAGES ", record.messages);
  item(items.recent, "RECENT ", recent);
  item(items.uid_next, "UIDNEXT ", record.uid_next.value);
  item(items.uid_validity, "UIDVALIDITY ", record.uid_validity);
  item(items.unseen, "UNSEEN ", record.unseen);
  item(items.deleted, "DELETED ", record.deleted);
  item(items.size, "SIZE ", record.bytes);
  out.append(")\r\n");
  return {};
}

Making make_status(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<Status>(std::get<StatusArguments>(std::move(arguments)));
}

}  // namespace posthus::imap
