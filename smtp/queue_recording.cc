// What an attempt brought goes back into the store: outcome, trace and report in one request. The claim ends when it is
// there; until then nobody takes the recipient again, so that only a crash between the remote 250 and our commit makes a
// duplicate. Thread rule: queue_runner_state.h.
#include <algorithm>
#include <iterator>

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/queue_id.h"
#include "core/base/random.h"
#include "smtp/delivery_report.h"
#include "smtp/queue_runner_state.h"
#include "smtp/trace_event.h"

namespace posthus::smtp {
namespace {

using store::RecipientOutcome;

// What the store refuses is offered again after 1, 2, 4 ... seconds, at most so many apart. WHY without end: until it is
// recorded the recipients stay claimed, so nobody gets the message twice; a restart begins anew.
constexpr std::int64_t kLongestWait = 300;
constexpr std::int64_t kLongestWaitForRoom = 30;  // a full disk or a busy Writer
// A quarter of an hour of refusals: then the outcome is recorded without its report, and the trace says so; a while later
// without trace, since a part of it may be what is refused.
constexpr std::uint32_t kMaxReportTries = 10, kMaxTraceTries = 13;
constexpr std::size_t kMaxAgedRows = 2000;  // rows looked at for one destination

// When the message with this id was accepted (core/base/queue_id.h).
Timestamp time_of(QueueId id) { return {static_cast<std::int64_t>(id.value >> 12)}; }

struct RecipientMetrics {
  metrics::Counter& relayed = metrics::counter("posthus_queue_recipients_total", "Attempts by result", "result=\"relayed\"");
  metrics::Counter& deferred = metrics::counter("posthus_queue_recipients_total", "Attempts by result", "result=\"deferred\"");
  metrics::Counter& failed = metrics::counter("posthus_queue_recipients_total", "Attempts by result", "result=\"failed\"");
};

void count(const Settlement& settlement) {
  static RecipientMetrics counters;
  for (const SettledRecipient& settled : settlement.recipients) {
    switch (settled.verdict) {
      case SettledRecipient::Verdict::kRelayed: counters.relayed.add(); break;
      case SettledRecipient::Verdict::kDeferred: counters.deferred.add(); break;
      case SettledRecipient::Verdict::kFailed: counters.failed.add(); break;
    }
  }
}

void log_settlement(const Settlement& settlement) {
  if (!log::is_enabled(log::Level::kInfo)) return;
  const SettledRecipient& first = settlement.recipients.front();
  constexpr std::string_view kNames[] = {"queue.relayed", "queue.deferred", "queue.failed"};
  log::write(log::Level::kInfo, kNames[static_cast<std::size_t>(first.verdict)],
             {{"id", to_text(settlement.entry.id)},
              {"domain", settlement.domain},
              {"recipients", static_cast<std::uint64_t>(settlement.recipients.size())},
              {"host", settlement.host},
              {"address", settlement.address},
              {"tls", settlement.tls},
              {"code", static_cast<std::uint32_t>(first.reply.code)},
              {"reply", first.explanation.empty() ? first.reply.text : first.explanation}});
}

store::RecordAttempt request_of(const Settlement& settlement, Record& record) {
  store::RecordAttempt request;
  request.failures = record.failures;
  request.id = settlement.entry.id;
  request.outcomes = std::move(record.outcomes);
  for (std::size_t i = 0; i < std::min(request.outcomes.size(), settlement.recipients.size()); ++i) {
    const store::QueuedRecipient& taken = settlement.recipients[i].recipient;
    if (request.outcomes[i].number == taken.number) request.outcomes[i].was_due_at = taken.next_attempt;
  }
  request.trace = std::move(record.trace);
  return request;
}

std::string lost_report(const Settlement& settlement, const RecordTries& tries, Timestamp now) {
  TraceEvent event("report", now);
  event.texts("recipients", {settlement.entry.reverse_path});
  event.text("detail", "The sender could not be told: " + tries.reason);
  return event.take();
}

}  // namespace

void QueueRunner::State::settle(std::uint64_t hash, Settlement settlement) {
  {
    const std::lock_guard lock(mutex_);
    ++recording_;
  }
  count(settlement);
  log_settlement(settlement);
  record(hash, std::move(settlement), {});
}

void QueueRunner::State::record(std::uint64_t hash, Settlement settlement, RecordTries tries) {
  Record record = make_record(settlement, context.clock.now(), random_u64());
  if (!record.reported.empty() && tries.refusals >= kMaxReportTries) {
    log::error("queue.report_lost",
               {{"id", to_text(settlement.entry.id)}, {"to", settlement.entry.reverse_path}, {"context", tries.reason}});
    record.trace.push_back(lost_report(settlement, tries, context.clock.now()));
    record.reported.clear();
  }
  if (tries.refusals >= kMaxTraceTries) record.trace.clear();
  if (record.reported.empty()) {
    store::RecordAttempt request = request_of(settlement, record);
    return submit(hash, std::move(settlement), std::move(request), {}, std::move(tries));
  }
  run_blocking([this, hash, settlement = std::move(settlement), record = std::move(record), tries = std::move(tries)]() mutable {
    record_with_report(hash, std::move(settlement), std::move(record), std::move(tries));
  });
}

void QueueRunner::State::record_with_report(std::uint64_t hash, Settlement settlement, Record record, RecordTries tries) {
  const auto snapshot = context.store.snapshot();
  if (!snapshot) return not_recorded(hash, std::move(settlement), snapshot.error(), std::move(tries));
  Result<ReportMessage> report = make_report({.store = context.store,
                                              .snapshot = **snapshot,
                                              .hostname = context.hostname,
                                              .entry = settlement.entry,
                                              .recipients = std::move(record.reported),
                                              .now = context.clock.now(),
                                              .signing = context.signing});
  if (!report) return not_recorded(hash, std::move(settlement), report.error(), std::move(tries));
  store::RecordAttempt request = request_of(settlement, record);
  request.trace.push_back(std::move(report->event));
  request.report = std::move(report->message);
  submit(hash, std::move(settlement), std::move(request), std::move(report->destination), std::move(tries));
}

void QueueRunner::State::submit(std::uint64_t hash, Settlement settlement, store::RecordAttempt request, std::string report_to,
                                RecordTries tries) {
  std::vector<RecipientOutcome> outcomes = request.outcomes;
  context.store.submit(std::move(request),
                       [this, hash, settlement = std::move(settlement), outcomes = std::move(outcomes),
                        report_to = std::move(report_to), tries = std::move(tries)](Result<store::WriteOutcome> done) mutable {
                         if (!done) return not_recorded(hash, std::move(settlement), done.error(), std::move(tries));
                         if (!report_to.empty()) added(report_to);
                         recorded(hash, settlement, outcomes);
                       });
}

void QueueRunner::State::recorded(std::uint64_t hash, const Settlement& settlement,
                                  const std::vector<RecipientOutcome>& outcomes) {
  {
    const std::lock_guard lock(mutex_);
    Destination& d = destination(hash);
    for (const RecipientOutcome& outcome : outcomes) {
      d.claims -= static_cast<std::uint32_t>(claims_.erase({settlement.entry.id, outcome.number}));
      if (outcome.kind == RecipientOutcome::Kind::kDeferred) d.next_due = std::min(d.next_due, outcome.next_attempt);
    }
    // What an admin asked for meanwhile may be due at once.
    if (d.asked_before != 0) d.next_due = std::min(d.next_due, context.clock.now());
    schedule(hash);
  }
  start_visits();
  const std::lock_guard lock(mutex_);
  --recording_;
  ended_.notify_all();
}

void QueueRunner::State::not_recorded(std::uint64_t hash, Settlement settlement, const Error& error, RecordTries tries) {
  // WHY: a full disk is waited for, however long; a report is not given up for it.
  const bool is_refused = error.kind != ErrorKind::kBusy && error.kind != ErrorKind::kUnavailable;
  const std::int64_t wait =
      std::min(std::int64_t{1} << std::min(tries.all, 20U), is_refused ? kLongestWait : kLongestWaitForRoom);
  ++tries.all;
  if (is_refused) ++tries.refusals;
  tries.reason = error.context;
  log::warning("queue.not_recorded", {{"id", to_text(settlement.entry.id)},
                                      {"error", to_string(error.kind)},
                                      {"context", error.context},
                                      {"tries", tries.all},
                                      {"again_seconds", static_cast<std::uint64_t>(wait)}});
  const Timestamp again{context.clock.now().microseconds + wait * 1'000'000};
  const std::lock_guard lock(mutex_);
  unrecorded_.push_back({hash, std::move(settlement), std::move(tries), again});
  ended_.notify_all();
}

void QueueRunner::State::record_again() {
  const Timestamp now = context.clock.now();
  std::vector<Unrecorded> due;
  {
    const std::lock_guard lock(mutex_);
    const auto is_early = [now](const Unrecorded& u) { return u.again > now; };
    const auto first_due = std::partition(unrecorded_.begin(), unrecorded_.end(), is_early);
    std::move(first_due, unrecorded_.end(), std::back_inserter(due));
    unrecorded_.erase(first_due, unrecorded_.end());
  }
  for (Unrecorded& u : due) record(u.hash, std::move(u.settlement), std::move(u.tries));
}

// ---- recipients that wait for a destination that rests ----

void QueueRunner::State::look_after_aged(std::uint64_t hash, const Settlement& failure) {
  run_blocking([this, hash, failure] {
    const Result<std::size_t> settled = settle_aged(hash, failure);
    if (!settled) {
      log::warning("queue.unreadable", {{"context", settled.error().context}});
    } else if (*settled >= kMaxAged) {
      look_after_aged(hash, failure);
    }
  });
}

namespace {

// Its time to be told of, or over, and nobody has seen to it.
bool is_aged(const store::QueueEntry& entry, const store::QueuedRecipient& recipient, const RetryRules& rules, Timestamp now) {
  if (!recipient.route.empty() || entry.is_held) return false;  // its own route: it is attempted by itself
  if (expiry(rules, entry.accepted) <= now) return true;
  const std::int64_t warning = entry.accepted.microseconds + std::chrono::microseconds(rules.warn).count();
  return rules.warn.count() > 0 && warning <= now.microseconds && !recipient.is_delay_reported;
}

Result<bool> is_aged(const store::QueueReader& reader, const store::DueRecipient& row, const RetryRules& rules, Timestamp now) {
  const auto entry = POSTHUS_TRY(reader.entry(row.id));
  const auto recipient = POSTHUS_TRY(reader.recipient(row.id, row.number));
  return entry && recipient && is_aged(*entry, *recipient, rules, now);
}

}  // namespace

// The next moment at which a message accepted then is to be told of or given up.
Timestamp QueueRunner::State::next_moment(Timestamp accepted, const RetryRules& rules, Timestamp now) {
  const Timestamp warning{accepted.microseconds + std::chrono::microseconds(rules.warn).count()};
  if (rules.warn.count() > 0 && warning > now) return warning;
  const Timestamp end = expiry(rules, accepted);
  return end > now ? end : kNever;
}

Result<std::vector<store::DueRecipient>> QueueRunner::State::claim_aged(std::uint64_t hash, const RetryRules& rules) {
  const Timestamp now = context.clock.now();
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  const store::QueueReader reader(*snapshot);
  std::vector<store::DueRecipient> claimed;
  Timestamp moment = kNever;
  for (const store::DueRecipient& row : POSTHUS_TRY(reader.due(hash, {}, kNever, kMaxAgedRows))) {
    moment = std::min(moment, next_moment(time_of(row.id), rules, now));
    if (row.next_attempt > now || claimed.size() >= kMaxAged) continue;
    if (next_moment(time_of(row.id), rules, {}) > now || !POSTHUS_TRY(is_aged(reader, row, rules, now))) continue;
    if (claim_one(hash, row)) claimed.push_back(row);
  }
  shorten_rest(hash, rules, moment);
  return claimed;
}

// WHY: the sender hears in time though the destination rests for hours; but no attempt for each of many messages.
void QueueRunner::State::shorten_rest(std::uint64_t hash, const RetryRules& rules, Timestamp moment) {
  const std::lock_guard lock(mutex_);
  const auto found = destinations_.find(hash);
  if (found == destinations_.end() || found->second.rest_until <= moment) return;
  const Timestamp soonest{context.clock.now().microseconds + retry_delay(rules, 1, random_u64()).count()};
  found->second.rest_until = std::min(found->second.rest_until, std::max(moment, soonest));
  schedule(hash);
}

Result<std::size_t> QueueRunner::State::settle_aged(std::uint64_t hash, const Settlement& failure) {
  const std::vector<store::DueRecipient> rows = POSTHUS_TRY(claim_aged(hash, failure.retry));
  // WHY another snapshot: see load().
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  const store::QueueReader reader(*snapshot);
  const Timestamp now = context.clock.now();
  for (const store::DueRecipient& row : rows) {
    auto entry = reader.entry(row.id);
    auto recipient = reader.recipient(row.id, row.number);
    if (!entry || !recipient || !*entry || !*recipient || !is_aged(**entry, **recipient, failure.retry, now)) {
      release(hash, row.id, {row.number}, now);
      continue;
    }
    Settlement one = failure;
    one.entry = **std::move(entry);
    one.domain = (*recipient)->domain;
    one.recipients.front().recipient = **std::move(recipient);
    settle(hash, std::move(one));
  }
  return rows.size();
}

bool QueueRunner::State::claim_one(std::uint64_t hash, const store::DueRecipient& row) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_ || recording_ >= kMaxRecording || !claims_.insert({row.id, row.number}).second) return false;
  ++destination(hash).claims;
  return true;
}

}  // namespace posthus::smtp
