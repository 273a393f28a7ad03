// QueueRunner::State: destinations in memory, the visits that run, the claims on recipients. Its parts are in
// queue_runner.cc (when which destination is visited), queue_hosts.cc (connections of a host), queue_standby.cc (those that wait
// for more), queue_claims.cc (what a visit takes), queue_recording.cc (what it brought goes back into the store). Only these
// include this.
//
// What is in memory: a Destination per recipient domain with something in the queue (some 200 bytes), rows read ahead for
// destinations that are being visited, claims of what is on its way. Messages stay in the store.
// Thread rule: `mutex_` guards everything below it; nothing outside is called while it is held.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "smtp/delivery.h"
#include "smtp/queue_runner.h"
#include "smtp/queue_settings.h"
#include "smtp/settlement.h"
#include "store/queue_reader.h"

namespace posthus::smtp {

inline constexpr Timestamp kNever{std::numeric_limits<std::int64_t>::max()};

/// Due rows of one destination that are read at once.
inline constexpr std::size_t kReadAhead = 256;
/// Attempts whose record is not yet in the store; beyond it nothing is taken. Holds a Settlement each (1 KiB or so).
inline constexpr std::size_t kMaxRecording = 2000;
/// Blocking work at the same time, of the pool that sessions use as well.
inline constexpr std::size_t kMaxJobs = 4;
/// Destinations remembered as proven (40 bytes each); then all are forgotten and prove themselves again.
inline constexpr std::size_t kMaxProven = 20'000;
/// A visit to an unknown destination that lasts longer is counted as one that fails (RFC 5321 §4.5.3.2.1: a greeting may take
/// five minutes), so that others have their turn. Most hosts have spoken by then. Microseconds.
inline constexpr std::int64_t kHanging = 15'000'000;
/// Due rows without a recipient that are passed over; whoever has more of them is looked at once a minute.
inline constexpr std::size_t kMaxStrays = 1000;
/// After the store could not be read, microseconds.
inline constexpr std::int64_t kTroublePause = 60'000'000;
/// What failed before a start is tried again within this time after it, not all at once: mail for a thousand dead hosts must not
/// hold up what comes now. Shorter when the first retry comes sooner.
inline constexpr std::chrono::seconds kStartSpread{60};
/// How long a connection with nothing left stands by; tick() ends it, so up to a second more. Microseconds.
inline constexpr std::int64_t kStandBy = 1'000'000;
/// A host that asked for patience is spared as long before it gets twice as many connections again. Microseconds.
inline constexpr std::int64_t kHostRecovery = 60'000'000;
/// Visits side by side hear the same of a host: that counts once. Microseconds.
inline constexpr std::int64_t kSameComplaint = 1'000'000;
/// General routes whose host is remembered.
inline constexpr std::size_t kMaxLanes = 1000;
inline constexpr std::uint64_t kNoLane = 0;
/// Recipients whose delay or end is looked after at once when their destination cannot be reached.
inline constexpr std::size_t kMaxAged = 100;

struct Destination {
  Timestamp next_due = kNever;   // of rows not read ahead, as far as known
  Timestamp rest_until{};        // it could not be reached; nothing is attempted before
  Timestamp pause_until{};       // rate: the next message's time, but for what goes ahead (is_pacing)
  Timestamp scheduled = kNever;  // its place in the timeline; kNever: not there
  Timestamp paced_until{};       // rate: when the last message of this minute's share was or will be sent
  std::uint32_t failures = 0;    // visits in a row that reached no host
  std::uint32_t claims = 0;      // recipients on their way
  std::uint16_t visits = 0, window = 1, limit = 5;
  std::uint32_t messages_per_minute = 0;
  /// The number of the next visit when an admin last asked for something: what visits before it bring puts nothing off.
  /// 0: nothing is asked for that is not done.
  std::uint64_t asked_before = 0;
  std::uint32_t orders = 0;                // changes with every order: rows that were being read meanwhile are read again
  bool is_changed = true;                  // rows may have come since they were read last
  bool is_proven = false;                  // it has taken mail since we started; see proven_
  bool is_waiting = false;                 // for a connection
  bool waits_for_host = false;             // which has enough connections of ours
  std::vector<store::DueRecipient> ahead;  // rows read ahead, the next one last
};

/// How often the store would not take what an attempt brought.
struct RecordTries {
  std::uint32_t all = 0;
  std::uint32_t refusals = 0;  // for other reasons than want of space or time
  std::string reason;          // of the last one
};

/// Connections to one address and port, whatever destinations they are for.
struct Host {
  std::size_t connections = 0;
  std::deque<std::uint64_t> waiting;  // destinations, each once
  Timestamp last_end{};               // when a connection had nothing left
  std::size_t limit = 0;              // connections, when it has had enough of us; 0: as many as others
  Timestamp limited_at{};             // when it said so, or the limit was last raised
  Timestamp paced_until{};            // rate: when the last message of this minute's share was or will be sent
  Timestamp next_turn{};              // of the next destination that pauses for it
};
using HostKey = std::pair<std::string, std::uint16_t>;

struct QueueRunner::State final : DeliveryDesk {
  explicit State(QueueContext c);
  ~State() override;

  // ---- queue_runner.cc ----
  /// `spread`: see kStartSpread; 0 when nothing is to wait.
  void read_destinations(std::chrono::microseconds spread);
  void read_destinations_from(std::uint64_t from, std::chrono::microseconds spread);
  void read_at_start();
  struct FirstDue {
    store::DueRecipient row;
    std::uint32_t attempts = 0;  // in vain, of the one tried last
  };
  Result<std::optional<std::uint64_t>> read_slice(std::uint64_t from, std::vector<FirstDue>& firsts);
  void tick();
  void added(const std::string& domain);
  void look_again(const std::string& domain);
  void look_again(const std::set<std::uint64_t>& hashes);
  Timestamp rests_until(std::uint64_t hash);
  void end_rests();
  void read_anew(Destination& d);
  void end_rest(std::uint64_t hash, Destination& d);
  void begin_stop();
  bool wait_for_end(std::chrono::milliseconds patience);

  Destination& destination(std::uint64_t hash);
  /// Puts a destination where it belongs: into the timeline, or out of memory when nothing is left of it. The reference is
  /// dead afterwards.
  void schedule(std::uint64_t hash);
  void unschedule(std::uint64_t hash, Destination& d);
  void start_visits();
  std::size_t rank(const Destination& d) const;
  std::uint64_t next_waiting(std::size_t level);
  bool may_run(std::size_t level) const;
  void note_hanging(Timestamp now);
  std::vector<Visit*> choose_visits();
  void run_jobs(std::unique_lock<std::mutex>& lock);

  // ---- DeliveryDesk ----
  std::optional<Batch> take(std::uint64_t hash, const std::string* way) override;  // queue_claims.cc
  std::optional<Batch> take_along(std::uint64_t number, const std::string& way,
                                  const std::string& route) override;  // queue_claims.cc
  void put_back(std::uint64_t hash, const Batch& batch) override;      // queue_claims.cc
  void settle(std::uint64_t hash, Settlement settlement) override;     // queue_recording.cc
  void progressed(std::uint64_t hash, const DestinationSettings& settings, std::uint64_t lane) override;
  bool is_stopping() override;
  void run_blocking(std::move_only_function<void()> work) override;
  bool may_connect(std::uint64_t hash, std::uint64_t number, const std::string& address, std::uint16_t port,
                   std::uint64_t lane) override;                           // queue_hosts.cc
  bool may_send(std::uint64_t hash, std::uint64_t number) override;        // queue_hosts.cc
  void host_asks_for_patience(std::uint64_t number) override;              // queue_hosts.cc
  bool may_stand_by(std::uint64_t number, session::Waker waker) override;  // queue_standby.cc
  Call is_called(std::uint64_t number) override;                           // queue_standby.cc
  void visit_ended(std::uint64_t hash, std::uint64_t number, VisitResult result) override;

  // ---- queue_hosts.cc ----
  /// The visit has no connection any more; who waits for its host comes next.
  void leave_host(std::uint64_t number);
  void call_next(Host& host);
  /// Connections it may have.
  std::size_t limit_of(const Host& host) const;
  void recover(Host& host, Timestamp now) const;
  /// Has it had its share of this minute? Then the destination pauses.
  void take_turn(Host& host) const;
  bool is_host_pacing(Host& host, Destination& d, Timestamp now) const;
  /// The destination that is to have the connection of a visit that has nothing left, out of the lines it stood in.
  std::optional<std::uint64_t> next_along(std::uint64_t number);
  /// Whoever waits for a host that has room.
  void call_waiting();

  // ---- queue_standby.cc ----
  struct StandBy {
    std::uint64_t number = 0, lane = 0;
    session::Waker waker;
    Timestamp since;
  };
  /// Out of the line: its visit runs again, and its session is woken.
  void recall(std::vector<StandBy>::iterator standing);
  /// Hands the destination to a connection that stands by for its lane.
  bool call_standing(std::uint64_t hash, Destination& d);
  bool has_standing(std::uint64_t hash) const;
  /// The destination's mail went to a host that has enough connections: it stands in that line at once.
  bool joins_line(std::uint64_t hash, Destination& d);
  std::uint64_t lane_of(std::uint64_t hash) const;
  /// Its mail goes another way than was thought: no connection is called for it until some of it was delivered.
  void forget_lane(std::uint64_t hash);
  void dismiss_longest();
  void dismiss_at(const HostKey& host);
  void dismiss_since(Timestamp limit);
  /// Wakes those recalled; without the lock.
  void wake_recalled();

  // ---- queue_claims.cc ----
  /// Claims the next recipients of one message that were read ahead.
  std::vector<store::DueRecipient> claim(std::uint64_t hash);
  Result<> read_settings(Batch& batch) const;
  bool is_pacing(Destination& d, Timestamp now);
  bool may_take();
  bool has_read_on(std::uint64_t hash);
  std::nullopt_t none_before(std::uint64_t hash, Timestamp when);
  Result<> read_ahead(std::uint64_t hash);
  Result<std::optional<Batch>> load(std::uint64_t hash, const std::vector<store::DueRecipient>& rows);
  Result<> note_stray(const store::QueueReader& reader, const store::DueRecipient& row);
  void release(std::uint64_t hash, QueueId id, const std::vector<std::uint16_t>& numbers, Timestamp next_due);
  void return_by_order(std::uint64_t hash, const store::QueueEntry& entry, std::vector<store::QueuedRecipient> recipients);

  // ---- queue_recording.cc ----
  void record(std::uint64_t hash, Settlement settlement, RecordTries tries);
  void record_with_report(std::uint64_t hash, Settlement settlement, Record record, RecordTries tries);
  void submit(std::uint64_t hash, Settlement settlement, store::RecordAttempt request, std::string report_to, RecordTries tries);
  void recorded(std::uint64_t hash, const Settlement& settlement, const std::vector<store::RecipientOutcome>& outcomes);
  void not_recorded(std::uint64_t hash, Settlement settlement, const Error& error, RecordTries tries);
  /// Those whose time to be tried again has come.
  void record_again();
  /// Looks after the delay and the end of recipients whose destination cannot be reached and that were not tried themselves.
  void look_after_aged(std::uint64_t hash, const Settlement& failure);
  Result<std::size_t> settle_aged(std::uint64_t hash, const Settlement& failure);
  Result<std::vector<store::DueRecipient>> claim_aged(std::uint64_t hash, const RetryRules& rules);
  static Timestamp next_moment(Timestamp accepted, const RetryRules& rules, Timestamp now);
  void shorten_rest(std::uint64_t hash, const RetryRules& rules, Timestamp moment);
  bool claim_one(std::uint64_t hash, const store::DueRecipient& row);

  const QueueContext context;

  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_stopping_ = false;
  std::unordered_map<std::uint64_t, Destination> destinations_;
  std::set<std::pair<Timestamp, std::uint64_t>> timeline_;
  std::deque<std::uint64_t> waiting_[3];  // by rank(), the one that waits longest first
  bool takes_newest_ = false;             // see next_waiting()
  std::size_t running_[3] = {};           // visits, by the rank they had
  std::size_t total_connections_ = 100;
  struct RunningVisit {
    std::unique_ptr<Visit> visit;
    std::size_t level = 0;  // counted in running_, but not while it stands by
    Timestamp started;
    std::uint64_t hash = 0;
    Call call = Call::kLeave;             // why it was recalled
    bool has_turn = false;                // the next message's place in the host's rate is taken
    std::optional<std::uint64_t> called;  // the destination it was recalled for, which waits until it is asked for
  };
  std::map<std::uint64_t, RunningVisit> visits_;  // by number
  std::uint64_t next_visit_ = 1;
  /// Destinations that took mail last time, also when nothing waits for them now, with the lane it went by.
  std::unordered_map<std::uint64_t, std::uint64_t> proven_;
  std::vector<StandBy> standing_by_;        // the longest first; at most the connections there may be
  std::vector<session::Waker> recalled_;    // to be woken
  std::map<std::uint64_t, HostKey> lanes_;  // where mail of a lane went last; general routes only
  std::map<HostKey, Host> hosts_;
  std::map<std::uint64_t, HostKey> connected_;  // by the visit's number
  std::size_t host_connections_ = 20;
  std::uint32_t host_messages_per_minute_ = 0;
  std::set<std::pair<QueueId, std::uint16_t>> claims_;
  std::set<std::pair<QueueId, std::uint16_t>> strays_;  // due rows that belong to nothing; see load()
  struct Unread {
    std::uint64_t from = 0;
    std::chrono::microseconds spread{};
    Timestamp again;
  };
  std::optional<Unread> unread_;  // where reading the destinations failed, and when it is tried again
  std::size_t recording_ = 0;
  struct Unrecorded {
    std::uint64_t hash = 0;
    Settlement settlement;
    RecordTries tries;
    Timestamp again;
  };
  std::vector<Unrecorded> unrecorded_;  // the store refused them for now; counted in recording_
  std::deque<std::move_only_function<void()>> jobs_;
  std::size_t active_jobs_ = 0;
  std::size_t busy_ = 0;  // calls from outside that are not over: the end waits for them
};

}  // namespace posthus::smtp
