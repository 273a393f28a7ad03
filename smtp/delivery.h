// Visit: one visit to a destination. It takes a message that is due, finds the way, walks the hosts in order and delivers
// message after message over a connection, as long as there are some. RFC 5321 §5.1, §4.5.4.2.
// Read prepare() → plan() → approach() → dial() → next(), finished() → connection_ended(). A connection that has nothing left
// while mail comes one after the other stands by for a moment, instead of being made anew for each.
// Thread rule: its steps follow one another, on whatever thread the seams call; nothing blocks but prepare() and next().
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/session/dialer.h"
#include "smtp/client_session.h"
#include "smtp/queue_runner.h"
#include "smtp/queue_settings.h"
#include "smtp/route.h"
#include "smtp/settlement.h"

namespace posthus::smtp {

/// What a message demands of TLS itself (RFC 8689). Such messages have a way of their own: no connection is shared with others.
enum class TlsDemand : std::uint8_t {
  kUsual,     // what the destination's policy says
  kProven,    // REQUIRETLS: a host whose name is proven, with a certificate that holds, and that offers REQUIRETLS
  kOptional,  // "TLS-Required: No": TLS when it can be had, whatever the policy says
};

/// Recipients of one message that go in one transaction. Whoever has it has claimed them: nobody else delivers to them.
struct Batch {
  store::QueueEntry entry;
  std::vector<store::QueuedRecipient> recipients;  // at least one, of one destination, with one reverse-path
  /// Why it does not go the way of its destination: the recipient's reroute or the name of its sender's route, and what it
  /// demands of TLS; else empty.
  std::string way;
  std::optional<store::RouteRecord> route;  // the one that holds
  std::uint64_t destination = 0;            // whose it is
  /// Of one taken along: what holds for its destination.
  std::optional<DestinationSettings> settings;

  const std::string& reverse_path() const {
    const std::string& own = recipients.front().reverse_path;
    return own.empty() ? entry.reverse_path : own;
  }
  // RFC 8689 §4.2.1: what has a null reverse-path (a report) is not held up by it.
  TlsDemand tls_demand() const {
    if (entry.requires_tls) return reverse_path().empty() ? TlsDemand::kUsual : TlsDemand::kProven;
    return entry.ignores_tls_policy ? TlsDemand::kOptional : TlsDemand::kUsual;
  }
};

struct VisitResult {
  enum class Kind : std::uint8_t {
    kNothingDue,
    kWorked,       // a host took or refused mail
    kUnreachable,  // no host, no answer from the DNS, or every host had enough of us: the destination rests
    kHostBusy,     // its host has enough connections of ours; desk.may_connect() said so
    kNoWay,        // unreachable, but by a way of its own: others of the destination may fare better
  };
  Kind kind = Kind::kNothingDue;
  bool is_slowed = false;    // a host asked for patience (421; 450 or 451 before any recipient was named)
  bool has_read_on = false;  // nothing that is due was left when it looked last
  Settlement failure;        // of kUnreachable: what happened, with one recipient without an address
};

/// What a visit needs of the queue. `destination` is the hash of the recipient domain.
class DeliveryDesk {
 public:
  virtual ~DeliveryDesk() = default;
  /// The next message that is due, claimed. With `way` only one of that way. Nothing: none, or no more for now. May block.
  virtual std::optional<Batch> take(std::uint64_t destination, const std::string* way) = 0;
  /// One of another destination that goes the same general route, for a connection that has nothing left of its own: whoever
  /// sends everything through one host needs no connection for each domain. `route`: the name of the visit's. May block.
  virtual std::optional<Batch> take_along(std::uint64_t visit, const std::string& way, const std::string& route) = 0;
  /// The end of an attempt; the claim ends when it is recorded. Must not block.
  virtual void settle(std::uint64_t destination, Settlement settlement) = 0;
  /// Claimed, but not tried.
  virtual void put_back(std::uint64_t destination, const Batch& batch) = 0;
  /// The destination takes mail: more connections may be of use.
  virtual void progressed(std::uint64_t destination, const DestinationSettings& settings, std::uint64_t lane) = 0;
  /// May the visit connect to this host now? Ends its connection before, if it had one. No: the visit ends with kHostBusy, and
  /// its destination is visited again when there is room.
  virtual bool may_connect(std::uint64_t destination, std::uint64_t visit, const std::string& address, std::uint16_t port,
                           std::uint64_t lane) = 0;
  /// Before each message: may the visit's host have one more now (queue.host_messages_per_minute)? No: `destination`, whose
  /// message it is, is visited again when it may.
  virtual bool may_send(std::uint64_t destination, std::uint64_t visit) = 0;
  /// The visit's host has enough of us (421; 450 or 451 before any recipient was named): it gets fewer connections for a while,
  /// whatever destinations they are for.
  virtual void host_asks_for_patience(std::uint64_t visit) = 0;
  /// The visit has nothing left: does its connection stay open for a moment? Then `waker` is woken when there is more for it, or
  /// when it has to go; is_called() says which. Must not block.
  virtual bool may_stand_by(std::uint64_t visit, session::Waker waker) = 0;
  enum class Call : std::uint8_t { kLeave, kOwn, kAlong };  // to go; for its own destination; for another of its lane
  virtual Call is_called(std::uint64_t visit) = 0;
  /// No new connections and questions any more.
  virtual bool is_stopping() = 0;
  /// Runs what may block, later, on another thread.
  virtual void run_blocking(std::move_only_function<void()> work) = 0;
  /// The last call of a visit, which is not touched by itself any more.
  virtual void visit_ended(std::uint64_t destination, std::uint64_t visit, VisitResult result) = 0;
};

class Visit final : public MessageSource {
 public:
  /// References outlive it. `number`: what visit_ended() tells.
  Visit(const QueueContext& context, DeliveryDesk& desk, std::uint64_t destination, std::uint64_t number)
      : context_(context), desk_(desk), destination_(destination), number_(number) {}

  void start();
  /// Of the message in hand first; known once it connects.
  std::uint64_t lane() const { return lane_; }

  std::optional<OutgoingMessage> next() override;
  bool may_stand_by() override;
  void ready(const ConnectionResult& connection) override;
  void finished(MessageResult result) override;
  void ended(ConnectionResult result) override;

 private:
  enum class Advance : bool { kNextAddress, kNextHost };
  enum class Hope : bool { kNone, kLater };  // may a host that failed do at another time?

  void prepare();
  Result<> read_facts();
  void plan();
  void ask(const std::vector<Question>& questions);
  void answered(const Question& question, dns::Answer answer);
  void refuse_all();
  /// Asks what TLS must be at the hop, then dials.
  void approach();
  void policy_known(TlsPolicy policy);
  void demand_proof();
  bool is_name_proven() const;
  ClientOptions session_options(TlsUse use) const;
  /// The host does not do for what we have in hand: the next one.
  void pass_over(RecipientResult why, Advance how, Hope hope);
  void note_hope(Hope hope);
  void tell_policies();
  void dial();
  void connection_ended(const std::string& failure);
  bool advance(Advance how);
  void give_up();
  void end(VisitResult::Kind kind);
  void put_back_waiting();
  void note_slowed();

  bool goes_general_route() const;
  std::uint64_t choose_lane() const;
  std::optional<Batch> take_next();
  bool has_gone_while_standing_by(const MessageResult& result) const;
  const DestinationSettings& settings_of(const Batch& batch) const { return batch.settings ? *batch.settings : settings_; }
  Settlement settlement(const Batch& batch) const;
  Settlement without_host(const Batch& batch, SettledRecipient::Verdict verdict) const;
  SettledRecipient settled(const store::QueuedRecipient& recipient, const RecipientResult& result) const;
  bool may_try_elsewhere(const RecipientResult& result) const;
  std::optional<std::size_t> next_host() const;

  const QueueContext& context_;
  DeliveryDesk& desk_;
  const std::uint64_t destination_, number_;

  std::string domain_, way_;
  std::uint64_t lane_ = 0;  // what may share a connection with this: mail of one destination and way, or of one general route
  DestinationSettings settings_;
  OutgoingSettings outgoing_;
  std::optional<store::DomainKind> kind_;  // of the domain, when it is ours
  std::optional<store::RouteRecord> route_;
  std::uint64_t seed_ = 0;

  std::mutex answers_mutex_;
  Answers answers_;
  std::size_t unanswered_ = 0;

  RoutePlan plan_;
  std::size_t hop_ = 0;
  std::size_t sessions_ = 0;     // connections over which messages could be sent
  bool is_without_tls_ = false;  // the hop is tried once more after TLS failed
  TlsDemand demand_ = TlsDemand::kUsual;
  TlsPolicy policy_;
  TlsUse tls_use_ = TlsUse::kOpportunistic;
  bool is_policy_told_ = false;  // how the connection goes says something of the destination's policy (RFC 8460)
  // Of kProven: why hosts cannot do what is demanded, the best known reason; and whether some may yet.
  std::optional<std::pair<RecipientResult, std::size_t>> refusal_;  // with the hop
  bool has_hope_ = false;
  std::optional<ConnectionResult> connection_;
  std::string tls_;               // of the connection, for people
  std::vector<Batch> waiting_;    // for the next host: the first message, and what hosts before did not take for now
  std::vector<Batch> in_dialog_;  // given to the session
  std::vector<Batch> try_again_;  // not taken by this host; another one may
  RecipientResult last_failure_;  // why the host before did not do
  bool has_progressed_ = false;   // some host has dealt with a message: taken, refused or deferred it
  bool is_slowed_ = false;
  session::Waker waker_;        // of the connection
  bool has_delivered_ = false;  // over it
  bool stands_by_ = false, has_stood_by_ = false;
  bool dials_again_ = false;  // the host went while the connection stood by: it is not asked less for that
  bool has_read_on_ = false;  // VisitResult::has_read_on
};

}  // namespace posthus::smtp
