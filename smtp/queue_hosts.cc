// How many connections one host has of us, whatever destinations they are for: thousands of domains share a provider's
// hosts. A destination whose host has enough of them waits in line. Thread rule: queue_runner_state.h.
#include <algorithm>
#include <utility>

#include "smtp/queue_runner_state.h"

namespace posthus::smtp {
namespace {

constexpr std::int64_t kMinute = 60'000'000, kPacedAtOnce = 1'000'000;  // microseconds

}  // namespace

bool QueueRunner::State::may_connect(std::uint64_t hash, std::uint64_t number, const std::string& address, std::uint16_t port,
                                     std::uint64_t lane) {
  {
    const std::lock_guard lock(mutex_);
    leave_host(number);
    const HostKey key(address, port);
    Host& host = hosts_[key];
    if (lane != hash) {
      if (lanes_.size() >= kMaxLanes) lanes_.clear();
      lanes_.insert_or_assign(lane, key);
    }
    Destination& d = destination(hash);
    if (is_host_pacing(host, d, context.clock.now())) return false;
    if (host.connections < limit_of(host)) {
      take_turn(host);
      visits_.at(number).has_turn = true;
      ++host.connections;
      connected_.emplace(number, key);
      return true;
    }
    if (!std::exchange(d.waits_for_host, true)) host.waiting.push_back(hash);
    unschedule(hash, d);
    dismiss_at(key);
  }
  wake_recalled();
  return false;
}

void QueueRunner::State::leave_host(std::uint64_t number) {
  const auto connected = connected_.find(number);
  if (connected == connected_.end()) return;
  const auto found = hosts_.find(connected->second);
  connected_.erase(connected);
  Host& host = found->second;
  --host.connections;
  if (!host.waiting.empty() && host.connections < limit_of(host))
    call_next(host);  // an empty one stays until the next tick: see may_stand_by()
}

void QueueRunner::State::call_next(Host& host) {
  const std::uint64_t next = host.waiting.front();
  host.waiting.pop_front();
  destination(next).waits_for_host = false;
  schedule(next);
}

// ---- how much a host bears ----

std::size_t QueueRunner::State::limit_of(const Host& host) const {
  return host.limit == 0 ? host_connections_ : std::min(host.limit, host_connections_);
}

// WHY half of what it has, not of what it may have: that is what it complains of.
void QueueRunner::State::host_asks_for_patience(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto connected = connected_.find(number);
  if (connected == connected_.end()) return;
  Host& host = hosts_[connected->second];
  const Timestamp now = context.clock.now();
  if (host.limit != 0 && now.microseconds - host.limited_at.microseconds < kSameComplaint) return;
  host.limit = std::max<std::size_t>(1, std::min(limit_of(host), host.connections) / 2);
  host.limited_at = now;
}

void QueueRunner::State::recover(Host& host, Timestamp now) const {
  while (host.limit != 0 && now.microseconds - host.limited_at.microseconds >= kHostRecovery) {
    host.limited_at.microseconds += kHostRecovery;
    host.limit = 2 * host.limit < host_connections_ ? 2 * host.limit : 0;
  }
}

// A share of a second at once, as for destinations (queue_claims.cc). WHY a time of its own for each destination that pauses:
// they would all come together, and all but one in vain.
bool QueueRunner::State::is_host_pacing(Host& host, Destination& d, Timestamp now) const {
  if (host_messages_per_minute_ == 0 || host.paced_until.microseconds <= now.microseconds + kPacedAtOnce) return false;
  if (d.pause_until > now) return true;  // it has its turn, by another visit
  const Timestamp turn = std::max(host.next_turn, host.paced_until);
  d.pause_until = {turn.microseconds - kPacedAtOnce};
  host.next_turn = {turn.microseconds + kMinute / host_messages_per_minute_};
  return true;
}

void QueueRunner::State::take_turn(Host& host) const {
  if (host_messages_per_minute_ == 0) return;
  const Timestamp from = std::max(host.paced_until, context.clock.now());
  host.paced_until = {from.microseconds + kMinute / host_messages_per_minute_};
}

bool QueueRunner::State::may_send(std::uint64_t hash, std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto connected = connected_.find(number);
  // WHY the first goes: its turn was taken with the connection, so that nobody connects to hear that he may not send.
  if (connected == connected_.end() || std::exchange(visits_.at(number).has_turn, false)) return true;
  Host& host = hosts_[connected->second];
  if (is_host_pacing(host, destination(hash), context.clock.now())) return false;
  take_turn(host);
  return true;
}

// First those who wait for this host, then those whose mail goes through, then others; at last who would be next in time.
std::optional<std::uint64_t> QueueRunner::State::next_along(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return std::nullopt;
  const auto visit = visits_.find(number);
  if (visit != visits_.end() && visit->second.called) {
    const std::uint64_t called = *std::exchange(visit->second.called, std::nullopt);
    destination(called).is_waiting = false;
    return called;
  }
  const auto connected = connected_.find(number);
  const auto host = connected == connected_.end() ? hosts_.end() : hosts_.find(connected->second);
  if (host != hosts_.end() && !host->second.waiting.empty()) {
    const std::uint64_t hash = host->second.waiting.front();
    host->second.waiting.pop_front();
    destination(hash).waits_for_host = false;
    return hash;
  }
  for (std::deque<std::uint64_t>& waiting : waiting_) {
    if (waiting.empty()) continue;
    const std::uint64_t hash = waiting.front();
    waiting.pop_front();
    destination(hash).is_waiting = false;
    return hash;
  }
  if (timeline_.empty() || timeline_.begin()->first > context.clock.now()) return std::nullopt;
  const std::uint64_t hash = timeline_.begin()->second;
  unschedule(hash, destination(hash));
  return hash;
}

// WHY: who was called may have had nothing to send any more, or another way; the room he left is still there.
void QueueRunner::State::call_waiting() {
  const std::lock_guard lock(mutex_);
  const Timestamp now = context.clock.now();
  for (auto it = hosts_.begin(); it != hosts_.end();) {
    Host& host = it->second;
    recover(host, now);
    for (std::size_t room = limit_of(host); room > host.connections && !host.waiting.empty(); --room) call_next(host);
    const bool is_forgotten = host.connections == 0 && host.waiting.empty() && host.limit == 0 && host.paced_until <= now;
    it = is_forgotten ? hosts_.erase(it) : std::next(it);
  }
}

}  // namespace posthus::smtp
