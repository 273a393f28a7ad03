// Hashed timing wheel with lazy re-filing.
#include "core/net/deadline_wheel.h"

#include <algorithm>

namespace posthus::net {
namespace {

// Rounded up, so that an entry is never looked at before it is due.
std::int64_t tick_of(std::int64_t milliseconds) {
  return milliseconds / DeadlineWheel::kTickMilliseconds + (milliseconds % DeadlineWheel::kTickMilliseconds != 0 ? 1 : 0);
}

}  // namespace

DeadlineWheel::DeadlineWheel(std::int64_t now_milliseconds) : current_tick_(now_milliseconds / kTickMilliseconds) {
  for (Entry& head : slots_) head.previous_ = head.next_ = &head;
}

void DeadlineWheel::set(Entry& entry, std::int64_t due_milliseconds) {
  entry.due_ = due_milliseconds;
  if (entry.next_ != nullptr) {
    if (tick_of(due_milliseconds) >= entry.filed_tick_) return;
    unlink(entry);
  }
  file(entry);
}

void DeadlineWheel::clear(Entry& entry) {
  entry.due_ = Entry::kNever;
  if (entry.next_ != nullptr) unlink(entry);
}

void DeadlineWheel::file(Entry& entry) {
  entry.filed_tick_ = std::clamp(tick_of(entry.due_), current_tick_ + 1, current_tick_ + kSlots - 1);
  Entry& head = slots_[static_cast<std::size_t>(entry.filed_tick_ % kSlots)];
  entry.previous_ = head.previous_;
  entry.next_ = &head;
  head.previous_->next_ = &entry;
  head.previous_ = &entry;
  ++count_;
}

void DeadlineWheel::unlink(Entry& entry) {
  entry.previous_->next_ = entry.next_;
  entry.next_->previous_ = entry.previous_;
  entry.previous_ = entry.next_ = nullptr;
  --count_;
}

void DeadlineWheel::expire(std::int64_t now_milliseconds, FunctionRef<void(Entry&)> due) {
  const std::int64_t now_tick = now_milliseconds / kTickMilliseconds;
  // After a long sleep one turn of the wheel sees every entry.
  const std::int64_t first = std::max(current_tick_ + 1, now_tick - kSlots + 1);
  for (std::int64_t tick = first; tick <= now_tick; ++tick) {
    current_tick_ = tick;
    expire_slot(slots_[static_cast<std::size_t>(tick % kSlots)], now_milliseconds, due);
  }
}

void DeadlineWheel::expire_slot(Entry& head, std::int64_t now_milliseconds, FunctionRef<void(Entry&)> due) {
  // WHY: moved to a ring of its own first; `due` may add and remove entries anywhere, this slot included.
  if (head.next_ == &head) return;
  Entry taken;
  taken.previous_ = head.previous_;
  taken.next_ = head.next_;
  taken.previous_->next_ = taken.next_->previous_ = &taken;
  head.previous_ = head.next_ = &head;
  while (taken.next_ != &taken) {
    Entry& entry = *taken.next_;
    unlink(entry);
    if (entry.due_ == Entry::kNever) continue;
    if (entry.due_ > now_milliseconds) {
      file(entry);
    } else {
      due(entry);
    }
  }
}

}  // namespace posthus::net
