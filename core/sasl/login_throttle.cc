// The rules of login_throttle.h.
#include "core/sasl/login_throttle.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/base/shared_addresses.h"

namespace posthus::sasl {
namespace {

constexpr std::size_t kMaxBlockText = 200;  // strangers write it

constexpr std::string_view kKindLetters = "pnac";  // in the order of LoginBlockKind
constexpr std::array kBlockKinds{LoginBlockKind::kPair, LoginBlockKind::kNetwork, LoginBlockKind::kAccount,
                                 LoginBlockKind::kCodes};

constexpr std::int64_t microseconds(std::chrono::seconds s) { return s.count() * 1'000'000; }

}  // namespace

LoginThrottle::LoginThrottle(const Clock& clock, std::vector<IpNetwork> exempt_networks, const SharedAddresses* shared)
    : clock_(clock), exempt_networks_(std::move(exempt_networks)), shared_(shared), key_(random_bytes(32)) {}

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
    out.is_shared = shared_ && shared_->is_shared(*address);
    network = to_string(client_network(*address));
  }
  out.login_text = login.substr(0, kMaxBlockText);
  out.network_text = network;
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
  const auto is_blocked = [now](const Failures* failures) { return failures && now < failures->blocked_until; };
  if (origin.is_shared) return !is_blocked(accounts_.find(origin.account));
  if (is_known(origin, now)) return true;
  return !is_blocked(pairs_.find(origin.pair)) && !is_blocked(networks_.find(origin.network)) &&
         !is_blocked(accounts_.find(origin.account));
}

void LoginThrottle::count(Failures& failures, const ThrottleRule& rule, std::int64_t now, std::string_view login,
                          std::string_view network) {
  if (now - failures.last > microseconds(kFailureMemory)) failures.count = 0;
  failures.last = now;
  ++failures.count;
  if (failures.count < rule.free_failures) return;
  failures.login = login;
  failures.network = network;
  const std::uint32_t doublings = std::min<std::uint32_t>(failures.count - rule.free_failures, 20);
  const std::int64_t block = microseconds(rule.first_block) << doublings;
  failures.blocked_until = now + std::min(block, microseconds(rule.longest_block));
}

void LoginThrottle::failed(const Origin& origin, std::uint64_t fingerprint) {
  if (origin.is_exempt) return;
  const std::int64_t now = clock_.now().microseconds;
  const std::lock_guard lock(mutex_);
  if (!origin.is_shared) count(networks_.touch(origin.network), kNetworkRule, now, {}, origin.network_text);
  Failures& pair = pairs_.touch(origin.pair);
  if (fingerprint != 0 && pair.fingerprint == fingerprint && now - pair.last <= microseconds(kFailureMemory)) return;
  pair.fingerprint = fingerprint;
  if (origin.is_shared) {
    pair.last = now;  // only for the fingerprint
  } else {
    count(pair, kPairRule, now, origin.login_text, origin.network_text);
  }
  if (!origin.is_shared && is_known(origin, now)) {
    ++known_.touch(origin.pair).failures;
    return;
  }
  count(accounts_.touch(origin.account), kAccountRule, now, origin.login_text, {});
}

bool LoginThrottle::admits_code(std::string_view login) {
  const std::uint64_t key = keyed("code", login, {});
  const std::int64_t now = clock_.now().microseconds;
  const std::lock_guard lock(mutex_);
  const Failures* failures = codes_.find(key);
  return !failures || now >= failures->blocked_until;
}

void LoginThrottle::code_failed(std::string_view login) {
  const std::uint64_t key = keyed("code", login, {});
  const std::int64_t now = clock_.now().microseconds;
  const std::lock_guard lock(mutex_);
  count(codes_.touch(key), kPairRule, now, login.substr(0, kMaxBlockText), {});
}

void LoginThrottle::code_succeeded(std::string_view login) {
  const std::uint64_t key = keyed("code", login, {});
  const std::lock_guard lock(mutex_);
  codes_.erase(key);
}

BoundedTable<LoginThrottle::Failures>& LoginThrottle::table_of(LoginBlockKind kind) {
  switch (kind) {
    case LoginBlockKind::kPair: return pairs_;
    case LoginBlockKind::kNetwork: return networks_;
    case LoginBlockKind::kAccount: return accounts_;
    case LoginBlockKind::kCodes: break;
  }
  return codes_;
}

std::vector<LoginBlock> LoginThrottle::blocks() {
  const std::int64_t now = clock_.now().microseconds;
  std::vector<LoginBlock> all;
  const auto gather = [&](LoginBlockKind kind) {
    table_of(kind).for_each([&](std::uint64_t key, const Failures& failures) {
      if (now >= failures.blocked_until) return;
      std::string bytes;
      append_u64(bytes, key);
      all.push_back({.id = kKindLetters[static_cast<std::size_t>(kind)] + to_hex(bytes),
                     .kind = kind,
                     .login = failures.login,
                     .network = failures.network,
                     .failures = failures.count,
                     .last_failure = {failures.last},
                     .until = {failures.blocked_until}});
    });
  };
  const std::lock_guard lock(mutex_);
  for (const LoginBlockKind kind : kBlockKinds) gather(kind);
  return all;
}

void LoginThrottle::restore(const std::vector<LoginBlock>& kept) {
  const std::int64_t now = clock_.now().microseconds;
  const std::lock_guard lock(mutex_);
  for (const LoginBlock& one : kept) {
    // WHY: of a name that was cut the account is not known any more.
    if (one.until.microseconds <= now || one.login.size() >= kMaxBlockText) continue;
    const bool is_pair = one.kind == LoginBlockKind::kPair, is_network = one.kind == LoginBlockKind::kNetwork;
    const std::uint64_t key = is_pair      ? keyed("pair", one.login, one.network)
                              : is_network ? keyed("network", one.network, {})
                                           : keyed(one.kind == LoginBlockKind::kAccount ? "account" : "code", one.login, {});
    const ThrottleRule& rule = is_network ? kNetworkRule : one.kind == LoginBlockKind::kAccount ? kAccountRule : kPairRule;
    Failures& failures = table_of(one.kind).touch(key);
    failures.count = one.failures;
    failures.last = std::min(one.last_failure.microseconds, now);
    // WHY not longer: the clock may have been put back meanwhile.
    failures.blocked_until = std::min(one.until.microseconds, now + microseconds(rule.longest_block));
    failures.login = one.login;
    failures.network = one.network;
  }
}

bool LoginThrottle::lift(std::string_view id) {
  constexpr std::size_t kDigits = 16;
  if (id.size() != kDigits + 1) return false;
  std::uint64_t key = 0;
  const auto [end, error] = std::from_chars(id.data() + 1, id.data() + id.size(), key, 16);
  if (error != std::errc() || end != id.data() + id.size()) return false;
  const std::size_t kind = kKindLetters.find(id[0]);
  if (kind == std::string_view::npos) return false;
  const std::lock_guard lock(mutex_);
  BoundedTable<Failures>& table = table_of(static_cast<LoginBlockKind>(kind));
  if (!table.find(key)) return false;
  table.erase(key);
  return true;
}

void LoginThrottle::succeeded(const Origin& origin) {
  if (origin.is_exempt) return;
  const std::int64_t now = clock_.now().microseconds;
  const std::lock_guard lock(mutex_);
  pairs_.erase(origin.pair);
  if (!origin.is_shared) known_.touch(origin.pair) = Known{now, 0};
}

}  // namespace posthus::sasl
