// Run-time settings of outgoing mail. Thread rule: pure functions.
#include "smtp/queue_settings.h"

#include <algorithm>
#include <optional>

#include "core/base/ascii.h"

namespace posthus::smtp {
namespace {

constexpr std::uint64_t kLongestSeconds = 366ull * 86'400;
constexpr std::uint64_t kMostConnections = 10'000;  // descriptors: far below what a process may have

class Settings {
 public:
  Settings(const store::QueueReader& reader, std::string_view domain) : reader_(reader), domain_(domain) {}

  /// The destination's own value, else the general one, else `value` stays.
  Result<> read(const std::string& name, std::uint64_t most, std::uint64_t& value) const {
    if (!domain_.empty() && POSTHUS_TRY(take(name + "@" + domain_, most, value))) return {};
    POSTHUS_TRY(take(name, most, value));
    return {};
  }
  Result<> read(const std::string& name, std::chrono::seconds& value) const {
    auto seconds = static_cast<std::uint64_t>(value.count());
    POSTHUS_TRY_VOID(read(name, kLongestSeconds, seconds));
    value = std::chrono::seconds(seconds);
    return {};
  }
  Result<> read(const std::string& name, std::uint64_t least, std::uint32_t& value) const {
    std::uint64_t number = value;
    POSTHUS_TRY_VOID(read(name, kMostConnections, number));
    value = static_cast<std::uint32_t>(std::max(number, least));
    return {};
  }

 private:
  Result<bool> take(const std::string& name, std::uint64_t most, std::uint64_t& value) const {
    const std::optional<std::string> text = POSTHUS_TRY(reader_.setting(name));
    const auto number = text ? ascii::parse_decimal<std::uint64_t>(*text) : std::nullopt;
    if (!number) return false;
    value = std::min(*number, most);
    return true;
  }

  const store::QueueReader& reader_;
  const std::string domain_;
};

}  // namespace

Result<DestinationSettings> read_destination_settings(const store::QueueReader& reader, std::string_view domain) {
  DestinationSettings result;
  const Settings settings(reader, domain);
  POSTHUS_TRY_VOID(settings.read("queue.first_retry_seconds", result.retry.first_retry));
  POSTHUS_TRY_VOID(settings.read("queue.max_retry_seconds", result.retry.max_retry));
  POSTHUS_TRY_VOID(settings.read("queue.warn_seconds", result.retry.warn));
  POSTHUS_TRY_VOID(settings.read("queue.expire_seconds", result.retry.expire));
  POSTHUS_TRY_VOID(settings.read("queue.connections", 1, result.connections));
  POSTHUS_TRY_VOID(settings.read("queue.messages_per_minute", 0, result.messages_per_minute));
  return result;
}

Result<OutgoingSettings> read_outgoing_settings(const store::QueueReader& reader) {
  OutgoingSettings result;
  const Settings settings(reader, "");
  POSTHUS_TRY_VOID(settings.read("queue.total_connections", 1, result.total_connections));
  POSTHUS_TRY_VOID(settings.read("queue.host_connections", 1, result.host_connections));
  POSTHUS_TRY_VOID(settings.read("queue.host_messages_per_minute", 0, result.host_messages_per_minute));
  POSTHUS_TRY_VOID(settings.read("queue.connect_seconds", result.connect_deadline));
  result.connect_deadline = std::max(result.connect_deadline, std::chrono::seconds(1));
  std::uint64_t allows_loopback = 0;
  POSTHUS_TRY_VOID(settings.read("queue.allow_loopback", std::uint64_t{1}, allows_loopback));
  if (allows_loopback != 0) result.loopback = LoopbackRule::kAllow;
  const std::string addresses = POSTHUS_TRY(reader.setting("queue.bind_addresses")).value_or("");
  std::string_view rest = addresses;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (const auto address = parse_ip_address(ascii::trim(rest.substr(0, comma)))) result.bind_addresses.push_back(*address);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return result;
}

Result<std::optional<store::DomainKind>> kind_of_domain(const store::Snapshot& snapshot, std::string_view domain) {
  const auto record = POSTHUS_TRY(store::DirectoryReader(snapshot).domain(domain));
  return record ? std::optional(record->kind) : std::nullopt;
}

std::string source_address(const std::vector<IpAddress>& addresses, const IpAddress& remote) {
  for (const IpAddress& address : addresses) {
    if (address.is_v6 == remote.is_v6) return to_string(address);
  }
  return {};
}

}  // namespace posthus::smtp
