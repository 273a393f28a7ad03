// See first_start.h.
#include "web-admin/first_start.h"

#include "core/base/log.h"
#include "store/directory_reader.h"
#include "store/queue_reader.h"

namespace posthus::web_admin {

Result<bool> is_set_up(const store::Snapshot& snapshot) {
  const auto state = POSTHUS_TRY(store::QueueReader(snapshot).setting(first_start_keys::kState));
  if (state) return *state == "done";
  const auto domains = POSTHUS_TRY(store::DirectoryReader(snapshot).domains("", 1));
  return !domains.items.empty();
}

Result<std::optional<std::string>> chosen_hostname(const store::Snapshot& snapshot) {
  return store::QueueReader(snapshot).setting(first_start_keys::kHostname);
}

Result<> FirstStart::finish(store::Store& store) {
  POSTHUS_TRY(store.apply(store::PutSetting{std::string(first_start_keys::kState), "done"}));
  if (!is_set_up_.exchange(true, std::memory_order_acq_rel)) log::info("first_start.finished");
  return {};
}

void FirstStart::remember_test(std::string id) {
  const std::lock_guard lock(mutex_);
  last_test_ = std::move(id);
}

void FirstStart::set_pending_factor(std::string secret) {
  const std::lock_guard lock(mutex_);
  pending_factor_ = std::move(secret);
}

std::string FirstStart::pending_factor() const {
  const std::lock_guard lock(mutex_);
  return pending_factor_;
}

std::string FirstStart::last_test() const {
  const std::lock_guard lock(mutex_);
  return last_test_;
}

}  // namespace posthus::web_admin
