// UnboundResolver: one thread that polls libunbound and a wake-up; equal questions share a flight.
#include "core/dns/unbound_resolver.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/dns/record.h"
#include "core/dns/unbound_context.h"

namespace posthus::dns {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds kStartAgain{60};  // a libunbound that does not start is left alone this long

Answer failure(std::string reason) { return {.status = Status::kTemporary, .reason = std::move(reason)}; }

metrics::Counter& answers(std::string_view labels) {
  return metrics::counter("posthus_dns_answers_total", "Answers of the DNS, by what they were", labels);
}

void count(Status status) {
  static metrics::Counter* const counters[] = {&answers(R"(status="found")"), &answers(R"(status="no_data")"),
                                               &answers(R"(status="no_name")"), &answers(R"(status="temporary")"),
                                               &answers(R"(status="bogus")")};
  counters[static_cast<std::size_t>(status)]->add();
}

bool has_trust_anchor(const UnboundOptions& options) {
  return !options.trust_anchor.empty() && access(options.trust_anchor.c_str(), R_OK) == 0;
}

struct Arrival {
  std::string name;
  RecordType type = RecordType::kA;
  AnswerDone done;
};

}  // namespace

struct UnboundResolver::State {
  explicit State(UnboundOptions given) : options(std::move(given)) {}

  /// A question that libunbound has, or will have, and everybody who asked it.
  struct Flight final : UnboundQuestion {
    void answered(Answer answer) override { state->land(*this, std::move(answer)); }
    State* state = nullptr;
    std::vector<AnswerDone> waiting;
    SteadyClock::time_point deadline;
    std::list<Flight*>::iterator place;  // in `flying`
  };
  using Key = std::pair<std::string, RecordType>;

  void loop();
  std::vector<Arrival> take_arrivals();
  void join_flight(Arrival arrival);
  void launch();
  Result<> start_context();
  void land(Flight& flight, Answer answer);
  void expire();
  void end_all(const std::string& reason);
  int poll_timeout() const;
  void wake() const {
    const std::uint64_t one = 1;
    static_cast<void>(!write(wake_up.get(), &one, sizeof one));  // a full counter has woken already
  }

  const UnboundOptions options;
  std::mutex mutex;  // of the following five
  std::vector<Arrival> arrivals;
  std::size_t waiting = 0;  // callers, all together
  bool is_stopping = false;
  std::string no_thread;  // why there is none
  std::thread thread;
  UniqueFd wake_up;

  // The thread's own.
  std::unique_ptr<UnboundContext> context;
  SteadyClock::time_point try_start_at{};
  std::string start_failure;
  std::map<Key, std::unique_ptr<Flight>> flights;  // on the ground and in the air
  std::deque<Key> grounded;                        // not asked yet, in order
  std::list<Flight*> flying;                       // in order of their deadlines
};

Result<std::string> unbound_configuration(const UnboundOptions& options) {
  if (options.trust_anchor.find_first_of("\"\n\r") != std::string::npos) return fail(ErrorKind::kInvalid, options.trust_anchor);
  std::string text =
      "server:\n verbosity: 0\n chroot: \"\"\n"
      // Caches of one MTA, not of a provider: some thousand domains.
      " msg-cache-size: 1m\n msg-cache-slabs: 1\n rrset-cache-size: 2m\n rrset-cache-slabs: 1\n"
      " key-cache-size: 512k\n key-cache-slabs: 1\n neg-cache-size: 256k\n infra-cache-numhosts: 2000\n infra-cache-slabs: 1\n"
      " cache-max-ttl: 86400\n cache-max-negative-ttl: 900\n"
      // RFC 9715: no fragments.
      " edns-buffer-size: 1232\n outgoing-range: 256\n outgoing-num-tcp: 8\n"
      " num-queries-per-thread: " +
      std::to_string(options.max_in_flight * 2) + "\n";
  text += has_trust_anchor(options)
              ? " module-config: \"validator iterator\"\n trust-anchor-file: \"" + options.trust_anchor + "\"\n"
              : " module-config: \"iterator\"\n";
  if (options.servers.empty()) return text;
  // Whom the admin names answers for everything, also for what libunbound would answer by itself, and may be on this machine.
  text += " do-not-query-localhost: no\n unblock-lan-zones: yes\n insecure-lan-zones: no\n";
  for (const char* zone : {"test.", "invalid.", "onion.", "home.arpa.", "127.in-addr.arpa.",
                           "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa."}) {
    text += std::string(" local-zone: \"") + zone + "\" nodefault\n";
  }
  text += "forward-zone:\n name: \".\"\n";
  for (const std::string& server : options.servers) {
    if (server.find_first_not_of("0123456789abcdefABCDEF.:@") != std::string::npos) return fail(ErrorKind::kInvalid, server);
    text += " forward-addr: " + server + "\n";
  }
  return text;
}

UnboundResolver::UnboundResolver(UnboundOptions options) : state_(std::make_unique<State>(std::move(options))) {}

UnboundResolver::~UnboundResolver() { stop(); }

void UnboundResolver::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
  }
  if (!state_->thread.joinable()) return;
  state_->wake();
  state_->thread.join();
}

namespace {

/// Runs `body` on a new thread without signals, which libunbound's thread inherits. Empty when it could not.
std::thread start_thread(std::move_only_function<void()> body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  try {
    thread = std::thread(std::move(body));
  } catch (const std::exception&) {  // no thread to be had
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

void UnboundResolver::resolve(std::string name, RecordType type, AnswerDone done) {
  std::string refusal;
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->is_stopping && !state_->thread.joinable()) {
      if (!state_->wake_up) state_->wake_up.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
      if (state_->wake_up) state_->thread = start_thread([state = state_.get()] { state->loop(); });
    }
    if (state_->is_stopping) {
      refusal = "shutting down";
    } else if (!state_->thread.joinable()) {
      refusal = "no thread for the resolver";
    } else if (state_->waiting >= state_->options.max_waiting) {
      refusal = "too many questions at once";
    } else if (is_question_name(name)) {
      ++state_->waiting;
      state_->arrivals.push_back({std::move(name), type, std::move(done)});
    }
  }
  if (!refusal.empty()) {
    count(Status::kTemporary);
    return done(failure(std::move(refusal)));
  }
  if (!done) return state_->wake();
  count(Status::kNoName);
  done({.status = Status::kNoName, .canonical_name = name, .reason = "not a domain name"});
}

void UnboundResolver::State::loop() {
  for (;;) {
    pollfd watched[2] = {{.fd = wake_up.get(), .events = POLLIN, .revents = 0},
                         {.fd = context ? context->descriptor() : -1, .events = POLLIN, .revents = 0}};
    poll(watched, 2, poll_timeout());
    std::uint64_t ignored = 0;
    static_cast<void>(!read(wake_up.get(), &ignored, sizeof ignored));
    {
      const std::lock_guard lock(mutex);
      if (is_stopping) break;
    }
    for (Arrival& arrival : take_arrivals()) join_flight(std::move(arrival));
    if (context && watched[1].revents != 0) {
      if (const auto processed = context->process(); !processed) {
        log::warning("dns.broken", {{"reason", processed.error().context}});
        context.reset();
        end_all(processed.error().context);
      }
    }
    expire();
    launch();
  }
  context.reset();
  for (Arrival& arrival : take_arrivals()) arrival.done(failure("shutting down"));
  end_all("shutting down");
}

std::vector<Arrival> UnboundResolver::State::take_arrivals() {
  const std::lock_guard lock(mutex);
  return std::exchange(arrivals, {});
}

void UnboundResolver::State::join_flight(Arrival arrival) {
  Key key{std::move(arrival.name), arrival.type};
  auto& flight = flights[key];
  if (!flight) {
    flight = std::make_unique<Flight>();
    flight->state = this;
    flight->name = key.first;
    flight->type = key.second;
    flight->place = flying.end();
    grounded.push_back(std::move(key));
  }
  flight->waiting.push_back(std::move(arrival.done));
}

Result<> UnboundResolver::State::start_context() {
  if (context) return {};
  if (SteadyClock::now() < try_start_at) return fail(ErrorKind::kUnavailable, start_failure);
  if (!has_trust_anchor(options)) log::warning("dns.not_validated", {{"trust_anchor", options.trust_anchor}});
  auto configuration = unbound_configuration(options);
  auto created = configuration ? UnboundContext::create(*configuration) : std::unexpected(configuration.error());
  if (created) {
    context = std::move(*created);
    return {};
  }
  try_start_at = SteadyClock::now() + kStartAgain;
  start_failure = created.error().context;
  log::error("dns.start", {{"reason", start_failure}});
  return std::unexpected(created.error());
}

// Asks what waits, as far as there is room.
void UnboundResolver::State::launch() {
  while (!grounded.empty() && flying.size() < options.max_in_flight) {
    Flight& flight = *flights.at(grounded.front());
    grounded.pop_front();
    flight.deadline = SteadyClock::now() + options.deadline;
    flight.place = flying.insert(flying.end(), &flight);
    auto asked = start_context();
    if (asked) asked = context->ask(flight);
    if (asked) continue;
    if (context && asked.error().kind != ErrorKind::kInvalid) {  // its configuration is read at the first question only
      try_start_at = SteadyClock::now() + kStartAgain;
      start_failure = asked.error().context;
      log::error("dns.start", {{"reason", start_failure}});
      context.reset();
      return end_all(start_failure);
    }
    land(flight, failure(asked.error().context));
  }
}

void UnboundResolver::State::land(Flight& flight, Answer answer) {
  if (answer.canonical_name.empty()) answer.canonical_name = flight.name;
  if (flight.place != flying.end()) flying.erase(flight.place);
  const auto found = flights.find({flight.name, flight.type});
  const std::unique_ptr<Flight> landed = std::move(found->second);
  flights.erase(found);
  {
    const std::lock_guard lock(mutex);
    waiting -= landed->waiting.size();
  }
  for (std::size_t i = 0; i < landed->waiting.size(); ++i) {
    count(answer.status);
    landed->waiting[i](i + 1 < landed->waiting.size() ? answer : std::move(answer));
  }
}

void UnboundResolver::State::expire() {
  const auto now = SteadyClock::now();
  while (!flying.empty() && flying.front()->deadline <= now) {
    Flight& flight = *flying.front();
    context->cancel(flight);
    land(flight, failure("no answer in time"));
  }
}

void UnboundResolver::State::end_all(const std::string& reason) {
  grounded.clear();
  while (!flights.empty()) land(*flights.begin()->second, failure(reason));
}

int UnboundResolver::State::poll_timeout() const {
  if (flying.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(flying.front()->deadline - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

}  // namespace posthus::dns
