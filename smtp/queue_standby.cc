// Connections that stand by: a visit with nothing left keeps its connection for a moment when mail for its host comes one after
// the other, and whatever is due next on its lane is handed to it instead of a new visit. While it stands by it is neither
// counted among the running nor among its destination's visits. Thread rule: queue_runner_state.h.
#include <algorithm>
#include <iterator>
#include <utility>

#include "smtp/queue_runner_state.h"

namespace posthus::smtp {

std::uint64_t QueueRunner::State::lane_of(std::uint64_t hash) const {
  const auto proven = proven_.find(hash);
  return proven == proven_.end() ? hash : proven->second;
}

// WHY: mail of one destination may go several ways; what was called in vain would be called again at once, without end.
void QueueRunner::State::forget_lane(std::uint64_t hash) {
  const std::lock_guard lock(mutex_);
  if (destination(hash).is_proven) proven_.insert_or_assign(hash, kNoLane);
}

bool QueueRunner::State::may_stand_by(std::uint64_t number, session::Waker waker) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = visits_.find(number);
    const auto connected = connected_.find(number);
    if (is_stopping_ || found == visits_.end() || connected == connected_.end()) return false;
    RunningVisit& visit = found->second;
    Host& host = hosts_[connected->second];
    const Timestamp now = context.clock.now();
    // WHY: a host that gets a message now and then is not kept waiting for the next.
    const bool is_busy = now.microseconds - host.last_end.microseconds < kStandBy;
    host.last_end = now;
    if (!is_busy || !host.waiting.empty()) return false;
    if (std::ranges::any_of(waiting_, [](const auto& waiting) { return !waiting.empty(); })) return false;
    --running_[visit.level];
    visit.level = 0;  // it takes mail
    --destination(visit.hash).visits;
    standing_by_.push_back({.number = number, .lane = visit.visit->lane(), .waker = std::move(waker), .since = now});
    schedule(visit.hash);
  }
  start_visits();
  return true;
}

QueueRunner::State::Call QueueRunner::State::is_called(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = visits_.find(number);
  if (found == visits_.end()) return Call::kLeave;
  const auto standing = std::ranges::find(standing_by_, number, &StandBy::number);
  if (standing != standing_by_.end()) recall(standing);  // nobody called
  RunningVisit& visit = found->second;
  const Call call = std::exchange(visit.call, Call::kLeave);
  if (call != Call::kOwn) return call;
  visit.called.reset();
  Destination& d = destination(visit.hash);
  d.is_waiting = false;
  d.next_due = kNever;  // as for a new visit
  d.is_changed = true;
  schedule(visit.hash);
  return call;
}

void QueueRunner::State::recall(std::vector<StandBy>::iterator standing) {
  const RunningVisit& visit = visits_.at(standing->number);
  ++running_[visit.level];
  ++destination(visit.hash).visits;
  recalled_.push_back(std::move(standing->waker));
  standing_by_.erase(standing);
}

bool QueueRunner::State::has_standing(std::uint64_t hash) const {
  return std::ranges::find(standing_by_, lane_of(hash), &StandBy::lane) != standing_by_.end();
}

bool QueueRunner::State::call_standing(std::uint64_t hash, Destination& d) {
  // WHY the latest: those not needed reach the end of their time.
  const auto standing = std::ranges::find(standing_by_.rbegin(), standing_by_.rend(), lane_of(hash), &StandBy::lane);
  if (standing == standing_by_.rend()) return false;
  RunningVisit& visit = visits_.at(standing->number);
  visit.call = visit.hash == hash ? Call::kOwn : Call::kAlong;
  visit.called = hash;
  d.is_waiting = true;  // until the visit asks for it
  recall(std::prev(standing.base()));
  return true;
}

bool QueueRunner::State::joins_line(std::uint64_t hash, Destination& d) {
  const auto lane = lanes_.find(lane_of(hash));
  if (lane == lanes_.end()) return false;
  const auto host = hosts_.find(lane->second);
  if (host == hosts_.end() || host->second.connections < limit_of(host->second)) return false;
  d.waits_for_host = true;
  host->second.waiting.push_back(hash);
  dismiss_at(lane->second);
  return true;
}

void QueueRunner::State::dismiss_longest() {
  if (!standing_by_.empty()) recall(standing_by_.begin());
}

void QueueRunner::State::dismiss_at(const HostKey& host) {
  const auto standing = std::ranges::find_if(standing_by_, [&](const StandBy& s) {
    const auto connected = connected_.find(s.number);
    return connected != connected_.end() && connected->second == host;
  });
  if (standing != standing_by_.end()) recall(standing);
}

void QueueRunner::State::dismiss_since(Timestamp limit) {
  while (!standing_by_.empty() && standing_by_.front().since <= limit) recall(standing_by_.begin());
}

void QueueRunner::State::wake_recalled() {
  std::vector<session::Waker> recalled;
  {
    const std::lock_guard lock(mutex_);
    recalled.swap(recalled_);
  }
  for (const session::Waker& waker : recalled) waker.wake();
}

}  // namespace posthus::smtp
