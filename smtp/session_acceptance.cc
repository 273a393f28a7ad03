// What becomes of a message whose text is complete: "250" only when the store has made it durable, all of it or nothing.
// RFC 5321 §6.1. Thread rule: core/session/session.h.
#include <string>
#include <utility>

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/queue_id.h"
#include "smtp/session_state.h"

namespace posthus::smtp {
namespace {

struct MessageMetrics {
  metrics::Counter& accepted = metrics::counter("posthus_smtp_messages_total", "Messages by result", "result=\"accepted\"");
  metrics::Counter& deferred = metrics::counter("posthus_smtp_messages_total", "Messages by result", "result=\"4xx\"");
  metrics::Counter& refused = metrics::counter("posthus_smtp_messages_total", "Messages by result", "result=\"5xx\"");
  metrics::Counter& bytes = metrics::counter("posthus_smtp_message_bytes_total", "Bytes of accepted messages");
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
  awaiting_ = Awaiting::kCommit;
  return Step::kWait;
}

// One request for everything, so that a 250 is never half true: inboxes here, recipients elsewhere, the trace.
store::AddMessage ServerSession::make_request() {
  Envelope& envelope = *envelope_;
  envelope.sort();
  const Timestamp now = context_.clock.now();
  const std::string id = to_text(message_id_);
  TraceFacts facts;
  facts.id = id;
  facts.remote_address = remote_address_;
  facts.helo = helo_;
  facts.with = transmission_type();
  facts.login = login_;
  facts.size = transfer_->bytes();
  MessageFacts message;
  message.origin = role_ == ListenerRole::kSubmission ? store::QueueOrigin::kSubmission : store::QueueOrigin::kForward;
  message.account = account_;
  message.accepted = now;
  message.local_header_bytes = local_header_bytes_;
  message.has_8bit_header = transfer_->has_8bit_header();
  message.has_8bit = transfer_->message().summary().has_8bit;
  store::AddMessage request{.message = transfer_->take_message(), .targets = {}, .internal_date = now};
  request.targets.reserve(envelope.inboxes.size());
  for (const MailboxId inbox : envelope.inboxes) request.targets.push_back({inbox, 0, {}});
  request.reverse_path = to_text(envelope.reverse_path);
  request.trace = trace_json(envelope, facts);
  request.id = message_id_;
  if (!envelope.elsewhere.empty()) {
    request.queue = queue_entry(envelope, message);
    request.queue->extra_header = transfer_->signature();
  }
  request.recipients = envelope.elsewhere;
  return request;
}

void ServerSession::begin(session::Resume resume) {
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

session::Step ServerSession::message_accepted(Output& output) {
  const std::string id = to_text(message_id_);
  append_reply(output, reply::kAccepted, id + " accepted");
  message_metrics().accepted.add();
  message_metrics().bytes.add(transfer_->bytes());
  if (!envelope_->elsewhere.empty() && context_.queued) context_.queued(envelope_->destinations());
  if (log::is_enabled(log::Level::kInfo)) {
    log::info("smtp.accepted", {{"id", id},
                                {"from", to_text(envelope_->reverse_path)},
                                {"to", static_cast<std::uint64_t>(envelope_->recipients.size())},
                                {"size", transfer_->bytes()},
                                {"client", remote_address_},
                                {"with", transmission_type()},
                                {"login", login_}});
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
