// The run-time settings of outgoing mail (PutSetting), each with its default. Those marked with "@" may also be given for
// one destination: "queue.first_retry_seconds@example.org". Thread rule: pure functions.
//
//   queue.first_retry_seconds @   300      the first retry; then the delay doubles
//   queue.max_retry_seconds @     14400    up to this
//   queue.warn_seconds @          14400    when the sender is told of a delay; 0: never
//   queue.expire_seconds @        432000   when a message is given up
//   queue.connections @           5        at once to one destination
//   queue.messages_per_minute @   0        to one destination; 0: no limit
//   queue.total_connections       100      at once to all
//   queue.host_connections        20       at once to one address and port, whatever domains it serves
//   queue.host_messages_per_minute 0       to one address and port; 0: no limit
//   queue.connect_seconds         30       for one address
//   queue.allow_loopback          0        1: MX records may lead to 127.0.0.0/8 and ::1 (tests)
//   queue.bind_addresses                   source addresses, with commas; the first of the right family is used
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip_address.h"
#include "core/base/result.h"
#include "smtp/retry_schedule.h"
#include "smtp/route.h"
#include "store/queue_reader.h"

namespace posthus::smtp {

struct DestinationSettings {
  RetryRules retry;
  std::uint32_t connections = 5;
  std::uint32_t messages_per_minute = 0;
};

struct OutgoingSettings {
  std::uint32_t total_connections = 100;
  /// WHY 20: thousands of domains share a provider's hosts, which count connections by client. Postfix closes the door at
  /// 50 (smtpd_client_connection_count_limit), others earlier; 20 carry more than a host takes of an unknown sender.
  std::uint32_t host_connections = 20;
  std::uint32_t host_messages_per_minute = 0;
  std::chrono::seconds connect_deadline{30};
  LoopbackRule loopback = LoopbackRule::kRefuse;
  std::vector<IpAddress> bind_addresses;
};

/// What holds for a destination (normalised domain or address literal). A value that is no number counts as not given.
Result<DestinationSettings> read_destination_settings(const store::QueueReader& reader, std::string_view domain);
Result<OutgoingSettings> read_outgoing_settings(const store::QueueReader& reader);

/// What we are to `domain` (normalised); nothing when it is not ours.
Result<std::optional<store::DomainKind>> kind_of_domain(const store::Snapshot& snapshot, std::string_view domain);

/// The first of `addresses` of the family of `remote`, as text; empty: none.
std::string source_address(const std::vector<IpAddress>& addresses, const IpAddress& remote);

}  // namespace posthus::smtp
