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

constexpr std::size_t kMaxRestingDomains = 1000;  // relay domains are the admin's: more than anybody has

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
  std::map<std::string, std::size_t> calls_to;  // domain -> calls
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
    if (unavailable.size() >= kMaxRestingDomains) unavailable.clear();
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
    if (--calls_to[domain] == 0) calls_to.erase(domain);
  }
  for (Done& done : told) done(heard.reply);
}

CallForward::CallForward(Trials& trials, const Clock& clock) : state_(std::make_shared<State>(trials, clock)) {}
CallForward::~CallForward() = default;

void CallForward::ask(const mail::Address& recipient, Done done) {
  State& state = *state_;
  const std::string key = mail::to_string(recipient);
  std::unique_lock lock(state.mutex);
  const PrimaryReply* const known = state.recall(key, recipient.domain, state.clock.now());
  auto call = state.calls.find(key);
  const auto calls_to = state.calls_to.find(recipient.domain);
  const bool is_busy =
      state.waiting >= kMaxWaiting ||
      (call == state.calls.end() &&
       (state.calls.size() >= kMaxCalls || (calls_to != state.calls_to.end() && calls_to->second >= kMaxCallsToDomain)));
  if (known || is_busy) {
    const PrimaryReply reply = known ? *known : PrimaryReply{};
    lock.unlock();
    return done(reply);
  }
  ++state.waiting;
  const bool is_new = call == state.calls.end();
  if (is_new) {
    call = state.calls.emplace(key, State::Call{}).first;
    ++state.calls_to[recipient.domain];
  }
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
