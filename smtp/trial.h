// Trial: a dry run towards one recipient: the way there, the TLS policy, the hosts in order, the dialog up to the answer to
// RCPT; then RSET and QUIT. Nothing is sent. Whether it goes on to the next host is decided as a delivery does it (delivery.h).
// RFC 5321 §4.1.1.3, §5.1. Read prepare() → plan() → approach() → dial() → connection_ended().
// Thread rule: a trial's steps follow one another on whatever thread the seams call; Trials: any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/dns/resolver.h"
#include "core/mail/address.h"
#include "core/session/dialer.h"
#include "smtp/client_session.h"
#include "smtp/tls_policy_source.h"
#include "store/store.h"

namespace posthus::smtp {

/// What trials work with; outlives them.
struct TrialContext {
  store::Store& store;
  dns::Resolver& resolver;
  session::Dialer& dialer;
  const Clock& clock;
  std::string hostname;
  std::uint16_t smtp_port = 25;  // of other servers; tests use another
  /// Runs work that may block, later, on another thread.
  std::function<void(std::move_only_function<void()>)> run_blocking;
  std::function<bool(const std::string& address, std::uint16_t port)> is_own_address;
  TlsPolicySource* tls_policies = nullptr;  // none: opportunistic everywhere, but for routes
};

struct TrialStep {
  enum class Mark : std::uint8_t { kGood, kNote, kBad };
  std::string_view
      stage;  // static: "route", "policy", "connect", "greeting", "EHLO", "STARTTLS", "certificate", "AUTH", "MAIL", ...
  Mark mark = Mark::kGood;
  std::string host;                // "mx.example.org [192.0.2.1]:25"; empty before there is one
  std::string meaning;             // a sentence for people
  std::vector<std::string> lines;  // what was found, or "> " and "< " with what was said
};

struct TrialResult {
  enum class Verdict : std::uint8_t {
    kTaken,
    kRefused,      // for good: a message would come back
    kUnavailable,  // nobody could be asked, or the answer was temporary: a message would wait
  };
  Verdict verdict = Verdict::kUnavailable;
  RemoteReply reply;        // the host's last word; code 0: it said nothing
  std::string_view stage;   // where it ended, as TrialStep's
  std::string explanation;  // a sentence for people
};

struct TrialOptions {
  enum class Depth : std::uint8_t {
    kAsDelivery,   // on to the next host where a delivery would
    kFirstAnswer,  // the first host that answers MAIL has the word
  };
  mail::Address recipient;  // of another server
  std::string sender;       // reverse-path; empty: the null one
  Depth depth = Depth::kAsDelivery;
  std::chrono::seconds patience{60};
  /// Told of each step as it comes; must not block. Empty: steps are not put into words.
  std::function<void(TrialStep)> observe;
};

/// Called exactly once, from any thread; must not block.
using TrialDone = std::move_only_function<void(TrialResult)>;

/// The trials that run. Bounded: each may hold a connection.
class Trials {
 public:
  explicit Trials(TrialContext context);
  /// REQUIRES: stop() was called, network and resolver have ended.
  ~Trials();

  /// `done` comes within the patience (and the time between two ticks), in any case before stop() returns; also when too
  /// many run already.
  void start(TrialOptions options, TrialDone done);
  /// Ends those whose patience is over. Called every second or so.
  void tick();
  /// No new connections; all that run are told that they are over.
  void stop();

  static constexpr std::size_t kMaxRunning = 40;  // less than half of the connections a queue runner has

 private:
  class Run;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace posthus::smtp
