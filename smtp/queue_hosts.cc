// How many connections one host has of us, whatever destinations they are for: thousands of domains share a provider's
// hosts. A destination whose host has enough of them waits in line. Thread rule: queue_runner_state.h.
#include <utility>

#include "smtp/queue_runner_state.h"

namespace posthus::smtp {

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
    if (host.connections < host_connections_) {
      ++host.connections;
      connected_.emplace(number, key);
      return true;
    }
    Destination& d = destination(hash);
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
  if (!host.waiting.empty()) call_next(host);  // an empty one stays until the next tick: see may_stand_by()
}

void QueueRunner::State::call_next(Host& host) {
  const std::uint64_t next = host.waiting.front();
  host.waiting.pop_front();
  destination(next).waits_for_host = false;
  schedule(next);
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
  for (auto it = hosts_.begin(); it != hosts_.end();) {
    Host& host = it->second;
    for (std::size_t room = host_connections_; room > host.connections && !host.waiting.empty(); --room) call_next(host);
    it = host.connections == 0 && host.waiting.empty() ? hosts_.erase(it) : std::next(it);
  }
}

}  // namespace posthus::smtp
