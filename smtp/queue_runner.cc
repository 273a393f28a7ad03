// When which destination is visited. RFC 5321 §4.5.4.1. Thread rule: queue_runner_state.h.
#include "smtp/queue_runner.h"

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/random.h"
#include "smtp/queue_runner_state.h"

namespace posthus::smtp {
namespace {

constexpr std::size_t kDestinationSlice = 1000;  // read in one snapshot

metrics::Gauge& visits_gauge() {
  static metrics::Gauge& gauge = metrics::gauge("posthus_queue_visits", "Visits to destinations that run now.");
  return gauge;
}

// How many of the connections visits of this rank may take. WHY: a thousand dead domains wait for their time-outs; those
// whose mail goes through do not wait for them.
std::size_t share(std::size_t rank, std::size_t total) {
  if (rank == 0) return total;
  return std::max<std::size_t>(1, rank == 1 ? total * 6 / 10 : total * 3 / 10);
}

}  // namespace

// ---- the destinations ----

QueueRunner::State::State(QueueContext c) : context(std::move(c)) {}

QueueRunner::State::~State() = default;

Destination& QueueRunner::State::destination(std::uint64_t hash) {
  const auto [it, is_new] = destinations_.try_emplace(hash);
  if (is_new) it->second.is_proven = proven_.contains(hash);
  return it->second;
}

void QueueRunner::State::unschedule(std::uint64_t hash, Destination& d) {
  if (d.scheduled == kNever) return;
  timeline_.erase({d.scheduled, hash});
  d.scheduled = kNever;
}

void QueueRunner::State::schedule(std::uint64_t hash) {
  const auto found = destinations_.find(hash);
  if (found == destinations_.end()) return;
  Destination& d = found->second;
  unschedule(hash, d);
  if (d.is_waiting || d.waits_for_host) return;
  if (d.ahead.empty() && d.next_due == kNever) {
    if (d.visits == 0 && d.claims == 0) destinations_.erase(found);
    return;
  }
  if (d.visits >= d.window) return;  // looked at again when a visit ends
  const Timestamp due = d.ahead.empty() ? d.next_due : Timestamp{};
  d.scheduled = std::max({due, d.rest_until, d.pause_until});
  timeline_.insert({d.scheduled, hash});
}

// 0: it takes mail. 1: nothing is known of it. 2: it was not reached.
std::size_t QueueRunner::State::rank(const Destination& d) const {
  if (d.failures > 0) return 2;
  return d.is_proven ? 0 : 1;
}

// WHY the newest every other time: when a thousand unknown destinations wait, most of them for hosts that will not answer,
// today's letter does not stand behind all of them; and nobody waits for ever.
std::uint64_t QueueRunner::State::next_waiting(std::size_t level) {
  std::deque<std::uint64_t>& waiting = waiting_[level];
  takes_newest_ = level > 0 && !takes_newest_;
  const std::uint64_t hash = takes_newest_ ? waiting.back() : waiting.front();
  takes_newest_ ? waiting.pop_back() : waiting.pop_front();
  return hash;
}

bool QueueRunner::State::may_run(std::size_t level) const {
  if (waiting_[level].empty()) return false;
  if (level == 0) return true;
  const std::size_t for_proven = total_connections_ / 10;
  return running_[level] < share(level, total_connections_) && running_[1] + running_[2] + for_proven < total_connections_;
}

void QueueRunner::State::note_hanging(Timestamp now) {
  for (auto& [number, running] : visits_) {
    if (running.level != 1 || running.started.microseconds + kHanging > now.microseconds) continue;
    running.level = 2;
    --running_[1];
    ++running_[2];
  }
}

std::vector<Visit*> QueueRunner::State::choose_visits() {
  std::vector<Visit*> started;
  const std::lock_guard lock(mutex_);
  if (is_stopping_ || recording_ >= kMaxRecording) return started;
  const Timestamp now = context.clock.now();
  std::size_t sum = running_[0] + running_[1] + running_[2];
  for (;;) {
    while (!timeline_.empty() && timeline_.begin()->first <= now) {
      const std::uint64_t hash = timeline_.begin()->second;
      Destination& d = destination(hash);
      unschedule(hash, d);
      d.is_waiting = true;
      waiting_[rank(d)].push_back(hash);
    }
    std::size_t level = 0;
    while (level < 3 && !may_run(level)) ++level;
    if (level == 3) break;
    if (sum + standing_by_.size() >= total_connections_ && !(level == 0 && has_standing(waiting_[0].front()))) {
      dismiss_longest();
      break;
    }
    const std::uint64_t hash = next_waiting(level);
    Destination& d = destination(hash);
    if (level == 0 && call_standing(hash, d)) {
      ++sum;
      continue;
    }
    d.is_waiting = false;
    if (level == 0 && joins_line(hash, d)) continue;
    ++d.visits;
    ++running_[level];
    ++sum;
    d.next_due = kNever;  // the visit reads on and finds out
    d.is_changed = true;
    const std::uint64_t number = next_visit_++;
    auto visit = std::make_unique<Visit>(context, *this, hash, number);
    started.push_back(visit.get());
    visits_.emplace(number, RunningVisit{.visit = std::move(visit),
                                         .level = level,
                                         .started = now,
                                         .hash = hash,
                                         .call = {},
                                         .has_turn = false,
                                         .called = {}});
    schedule(hash);
  }
  visits_gauge().set(static_cast<std::int64_t>(sum));
  return started;
}

void QueueRunner::State::start_visits() {
  for (Visit* visit : choose_visits()) visit->start();
  wake_recalled();
}

void QueueRunner::State::progressed(std::uint64_t hash, const DestinationSettings& settings, std::uint64_t lane) {
  {
    const std::lock_guard lock(mutex_);
    Destination& d = destination(hash);
    d.limit = static_cast<std::uint16_t>(std::min<std::uint32_t>(settings.connections, UINT16_MAX));
    d.messages_per_minute = settings.messages_per_minute;
    d.failures = 0;
    d.rest_until = {};
    d.is_proven = true;
    if (proven_.size() >= kMaxProven) proven_.clear();
    proven_[hash] = lane;
    if (d.window >= d.limit) {
      d.window = d.limit;
      return;
    }
    d.window = static_cast<std::uint16_t>(std::min<std::uint32_t>(2u * d.window, d.limit));
    schedule(hash);
  }
  start_visits();
}

void QueueRunner::State::visit_ended(std::uint64_t hash, std::uint64_t number, VisitResult result) {
  std::unique_ptr<Visit> visit;
  bool is_unreached = false;
  {
    const std::lock_guard lock(mutex_);
    ++busy_;
    const auto found = visits_.find(number);
    const auto standing = std::ranges::find(standing_by_, number, &StandBy::number);
    if (standing != standing_by_.end()) recall(standing);  // the host ended it
    if (found->second.called) {
      destination(*found->second.called).is_waiting = false;
      schedule(*found->second.called);
    }
    visit = std::move(found->second.visit);
    --running_[found->second.level];
    visits_.erase(found);
    leave_host(number);
    Destination& d = destination(hash);
    --d.visits;
    if (result.is_slowed) {
      d.window = std::max<std::uint16_t>(1, d.window / 2);
      proven_.erase(hash);
      d.is_proven = false;  // who answers slowly or has enough of us shares connections with those of whom nothing is known
    }
    if (result.kind == VisitResult::Kind::kNoWay) d.window = 1;
    if (result.kind == VisitResult::Kind::kUnreachable) {
      const Timestamp now = context.clock.now();
      d.window = 1;
      proven_.erase(hash);
      // WHY: visits that ran side by side fail together; that is one failure.
      is_unreached = now >= d.rest_until && number >= d.asked_before;
      if (is_unreached) {
        ++d.failures;
        d.rest_until = {now.microseconds + retry_delay(result.failure.retry, d.failures, random_u64()).count()};
      }
      d.next_due = now;  // whatever is due waits for the end of the rest
      std::vector<store::DueRecipient>().swap(d.ahead);
    }
    if (number >= d.asked_before && d.claims == 0) d.asked_before = 0;
    // WHY: a visit that ended at a limit of messages has not read on, so what is due next is not known.
    const bool knows = result.kind == VisitResult::Kind::kNothingDue || result.has_read_on;
    if (!knows) d.next_due = std::min(d.next_due, context.clock.now());
    schedule(hash);
  }
  if (is_unreached) look_after_aged(hash, result.failure);
  start_visits();
  // WHY: later, since the visit's own calls are still on the stack.
  run_blocking([visit = std::move(visit)] {});
  const std::lock_guard lock(mutex_);
  --busy_;
  ended_.notify_all();
}

// ---- from outside ----

void QueueRunner::State::read_destinations(std::chrono::microseconds spread) {
  run_blocking([this, spread] { read_destinations_from(0, spread); });
}

void QueueRunner::State::read_at_start() {
  std::chrono::seconds spread{0};
  if (const auto snapshot = context.store.snapshot()) {
    const auto settings = read_destination_settings(store::QueueReader(**snapshot), "");
    if (settings) spread = std::min(kStartSpread, settings->retry.first_retry);
  }
  read_destinations(spread);
}

Result<std::optional<std::uint64_t>> QueueRunner::State::read_slice(std::uint64_t from, std::vector<FirstDue>& firsts) {
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  const store::QueueReader reader(*snapshot);
  const auto next = POSTHUS_TRY(
      reader.destinations(from, kDestinationSlice, [&](const store::DueRecipient& first) { firsts.push_back({.row = first}); }));
  for (FirstDue& first : firsts) {
    const auto last = POSTHUS_TRY(reader.last_due(first.row.destination));
    const auto recipient = last ? POSTHUS_TRY(reader.recipient(last->id, last->number)) : std::nullopt;
    if (recipient) first.attempts = recipient->attempts;
  }
  return next;
}

void QueueRunner::State::read_destinations_from(std::uint64_t from, std::chrono::microseconds spread) {
  std::vector<FirstDue> firsts;
  const Result<std::optional<std::uint64_t>> next = read_slice(from, firsts);
  if (!next) log::error("queue.unreadable", {{"context", next.error().context}});
  {
    const std::lock_guard lock(mutex_);
    if (!next) unread_ = Unread{from, spread, {context.clock.now().microseconds + kTroublePause}};
    for (const FirstDue& first : firsts) {
      Destination& d = destination(first.row.destination);
      // WHY: what had failed before the start is no better off than what has failed since.
      if (!d.is_proven) d.failures = std::max(d.failures, first.attempts);
      if (d.failures > 0 && spread.count() > 0) {
        d.rest_until = {context.clock.now().microseconds +
                        static_cast<std::int64_t>(random_u64() % static_cast<std::uint64_t>(spread.count()))};
      }
      d.next_due = std::min(d.next_due, first.row.next_attempt);
      d.is_changed = true;
      schedule(first.row.destination);
    }
  }
  start_visits();
  if (next && *next) run_blocking([this, on = **next, spread] { read_destinations_from(on, spread); });
}

void QueueRunner::State::tick() {
  record_again();
  std::optional<Unread> unread;
  {
    const std::lock_guard lock(mutex_);
    if (unread_ && unread_->again <= context.clock.now()) unread.swap(unread_);
  }
  if (unread) run_blocking([this, again = *unread] { read_destinations_from(again.from, again.spread); });
  if (const auto snapshot = context.store.snapshot()) {
    if (const auto settings = read_outgoing_settings(store::QueueReader(**snapshot))) {
      const std::lock_guard lock(mutex_);
      total_connections_ = settings->total_connections;
      host_connections_ = settings->host_connections;
      host_messages_per_minute_ = settings->host_messages_per_minute;
      note_hanging(context.clock.now());
      dismiss_since({context.clock.now().microseconds - kStandBy});
    }
  }
  call_waiting();
  start_visits();
}

void QueueRunner::State::added(const std::string& domain) {
  const std::uint64_t hash = store::destination_hash(domain);
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    Destination& d = destination(hash);
    d.is_changed = true;
    d.next_due = std::min(d.next_due, context.clock.now());
    schedule(hash);
  }
  start_visits();
}

void QueueRunner::State::look_again(const std::string& domain) {
  if (!domain.empty()) return look_again(std::set{store::destination_hash(domain)});
  end_rests();
  read_destinations({});
}

void QueueRunner::State::look_again(const std::set<std::uint64_t>& hashes) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    strays_.clear();
    for (const std::uint64_t hash : hashes) {
      Destination& d = destination(hash);
      read_anew(d);
      end_rest(hash, d);
      schedule(hash);
    }
  }
  start_visits();
}

Timestamp QueueRunner::State::rests_until(std::uint64_t hash) {
  const std::lock_guard lock(mutex_);
  const auto found = destinations_.find(hash);
  if (found == destinations_.end() || found->second.rest_until <= context.clock.now()) return {};
  return found->second.rest_until;
}

// WHY nothing that was read is kept: what was asked for comes before it.
void QueueRunner::State::read_anew(Destination& d) {
  std::vector<store::DueRecipient>().swap(d.ahead);
  ++d.orders;
  d.is_changed = true;
  d.next_due = std::min(d.next_due, context.clock.now());
}

void QueueRunner::State::end_rest(std::uint64_t hash, Destination& d) {
  if (d.visits > 0 || d.claims > 0) d.asked_before = next_visit_;
  d.failures = 0;  // an admin looks after it: the next rest is a short one
  if (d.rest_until.microseconds == 0) return;
  d.rest_until = {};
  if (d.scheduled == kNever) return;
  timeline_.erase({d.scheduled, hash});
  d.scheduled = std::max(d.ahead.empty() ? d.next_due : Timestamp{}, d.pause_until);
  timeline_.insert({d.scheduled, hash});
}

void QueueRunner::State::end_rests() {
  const std::lock_guard lock(mutex_);
  strays_.clear();
  for (auto& [hash, d] : destinations_) {
    read_anew(d);
    end_rest(hash, d);
  }
}

// ---- work and its end ----

void QueueRunner::State::run_blocking(std::move_only_function<void()> work) {
  std::unique_lock lock(mutex_);
  jobs_.push_back(std::move(work));
  ++busy_;
  run_jobs(lock);
  --busy_;
  ended_.notify_all();
}

void QueueRunner::State::run_jobs(std::unique_lock<std::mutex>& lock) {
  while (active_jobs_ < kMaxJobs && !jobs_.empty()) {
    ++active_jobs_;
    std::move_only_function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    context.run_blocking([this, job = std::move(job)]() mutable {
      job();
      job = nullptr;
      std::unique_lock again(mutex_);
      --active_jobs_;
      run_jobs(again);
      ended_.notify_all();
    });
    lock.lock();
  }
}

bool QueueRunner::State::is_stopping() {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

void QueueRunner::State::begin_stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    dismiss_since(kNever);
  }
  wake_recalled();
}

bool QueueRunner::State::wait_for_end(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, patience, [this] {
    return visits_.empty() && busy_ == 0 && jobs_.empty() && active_jobs_ == 0 && recording_ == unrecorded_.size();
  });
}

QueueRunner::QueueRunner(QueueContext context) : state_(std::make_unique<State>(std::move(context))) {}
QueueRunner::~QueueRunner() { stop(); }

void QueueRunner::start() { state_->read_at_start(); }
void QueueRunner::tick() { state_->tick(); }
void QueueRunner::added(const std::string& domain) { state_->added(domain); }
void QueueRunner::look_again(const std::string& domain) { state_->look_again(domain); }
void QueueRunner::look_again(const std::set<std::uint64_t>& destinations) { state_->look_again(destinations); }
Timestamp QueueRunner::rests_until(std::uint64_t destination) { return state_->rests_until(destination); }

void QueueRunner::wind_down(std::chrono::milliseconds patience) {
  state_->begin_stop();
  state_->wait_for_end(patience);
}

void QueueRunner::stop() {
  state_->begin_stop();
  constexpr std::chrono::seconds kStillWaiting{10};
  while (!state_->wait_for_end(kStillWaiting)) log::warning("queue.stop_waits");
  const std::lock_guard lock(state_->mutex_);
  if (!state_->unrecorded_.empty()) {
    log::error("queue.not_recorded", {{"attempts", static_cast<std::uint64_t>(state_->unrecorded_.size())}});
  }
}

}  // namespace posthus::smtp
