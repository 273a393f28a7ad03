// MAIL: who sends. RFC 5321 §4.1.1.2; RFC 1870 §6; RFC 6409 §6.1; RFC 8689 §2. Recipients are in session_recipient.cc.
// Thread rule: core/session/session.h. The directory is read in one snapshot per received().
#include <utility>

#include "smtp/session_state.h"

namespace posthus::smtp {

Result<bool> ServerSession::is_own_address(const ReversePath& path) {
  if (role_ == ListenerRole::kMx || !is_logged_in() || !path) return false;
  const store::Snapshot* view = snapshot();
  if (!view) return fail(ErrorKind::kUnavailable);
  return store::DirectoryReader(*view).may_send_as(account_, *path);
}

// mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
session::Step ServerSession::on_mail(std::string_view argument, Output& output) {
  auto command = parse_mail(argument);
  if (!command) return refuse(command.error(), output);
  const bool has_dsn = command->parameters.ret != Ret::kUnset || !command->parameters.envelope_id.empty();
  if (has_dsn && !context_.offers_dsn) return refuse(reply::kUnknownParameter, output);
  if (command->parameters.requires_tls && !is_tls()) return refuse(reply::kUnknownParameter, output);
  if (transactions_ >= context_.limits.max_transactions) return refuse_and_close(reply::kTooManyTransactions, output);
  const auto is_own = is_own_address(command->reverse_path);
  if (!is_own) return refuse(reply::kTryAgain, output);
  SenderFacts facts;
  facts.role = role_;
  facts.is_tls = is_tls();
  facts.is_logged_in = is_logged_in();
  facts.is_null = !command->reverse_path;
  facts.is_own_address = *is_own;
  const Reply verdict = admit_sender(facts);
  if (verdict.code >= 400) return refuse(verdict, output);
  return sender_checked(*std::move(command), output);
}

session::Step ServerSession::sender_checked(MailCommand command, Output& output) {
  // RFC 1870 §6.1: refused now rather than after the client has sent it all.
  if (command.parameters.size > context_.limits.max_message_bytes) return refuse(reply::kTooLarge, output);
  const ByteBudget& budget = context_.store.budget();
  if (budget.used() >= budget.limit()) return refuse(reply::kNoMemory, output);
  ++transactions_;
  envelope_ = std::make_unique<Envelope>();
  envelope_->reverse_path = std::move(command.reverse_path);
  envelope_->parameters = std::move(command.parameters);
  stage_ = stage::kEnvelope;
  return answer(reply::kSenderOk, output);
}

}  // namespace posthus::smtp
