// Execution: one command being carried out. The session (server_session.cc) drives it by what it answers; it reads the
// store in run(), changes it by leaving a WriteRequest, and names the text of its tagged response. Commands know nothing
// of steps, sockets or other commands.
// Thread rule: as its session: one thread at a time; run() perhaps on a worker.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/session/session.h"
#include "imap/command.h"
#include "imap/command_frame.h"
#include "imap/response_writer.h"
#include "imap/selected_mailbox.h"
#include "imap/server_session.h"
#include "store/grant_records.h"
#include "store/store.h"

namespace posthus::imap {

/// What commands read and change of their session.
struct SessionState {
  ServerContext& context;
  session::Waker waker;
  std::string remote_address;
  bool is_tls = false;
  std::unique_ptr<session::TlsFacts> tls;  // channel bindings; until login
  AccountId account;                       // 0: not logged in
  std::string login;
  session::OpenSessions::Ticket ticket;  // with it
  bool is_rev2 = false;                  // ENABLE IMAP4rev2
  int login_failures = 0;
  std::unique_ptr<SelectedMailbox> selected;
  std::string running_tag;  // of the command being carried out

  bool is_logged_in() const { return account.value != 0; }
  NameForm name_form() const { return is_rev2 ? NameForm::kUtf8 : NameForm::kModifiedUtf7; }
};

/// What the session is to do next.
enum class Progress : std::uint8_t {
  kDone,      // updates if the command table says so, then the tagged response
  kMore,      // run() again, output is flushed in between when there is much
  kWrite,     // submit `request`, then run() again with `outcome`
  kLine,      // on_line() with the client's next line
  kLiteral,   // on_bytes() until `literal_left` is 0; then the command's line end, then run() again
  kIdle,      // on_line() or, when the mailbox has changed, run() again
  kStartTls,  // the tagged response, then the handshake
  kClose,     // the tagged response if there is one, then the end
};

class Execution {
 public:
  Execution() = default;
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;
  virtual ~Execution() = default;

  virtual session::RunCost cost() const { return session::RunCost::kBrief; }
  virtual Progress run(SessionState& state, session::Output& out) = 0;
  /// A line without its end. REQUIRES: kLine or kIdle was answered.
  virtual Progress on_line(SessionState& state, std::string_view line, session::Output& out);
  /// A piece of the literal. REQUIRES: kLiteral was answered.
  virtual void on_bytes(std::string_view bytes) { static_cast<void>(bytes); }
  /// Would bytes of ours now land inside a literal or between responses? Then no BYE is written.
  virtual bool is_mid_response() const { return false; }

  std::string tagged;  // "NO [NONEXISTENT] No such mailbox"; empty: OK and the verb
  std::optional<store::WriteRequest> request;
  Result<store::WriteOutcome> outcome;
  std::uint64_t literal_left = 0;
  ToldFlags told;

 protected:
  /// Ends with this tagged response.
  Progress done(std::string text) {
    tagged = std::move(text);
    return Progress::kDone;
  }
  /// Ends with the response for this failure.
  Progress failed(const Error& error, std::string_view text);
  Progress write(store::WriteRequest wanted) {
    request.emplace(std::move(wanted));
    return Progress::kWrite;
  }
};

/// A mailbox that a name led to.
struct FoundMailbox {
  MailboxId mailbox;
  AccountId owner;
  store::MailboxAccess access = store::MailboxAccess::kFull;
  bool may_change() const { return access == store::MailboxAccess::kFull; }
};
/// The mailbox of that name, the session's own or one it was granted; or nothing.
Result<std::optional<FoundMailbox>> look_up_mailbox(const store::Snapshot& snapshot, AccountId self, std::string_view name);
/// The same; opens a snapshot of its own.
Result<std::optional<FoundMailbox>> look_up_mailbox(const SessionState& state, std::string_view name);

/// Whether the session may still use the selected mailbox of somebody else. True for its own without a look. When the right to
/// change it is gone, it becomes read-only and the client is told; false when all rights are.
bool keep_rights(SessionState& state, const store::Snapshot& snapshot, session::Output& out);

/// CAPABILITY's list for the session as it is, without the word itself.
std::string capabilities(const SessionState& state);

/// Leaves the selected mailbox; what was \Recent here is claimed.
void leave_mailbox(SessionState& state);

/// "* LIST (…) "/" "name" ("OLDNAME" ("old"))", RFC 9051 §6.3.9.7; `old_name` empty: without.
void append_list_response(std::string& out, std::string_view attributes, std::string_view name, std::string_view old_name,
                          NameForm form);

/// Untagged updates of the selected mailbox, one chunk. kClose when it was deleted (BYE is written).
Progress write_updates(SessionState& state, session::Output& out, Expunges expunges, const ToldFlags& told);

// The makers of executions, one file cmd_<command>.cc each; the table in command_table.cc names them.
using Making = std::unique_ptr<Execution>;
Making make_capability(SessionState& state, Arguments arguments, Numbers numbers);
Making make_noop(SessionState& state, Arguments arguments, Numbers numbers);
Making make_logout(SessionState& state, Arguments arguments, Numbers numbers);
Making make_starttls(SessionState& state, Arguments arguments, Numbers numbers);
Making make_authenticate(SessionState& state, Arguments arguments, Numbers numbers);
Making make_login(SessionState& state, Arguments arguments, Numbers numbers);
Making make_enable(SessionState& state, Arguments arguments, Numbers numbers);
Making make_id(SessionState& state, Arguments arguments, Numbers numbers);
Making make_namespace(SessionState& state, Arguments arguments, Numbers numbers);
Making make_select(SessionState& state, Arguments arguments, Numbers numbers);
Making make_examine(SessionState& state, Arguments arguments, Numbers numbers);
Making make_create(SessionState& state, Arguments arguments, Numbers numbers);
Making make_delete(SessionState& state, Arguments arguments, Numbers numbers);
Making make_rename(SessionState& state, Arguments arguments, Numbers numbers);
Making make_subscribe(SessionState& state, Arguments arguments, Numbers numbers);
Making make_unsubscribe(SessionState& state, Arguments arguments, Numbers numbers);
Making make_list(SessionState& state, Arguments arguments, Numbers numbers);
Making make_lsub(SessionState& state, Arguments arguments, Numbers numbers);
Making make_status(SessionState& state, Arguments arguments, Numbers numbers);
Making make_idle(SessionState& state, Arguments arguments, Numbers numbers);
Making make_close(SessionState& state, Arguments arguments, Numbers numbers);
Making make_unselect(SessionState& state, Arguments arguments, Numbers numbers);
Making make_expunge(SessionState& state, Arguments arguments, Numbers numbers);
Making make_search(SessionState& state, Arguments arguments, Numbers numbers);
Making make_fetch(SessionState& state, Arguments arguments, Numbers numbers);
Making make_store(SessionState& state, Arguments arguments, Numbers numbers);
Making make_copy(SessionState& state, Arguments arguments, Numbers numbers);
Making make_move(SessionState& state, Arguments arguments, Numbers numbers);
/// APPEND from behind the announcement of its literal.
Making make_append(AppendArguments arguments, std::uint64_t size, Synchronizing literal);

}  // namespace posthus::imap
