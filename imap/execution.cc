// What executions share. See execution.h.
#include "imap/execution.h"

#include "core/base/log.h"
#include "core/sasl/authenticator.h"
#include "imap/login_facts.h"
#include "imap/mailbox_place.h"

namespace posthus::imap {

Progress Execution::on_line(SessionState&, std::string_view, session::Output&) { return done("BAD Unexpected line"); }

Progress Execution::failed(const Error& error, std::string_view text) {
  if (error.kind == ErrorKind::kIo || error.kind == ErrorKind::kCorrupt) {
    log::error("imap.store_failed", {{"kind", to_string(error.kind)}, {"context", error.context}});
  }
  tagged = refusal_for(error.kind);
  tagged.append(text);
  return Progress::kDone;
}

Result<std::optional<FoundMailbox>> look_up_mailbox(const store::Snapshot& snapshot, AccountId self, std::string_view name) {
  const auto place = POSTHUS_TRY(find_place(snapshot, self, name));
  if (!place) return std::nullopt;
  const auto mailbox = POSTHUS_TRY(store::find_mailbox(snapshot, place->account, place->name));
  if (!mailbox) return std::nullopt;
  return FoundMailbox{*mailbox, place->account, place->access};
}

Result<std::optional<FoundMailbox>> look_up_mailbox(const SessionState& state, std::string_view name) {
  const auto snapshot = POSTHUS_TRY(state.context.store.snapshot());
  return look_up_mailbox(*snapshot, state.account, name);
}

bool keep_rights(SessionState& state, const store::Snapshot& snapshot, session::Output& out) {
  if (!state.selected || state.selected->owner() == state.account) return true;
  const auto access = access_now(snapshot, state);
  if (access == MailboxAccess::kFull) return true;
  if (access == MailboxAccess::kRead) {
    if (state.selected->is_read_only()) return true;
    state.selected->become_read_only();
    out.append("* OK [READ-ONLY] You may no longer change this mailbox\r\n");
    return true;
  }
  // Nothing is known of rights that cannot be read: then there are none.
  out.append("* BYE [NOPERM] You may no longer read the selected mailbox\r\n");
  state.selected.reset();
  return false;
}

std::string capabilities(const SessionState& state) {
  // WHY this list: each name is a promise that all of it works; CONDSTORE, BINARY (its APPEND side) and others are not kept yet.
  std::string text = "CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ENABLE ID";
  if (state.is_logged_in()) {
    text.append(
        " NAMESPACE IDLE UNSELECT UIDPLUS MOVE CHILDREN LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE ESEARCH "
        "SEARCHRES"
        " STATUS=SIZE");
    return text;
  }
  if (!state.is_tls && state.context.offers_tls) text.append(" STARTTLS");
  if (!may_log_in(state)) text.append(" LOGINDISABLED");
  for (const auto mechanism : state.context.authenticator.mechanisms(login_facts(state))) text.append(" AUTH=").append(mechanism);
  return text;
}

void leave_mailbox(SessionState& state) {
  if (!state.selected) return;
  if (!state.is_rev2 && state.selected->take_unclaimed_recent()) {
    // Nobody waits for it: a lost claim shows a message as \Recent once more (RFC 3501 §2.3.2 allows that).
    state.context.store.submit(store::ClaimRecent{state.selected->mailbox()}, [](Result<store::WriteOutcome>) {});
  }
  state.selected.reset();
}

void append_list_response(std::string& out, std::string_view attributes, std::string_view name, std::string_view old_name,
                          NameForm form) {
  out.append("* LIST (").append(attributes).append(") \"/\" ");
  append_mailbox(out, name, form);
  if (!old_name.empty()) {
    out.append(" (\"OLDNAME\" (");
    append_mailbox(out, old_name, form);
    out.append("))");
  }
  out.append("\r\n");
}

Progress write_updates(SessionState& state, session::Output& out, Expunges expunges, const ToldFlags& told) {
  if (!state.selected) return Progress::kDone;
  const auto snapshot = state.context.store.snapshot();
  // A store that cannot be read now will be asked again by the next command.
  if (!snapshot) return Progress::kDone;
  if (!keep_rights(state, **snapshot, out)) return Progress::kClose;
  const auto update = state.selected->update(**snapshot, out, kChunk, expunges, told, state.is_rev2);
  if (update) return *update == SelectedMailbox::Update::kMore ? Progress::kMore : Progress::kDone;
  if (update.error().kind != ErrorKind::kNotFound) return Progress::kDone;
  out.append("* BYE The selected mailbox was deleted\r\n");
  state.selected.reset();
  return Progress::kClose;
}

}  // namespace posthus::imap
