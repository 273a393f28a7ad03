// ConnectionLimits: how many connections a listener holds, in all and per client network.
// Thread rule: any thread (the acceptors of all io threads share one).
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "core/base/ip_address.h"

namespace posthus::net {

class ConnectionLimits : public std::enable_shared_from_this<ConnectionLimits> {
 public:
  /// 0 means no limit.
  ConnectionLimits(std::size_t max_connections, std::size_t max_per_network)
      : max_connections_(max_connections), max_per_network_(max_per_network) {}

  /// A connection's place; gives it back when it dies.
  class Place {
   public:
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place();
    /// Counts the connection for the network of `client` as well, which was not known before. False when that has no place left.
    bool take_for(const IpAddress& client);

   private:
    friend class ConnectionLimits;
    Place(std::shared_ptr<ConnectionLimits> limits, const std::optional<IpAddress>& network)
        : limits_(std::move(limits)), network_(network) {}
    std::shared_ptr<ConnectionLimits> limits_;
    std::optional<IpAddress> network_;
  };

  /// Nothing when a limit is reached. Without an address (a Unix socket) only the total counts.
  std::optional<Place> take(const std::optional<IpAddress>& client);
  std::size_t open() const;

 private:
  bool take_in(const IpAddress& network);
  void give_back(const std::optional<IpAddress>& network);

  const std::size_t max_connections_;
  const std::size_t max_per_network_;
  mutable std::mutex mutex_;
  std::size_t open_ = 0;
  std::map<IpAddress, std::size_t> by_network_;  // as many as connections at most
};

}  // namespace posthus::net
