// The rules of login_throttle.h.
#include "core/sasl/login_throttle.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/random.h"

namespace posthus::sasl {
namespace {

constexpr std::int64_t microseconds(std::chrono::seconds s) { return s.count() * 1'000'000; }

}  // namespace

LoginThrottle::LoginThrottle(const Clock& clock, std::vector<IpNetwork> exempt_networks)
    : clock_(clock), exempt_networks_(std::move(exempt_networks)), key_(random_bytes(32)) {}

std::uint64_t LoginThrottle::keyed(std::string_view kind, std::string_view a, std::string_view b) const {
  std::string text;
  append_text(text, kind);
  append_text(text, a);
  append_text(text, b);
  return ByteReader(hmac_sha256(key_, text)).u64();
}

LoginThrottle::Origin LoginThrottle::origin(std::string_view login, std::string_view remote_address) const {
  Origin out;
  if (remote_address.empty()) {
    out.is_exempt = true;
    return out;
  }
  std::string network(remote_address);
  if (const auto address = parse_ip_address(remote_address)) {
    out.is_exempt = std::ranges::any_of(exempt_networks_, [&](const IpNetwork& n) { return n.contains(*address); });
    network = to_string(client_network(*address));
  }
  out.account = keyed("account", login, {});
  out.network = keyed("network", network, {});
  out.pair = keyed("pair", login, network);
  return out;
}

bool LoginThrottle::is_known(const Origin& origin, std::int64_t now) {
  const Known* known = known_.find(origin.pair);
  return known && known->failures < kKnownNetworkFailures && now - known->last_success < microseconds(kKnownNetworkMemory);
}

bool LoginThrottle::admits(const Origin& origin) {
  if (origin.is_exempt) return true;
  const std::int64_t now = clock_.now().microseconds;
  const std::lock_guard lock(mutex_);
  if (is_known(origin, now)) return true;
  const auto is_blocked = [now](const Failures* failures) { return failures && now < failures->blocked_until; };
  return !is_blocked(pairs_.find(origin.pair)) && !is_blocked(networks_.find(origin.network)) &&
         !is_blocked(accounts_.find(origin.account));
}

void LoginThrottle::count(Failures& failures, const ThrottleRule& rule, std::int64_t now) {
  if (now - failures.last > microseconds(kFailureMemory)) failures.count = 0;
  failures.last = now;
  ++failures.count;
  if (failures.count < rule.free_failures) return;
  const std::uint32_t doublings = std::min<std::uint32_t>(failures.count - rule.free_failures, 20);
  const std::int64_t block = microseconds(rule.first_block) << doublings;
  failures.blocked_until = now + std::min(block, microseconds(rule.longest_block));
}

void LoginThrottle::failed(const Origin& origin, std::uint64_t fingerprint) {
  if (origin.is_exempt) return;
  const std::int64_t now = clock_.now().microseconds;
  const std::lock_guard lock(mutex_);
  count(networks_.touch(origin.network), kNetworkRule, now);
  Failures& pair = pairs_.touch(origin.pair);
  if (fingerprint != 0 && pair.fingerprint == fingerprint && now - pair.last <= microseconds(kFailureMemory)) return;
  pair.fingerprint = fingerprint;
  count(pair, kPairRule, now);
  if (is_known(origin, now)) {
    ++known_.touch(origin.pair).failures;
    return;
  }
  count(accounts_.touch(origin.account), kAccountRule, now);
}

void LoginThrottle::succeeded(const Origin& origin) {
  if (origin.is_exempt) return;
  const std::int64_t now = clock_.now().microseconds;
  const std::lock_guard lock(mutex_);
  pairs_.erase(origin.pair);
  known_.touch(origin.pair) = Known{now, 0};
}

}  // namespace posthus::sasl
