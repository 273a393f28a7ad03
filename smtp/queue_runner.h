// QueueRunner: takes what is due from the queue and sees to its delivery. Destinations (recipient domains) stand side by
// side: each has its own due rows, connections, rate and rest, so that one that does not answer delays no other.
// RFC 5321 §4.5.4; RFC 3461. Thread rule: any thread; work runs on workers and io threads through the seams.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/base/clock.h"
#include "core/base/function_ref.h"
#include "core/base/ip_address.h"
#include "core/dns/resolver.h"
#include "core/session/dialer.h"
#include "smtp/signing.h"
#include "smtp/tls_policy_source.h"
#include "store/store.h"

namespace posthus::smtp {

struct QueueContext {
  store::Store& store;
  dns::Resolver& resolver;
  session::Dialer& dialer;
  const Clock& clock;
  std::string hostname;
  std::uint16_t smtp_port = 25;  // of other servers; tests use another
  /// Runs work that may block, never before it returns; the runner never has more than a handful running.
  std::function<void(std::move_only_function<void()>)> run_blocking;
  /// May we connect there? Our own addresses and listeners are refused as a loop (RFC 5321 §5.1).
  std::function<bool(const std::string& address, std::uint16_t port)> is_own_address;
  /// Where our own MX listener is reached, for mail of domains that became ours while it waited; none: nowhere.
  std::optional<IpAddress> own_listener = std::nullopt;
  std::uint16_t own_listener_port = 25;
  bool is_proxy_for_own_listener = false;   // it reads a PROXY header from whoever connects from here
  TlsPolicySource* tls_policies = nullptr;  // none: opportunistic everywhere, but for routes
  SigningKeys* signing = nullptr;           // of reports that leave; none: they are not signed
};

class QueueRunner {
 public:
  explicit QueueRunner(QueueContext context);
  ~QueueRunner();
  /// Reads which destinations have something due; then tick() and added() do the rest.
  void start();
  /// Looks for what is due by now. Called every second or so; cheap when nothing is.
  void tick();
  /// A message for `domain` was just accepted: it is attempted at once, unless the domain rests after a failure.
  void added(const std::string& domain);
  /// How mail for `domain` goes was changed: its rest ends, what is due is read again. Empty: everywhere; costs by
  /// destinations.
  void look_again(const std::string& domain);
  /// Rows of these destinations (store::destination_hash) were made due by an admin. What was asked for during an attempt
  /// is done right after it.
  void look_again(const std::set<std::uint64_t>& destinations);
  /// Until when nothing is attempted at this destination, whatever its rows say; 0: it does not rest.
  Timestamp rests_until(std::uint64_t destination);
  /// No new messages; returns when what runs has ended, or after `patience`. Then stop() follows.
  void wind_down(std::chrono::milliseconds patience);
  /// No new attempts; returns when what runs has ended (the dialer's connections are told to end by the network).
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace posthus::smtp
