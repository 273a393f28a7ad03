// NAMESPACE (RFC 9051 §6.3.10): one personal namespace without prefix.
#include "imap/execution.h"

namespace posthus::imap {
namespace {

class Namespace final : public Execution {
 public:
  Progress run(SessionState&, session::Output& out) override {
    out.append("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    return Progress::kDone;
  }
};

}  // namespace

Making make_namespace(SessionState&, Arguments, Numbers) { return std::make_unique<Namespace>(); }

}  // namespace posthus::imap
