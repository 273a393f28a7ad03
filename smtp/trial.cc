// A dry run. Deliveries do the same in delivery.cc, with messages. Thread rule: trial.h.
#include "smtp/trial.h"

#include <algorithm>
#include <list>
#include <optional>
#include <utility>

#include "core/base/random.h"
#include "smtp/hop_policy.h"
#include "smtp/recorded_session.h"
#include "smtp/trial_words.h"
#include "store/queue_reader.h"

namespace posthus::smtp {
namespace {

using Verdict = TrialResult::Verdict;

constexpr std::uint64_t kAnnouncedSize = 4096;  // a usual message: hosts that are full say so at MAIL
constexpr std::size_t kMaxTrialSessions = 5;    // hosts that converse, as a delivery (delivery.cc)

RemoteReply said(std::string text) { return {.code = 0, .enhanced = {}, .text = std::move(text)}; }

}  // namespace

struct Trials::State {
  explicit State(TrialContext given) : context(std::move(given)) {}
  const TrialContext context;
  std::mutex mutex;  // of what follows
  std::list<std::shared_ptr<Run>> running;
  bool is_stopping = false;
};

/// One dry run. It is kept by Trials until it is over, and by whatever it waits for.
class Trials::Run final : public MessageSource, public ExchangeListener, public std::enable_shared_from_this<Run> {
 public:
  Run(std::shared_ptr<State> state, TrialOptions options, TrialDone done)
      : state_(std::move(state)), context_(state_->context), options_(std::move(options)), done_(std::move(done)) {
    until_ = {context_.clock.now().microseconds + std::chrono::microseconds(options_.patience).count()};
  }

  void start() {
    context_.run_blocking([self = shared_from_this()] { self->prepare(); });
  }
  bool is_late(Timestamp now) const { return now >= until_; }
  /// The first result counts.
  void finish(Verdict verdict, RemoteReply reply, std::string_view stage, std::string explanation);

  void ready(const ConnectionResult&) override {}
  std::optional<OutgoingMessage> next() override;
  void finished(MessageResult result) override { answer_ = std::move(result.recipients.front()); }
  void ended(ConnectionResult result) override { connection_ = std::move(result); }
  void exchanged(Exchange exchange) override;
  void tls_established(const session::TlsFacts& facts) override;

 private:
  enum class Purpose : std::uint8_t { kAsk, kLook };  // kLook: only at the certificate, after it was refused

  void prepare();
  Result<> read_facts();
  RouteFacts facts() const;
  void plan();
  void ask(std::vector<Question> questions);
  void approach();
  void policy_known(TlsPolicy policy);
  void dial(Purpose purpose);
  void connection_ended(const std::string& failure);
  void host_answered();
  void host_failed(const std::string& failure);
  void next_hop(bool is_other_host);
  bool is_over();
  void tell(TrialStep step);
  const Hop& hop() const { return plan_.hops[hop_]; }

  const std::shared_ptr<State> state_;
  const TrialContext& context_;
  const TrialOptions options_;
  Timestamp until_;

  std::mutex done_mutex_;
  TrialDone done_;

  OutgoingSettings outgoing_;
  bool is_relay_ = false;
  std::optional<store::RouteRecord> route_;
  std::uint64_t seed_ = 0;
  std::mutex answers_mutex_;
  Answers answers_;
  std::size_t unanswered_ = 0;

  RoutePlan plan_;
  std::size_t hop_ = 0, sessions_ = 0;
  TlsPolicy policy_;
  TlsUse tls_use_ = TlsUse::kOpportunistic;
  bool is_without_tls_ = false;  // the hop is tried once more after TLS failed
  Purpose purpose_ = Purpose::kAsk;
  bool is_asked_ = false;  // next() gave its message
  std::optional<RecipientResult> answer_;
  std::optional<ConnectionResult> connection_;
  std::optional<session::CertificateFacts> certificate_;
  RemoteReply last_reply_;
  std::string_view last_stage_ = "route";
};

void Trials::Run::finish(Verdict verdict, RemoteReply reply, std::string_view stage, std::string explanation) {
  TrialDone done;
  {
    const std::lock_guard lock(done_mutex_);
    done = std::exchange(done_, nullptr);
  }
  if (!done) return;
  done({.verdict = verdict, .reply = std::move(reply), .stage = stage, .explanation = std::move(explanation)});
  const std::shared_ptr<Run> self = shared_from_this();
  const std::lock_guard lock(state_->mutex);
  state_->running.remove(self);
}

void Trials::Run::tell(TrialStep step) {
  if (hop_ < plan_.hops.size() && step.stage != "route") step.host = to_text(hop());
  const std::lock_guard lock(done_mutex_);
  if (done_) options_.observe(std::move(step));
}

// What comes after the end of the time, or of the server, goes no further.
bool Trials::Run::is_over() {
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->is_stopping && !is_late(context_.clock.now())) return false;
  }
  finish(Verdict::kUnavailable, last_reply_, last_stage_, "There was no answer in time.");
  return true;
}

void Trials::Run::prepare() {
  seed_ = random_u64();
  if (!read_facts()) {
    return finish(Verdict::kUnavailable, {}, "route", "The settings of outgoing mail could not be read.");
  }
  plan();
}

// The most special route first, as a delivery (queue_claims.cc).
Result<> Trials::Run::read_facts() {
  const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  const store::QueueReader reader(*snapshot);
  outgoing_ = POSTHUS_TRY(read_outgoing_settings(reader));
  is_relay_ = POSTHUS_TRY(kind_of_domain(*snapshot, options_.recipient.domain)) == store::DomainKind::kRelay;
  route_ = POSTHUS_TRY(reader.route(options_.recipient.domain));
  const std::size_t at = options_.sender.rfind('@');
  if (!route_ && at != std::string::npos) route_ = POSTHUS_TRY(reader.route("from:" + options_.sender.substr(at + 1)));
  if (!route_) route_ = POSTHUS_TRY(reader.route("*"));
  return {};
}

RouteFacts Trials::Run::facts() const {
  RouteFacts facts;
  facts.domain = options_.recipient.domain;
  facts.route = route_ ? &*route_ : nullptr;
  facts.hostname = context_.hostname;
  facts.port = context_.smtp_port;
  facts.loopback = outgoing_.loopback;
  facts.seed = seed_;
  facts.is_own_address = context_.is_own_address;
  facts.is_relay = is_relay_;
  return facts;
}

void Trials::Run::plan() {
  if (is_over()) return;
  plan_ = route(facts(), answers_);
  if (plan_.kind == RoutePlan::Kind::kLacking) return ask(plan_.questions);
  if (options_.observe) tell(describe_way(facts(), answers_, plan_));
  if (plan_.kind == RoutePlan::Kind::kHops) return approach();
  const Verdict verdict = plan_.kind == RoutePlan::Kind::kFailed ? Verdict::kRefused : Verdict::kUnavailable;
  finish(verdict, {.code = 0, .enhanced = plan_.status, .text = plan_.explanation}, "route", plan_.explanation);
}

void Trials::Run::ask(std::vector<Question> questions) {
  {
    const std::lock_guard lock(answers_mutex_);
    unanswered_ = questions.size();
  }
  for (const Question& question : questions) {
    context_.resolver.resolve(question.name, question.type, [self = shared_from_this(), question](dns::Answer answer) {
      {
        const std::lock_guard lock(self->answers_mutex_);
        self->answers_.insert_or_assign(question, std::move(answer));
        if (--self->unanswered_ > 0) return;
      }
      self->plan();
    });
  }
}

// ---- a host ----

void Trials::Run::approach() {
  if (is_over()) return;
  is_without_tls_ = false;
  std::optional<TlsQuestion> question = tls_question(hop(), options_.recipient.domain, plan_.canonical_domain);
  if (question && context_.tls_policies) {
    question->is_counted = false;
    context_.tls_policies->policy_for(*std::move(question),
                                      [self = shared_from_this()](TlsPolicy policy) { self->policy_known(std::move(policy)); });
    return;
  }
  TlsPolicy policy = own_policy(hop());
  if (hop().tls == TlsUse::kRequired || hop().tls == TlsUse::kImplicit) policy.requirement = mailauth::TlsRequirement::kPkix;
  policy_known(std::move(policy));
}

void Trials::Run::policy_known(TlsPolicy policy) {
  policy_ = std::move(policy);
  tls_use_ = hop().tls == TlsUse::kOpportunistic ? tls_use_of(policy_) : hop().tls;
  if (options_.observe) tell(describe_policy(policy_, hop()));
  if (policy_.may_connect) return dial(Purpose::kAsk);
  last_reply_ = {.code = 0, .enhanced = "4.7.5", .text = policy_.reason};
  last_stage_ = "policy";
  next_hop(false);
}

void Trials::Run::dial(Purpose purpose) {
  if (is_over()) return;
  purpose_ = purpose;
  is_asked_ = false;
  answer_.reset();
  connection_.reset();
  const TlsUse use = is_without_tls_ ? TlsUse::kNever : tls_use_;
  session::DialOptions options = dial_options(hop(), policy_, use, connect_patience(plan_.hops, hop_, outgoing_), outgoing_);
  options.connect_deadline = std::min(options.connect_deadline, options_.patience);
  if (purpose == Purpose::kLook) options.verification.kind = session::PeerVerification::Kind::kNone;
  const std::shared_ptr<Run> self = shared_from_this();
  certificate_.reset();
  if (options_.observe) {
    options.verification.certificate_seen = [self](const session::CertificateFacts& seen) { self->certificate_ = seen; };
  }
  // The last one that lets go of it ends the connection: a network that stops may drop the call.
  auto done = std::shared_ptr<std::string>(new std::string("shutting down"), [self](std::string* failure) {
    const std::string why = std::move(*failure);
    delete failure;
    self->connection_ended(why);
  });
  context_.dialer.dial(
      std::move(options),
      [self, use](const session::ConnectionFacts&, session::Waker) -> std::unique_ptr<session::Session> {
        if (self->options_.observe && self->purpose_ == Purpose::kAsk) {
          self->tell({.stage = "connect", .host = {}, .meaning = "The host answers at this address.", .lines = {}});
        }
        return std::make_unique<RecordedSession>(
            make_client_session(client_options(self->hop(), use, self->context_.hostname), *self), self, self->context_.clock,
            self->until_);
      },
      [done = std::move(done)](const std::string& failure) mutable {
        *done = failure;
        done.reset();
      });
}

std::optional<OutgoingMessage> Trials::Run::next() {
  if (purpose_ == Purpose::kLook || std::exchange(is_asked_, true)) return std::nullopt;
  OutgoingMessage message;
  message.reverse_path = options_.sender;
  message.recipients.push_back(
      {.number = 1, .address = mail::to_string(options_.recipient), .notify = 0, .original_recipient = {}});
  message.size = kAnnouncedSize;
  message.is_trial = true;
  return message;
}

void Trials::Run::exchanged(Exchange exchange) {
  if (options_.observe && purpose_ == Purpose::kAsk) tell(describe_exchange(exchange));
}

void Trials::Run::tls_established(const session::TlsFacts& facts) {
  if (options_.observe) tell(describe_certificate(facts, certificate_, policy_.verification.kind, context_.clock.now()));
}

void Trials::Run::connection_ended(const std::string& failure) {
  if (purpose_ == Purpose::kLook) return next_hop(false);
  if (connection_ && connection_->was_ready) return host_answered();
  host_failed(failure);
}

void Trials::Run::host_answered() {
  ++sessions_;
  const RecipientResult unsaid{.number = 1, .reply = said("no answer"), .stage = "RCPT"};
  const RecipientResult result = answer_.value_or(unsaid);
  last_reply_ = result.reply;
  last_stage_ = result.stage;
  switch (result.verdict) {
    case RecipientResult::Verdict::kDelivered:
      return finish(Verdict::kTaken, result.reply, result.stage, "The host takes mail for this recipient.");
    case RecipientResult::Verdict::kFailed:
      return finish(Verdict::kRefused, result.reply, result.stage, "The host refuses mail for this recipient.");
    case RecipientResult::Verdict::kDeferred: break;
  }
  if (options_.depth == TrialOptions::Depth::kFirstAnswer || sessions_ >= kMaxTrialSessions) {
    return finish(Verdict::kUnavailable, result.reply, result.stage, "The host takes no mail for this recipient for now.");
  }
  next_hop(true);
}

void Trials::Run::host_failed(const std::string& failure) {
  last_reply_ = connection_ ? connection_->failure : said(failure);
  last_stage_ = connection_ ? connection_->stage : std::string_view("connect");
  const bool is_tls_failure = connection_ && connection_->is_tls_failure;
  if (options_.observe && !connection_) tell(describe_no_connection(failure));
  if (options_.observe && is_tls_failure) tell(describe_tls_failure(last_reply_.text));
  // RFC 7435: with opportunistic TLS a failed handshake is worth no more than no TLS at all.
  if (is_tls_failure && tls_use_ == TlsUse::kOpportunistic && !is_without_tls_) {
    is_without_tls_ = true;
    return dial(Purpose::kAsk);
  }
  const bool is_proof_wanted = policy_.verification.kind != session::PeerVerification::Kind::kNone;
  if (options_.observe && is_tls_failure && is_proof_wanted && last_stage_ == "STARTTLS") return dial(Purpose::kLook);
  next_hop(false);
}

void Trials::Run::next_hop(bool is_other_host) {
  const std::string host = hop().host;
  do {
    ++hop_;
  } while (is_other_host && hop_ < plan_.hops.size() && hop().host == host);
  if (hop_ < plan_.hops.size()) return approach();
  hop_ = plan_.hops.size();
  finish(Verdict::kUnavailable, last_reply_, last_stage_, "No host takes mail for this recipient for now.");
}

// ---- all of them ----

Trials::Trials(TrialContext context) : state_(std::make_shared<State>(std::move(context))) {}
Trials::~Trials() = default;

void Trials::start(TrialOptions options, TrialDone done) {
  const auto run = std::make_shared<Run>(state_, std::move(options), std::move(done));
  bool may_run = false;
  {
    const std::lock_guard lock(state_->mutex);
    may_run = !state_->is_stopping && state_->running.size() < kMaxRunning;
    if (may_run) state_->running.push_back(run);
  }
  if (may_run) return run->start();
  run->finish(Verdict::kUnavailable, {}, "route", "Too many hosts are being asked at this moment.");
}

void Trials::tick() {
  const Timestamp now = state_->context.clock.now();
  std::vector<std::shared_ptr<Run>> late;
  {
    const std::lock_guard lock(state_->mutex);
    for (const std::shared_ptr<Run>& run : state_->running) {
      if (run->is_late(now)) late.push_back(run);
    }
  }
  for (const auto& run : late) run->finish(Verdict::kUnavailable, {}, "connect", "There was no answer in time.");
}

void Trials::stop() {
  std::vector<std::shared_ptr<Run>> running;
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
    running.assign(state_->running.begin(), state_->running.end());
  }
  for (const auto& run : running) run->finish(Verdict::kUnavailable, {}, "connect", "The server is being stopped.");
}

}  // namespace posthus::smtp
