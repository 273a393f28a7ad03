// LoginRun: the part that LOGIN and AUTHENTICATE share: drives a sasl::LoginExchange (RFC 9051 §6.2.2, §6.2.3).
// Thread rule: as its session.
#pragma once

#include <memory>

#include "core/sasl/authenticator.h"
#include "imap/execution.h"

namespace posthus::imap {

class LoginRun : public Execution {
 public:
  session::RunCost cost() const override { return cost_; }
  Progress run(SessionState& state, session::Output& out) override;
  Progress on_line(SessionState& state, std::string_view line, session::Output& out) override;

 protected:
  /// Makes exchange_, or ends the command.
  virtual Progress begin(SessionState& state) = 0;
  std::unique_ptr<sasl::LoginExchange> exchange_;

 private:
  Progress go_on(SessionState& state, session::Output& out);
  Progress verdict(SessionState& state, session::Output& out);
  session::RunCost cost_ = session::RunCost::kBrief;
};

}  // namespace posthus::imap
