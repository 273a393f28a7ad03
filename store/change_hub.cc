// ChangeHub: a map from mailbox to its watchers, cut into shards so that sessions which come and go do not queue up.
#include "store/change_hub.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace posthus::store {
namespace {

constexpr std::size_t kShards = 16;  // a few per core

struct Watcher {
  std::uint64_t id = 0;
  std::function<void()> wake;
};

struct Shard {
  std::mutex mutex;
  std::unordered_map<MailboxId, std::vector<Watcher>> watchers;
  std::atomic<std::size_t> count{0};
};

}  // namespace

struct ChangeHub::State {
  std::array<Shard, kShards> shards;
  std::atomic<std::uint64_t> next_id{1};
  Shard& of(MailboxId mailbox) { return shards[mailbox.value % kShards]; }
};

ChangeHub::ChangeHub() : state_(std::make_unique<State>()) {}
ChangeHub::~ChangeHub() = default;

ChangeHub::Watch ChangeHub::watch(MailboxId mailbox, std::function<void()> wake) {
  Watch watch;
  watch.hub_ = this;
  watch.mailbox_ = mailbox;
  watch.id_ = state_->next_id++;
  Shard& shard = state_->of(mailbox);
  const std::lock_guard lock(shard.mutex);
  shard.watchers[mailbox].push_back({watch.id_, std::move(wake)});
  ++shard.count;
  return watch;
}

void ChangeHub::announce(MailboxId mailbox) {
  Shard& shard = state_->of(mailbox);
  // A watch set up after the commit looks at the mailbox itself, so a stale zero loses nothing.
  if (shard.count.load() == 0) return;
  // WHY: called under the lock, so that a Watch that has died is not called any more. wake only posts.
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.watchers.find(mailbox);
  if (found == shard.watchers.end()) return;
  for (const Watcher& watcher : found->second) watcher.wake();
}

ChangeHub::Watch::Watch(Watch&& other) noexcept
    : hub_(std::exchange(other.hub_, nullptr)), mailbox_(other.mailbox_), id_(other.id_) {}

ChangeHub::Watch& ChangeHub::Watch::operator=(Watch&& other) noexcept {
  std::swap(hub_, other.hub_);
  std::swap(mailbox_, other.mailbox_);
  std::swap(id_, other.id_);
  return *this;
}

ChangeHub::Watch::~Watch() {
  if (!hub_) return;
  Shard& shard = hub_->state_->of(mailbox_);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.watchers.find(mailbox_);
  if (found == shard.watchers.end()) return;
  shard.count -= std::erase_if(found->second, [this](const Watcher& watcher) { return watcher.id == id_; });
  if (found->second.empty()) shard.watchers.erase(found);
}

}  // namespace posthus::store
