// STARTTLS (RFC 9051 §6.2.1). The driver discards plaintext the client sent ahead.
#include "imap/execution.h"

namespace posthus::imap {
namespace {

class StartTls final : public Execution {
 public:
  Progress run(SessionState& state, session::Output&) override {
    if (state.is_tls) return done("BAD TLS is active already");
    if (!state.context.offers_tls) return done("NO TLS is not available");
    tagged = "OK Begin TLS negotiation now";
    return Progress::kStartTls;
  }
};

}  // namespace

Making make_starttls(SessionState&, Arguments, Numbers) { return std::make_unique<StartTls>(); }

}  // namespace posthus::imap
