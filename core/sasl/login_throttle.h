// LoginThrottle: how often a wrong password may be tried. Strict per (account, network), loose per account and per
// network, and never in the way of a network where the account has logged in lately: hammering an account from
// elsewhere does not lock its owner out. In memory, bounded; what blocks is kept over a restart by core/main/kept_blocks. Thread
// rule: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ip_address.h"
#include "core/sasl/bounded_table.h"

namespace posthus {
class SharedAddresses;
}

namespace posthus::sasl {

/// After `free_failures` each further failure blocks for `first_block`, doubled each time up to `longest_block`.
struct ThrottleRule {
  std::uint32_t free_failures;
  std::chrono::seconds first_block, longest_block;
};
// A person mistypes a few times; a guesser gets about 100 tries a day from one network.
inline constexpr ThrottleRule kPairRule{5, std::chrono::seconds(10), std::chrono::minutes(15)};
// A company behind one address has many people who mistype; one network trying many accounts is soon slow.
inline constexpr ThrottleRule kNetworkRule{50, std::chrono::seconds(5), std::chrono::minutes(5)};
// Many networks guessing at one account. Short blocks: the owner on a new network must still come through.
inline constexpr ThrottleRule kAccountRule{100, std::chrono::seconds(5), std::chrono::seconds(30)};
// Failures are forgotten when none came for this long.
inline constexpr std::chrono::seconds kFailureMemory = std::chrono::hours(1);
// A network stays known to an account this long after its last login there ...
inline constexpr std::chrono::seconds kKnownNetworkMemory = std::chrono::hours(24 * 30);
// ... unless this many different wrong passwords came from it since: then a neighbour is guessing.
inline constexpr std::uint32_t kKnownNetworkFailures = 1000;
// Entries per table: about 100 bytes each, so a few megabytes when strangers fill them all.
inline constexpr std::size_t kThrottleEntries = 20'000;

/// What the failures were counted for. The numbers are kept in stores.
enum class LoginBlockKind : std::uint8_t {
  kPair = 0,     // an account from a network
  kNetwork = 1,  // a network, for all accounts
  kAccount = 2,  // an account, for all networks it is not known from
  kCodes = 3,    // an account, for wrong codes of its second factor
};

/// Somebody who may not try now.
struct LoginBlock {
  std::string id;  // for unblock(); of this process only
  LoginBlockKind kind = LoginBlockKind::kPair;
  std::string login, network;  // either may be empty: all accounts, all networks
  std::uint32_t failures = 0;
  Timestamp last_failure, until;
};

class LoginThrottle {
 public:
  /// Clock and `shared` must outlive it. Of an address that many clients share only failures per account count: whoever guesses
  /// from there must not lock the others out, and that the owner has logged in from there says nothing of who tries now.
  LoginThrottle(const Clock& clock, std::vector<IpNetwork> exempt_networks, const SharedAddresses* shared = nullptr);

  /// Who tries from where, as keyed hashes.
  struct Origin {
    std::uint64_t account = 0, network = 0, pair = 0;
    bool is_exempt = false, is_shared = false;
    std::string login_text, network_text;  // for people
  };
  /// `remote_address` empty: a Unix socket, exempt. `login` in its canonical form.
  Origin origin(std::string_view login, std::string_view remote_address) const;

  bool admits(const Origin& origin);
  /// `fingerprint`: of the wrong password; 0 when unknown. A client that repeats one wrong password (an old one, stored)
  /// counts once against its account, but each time against its network.
  void failed(const Origin& origin, std::uint64_t fingerprint);
  void succeeded(const Origin& origin);

  // Codes of a second factor: they have few digits, so all networks together get as many tries as one gets for passwords, and
  // nobody is exempt. Who is blocked by that has the password already.
  bool admits_code(std::string_view login);
  void code_failed(std::string_view login);
  void code_succeeded(std::string_view login);

  /// Those that hold now, in no order.
  std::vector<LoginBlock> blocks();
  /// Blocks of another process go on here, none longer than its rule allows from now on.
  void restore(const std::vector<LoginBlock>& kept);
  /// False when there is no such block.
  bool lift(std::string_view id);

 private:
  struct Failures {
    std::uint32_t count = 0;
    std::int64_t last = 0, blocked_until = 0;  // microseconds
    std::uint64_t fingerprint = 0;
    std::string login, network;  // set while it blocks
  };
  struct Known {
    std::int64_t last_success = 0;
    std::uint32_t failures = 0;
  };

  BoundedTable<Failures>& table_of(LoginBlockKind kind);
  bool is_known(const Origin& origin, std::int64_t now);
  static void count(Failures& failures, const ThrottleRule& rule, std::int64_t now, std::string_view login,
                    std::string_view network);
  std::uint64_t keyed(std::string_view kind, std::string_view a, std::string_view b) const;

  const Clock& clock_;
  const std::vector<IpNetwork> exempt_networks_;
  const SharedAddresses* const shared_;
  const std::string key_;
  std::mutex mutex_;
  BoundedTable<Failures> pairs_{kThrottleEntries}, networks_{kThrottleEntries}, accounts_{kThrottleEntries},
      codes_{kThrottleEntries};
  BoundedTable<Known> known_{kThrottleEntries};
};

}  // namespace posthus::sasl
