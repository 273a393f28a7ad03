// From results to records. RFC 3461 §4.1 (NOTIFY), §5.2; RFC 3464 §2.3. Thread rule: pure functions.
#include "smtp/settlement.h"

#include <algorithm>
#include <map>

#include "core/mail/date_time.h"
#include "smtp/trace_event.h"

namespace posthus::smtp {
namespace {

namespace notify = store::notify;
using mail::ReportAction;
using Verdict = SettledRecipient::Verdict;

constexpr std::string_view kUndefinedTemporary = "4.0.0", kUndefinedPermanent = "5.0.0", kTookTooLong = "4.4.7";

/// What happens to one recipient, with the schedule applied.
enum class Fate : std::uint8_t { kRelayed, kDeferred, kDelayed, kFailed, kExpired };

std::string_view event_of(Fate fate) {
  switch (fate) {
    case Fate::kRelayed: return "relayed";
    case Fate::kDeferred:
    case Fate::kDelayed: return "deferred";
    case Fate::kFailed: return "failed";
    case Fate::kExpired: return "expired";
  }
  return "failed";
}

// RFC 3461 §4.1: without NOTIFY failures are reported, and delays may be; success only when it was asked for.
bool wants_report(std::uint8_t asked, Fate fate, bool offers_dsn) {
  switch (fate) {
    case Fate::kRelayed: return (asked & notify::kSuccess) != 0 && !offers_dsn;
    case Fate::kDeferred: return false;
    case Fate::kDelayed: return asked == notify::kUnset || (asked & notify::kDelay) != 0;
    case Fate::kFailed:
    case Fate::kExpired: return asked == notify::kUnset || (asked & notify::kFailure) != 0;
  }
  return false;
}

std::string reply_text(const RemoteReply& reply) {
  if (reply.code == 0) return reply.text;
  std::string text = std::to_string(reply.code);
  if (!reply.enhanced.empty()) text += " " + reply.enhanced;
  if (!reply.text.empty()) text += " " + reply.text;
  return text;
}

// What is kept and shown of the last attempt: the host's words, else ours.
std::string last_words(const SettledRecipient& settled) {
  std::string words = settled.reply.code != 0 || settled.explanation.empty() ? reply_text(settled.reply) : settled.explanation;
  if (words.size() > store::kMaxRemoteWords) words.resize(store::kMaxRemoteWords);
  return words;
}

// RFC 3463 §2: the class of the host's enhanced code must be that of its reply; else the code alone counts.
std::string status_of(const SettledRecipient& settled, Fate fate) {
  if (fate == Fate::kRelayed) return settled.reply.enhanced.starts_with('2') ? settled.reply.enhanced : "2.0.0";
  const bool is_permanent = fate == Fate::kFailed;
  const std::string& own = settled.reply.enhanced.empty() ? settled.status : settled.reply.enhanced;
  if (fate == Fate::kExpired) return std::string(own.empty() ? kTookTooLong : own);
  if (!own.empty() && own.front() == (is_permanent ? '5' : '4')) return own;
  return std::string(is_permanent ? kUndefinedPermanent : kUndefinedTemporary);
}

ReportAction action_of(Fate fate) {
  if (fate == Fate::kRelayed) return ReportAction::kRelayed;
  return fate == Fate::kDelayed ? ReportAction::kDelayed : ReportAction::kFailed;
}

mail::ReportedRecipient reported(const Settlement& settlement, const SettledRecipient& settled, Fate fate, Timestamp now) {
  mail::ReportedRecipient out;
  out.original_recipient = settled.recipient.original_recipient;
  out.final_recipient = settled.recipient.address;
  out.action = action_of(fate);
  out.status = status_of(settled, fate);
  if (settled.reply.code != 0) {
    out.remote_host = settlement.host;
    out.remote_reply = reply_text(settled.reply);
  } else {
    out.explanation = settled.explanation.empty() ? settled.reply.text : settled.explanation;
  }
  out.last_attempt = now;
  if (fate == Fate::kDelayed) out.retry_until = expiry(settlement.retry, settlement.entry.accepted);
  return out;
}

class Recorder {
 public:
  Recorder(const Settlement& settlement, Timestamp now) : settlement_(settlement), now_(now) {}

  void add(const SettledRecipient& settled, std::uint64_t chance) {
    store::RecipientOutcome outcome;
    outcome.number = settled.recipient.number;
    outcome.last_host = settlement_.host;
    outcome.last_reply = last_words(settled);
    const Fate fate = decide(settled, chance, outcome);
    // WHY not our own refusals: such a copy was not counted as sent either.
    if (fate == Fate::kFailed && !settlement_.is_own_listener) ++record_.failures;
    // RFC 5321 §4.5.5, RFC 3461 §6: no report about a report. Success is told only to our own users: nobody has checked who
    // stands behind the reverse-path of other mail, and a report would be backscatter.
    const bool is_reported = !settlement_.entry.reverse_path.empty() &&
                             wants_report(settled.recipient.notify, fate, settlement_.offers_dsn) &&
                             (fate != Fate::kRelayed || settlement_.entry.origin == store::QueueOrigin::kSubmission);
    if (is_reported) record_.reported.push_back(reported(settlement_, settled, fate, now_));
    tell(settled, fate, outcome);
    record_.outcomes.push_back(std::move(outcome));
  }

  Record take() {
    for (auto& [key, recipients] : events_) record_.trace.push_back(event(key, recipients));
    return std::move(record_);
  }

 private:
  /// What recipients have in common that share one event.
  struct EventKey {
    std::string_view event;
    std::string words;
    Timestamp next_attempt;
    auto operator<=>(const EventKey&) const = default;
  };

  Fate decide(const SettledRecipient& settled, std::uint64_t chance, store::RecipientOutcome& outcome) const {
    outcome.kind = store::RecipientOutcome::Kind::kDone;
    if (settled.verdict == Verdict::kRelayed) return Fate::kRelayed;
    if (settled.verdict == Verdict::kFailed) return Fate::kFailed;
    const std::uint32_t attempts = settled.recipient.attempts + 1;
    const Retry retry = next_retry(settlement_.retry, settlement_.entry.accepted, now_, attempts, chance);
    if (retry.is_expired) return Fate::kExpired;
    outcome.kind = store::RecipientOutcome::Kind::kDeferred;
    outcome.next_attempt = retry.next_attempt;
    outcome.is_delay_reported = settled.recipient.is_delay_reported || retry.is_delay_due;
    return retry.is_delay_due && !settled.recipient.is_delay_reported ? Fate::kDelayed : Fate::kDeferred;
  }

  void tell(const SettledRecipient& settled, Fate fate, const store::RecipientOutcome& outcome) {
    events_[EventKey{event_of(fate), outcome.last_reply, outcome.next_attempt}].push_back(&settled);
  }

  std::string event(const EventKey& key, const std::vector<const SettledRecipient*>& recipients) const {
    TraceEvent event(key.event, now_);
    std::vector<std::string_view> addresses;
    for (const SettledRecipient* settled : recipients) addresses.push_back(settled->recipient.address);
    event.texts("recipients", addresses);
    event.text("host", settlement_.host);
    event.text("address", settlement_.address);
    if (settlement_.port != 0) event.number("port", settlement_.port);
    event.text("tls", settlement_.tls);
    event.text(recipients.front()->reply.code != 0 ? "reply" : "detail", key.words);
    if (key.next_attempt.microseconds != 0) event.text("next_attempt", mail::format_rfc3339(key.next_attempt));
    return event.take();
  }

  const Settlement& settlement_;
  const Timestamp now_;
  Record record_;
  std::map<EventKey, std::vector<const SettledRecipient*>> events_;
};

}  // namespace

Record make_record(const Settlement& settlement, Timestamp now, std::uint64_t seed) {
  Recorder recorder(settlement, now);
  // WHY: one chance for all: recipients of one message that failed together are tried again in one transaction.
  for (const SettledRecipient& settled : settlement.recipients) recorder.add(settled, seed);
  return recorder.take();
}

}  // namespace posthus::smtp
