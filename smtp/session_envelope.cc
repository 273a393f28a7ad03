// MAIL and RCPT: every recipient gets its own answer. RFC 5321 §4.1.1.2, §4.1.1.3; RFC 1870 §6; RFC 6409 §6.1.
// Thread rule: core/session/session.h. The directory is read in one snapshot per received().
#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/ascii.h"
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

// rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF
session::Step ServerSession::on_rcpt(std::string_view argument, Output& output) {
  if (envelope_->recipients.size() >= context_.limits.max_recipients) {
    // WHY: no error and no log line each: a client may have sent thousands in one pipeline, and tries these again.
    if (++envelope_->refused_recipients > kMaxSurplusRecipients) return refuse_and_close(reply::kTooManyErrors, output);
    return answer(reply::kTooManyRecipients, output);
  }
  const auto utf8 = envelope_->parameters.is_utf8 ? mail::Utf8::kAllow : mail::Utf8::kRefuse;
  auto command = parse_rcpt(argument, utf8);
  if (!command) return refuse(command.error(), output);
  const bool has_dsn = command->parameters.notify != notify::kUnset || !command->parameters.original_recipient.empty();
  if (has_dsn && !context_.offers_dsn) return refuse(reply::kUnknownParameter, output);
  const store::Snapshot* view = snapshot();
  if (!view) return refuse_recipient(reply::kTryAgain, output);
  const mail::Address address = routed_address(command->recipient);
  const auto resolution = store::DirectoryReader(*view).resolve(address, envelope_->parameters.size);
  if (!resolution) return refuse_recipient(reply::kTryAgain, output);
  return recipient_resolved(*std::move(command), *resolution, output);
}

session::Step ServerSession::recipient_resolved(RcptCommand command, const store::Resolution& resolution, Output& output) {
  RecipientFacts facts;
  facts.role = role_;
  facts.resolution = resolution.kind;
  facts.message_size = envelope_->parameters.size;
  if (resolution.kind == store::Resolution::Kind::kOverQuota) facts.quota_bytes = quota_of(routed_address(command.recipient));
  const RecipientVerdict verdict = admit_recipient(facts);
  if (verdict.routing == Routing::kRefused) return refuse_recipient(verdict.reply, output);
  std::vector<store::QueuedRecipient> elsewhere;
  if (verdict.routing == Routing::kRemote) elsewhere.push_back(to_queued(command.recipient, command.parameters));
  if (verdict.routing == Routing::kForward) elsewhere = forwarded(resolution.remote_targets, command);
  if (!add_targets(resolution.inboxes, std::move(elsewhere))) return refuse_recipient(reply::kTooManyRecipients, output);
  envelope_->recipients.push_back({std::move(command.recipient), std::move(command.parameters)});
  return answer(verdict.reply, output);
}

session::Step ServerSession::refuse_recipient(const Reply& reply, Output& output) {
  log_refusal(reply);
  ++envelope_->refused_recipients;
  append_reply(output, reply);
  if (++refused_recipients_ < kMaxRefusedRecipients) return Step::kRead;
  return refuse_and_close(reply::kTooManyErrors, output);
}

std::vector<store::QueuedRecipient> ServerSession::forwarded(const std::vector<std::string>& targets,
                                                             const RcptCommand& command) const {
  std::vector<store::QueuedRecipient> recipients;
  recipients.reserve(targets.size());
  for (const std::string& target : targets) {
    const auto address = mail::parse_mailbox(target, mail::Utf8::kAllow);
    if (address) recipients.push_back(to_queued(*address, command.parameters));  // the directory parsed it before
  }
  return recipients;
}

bool ServerSession::add_targets(const std::vector<MailboxId>& inboxes, std::vector<store::QueuedRecipient> elsewhere) {
  Envelope& all = *envelope_;
  const auto is_full = [&] {
    return all.inboxes.size() + inboxes.size() > kMaxInboxes ||
           all.elsewhere.size() + elsewhere.size() > store::kMaxQueuedRecipients;
  };
  if (is_full()) all.sort();
  if (is_full()) return false;
  all.inboxes.insert(all.inboxes.end(), inboxes.begin(), inboxes.end());
  std::move(elsewhere.begin(), elsewhere.end(), std::back_inserter(all.elsewhere));
  return true;
}

// Mail to an address literal of ours is mail to the server as such (RFC 5321 §4.1.3).
mail::Address ServerSession::routed_address(const mail::Address& address) const {
  if (address.domain.empty() || address.domain.front() != '[') return address;
  for (const std::string& literal : context_.address_literals) {
    if (ascii::equal_ignoring_case(literal, address.domain)) return {address.local_part, ""};
  }
  return address;
}

std::uint64_t ServerSession::quota_of(const mail::Address& address) {
  const store::Snapshot* view = snapshot();
  if (!view) return 0;
  const auto user = store::DirectoryReader(*view).user(mail::to_string(address));
  return user && *user ? (*user)->quota_bytes : 0;
}

}  // namespace posthus::smtp
