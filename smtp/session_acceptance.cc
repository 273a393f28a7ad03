// What becomes of a message whose text is complete: "250" only when the store has made it durable, all of it or nothing.
// RFC 5321 §6.1. Thread rule: core/session/session.h.
#include <algorithm>
#include <string>
#include <utility>

#include "core/base/ascii.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/queue_id.h"
#include "core/base/shared_addresses.h"
#include "smtp/acceptance_trace.h"
#include "smtp/account_habit.h"
#include "smtp/hold_notice.h"
#include "smtp/own_message.h"
#include "smtp/session_state.h"
#include "store/hold_reason.h"

namespace posthus::smtp {
namespace {

struct MessageMetrics {
  metrics::Counter& accepted = metrics::counter("posthus_smtp_messages_total", "Messages by result", "result=\"accepted\"");
  metrics::Counter& deferred = metrics::counter("posthus_smtp_messages_total", "Messages by result", "result=\"4xx\"");
  metrics::Counter& refused = metrics::counter("posthus_smtp_messages_total", "Messages by result", "result=\"5xx\"");
  metrics::Counter& bytes = metrics::counter("posthus_smtp_message_bytes_total", "Bytes of accepted messages");
  metrics::Counter& from_servers =
      metrics::counter("posthus_smtp_accepted_total", "Messages accepted, by whom they came from", "from=\"servers\"");
  metrics::Counter& from_users =
      metrics::counter("posthus_smtp_accepted_total", "Messages accepted, by whom they came from", "from=\"users\"");
};

MessageMetrics& message_metrics() {
  static MessageMetrics metrics;
  return metrics;
}

Reply reply_for(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kOverQuota: return reply::kMailboxFull;
    case ErrorKind::kUnavailable:
    case ErrorKind::kBusy: return reply::kNoMemory;
    default: return reply::kTryAgain;
  }
}

}  // namespace

session::Step ServerSession::message_finished(Output& output) {
  if (transfer_->refusal()) return message_refused(*transfer_->refusal(), output);
  if (const auto refusal = count_copies()) return message_refused(*refusal, output);
  awaiting_ = Awaiting::kCommit;
  return Step::kWait;
}

// The limits again, as they stand now: other sessions of the account may have sent since RCPT. And the habits.
std::optional<Reply> ServerSession::count_copies() {
  if (!envelope_->sending && envelope_->forwards.empty()) return std::nullopt;
  const auto view = context_.store.snapshot();
  if (!view) return reply::kTryAgain;
  for (const ForwardedCopies& own : envelope_->forwards) {
    const Reply verdict = admit_forwards(**view, own);
    if (verdict.code >= 400) return verdict;
  }
  if (!envelope_->sending) return std::nullopt;
  SendingState& sending = *envelope_->sending;
  const store::SendingReader reader(**view);
  auto record = reader.record(account_);
  auto domain = reader.sent_today(sending.limits.domain, context_.clock.now());
  if (!record || !domain) return reply::kTryAgain;
  sending.domain = *std::move(domain);
  std::sort(sending.copies.begin(), sending.copies.end());
  sending.copies.erase(std::unique(sending.copies.begin(), sending.copies.end()), sending.copies.end());
  sending.record = store::rolled(*std::move(record), context_.clock.now());
  const auto copies = static_cast<std::uint32_t>(sending.copies.size());
  const std::string network = network_of_client();
  sending.hold_reason = change_of_habit({sending.record, network, copies, sending.limits.burst});
  const SendingFacts facts{sending.record, sending.limits, copies, sending.new_recipients};
  Reply verdict = admit_sending(facts);
  if (verdict.code < 400) verdict = noted(admit_domain(facts, sending.domain), sending.domain);
  return verdict.code >= 400 ? std::optional(verdict) : std::nullopt;
}

// Empty when the address says nothing of where the account is used.
std::string ServerSession::network_of_client() const {
  const bool is_shared = context_.shared && context_.shared->is_shared(remote_address_);
  return is_shared ? std::string() : habit_network(remote_address_);
}

std::optional<store::SentCopies> ServerSession::sent_copies() const {
  if (!envelope_->sending) return std::nullopt;
  const SendingState& sending = *envelope_->sending;
  store::SentCopies sent;
  sent.account = account_;
  sent.network = network_of_client();
  sent.recipients = sending.copies;
  sent.hold_reason = sending.hold_reason;
  sent.domain = sending.limits.domain;
  return sent;
}

store::QueueOrigin ServerSession::origin() const {
  if (role_ == ListenerRole::kSubmission) return store::QueueOrigin::kSubmission;
  return envelope_->is_relayed ? store::QueueOrigin::kRelay : store::QueueOrigin::kForward;
}

std::string ServerSession::trace_of_acceptance(std::string_view header, Timestamp now) const {
  AcceptanceFacts facts;
  std::string hold_words;  // the trace is in English
  facts.id = message_id_;
  facts.time = now;
  facts.role = role_;
  facts.remote_address = remote_address_;
  facts.helo = helo_;
  facts.with = transmission_type();
  facts.login = login_;
  if (tls_) {
    facts.tls_version = tls_->version;
    facts.cipher = tls_->cipher;
  }
  facts.size = transfer_->bytes();
  facts.asks_for_no_tls = transfer_->header().asks_for_no_tls();
  facts.header = header;
  facts.shows_subject = envelope_->shows_subject;
  if (envelope_->sending) {
    const SendingState& sending = *envelope_->sending;
    hold_words = store::hold_reason_words(
        store::decode_hold_reason(sending.record.is_held ? sending.record.hold_reason : sending.hold_reason),
        mail::ReportLanguage::kEnglish);
    facts.hold_reason = hold_words;
  }
  return acceptance_trace(*envelope_, facts);
}

// NOTIFY=SUCCESS of recipients here (RFC 3461 §4.1). Made before the message leaves the session, sent when it is stored.
void ServerSession::prepare_success_report(Timestamp now) {
  // WHY only after submission: the sender is known to be real; elsewhere a report would be backscatter.
  if (role_ != ListenerRole::kSubmission || !envelope_->reverse_path) return;
  auto delivered = delivered_recipients(*envelope_, now);
  if (delivered.empty()) return;
  const store::IncomingMessage& message = transfer_->message();
  auto report = std::make_unique<mail::Report>();
  report->reporting_host = context_.hostname;
  report->from = "postmaster@" + envelope_->reverse_path->domain;
  report->to = to_text(envelope_->reverse_path);
  report->envelope_id = envelope_->parameters.envelope_id;
  report->arrival = now;
  report->now = now;
  report->message_id = to_text(message_id_) + ".delivered";
  report->queue_id = to_text(message_id_);
  // RFC 3461 §6.2: of a message that arrived only the header is returned. Of a large one that lies in a file already, what
  // is kept of it in memory.
  const std::uint64_t header_size = std::min<std::uint64_t>(message.summary().header_size, mail::kMaxReportedHeader);
  report->original_header = message.is_spooled()
                                ? message.summary().cached_fields
                                : std::string(message.bytes().substr(local_header_bytes_, header_size - local_header_bytes_));
  // RFC 6533 §4.5: what comes for an ASCII address may go on to a server without SMTPUTF8.
  report->is_utf8 = transfer_->has_8bit_header() && ascii::has_high_bit(report->to);
  report->ignores_tls_policy = transfer_->header().asks_for_no_tls() && !envelope_->parameters.requires_tls;
  report->recipients = std::move(delivered);
  envelope_->success_report = std::move(report);
}

void ServerSession::send_own_messages() {
  const Timestamp now = context_.clock.now();
  if ((*outcome_)->has_begun_hold) {
    HoldNotice notice{.hostname = context_.hostname, .account = login_, .queue_id = to_text(message_id_), .now = now};
    notice.reason = envelope_->sending->hold_reason;
    notice.signing = context_.signing;
    hold_waiting_mail(context_.store, account_, notice.reason, now);
    send_hold_notices(context_.store, std::move(notice));
  }
  if (!envelope_->success_report) return;
  mail::Report& report = *envelope_->success_report;
  report.language = report_language(context_.store, envelope_->reverse_path->domain);
  OwnMessage message{.to = *envelope_->reverse_path, .text = mail::compose_report(report), .event = "report"};
  message.is_utf8 = report.is_utf8;
  message.requires_tls = envelope_->parameters.requires_tls;
  message.ignores_tls_policy = report.ignores_tls_policy;
  message.signing = context_.signing;
  message.from_domain = envelope_->reverse_path->domain;
  send_own_message(context_.store, message, now);
}

// One request for everything, so that a 250 is never half true: inboxes here, recipients elsewhere, the trace.
store::AddMessage ServerSession::make_request() {
  Envelope& envelope = *envelope_;
  envelope.sort();
  const Timestamp now = context_.clock.now();
  MessageFacts message;
  message.origin = origin();
  message.account = account_;
  message.accepted = now;
  message.local_header_bytes = local_header_bytes_;
  message.has_8bit_header = transfer_->has_8bit_header();
  message.has_8bit = transfer_->message().summary().has_8bit;
  message.asks_for_no_tls = transfer_->header().asks_for_no_tls();
  prepare_success_report(now);
  store::AddMessage request{.message = transfer_->take_message(), .internal_date = now};
  request.targets.reserve(envelope.inboxes.size());
  for (const MailboxId inbox : envelope.inboxes) request.targets.push_back({inbox, 0, {}});
  request.reverse_path = to_text(envelope.reverse_path);
  request.sent = sent_copies();
  request.trace = trace_of_acceptance(request.message.summary().cached_fields, now);
  request.id = message_id_;
  if (!envelope.elsewhere.empty()) {
    request.queue = queue_entry(envelope, message);
    request.queue->extra_header = transfer_->signature();
    request.queue->signing_domain = transfer_->signing_domain();
  }
  request.recipients = envelope.elsewhere;
  request.is_indexed_when_read = !request.queue && !request.sent;
  return request;
}

void ServerSession::begin(session::Resume resume) {
  if (awaiting_ == Awaiting::kRecipient) return ask_primary(std::move(resume));
  context_.store.submit(make_request(), [this, resume = std::move(resume)](Result<store::WriteOutcome> outcome) mutable {
    outcome_ = std::make_unique<Result<store::WriteOutcome>>(std::move(outcome));
    resume();
  });
}

session::Step ServerSession::message_committed(Output& output) {
  if (!*outcome_) {
    log::warning(
        "smtp.not_stored",
        {{"id", to_text(message_id_)}, {"error", to_string(outcome_->error().kind)}, {"context", outcome_->error().context}});
    return message_refused(reply_for(outcome_->error()), output);
  }
  return message_accepted(output);
}

// WHY a line of its own, of one member: whoever looks for a copy that did not come finds the message by it, and the rest in its
// trace.
void ServerSession::log_skipped(std::string_view id) const {
  std::uint64_t count = 0;
  const store::SkippedMember* first = nullptr;
  for (const Recipient& recipient : envelope_->recipients) {
    count += recipient.skipped.size();
    if (!first && count > 0) first = &recipient.skipped.front();
  }
  if (!first) return;
  log::info("smtp.members_skipped",
            {{"id", id}, {"count", count}, {"first", first->address}, {"reason", to_string(first->reason)}});
}

session::Step ServerSession::message_accepted(Output& output) {
  const std::string id = to_text(message_id_);
  append_reply(output, reply::kAccepted, id + " accepted");
  message_metrics().accepted.add();
  (role_ == ListenerRole::kMx ? message_metrics().from_servers : message_metrics().from_users).add();
  message_metrics().bytes.add(transfer_->bytes());
  send_own_messages();
  if (context_.shared && role_ == ListenerRole::kMx) context_.shared->brought_mail(remote_address_, helo_);
  if (!envelope_->elsewhere.empty() && context_.queued) context_.queued(envelope_->destinations());
  if (log::is_enabled(log::Level::kInfo)) {
    log::info("smtp.accepted", {{"id", id},
                                {"from", to_text(envelope_->reverse_path)},
                                {"to", static_cast<std::uint64_t>(envelope_->recipients.size())},
                                {"size", transfer_->bytes()},
                                {"client", remote_address_},
                                {"with", transmission_type()},
                                {"login", login_}});
    log_skipped(id);
  }
  reset_transaction();
  errors_ = 0;
  idle_commands_ = 0;
  refused_recipients_ = 0;
  return Step::kRead;
}

session::Step ServerSession::message_refused(const Reply& reason, Output& output) {
  const Reply reply = reason;  // it may live in the transfer
  (reply.code < 500 ? message_metrics().deferred : message_metrics().refused).add();
  reset_transaction();
  begin_reading(Reading::kCommand);
  return refuse(reply, output);
}

}  // namespace posthus::smtp
