// Counting connections.
#include "core/net/connection_limits.h"

namespace posthus::net {

ConnectionLimits::Place::~Place() {
  if (limits_) limits_->give_back(network_);
}

std::optional<ConnectionLimits::Place> ConnectionLimits::take(const std::optional<IpAddress>& client) {
  const std::lock_guard guard(mutex_);
  if (max_connections_ != 0 && open_ >= max_connections_) return std::nullopt;
  std::optional<IpAddress> network;
  if (client && max_per_network_ != 0) {
    network = client_network(*client).address;
    if (!take_in(*network)) return std::nullopt;
  }
  ++open_;
  return Place(shared_from_this(), network);
}

bool ConnectionLimits::Place::take_for(const IpAddress& client) {
  if (limits_->max_per_network_ == 0) return true;
  const IpAddress network = client_network(client).address;
  const std::lock_guard guard(limits_->mutex_);
  if (!limits_->take_in(network)) return false;
  network_ = network;
  return true;
}

// REQUIRES: the lock is held.
bool ConnectionLimits::take_in(const IpAddress& network) {
  std::size_t& count = by_network_[network];
  if (count >= max_per_network_) return false;
  ++count;
  return true;
}

void ConnectionLimits::give_back(const std::optional<IpAddress>& network) {
  const std::lock_guard guard(mutex_);
  --open_;
  if (!network) return;
  const auto found = by_network_.find(*network);
  if (--found->second == 0) by_network_.erase(found);
}

std::size_t ConnectionLimits::open() const {
  const std::lock_guard guard(mutex_);
  return open_;
}

}  // namespace posthus::net
