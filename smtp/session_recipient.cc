// RCPT: every recipient gets its own answer, and leads to inboxes here, to the queue, or to both. RFC 5321 §4.1.1.3,
// §3.9 (aliases); RFC 6409 §6.1. Thread rule: core/session/session.h. The directory is read in one snapshot per received().
#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/ascii.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "smtp/forwarding.h"
#include "smtp/session_state.h"
#include "store/queue_reader.h"

namespace posthus::smtp {
namespace {

void count_refused_recipient(const Reply& reply) {
  constexpr std::string_view kName = "posthus_smtp_recipients_refused_total", kHelp = "Refused recipients";
  static metrics::Counter& temporary = metrics::counter(kName, kHelp, "class=\"4xx\"");
  static metrics::Counter& permanent = metrics::counter(kName, kHelp, "class=\"5xx\"");
  (reply.code < 500 ? temporary : permanent).add();
}

constexpr std::size_t kMaxPrimaryWords = 400;  // with code and prefix a line of at most 512 (RFC 5321 §4.5.3.1.5)

// RFC 3461 §5.2.7.2: what the sender asked for goes on with the message; §5.2.1: he knows the address by which he wrote.
RcptParameters carried_on(const Recipient& recipient) {
  RcptParameters carried = recipient.parameters;
  if (!carried.original_recipient.empty()) return carried;
  const std::string address = mail::to_string(recipient.address);
  carried.original_recipient = (ascii::has_high_bit(address) ? "utf-8;" : "rfc822;") + address;
  return carried;
}

// RFC 3461 §5.2.7.3: of an address that leads to several nobody says "delivered" for all.
std::uint8_t without_success(std::uint8_t asked) {
  if ((asked & notify::kSuccess) == 0) return asked;
  const auto left = static_cast<std::uint8_t>(asked & ~notify::kSuccess);
  return left == notify::kUnset ? notify::kNever : left;
}

/// The copies of members who have no room. WHY by the queue and our own listener: it tells each time whether there is room, and
/// delay, return and trace are those of any mail. The sender's own reverse-path stays, since nothing leaves.
Result<> add_full_members(const Recipient& recipient, std::vector<store::QueuedRecipient>& queued) {
  if (recipient.full_members.empty()) return {};
  RcptParameters carried = carried_on(recipient);
  carried.notify = without_success(carried.notify);
  for (const std::string& member : recipient.full_members) {
    queued.push_back(to_queued(POSTHUS_TRY(mail::parse_mailbox(member, mail::Utf8::kAllow)), carried));
    queued.back().forwarder = recipient.forwarder;
  }
  return {};
}

}  // namespace

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
  auto resolution = resolve(*view, routed_address(command->recipient));
  if (!resolution) return refuse_recipient(reply::kTryAgain, output);
  if (resolution->is_return && envelope_->reverse_path) return refuse_recipient(reply::kReportsOnly, output);
  return recipient_resolved(*std::move(command), std::move(resolution->resolution), output);
}

// A forward address of ours leads to the sender whose mail we sent on; all others are the directory's business.
Result<ServerSession::Destination> ServerSession::resolve(const store::Snapshot& view, const mail::Address& recipient) {
  const store::DirectoryReader directory(view);
  std::optional<mail::Address> sender;
  if (role_ == ListenerRole::kMx) sender = POSTHUS_TRY(forwarded_sender(view, recipient, context_.clock.now()));
  Destination destination{POSTHUS_TRY(directory.resolve(sender.value_or(recipient), envelope_->parameters.size,
                                                        {.address = envelope_->reverse_path, .account = account_})),
                          sender.has_value()};
  using Kind = store::Resolution::Kind;
  const bool is_elsewhere = destination.resolution.kind == Kind::kNoSuchDomain || destination.resolution.kind == Kind::kRelay;
  if (sender && is_elsewhere) {
    destination.resolution = {.kind = Kind::kRemoteAlias, .remote_targets = {mail::to_string(*sender)}};
  }
  return destination;
}

session::Step ServerSession::recipient_resolved(RcptCommand command, store::Resolution resolution, Output& output) {
  RecipientFacts facts;
  facts.role = role_;
  facts.resolution = resolution.kind;
  facts.message_size = envelope_->parameters.size;
  if (resolution.kind == store::Resolution::Kind::kOverQuota) facts.quota_bytes = quota_of(routed_address(command.recipient));
  const RecipientVerdict verdict = admit_recipient(facts);
  if (verdict.routing == Routing::kRefused) return refuse_recipient(verdict.reply, output);
  pending_ = std::make_unique<PendingRecipient>(PendingRecipient{std::move(command), std::move(resolution), verdict});
  if (!pending_->resolution.checks_recipients || role_ != ListenerRole::kMx || !context_.recipient_check) {
    return recipient_admitted(output);
  }
  awaiting_ = Awaiting::kRecipient;
  return Step::kWait;
}

void ServerSession::ask_primary(session::Resume resume) {
  auto answered = [this, resume = std::move(resume)](PrimaryReply reply) mutable {
    pending_->primary = std::move(reply);
    resume();
  };
  // What a recipient here stands for may be refused as well: else it would only come back, to whoever is named as the sender.
  const store::Resolution& resolution = pending_->resolution;
  const auto asked = resolution.kind == store::Resolution::Kind::kRemoteAlias
                         ? mail::parse_mailbox(resolution.remote_targets.front(), mail::Utf8::kAllow)
                         : Result<mail::Address>(pending_->command.recipient);
  if (!asked) return answered({});
  context_.recipient_check->ask(*asked, std::move(answered));
}

session::Step ServerSession::recipient_checked(Output& output) {
  // WHY: when the primary cannot be asked the mail is taken: that is what a backup MX is for.
  const PrimaryAnswer answer = pending_->primary.answer;
  if (answer == PrimaryAnswer::kTaken || answer == PrimaryAnswer::kUnavailable) return recipient_admitted(output);
  const PrimaryReply primary = std::move(pending_->primary);
  pending_.reset();
  // WHY: who guesses addresses is not let in because he guesses fast.
  return answer == PrimaryAnswer::kBusy ? refuse_recipient(reply::kTryAgain, output) : refuse_as_primary(primary, output);
}

session::Step ServerSession::recipient_admitted(Output& output) {
  const auto pending = std::move(pending_);
  RcptCommand& command = pending->command;
  store::Resolution& resolution = pending->resolution;
  Recipient recipient;
  recipient.address = std::move(command.recipient);
  recipient.parameters = std::move(command.parameters);
  recipient.has_inbox = !resolution.inboxes.empty();
  recipient.is_elsewhere = pending->verdict.routing == Routing::kRemote;
  if (pending->verdict.routing == Routing::kForward) recipient.forwarded_to = std::move(resolution.remote_targets);
  if (role_ == ListenerRole::kMx) recipient.forwarder = std::move(resolution.forwarder);
  recipient.full_members = std::move(resolution.full_members);
  recipient.skipped = std::move(resolution.skipped);
  if (!pass_over_who_cannot_wait(recipient)) return refuse_recipient(reply::kTryAgain, output);
  recipient.is_expanded = resolution.inboxes.size() + recipient.forwarded_to.size() + recipient.full_members.size() > 1;
  auto elsewhere = queued_recipients(recipient);
  if (!elsewhere) return refuse_recipient(reply::kTryAgain, output);
  const Reply limit = role_ == ListenerRole::kSubmission ? check_limits(*elsewhere) : check_forward(recipient);
  if (limit.code >= 400) return refuse_recipient(limit, output);
  // WHY after the limits: these copies do not leave.
  if (!add_full_members(recipient, *elsewhere)) return refuse_recipient(reply::kTryAgain, output);
  if (!add_targets(resolution.inboxes, *std::move(elsewhere))) return refuse_recipient(reply::kTooManyRecipients, output);
  if (envelope_->recipients.empty()) envelope_->shows_subject = shows_subject();
  if (resolution.kind == store::Resolution::Kind::kRelay) envelope_->is_relayed = true;
  envelope_->recipients.push_back(std::move(recipient));
  return answer(pending->verdict.reply, output);
}

// A copy that may not even wait is no reason to refuse the message to the others: the trace tells who went without.
bool ServerSession::pass_over_who_cannot_wait(Recipient& recipient) {
  if (recipient.full_members.empty()) return true;
  const store::Snapshot* view = snapshot();
  if (!view) return false;
  const auto may_wait = store::QueueReader(*view).may_wait_here(account_, recipient.forwarder, recipient.full_members.size());
  if (!may_wait) return false;
  if (*may_wait) return true;
  for (std::string& member : recipient.full_members) {
    recipient.skipped.push_back({std::move(member), store::SkippedMember::Reason::kFull});
  }
  recipient.full_members.clear();
  return true;
}

// The primary's words, that the sender may read them as if it had been asked itself.
session::Step ServerSession::refuse_as_primary(const PrimaryReply& primary, Output& output) {
  const bool is_code = primary.code >= 500 && primary.code <= 599;
  const bool has_class = primary.enhanced.starts_with("5.");
  const Reply reply{is_code ? primary.code : reply::kUnknownThere.code,
                    has_class ? std::string_view(primary.enhanced) : reply::kUnknownThere.enhanced, reply::kUnknownThere.text};
  std::string words = "The server this address's mail goes to said: " + primary.text.substr(0, kMaxPrimaryWords);
  std::ranges::replace_if(
      words, [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F; }, '?');
  return refuse_recipient(reply, primary.text.empty() ? reply.text : std::string_view(words), output);
}

session::Step ServerSession::refuse_recipient(const Reply& reply, Output& output) {
  return refuse_recipient(reply, reply.text, output);
}

session::Step ServerSession::refuse_recipient(const Reply& reply, std::string_view words, Output& output) {
  log_refusal(reply);
  count_refused_recipient(reply);
  ++envelope_->refused_recipients;
  append_reply(output, reply, words);
  if (++refused_recipients_ < kMaxRefusedRecipients) return Step::kRead;
  return refuse_and_close(reply::kTooManyErrors, output);
}

Result<std::vector<store::QueuedRecipient>> ServerSession::queued_recipients(const Recipient& recipient) {
  std::vector<store::QueuedRecipient> queued;
  if (recipient.is_elsewhere) queued.push_back(to_queued(recipient.address, recipient.parameters));
  if (recipient.forwarded_to.empty()) return queued;
  const store::Snapshot* view = snapshot();
  if (!view) return fail(ErrorKind::kUnavailable);
  const std::string reverse_path =
      POSTHUS_TRY(forward_reverse_path(*view, envelope_->reverse_path, routed_address(recipient.address), context_.clock.now()));
  RcptParameters carried = carried_on(recipient);
  // After submission we say "expanded" ourselves (c); elsewhere one of them may answer for all (b).
  const auto shared = recipient.is_expanded ? without_success(carried.notify) : carried.notify;
  if (role_ == ListenerRole::kSubmission) carried.notify = shared;
  for (const std::string& target : recipient.forwarded_to) {
    const mail::Address address = POSTHUS_TRY(mail::parse_mailbox(target, mail::Utf8::kAllow));
    queued.push_back(to_queued(address, carried));
    queued.back().reverse_path = reverse_path;
    queued.back().forwarder = recipient.forwarder;
    carried.notify = shared;
  }
  return queued;
}

bool ServerSession::shows_subject() {
  const store::Snapshot* view = snapshot();
  if (!view) return false;
  const auto setting = store::QueueReader(*view).setting("trace.subject");
  return setting && *setting != "0";
}

Result<> ServerSession::begin_sending(const store::Snapshot& view) {
  const store::SendingReader reader(view);
  auto state = std::make_unique<SendingState>();
  state->record = store::rolled(POSTHUS_TRY(reader.record(account_)), context_.clock.now());
  state->limits = POSTHUS_TRY(reader.limits(account_));
  state->domain = POSTHUS_TRY(reader.sent_today(state->limits.domain, context_.clock.now()));
  envelope_->sending = std::move(state);
  return {};
}

// Limits are of what leaves this server by an account's hand.
Reply ServerSession::check_limits(const std::vector<store::QueuedRecipient>& elsewhere) {
  if (elsewhere.empty()) return reply::kRecipientOk;
  const store::Snapshot* view = snapshot();
  if (!view || (!envelope_->sending && !begin_sending(*view))) return reply::kTryAgain;
  SendingState& sending = *envelope_->sending;
  std::size_t new_recipients = sending.new_recipients;
  std::vector<std::uint64_t> copies;
  copies.reserve(elsewhere.size());
  for (const store::QueuedRecipient& recipient : elsewhere) {
    copies.push_back(store::recipient_hash(recipient.address));
    const auto is_known = store::SendingReader(*view).knows(account_, copies.back());
    if (!is_known) return reply::kTryAgain;
    if (!*is_known) ++new_recipients;
  }
  const SendingFacts facts{sending.record, sending.limits, sending.copies.size() + copies.size(), new_recipients};
  Reply verdict = admit_sending(facts);
  if (verdict.code < 400) verdict = noted(admit_domain(facts, sending.domain), sending.domain);
  if (verdict.code >= 400) return verdict;
  sending.new_recipients = new_recipients;
  sending.copies.insert(sending.copies.end(), copies.begin(), copies.end());
  return verdict;
}

// What is forwarded leaves by the hand of the address that forwards it, not of a stranger who wrote to it.
Reply ServerSession::check_forward(const Recipient& recipient) {
  if (recipient.forwarded_to.empty() || recipient.forwarder.empty()) return reply::kRecipientOk;
  auto& forwards = envelope_->forwards;
  auto own = std::ranges::find(forwards, recipient.forwarder, &ForwardedCopies::forwarder);
  if (own == forwards.end()) own = forwards.insert(forwards.end(), ForwardedCopies{recipient.forwarder, 0});
  own->copies += recipient.forwarded_to.size();
  const store::Snapshot* view = snapshot();
  const Reply verdict = view ? admit_forwards(*view, *own) : reply::kTryAgain;
  if (verdict.code < 400) return verdict;
  // WHY not kept without copies: at the end of data it would be judged again, with the rest of the message.
  own->copies -= recipient.forwarded_to.size();
  if (own->copies == 0) forwards.erase(own);
  return verdict;
}

Reply ServerSession::admit_forwards(const store::Snapshot& view, const ForwardedCopies& own) {
  const store::SendingReader reader(view);
  const auto domain_of = [](std::string_view address) { return address.substr(address.rfind('@') + 1); };
  const std::string_view domain = domain_of(own.forwarder);
  const auto limits = reader.forward_limits(own.forwarder);
  const auto by_address = reader.sent_today(own.forwarder, context_.clock.now());
  const auto by_domain = reader.sent_today(domain, context_.clock.now());
  if (!limits || !by_address || !by_domain) return reply::kTryAgain;
  ForwardFacts facts{*by_address, *by_domain, *limits, own.copies, 0};
  for (const ForwardedCopies& any : envelope_->forwards) {
    if (domain_of(any.forwarder) == domain) facts.domain_copies += any.copies;
  }
  LimitVerdict verdict = admit_forward(facts);
  const store::SentToday& met = verdict.note.name == by_address->name ? *by_address : *by_domain;
  return noted(std::move(verdict), met);
}

// WHY nobody waits for it: the answer does not depend on whether the admins are told.
Reply ServerSession::noted(LimitVerdict verdict, const store::SentToday& record) {
  const bool is_known = record.met != store::MetLimit::kNone && record.met_limit >= verdict.note.limit;
  if (verdict.note.met == store::MetLimit::kNone || is_known) return verdict.reply;
  context_.store.submit(std::move(verdict.note), [](const Result<store::WriteOutcome>& outcome) {
    if (!outcome) log::warning("smtp.limit_not_noted", {{"context", outcome.error().context}});
  });
  return verdict.reply;
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
