// ID (RFC 2971 §3.1). What the client says of itself is not kept.
#include "imap/execution.h"

namespace posthus::imap {
namespace {

class Id final : public Execution {
 public:
  Progress run(SessionState&, session::Output& out) override {
    out.append("* ID (\"name\" \"Posthus\")\r\n");
    return Progress::kDone;
  }
};

}  // namespace

Making make_id(SessionState&, Arguments, Numbers) { return std::make_unique<Id>(); }

}  // namespace posthus::imap
