// The rules that put an account on hold; see account_habit.h.
#include "smtp/account_habit.h"

#include <algorithm>

#include "core/base/ip_address.h"
#include "store/hold_reason.h"

namespace posthus::smtp {
namespace {

/// Has it used other networks, but not this one? Without any known network nothing is new.
bool is_new_network(const HabitFacts& facts) {
  const auto& networks = facts.record.networks;
  if (facts.network.empty() || networks.empty()) return false;
  return std::ranges::find(networks, facts.network, &store::KnownNetwork::network) == networks.end();
}

std::uint64_t burst_limit(const HabitFacts& facts) {
  return std::max<std::uint64_t>(facts.burst, std::uint64_t{facts.record.usual_peak} * kHabitFactor);
}

}  // namespace

std::string change_of_habit(const HabitFacts& facts) {
  using store::encode_hold_reason, store::HoldCode;
  if (facts.record.is_held || facts.copies == 0) return {};
  const std::uint64_t window = std::uint64_t{facts.record.window_messages} + facts.copies;
  const std::uint64_t limit = burst_limit(facts);
  if (window > limit) return encode_hold_reason({HoldCode::kBurst, window, limit, {}});
  const std::uint64_t limit_from_new = std::max<std::uint64_t>(limit / kNewNetworkDivisor, kSmallestBurst);
  if (is_new_network(facts) && window > limit_from_new) {
    return encode_hold_reason({HoldCode::kNewNetwork, window, limit_from_new, std::string(facts.network)});
  }
  const store::SendingRecord& record = facts.record;
  if (record.bounces >= kManyBounces && std::uint64_t{record.bounces} * kBouncesPerMessages >= record.messages) {
    return encode_hold_reason({HoldCode::kBounces, record.bounces, record.messages, {}});
  }
  return {};
}

std::string habit_network(std::string_view address) {
  const auto parsed = parse_ip_address(address);
  if (!parsed) return {};
  IpNetwork network{*parsed, parsed->is_v6 ? 48 : 24};
  const std::size_t kept = static_cast<std::size_t>(network.prefix_length) / 8;
  std::fill(network.address.bytes.begin() + static_cast<std::ptrdiff_t>(kept), network.address.bytes.end(), std::uint8_t{0});
  return to_string(network);
}

}  // namespace posthus::smtp
