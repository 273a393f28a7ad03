// NAMESPACE (RFC 9051 §6.3.10): one personal namespace without prefix; and that of other users (RFC 2342 §5) for who was granted
// access to somebody's mailboxes.
#include <algorithm>

#include "imap/mailbox_place.h"
#include "store/grant_reader.h"

namespace posthus::imap {
namespace {

class Namespace final : public Execution {
 public:
  Progress run(SessionState& state, session::Output& out) override {
    const auto snapshot = state.context.store.snapshot();
    if (!snapshot) return failed(snapshot.error(), "Cannot read the namespaces");
    const auto grants = store::GrantReader(**snapshot).of_delegate(state.account);
    if (!grants) return failed(grants.error(), "Cannot read the namespaces");
    const bool has_others = std::ranges::any_of(*grants, [](const auto& grant) { return grant.access != MailboxAccess::kNone; });
    out.append("* NAMESPACE ((\"\" \"/\")) ");
    out.append(has_others ? "((\"Shared/\" \"/\")) NIL\r\n" : "NIL NIL\r\n");
    return Progress::kDone;
  }
};

}  // namespace

Making make_namespace(SessionState&, Arguments, Numbers) { return std::make_unique<Namespace>(); }

}  // namespace posthus::imap
