// A visit to a destination. RFC 5321 §5.1 (hosts in order), §4.2.4 (replies by their first digit), §4.5.4.2.
// Thread rule: delivery.h.
#include "smtp/delivery.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "core/base/log.h"
#include "core/base/random.h"
#include "smtp/hop_policy.h"
#include "smtp/outgoing_text.h"

namespace posthus::smtp {
namespace {

using Verdict = SettledRecipient::Verdict;
using Kind = VisitResult::Kind;

// WHY: a host that defers is followed by the next one, but a message is not carried around all of them in one visit.
constexpr std::size_t kMaxSessions = 5;
// Failures without a host (no such domain) recorded in one visit; what is left comes with the next one.
constexpr std::size_t kMaxRefused = 100;

// RFC 5321 §3.8, §4.2.2: 421 is of the host. 450 and 451 are when they come before any recipient was named; later they are of
// the recipient (greylisting) or of the text.
bool asks_for_patience(const RemoteReply& reply, std::string_view stage) {
  if (reply.code == 421) return true;
  return (reply.code == 450 || reply.code == 451) && stage != "RCPT" && stage != "DATA" && stage != "end of data";
}

// Does it say that the host has no use for our mail now, whatever the message? A text it defers is that message's matter.
bool is_trouble_of_host(const RecipientResult& result) {
  if (!result.is_host_fault || result.verdict == RecipientResult::Verdict::kFailed) return false;
  const bool is_after_mail = result.stage == "RCPT" || result.stage == "DATA" || result.stage == "end of data";
  return result.reply.code == 0 || result.reply.code == 421 || !is_after_mail;
}

std::string explain(const RecipientResult& failure) {
  if (failure.reply.code != 0) return {};
  return failure.stage == "connect" ? "No connection: " + failure.reply.text : failure.reply.text;
}

bool is_same_route(const std::optional<store::RouteRecord>& a, const std::optional<store::RouteRecord>& b) {
  if (!a || !b) return !a && !b;
  const auto is_same_hop = [](const store::RouteRecord::Hop& x, const store::RouteRecord::Hop& y) {
    return x.host == y.host && x.port == y.port && x.tls == y.tls;
  };
  return a->name == b->name && a->login == b->login && a->password == b->password &&
         std::ranges::equal(a->hops, b->hops, is_same_hop);
}

/// Calls `done` once, with a failure when it is destroyed without a call: a network that stops may drop it.
class DoneOnce {
 public:
  explicit DoneOnce(std::move_only_function<void(const std::string&)> done) : done_(std::move(done)) {}
  DoneOnce(DoneOnce&& other) noexcept : done_(std::exchange(other.done_, nullptr)) {}
  DoneOnce& operator=(DoneOnce&&) = delete;
  ~DoneOnce() {
    if (done_) done_("shutting down");
  }
  void operator()(const std::string& failure) { std::exchange(done_, nullptr)(failure); }

 private:
  std::move_only_function<void(const std::string&)> done_;
};

}  // namespace

void Visit::start() {
  desk_.run_blocking([this] { prepare(); });
}

void Visit::prepare() {
  std::optional<Batch> first = desk_.take(destination_, nullptr);
  if (!first) return end(Kind::kNothingDue);
  domain_ = first->recipients.front().domain;
  way_ = first->way;
  demand_ = first->tls_demand();
  route_ = std::move(first->route);
  lane_ = choose_lane();
  seed_ = random_u64();
  waiting_.push_back(*std::move(first));
  const Result<> read = read_facts();
  if (!read) {
    log::warning("queue.unreadable", {{"domain", domain_}, {"context", read.error().context}});
    plan_.kind = RoutePlan::Kind::kDeferred;
    plan_.status = "4.3.0";
    plan_.explanation = "The settings of outgoing mail could not be read.";
    return give_up();
  }
  plan();
}

Result<> Visit::read_facts() {
  const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  const store::QueueReader reader(*snapshot);
  settings_ = POSTHUS_TRY(read_destination_settings(reader, domain_));
  outgoing_ = POSTHUS_TRY(read_outgoing_settings(reader));
  kind_ = POSTHUS_TRY(kind_of_domain(*snapshot, domain_));
  return {};
}

void Visit::plan() {
  RouteFacts facts;
  facts.domain = domain_;
  facts.route = route_ ? &*route_ : nullptr;
  facts.hostname = context_.hostname;
  facts.port = context_.smtp_port;
  facts.loopback = outgoing_.loopback;
  facts.seed = seed_;
  facts.is_own_address = context_.is_own_address;
  facts.is_relay = kind_ == store::DomainKind::kRelay;
  facts.is_local = kind_ == store::DomainKind::kMailboxes;
  facts.own_listener = context_.own_listener;
  facts.own_listener_port = context_.own_listener_port;
  facts.is_proxy_for_own_listener = context_.is_proxy_for_own_listener;
  plan_ = route(facts, answers_);
  switch (plan_.kind) {
    case RoutePlan::Kind::kLacking: return ask(plan_.questions);
    case RoutePlan::Kind::kHops: return approach();
    case RoutePlan::Kind::kDeferred: return give_up();
    case RoutePlan::Kind::kFailed: return desk_.run_blocking([this] { refuse_all(); });
  }
}

void Visit::ask(const std::vector<Question>& asked) {
  const std::vector<Question> questions = asked;  // the plan changes with the last answer
  {
    const std::lock_guard lock(answers_mutex_);
    unanswered_ = questions.size();
  }
  for (const Question& question : questions) {
    context_.resolver.resolve(question.name, question.type,
                              [this, question](dns::Answer answer) { answered(question, std::move(answer)); });
  }
}

void Visit::answered(const Question& question, dns::Answer answer) {
  {
    const std::lock_guard lock(answers_mutex_);
    answers_.insert_or_assign(question, std::move(answer));
    if (--unanswered_ > 0) return;
  }
  if (desk_.is_stopping()) return end(Kind::kNothingDue);
  plan();
}

// The destination takes no mail at all: everything that is due for it goes back.
void Visit::refuse_all() {
  for (std::size_t refused = 0; refused < kMaxRefused; ++refused) {
    if (waiting_.empty()) {
      std::optional<Batch> batch = desk_.take(destination_, &way_);
      if (!batch) break;
      waiting_.push_back(*std::move(batch));
    }
    desk_.settle(waiting_.back().destination, without_host(waiting_.back(), Verdict::kFailed));
    waiting_.pop_back();
  }
  end(Kind::kWorked);
}

// ---- connections ----

void Visit::dial() {
  connection_.reset();
  tls_.clear();
  has_delivered_ = stands_by_ = has_stood_by_ = false;
  const Hop& hop = plan_.hops[hop_];
  if (!desk_.may_connect(destination_, number_, to_string(hop.address), hop.port, lane_)) return end(Kind::kHostBusy);
  const TlsUse use = is_without_tls_ ? TlsUse::kNever : tls_use_;
  DoneOnce done([this](const std::string& failure) { connection_ended(failure); });
  context_.dialer.dial(
      dial_options(hop, policy_, use, connect_patience(plan_.hops, hop_, outgoing_), outgoing_),
      [this, use](const session::ConnectionFacts&, session::Waker waker) {
        waker_ = std::move(waker);
        return make_client_session(session_options(use), *this);
      },
      [done = std::move(done)](const std::string& failure) mutable { done(failure); });
}

// A route for everybody or for a sender's domain; those of a recipient's domain lead nobody else.
bool Visit::goes_general_route() const { return route_ && (route_->name == "*" || route_->name.starts_with("from:")); }

std::uint64_t Visit::choose_lane() const {
  if (goes_general_route()) return store::destination_hash(route_->name + "\n" + way_);
  return way_.empty() ? destination_ : store::destination_hash(domain_ + "\n" + way_);
}

std::optional<Batch> Visit::take_next() {
  DeliveryDesk::Call call = DeliveryDesk::Call::kOwn;
  if (std::exchange(stands_by_, false)) {
    has_stood_by_ = true;
    call = desk_.is_called(number_);
    if (call == DeliveryDesk::Call::kLeave) {
      has_delivered_ = false;  // may_stand_by(): no more
      return std::nullopt;
    }
  }
  std::optional<Batch> batch;
  if (call == DeliveryDesk::Call::kAlong) batch = desk_.take_along(number_, way_, route_->name);
  if (!batch) batch = desk_.take(destination_, &way_);
  if (!batch && goes_general_route()) batch = desk_.take_along(number_, way_, route_->name);
  if (!batch || is_same_route(batch->route, route_)) return batch;
  desk_.put_back(batch->destination, *batch);  // the route was changed since we connected
  has_delivered_ = false;
  return std::nullopt;
}

std::optional<OutgoingMessage> Visit::next() {
  if (waiting_.empty()) {
    std::optional<Batch> batch = take_next();
    has_read_on_ = !batch;
    if (!batch) return std::nullopt;
    waiting_.push_back(*std::move(batch));
  }
  if (!desk_.may_send(waiting_.back().destination, number_)) {
    put_back_waiting();
    has_progressed_ = true;  // the host is well
    has_delivered_ = false;  // may_stand_by(): no
    return std::nullopt;
  }
  in_dialog_.push_back(std::move(waiting_.back()));
  waiting_.pop_back();
  return to_outgoing(context_, in_dialog_.back());
}

bool Visit::may_stand_by() {
  if (is_slowed_ || !has_delivered_) return false;
  stands_by_ = desk_.may_stand_by(number_, waker_);
  return stands_by_;
}

void Visit::ready(const ConnectionResult& connection) {
  if (!connection.tls) return;
  tls_ = connection.tls->version + " " + connection.tls->cipher;
  if (connection.tls->is_peer_verified) tls_ += ", verified";
}

// May another host of the destination do better with this recipient?
bool Visit::may_try_elsewhere(const RecipientResult& result) const {
  if (result.verdict != RecipientResult::Verdict::kDeferred) return false;
  // WHY: the host has the whole message and may deliver it though we never heard of it (RFC 1047): not at once again.
  if (result.reply.code == 0 && result.stage == "end of data") return false;
  return sessions_ + 1 < kMaxSessions && next_host().has_value();
}

SettledRecipient Visit::settled(const store::QueuedRecipient& recipient, const RecipientResult& result) const {
  SettledRecipient out;
  out.recipient = recipient;
  out.reply = result.reply;
  switch (result.verdict) {
    case RecipientResult::Verdict::kDelivered: out.verdict = Verdict::kRelayed; break;
    case RecipientResult::Verdict::kDeferred: out.verdict = Verdict::kDeferred; break;
    case RecipientResult::Verdict::kFailed: out.verdict = Verdict::kFailed; break;
  }
  out.explanation = explain(result);
  return out;
}

// RFC 5321 §4.5.3.2.7: a host may end a connection over which nothing comes. It has not heard of the message.
bool Visit::has_gone_while_standing_by(const MessageResult& result) const {
  return has_stood_by_ && !result.recipients.empty() && std::ranges::all_of(result.recipients, [](const RecipientResult& r) {
           return r.verdict == RecipientResult::Verdict::kDeferred && r.is_host_fault && r.stage == "MAIL" &&
                  (r.reply.code == 0 || r.reply.code == 421);
         });
}

void Visit::finished(MessageResult result) {
  const auto found =
      std::find_if(in_dialog_.begin(), in_dialog_.end(), [&](const Batch& batch) { return batch.entry.id == result.id; });
  if (found == in_dialog_.end()) return;
  Batch batch = std::move(*found);
  in_dialog_.erase(found);
  dials_again_ = has_gone_while_standing_by(result);
  has_stood_by_ = false;
  if (dials_again_) return waiting_.push_back(std::move(batch));
  Settlement settlement = this->settlement(batch);
  settlement.offers_dsn = result.offers_dsn;
  Batch left{.entry = batch.entry,
             .recipients = {},
             .way = batch.way,
             .route = {},
             .destination = batch.destination,
             .settings = batch.settings};
  for (store::QueuedRecipient& recipient : batch.recipients) {
    const auto it = std::find_if(result.recipients.begin(), result.recipients.end(),
                                 [&](const RecipientResult& r) { return r.number == recipient.number; });
    // A session that says nothing of a recipient has not delivered to it.
    const RecipientResult unsaid{.number = recipient.number, .reply = {.text = "no answer"}, .stage = "RCPT"};
    const RecipientResult& r = it == result.recipients.end() ? unsaid : *it;
    if (asks_for_patience(r.reply, r.stage)) note_slowed();
    // What this message needs and the host lacks (size, SMTPUTF8) says nothing of other messages.
    if (!is_trouble_of_host(r)) has_progressed_ = true;
    if (may_try_elsewhere(r)) {
      last_failure_ = r;
      note_hope(Hope::kLater);
      left.recipients.push_back(std::move(recipient));
      continue;
    }
    settlement.recipients.push_back(settled(recipient, r));
  }
  if (!left.recipients.empty()) try_again_.push_back(std::move(left));
  const bool has_delivered = std::any_of(settlement.recipients.begin(), settlement.recipients.end(),
                                         [](const SettledRecipient& s) { return s.verdict == Verdict::kRelayed; });
  if (!settlement.recipients.empty()) desk_.settle(batch.destination, std::move(settlement));
  // WHY: more connections to a slow host would only hold more of them.
  has_delivered_ |= has_delivered;
  if (has_delivered && !result.was_slow) desk_.progressed(batch.destination, settings_of(batch), lane_);
}

void Visit::ended(ConnectionResult result) { connection_ = std::move(result); }

void Visit::connection_ended(const std::string& failure) {
  // What the session did not speak of any more: it died before its time.
  while (!in_dialog_.empty()) finished({.id = in_dialog_.back().entry.id, .recipients = {}});
  tell_policies();
  if (connection_ && connection_->was_slow) is_slowed_ = true;  // fewer connections may be held like that
  if (std::exchange(dials_again_, false)) return desk_.is_stopping() ? end(Kind::kWorked) : dial();
  if (connection_ && connection_->was_ready) {
    ++sessions_;
    is_without_tls_ = false;
    for (Batch& batch : try_again_) waiting_.push_back(std::move(batch));
    try_again_.clear();
    if (waiting_.empty()) return end(has_progressed_ ? Kind::kWorked : Kind::kUnreachable);
    return advance(Advance::kNextHost) ? approach() : give_up();
  }
  last_failure_ = {.reply = {.text = failure}, .stage = "connect"};
  if (connection_) {
    last_failure_.reply = connection_->failure;
    last_failure_.stage = connection_->stage;
    if (asks_for_patience(connection_->failure, connection_->stage)) note_slowed();
  }
  // RFC 7435: with opportunistic TLS a failed handshake is worth no more than no TLS at all.
  if (connection_ && connection_->is_tls_failure && tls_use_ == TlsUse::kOpportunistic && !is_without_tls_) {
    is_without_tls_ = true;
    return dial();
  }
  is_without_tls_ = false;
  pass_over(last_failure_, Advance::kNextAddress, connection_ && connection_->is_lasting ? Hope::kNone : Hope::kLater);
}

std::optional<std::size_t> Visit::next_host() const {
  for (std::size_t i = hop_ + 1; i < plan_.hops.size(); ++i) {
    if (plan_.hops[i].host != plan_.hops[hop_].host || plan_.hops[i].port != plan_.hops[hop_].port) return i;
  }
  return std::nullopt;
}

bool Visit::advance(Advance how) {
  const std::optional<std::size_t> next = how == Advance::kNextHost ? next_host() : std::optional(hop_ + 1);
  if (!next || *next >= plan_.hops.size()) return false;
  hop_ = *next;
  return true;
}

// ---- the end ----

Settlement Visit::settlement(const Batch& batch) const {
  Settlement out;
  out.entry = batch.entry;
  out.domain = batch.settings ? batch.recipients.front().domain : domain_;
  out.retry = settings_of(batch).retry;
  if (hop_ >= plan_.hops.size()) return out;
  const Hop& hop = plan_.hops[hop_];
  out.host = hop.host;
  out.address = to_string(hop.address);
  out.port = hop.port;
  out.is_own_listener = hop.is_own_listener;
  out.tls = tls_;
  return out;
}

Settlement Visit::without_host(const Batch& batch, Verdict verdict) const {
  Settlement out = settlement(batch);
  for (const store::QueuedRecipient& recipient : batch.recipients) {
    SettledRecipient s{
        .recipient = recipient, .verdict = verdict, .reply = last_failure_.reply, .status = plan_.status, .explanation = {}};
    s.explanation = plan_.hops.empty() ? plan_.explanation : explain(last_failure_);
    out.recipients.push_back(std::move(s));
  }
  return out;
}

// No host is left: what we have in hand is put off. RFC 8689 §4.2.1: when none can give what the message demands, it comes
// back at once.
void Visit::give_up() {
  if (refusal_ && !has_hope_) {
    std::tie(last_failure_, hop_) = *refusal_;
    tls_.clear();
    return desk_.run_blocking([this] { refuse_all(); });
  }
  for (const Batch& batch : waiting_) desk_.settle(batch.destination, without_host(batch, Verdict::kDeferred));
  waiting_.clear();
  end(has_progressed_ ? Kind::kWorked : Kind::kUnreachable);
}

void Visit::put_back_waiting() {
  for (const Batch& batch : waiting_) desk_.put_back(batch.destination, batch);
  waiting_.clear();
}

void Visit::note_slowed() {
  is_slowed_ = true;
  desk_.host_asks_for_patience(number_);
}

void Visit::end(Kind kind) {
  put_back_waiting();
  VisitResult result{.kind = kind, .is_slowed = is_slowed_, .has_read_on = has_read_on_, .failure = {}};
  if (kind == Kind::kUnreachable) {
    if (!way_.empty()) result.kind = Kind::kNoWay;
    result.failure = without_host({.entry = {}, .recipients = {{}}, .way = {}, .route = {}, .settings = {}}, Verdict::kDeferred);
  }
  desk_.visit_ended(destination_, number_, std::move(result));
}

}  // namespace posthus::smtp
