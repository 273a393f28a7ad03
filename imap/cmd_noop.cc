// NOOP (RFC 9051 §6.1.2) and CHECK (RFC 3501 §6.4.1): the updates after it are what it is for.
#include "imap/execution.h"

namespace posthus::imap {
namespace {

class Noop final : public Execution {
 public:
  Progress run(SessionState&, session::Output&) override { return Progress::kDone; }
};

}  // namespace

Making make_noop(SessionState&, Arguments, Numbers) { return std::make_unique<Noop>(); }

}  // namespace posthus::imap
