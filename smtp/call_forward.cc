// See call_forward.h. Both memories are ordered by time as well: what is oldest goes first.
#include "smtp/call_forward.h"

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace posthus::smtp {
namespace {

using Done = std::move_only_function<void(PrimaryReply)>;

constexpr std::size_t kMaxDomains = 1000;  // relay domains are the admin's: more than anybody has

Timestamp later(Timestamp now, std::chrono::seconds by) { return {now.microseconds + std::chrono::microseconds(by).count()}; }

/// What was heard, and of whom: a primary that could not be asked is so for all recipients of its domain.
struct Heard {
  PrimaryReply reply;
  bool is_of_recipient = false;
};

// Only what the primary said of this recipient counts as a refusal. A host that takes nothing from us, or not from the null
// sender, may take the mail all the same when it is delivered.
PrimaryReply reply_of(const TrialResult& result) {
  if (result.verdict == TrialResult::Verdict::kTaken) return {.answer = PrimaryAnswer::kTaken, .enhanced = {}, .text = {}};
  const bool is_of_recipient = result.stage == "RCPT" && result.reply.code >= 500;
  if (result.verdict != TrialResult::Verdict::kRefused || !is_of_recipient) return {};
  return {
      .answer = PrimaryAnswer::kRefused, .code = result.reply.code, .enhanced = result.reply.enhanced, .text = result.reply.text};
}

}  // namespace

struct CallForward::State {
  struct Remembered {
    PrimaryReply reply;
    Timestamp until;
  };
  /// A recipient that is being asked for, and who wants to know.
  struct Call {
    std::vector<Done> waiting;
  };

  State(Trials& t, const Clock& c) : trials(t), clock(c) {}

  /// The calls to the primary of one domain.
  struct Domain {
    std::size_t running = 0;
    std::size_t begun = 0;  // since `minute` began
    Timestamp minute;
  };

  /// May one more call begin? REQUIRES: the lock.
  bool may_call(const std::string& domain, Timestamp now);
  /// The answer, when none has to be asked for. REQUIRES: the lock.
  const PrimaryReply* recall(const std::string& key, const std::string& domain, Timestamp now);
  void remember(const std::string& key, const std::string& domain, const Heard& heard, Timestamp now);
  void answered(const std::string& key, const std::string& domain, const Heard& heard);

  Trials& trials;
  const Clock& clock;
  std::mutex mutex;  // of what follows
  std::unordered_map<std::string, Remembered> known;
  std::deque<std::string> order;                 // keys of `known`, oldest first; some may be gone or newer
  std::map<std::string, Timestamp> unavailable;  // domains whose primary could not be asked, until when that counts
  std::unordered_map<std::string, Call> calls;
  std::map<std::string, Domain> domains;
  std::size_t waiting = 0;
};

const PrimaryReply* CallForward::State::recall(const std::string& key, const std::string& domain, Timestamp now) {
  static const PrimaryReply kNobody;
  const auto found = known.find(key);
  if (found != known.end() && now < found->second.until) return &found->second.reply;
  const auto resting = unavailable.find(domain);
  if (resting == unavailable.end()) return nullptr;
  if (now < resting->second) return &kNobody;
  unavailable.erase(resting);
  return nullptr;
}

void CallForward::State::remember(const std::string& key, const std::string& domain, const Heard& heard, Timestamp now) {
  const PrimaryAnswer answer = heard.reply.answer;
  if (answer == PrimaryAnswer::kUnavailable && !heard.is_of_recipient) {
    if (unavailable.size() >= kMaxDomains) unavailable.clear();
    unavailable[domain] = later(now, kUnavailableLifetime);
    return;
  }
  const std::chrono::seconds lifetime = answer == PrimaryAnswer::kTaken     ? kTakenLifetime
                                        : answer == PrimaryAnswer::kRefused ? kRefusedLifetime
                                                                            : kUnavailableLifetime;
  const bool is_new = known.insert_or_assign(key, Remembered{heard.reply, later(now, lifetime)}).second;
  if (!is_new) return;
  order.push_back(key);
  while (order.size() > kMaxRemembered) {
    known.erase(order.front());
    order.pop_front();
  }
}

void CallForward::State::answered(const std::string& key, const std::string& domain, const Heard& heard) {
  std::vector<Done> told;
  {
    const std::lock_guard lock(mutex);
    remember(key, domain, heard, clock.now());
    const auto call = calls.find(key);
    if (call == calls.end()) return;
    told = std::move(call->second.waiting);
    calls.erase(call);
    waiting -= told.size();
    --domains[domain].running;
  }
  for (Done& done : told) done(heard.reply);
}

bool CallForward::State::may_call(const std::string& domain, Timestamp now) {
  if (calls.size() >= kMaxCalls) return false;
  if (domains.size() >= kMaxDomains) std::erase_if(domains, [](const auto& entry) { return entry.second.running == 0; });
  Domain& d = domains[domain];
  if (now >= later(d.minute, std::chrono::minutes(1)) || now < d.minute) d = {.running = d.running, .begun = 0, .minute = now};
  if (d.running >= kMaxCallsToDomain || d.begun >= kMaxCallsPerMinute) return false;
  ++d.running;
  ++d.begun;
  return true;
}

CallForward::CallForward(Trials& trials, const Clock& clock) : state_(std::make_shared<State>(trials, clock)) {}
CallForward::~CallForward() = default;

void CallForward::ask(const mail::Address& recipient, Done done) {
  State& state = *state_;
  const std::string key = mail::to_string(recipient);
  std::unique_lock lock(state.mutex);
  const Timestamp now = state.clock.now();
  if (const PrimaryReply* const known = state.recall(key, recipient.domain, now)) {
    const PrimaryReply reply = *known;
    lock.unlock();
    return done(reply);
  }
  auto call = state.calls.find(key);
  const bool is_new = call == state.calls.end();
  if (state.waiting >= kMaxWaiting || (is_new && !state.may_call(recipient.domain, now))) {
    lock.unlock();
    return done({.answer = PrimaryAnswer::kBusy, .enhanced = {}, .text = {}});
  }
  ++state.waiting;
  if (is_new) call = state.calls.emplace(key, State::Call{}).first;
  call->second.waiting.push_back(std::move(done));
  lock.unlock();
  if (!is_new) return;
  TrialOptions options{
      .recipient = recipient, .sender = {}, .depth = TrialOptions::Depth::kFirstAnswer, .patience = kCallPatience, .observe = {}};
  state.trials.start(std::move(options), [state = state_, key, domain = recipient.domain](const TrialResult& result) {
    state->answered(key, domain, {reply_of(result), result.stage == "RCPT"});
  });
}

}  // namespace posthus::smtp
