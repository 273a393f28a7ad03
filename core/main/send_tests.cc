// See send_tests.h.
#include "core/main/send_tests.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/random.h"
#include "store/directory_reader.h"

namespace posthus::main {
namespace {

using Kind = store::Resolution::Kind;
using web_admin::SendTest;
using web_admin::SendTestStep;

constexpr std::size_t kIdBytes = 8;  // nobody guesses it

std::string_view trial_text(smtp::TrialStep::Mark mark) {
  switch (mark) {
    case smtp::TrialStep::Mark::kGood: return "good";
    case smtp::TrialStep::Mark::kNote: return "note";
    case smtp::TrialStep::Mark::kBad: return "bad";
  }
  return {};
}

std::string_view trial_text(smtp::TrialResult::Verdict verdict) {
  switch (verdict) {
    case smtp::TrialResult::Verdict::kTaken: return "deliverable";
    case smtp::TrialResult::Verdict::kRefused: return "refused";
    case smtp::TrialResult::Verdict::kUnavailable: return "unavailable";
  }
  return {};
}

/// What the directory says of an address: our own verdict, or whom to try instead.
struct AtHome {
  std::string_view verdict;  // empty: `next` is to be tried
  std::string meaning;       // empty: none of ours
  mail::Address next;
};

AtHome at_home(const store::Resolution& resolution, const mail::Address& address) {
  switch (resolution.kind) {
    case Kind::kNoSuchDomain: return {.verdict = {}, .meaning = {}, .next = address};
    case Kind::kRelay:
      return {.verdict = {}, .meaning = "The domain is one of ours, its mailboxes are on another server.", .next = address};
    case Kind::kLocal: return {.verdict = "deliverable", .meaning = "The mail goes into an inbox of this server.", .next = {}};
    case Kind::kNoSuchUser:
      return {.verdict = "refused", .meaning = "The domain is one of this server's, which has no such user.", .next = {}};
    case Kind::kDisabled: return {.verdict = "refused", .meaning = "The user or the domain is disabled.", .next = {}};
    case Kind::kOverQuota: return {.verdict = "unavailable", .meaning = "The mailbox is full.", .next = {}};
    case Kind::kOnlyMembers:
      return {.verdict = "refused", .meaning = "The way leads to a group that only its members may write to.", .next = {}};
    case Kind::kOnlyDomain:
      return {
          .verdict = "refused", .meaning = "The way leads to a group that only users of its domain may write to.", .next = {}};
    case Kind::kAliasLoop: return {.verdict = "refused", .meaning = "Aliases lead to one another without an end.", .next = {}};
    case Kind::kRemoteAlias: break;
  }
  const auto target = resolution.remote_targets.empty()
                          ? Result<mail::Address>(fail(ErrorKind::kNotFound))
                          : mail::parse_mailbox(resolution.remote_targets.front(), mail::Utf8::kAllow);
  if (!target) return {.verdict = "refused", .meaning = "The alias leads nowhere.", .next = {}};
  const std::string others = resolution.remote_targets.size() > 1 ? ", the first of several addresses" : "";
  return {.verdict = {}, .meaning = "The mail is forwarded to " + mail::to_string(*target) + others + ".", .next = *target};
}

/// As a session would know the sender: users of ours sign in to send.
Result<store::GroupWriter> writer_of(const store::DirectoryReader& directory, const std::string& sender) {
  store::GroupWriter writer;
  if (sender.empty()) return writer;
  writer.address = POSTHUS_TRY(mail::parse_mailbox(sender, mail::Utf8::kAllow));
  const auto user = POSTHUS_TRY(directory.user_of_login(sender));
  if (user) writer.account = user->account;
  return writer;
}

}  // namespace

struct DryRuns::State {
  State(store::Store& s, smtp::Trials& t, const Clock& c) : store(s), trials(t), clock(c) {}

  struct Kept {
    SendTest test;
    std::size_t bytes = 0;  // of its lines
  };

  Kept* find(std::string_view id) {
    const auto found = std::ranges::find_if(kept, [id](const Kept& one) { return one.test.id == id; });
    return found == kept.end() ? nullptr : &*found;
  }
  Result<AtHome> begin(SendTest& test, const mail::Address& address, const std::optional<std::string>& from);
  Result<> keep(SendTest test);
  void add(std::string_view id, SendTestStep step);
  void end(std::string_view id, const smtp::TrialResult& result);

  store::Store& store;
  smtp::Trials& trials;
  const Clock& clock;
  std::mutex mutex;  // of `kept`
  std::deque<Kept> kept;
};

void DryRuns::State::add(std::string_view id, SendTestStep step) {
  const std::lock_guard lock(mutex);
  Kept* const found = find(id);
  if (!found || found->test.steps.size() >= kMaxSteps) return;
  std::size_t bytes = 0;
  for (const std::string& line : step.lines) bytes += line.size();
  if (found->bytes + bytes > kMaxBytes) step.lines = {"..."};
  found->bytes = std::min(found->bytes + bytes, kMaxBytes);
  found->test.steps.push_back(std::move(step));
}

void DryRuns::State::end(std::string_view id, const smtp::TrialResult& result) {
  const std::lock_guard lock(mutex);
  Kept* const found = find(id);
  if (!found) return;
  SendTest* const test = &found->test;
  test->verdict = trial_text(result.verdict);
  test->code = result.reply.code;
  test->enhanced = result.reply.enhanced;
  test->text = result.reply.text;
  test->stage = result.stage;
  test->explanation = result.explanation;
}

DryRuns::DryRuns(store::Store& store, smtp::Trials& trials, const Clock& clock)
    : state_(std::make_shared<State>(store, trials, clock)) {}
DryRuns::~DryRuns() = default;

/// What the directory says, and who asks when nobody was named.
Result<AtHome> DryRuns::State::begin(SendTest& test, const mail::Address& address, const std::optional<std::string>& from) {
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  const store::DirectoryReader directory(*snapshot);
  const auto admin = POSTHUS_TRY(directory.first_server_admin());
  test.from = from.value_or(admin ? admin->address : std::string());
  const store::GroupWriter writer = POSTHUS_TRY(writer_of(directory, test.from));
  AtHome home = at_home(POSTHUS_TRY(directory.resolve(address, 0, writer)), address);
  if (home.meaning.empty()) return home;
  const std::string_view mark = home.verdict == "deliverable" ? "good" : home.verdict.empty() ? "note" : "bad";
  test.steps.push_back(
      {.time = test.started, .mark = mark, .stage = "directory", .host = {}, .meaning = home.meaning, .lines = {}});
  if (home.verdict.empty()) return home;
  test.verdict = home.verdict;
  test.stage = "directory";
  test.explanation = home.meaning;
  return home;
}

Result<> DryRuns::State::keep(SendTest test) {
  const std::lock_guard lock(mutex);
  const auto running = std::ranges::count_if(kept, [](const Kept& one) { return one.test.verdict == "running"; });
  if (running >= static_cast<std::ptrdiff_t>(kMaxRunning)) {
    return fail(ErrorKind::kBusy, "too many dry runs at once; try again in a minute");
  }
  kept.push_back({.test = std::move(test)});
  if (kept.size() > kMaxKept) kept.pop_front();
  return {};
}

Result<std::string> DryRuns::start(const mail::Address& address, const std::optional<std::string>& from) {
  SendTest test{.id = to_hex(random_bytes(kIdBytes)), .address = mail::to_string(address), .from = {}};
  test.started = state_->clock.now();
  const AtHome home = POSTHUS_TRY(state_->begin(test, address, from));
  const std::string id = test.id;
  smtp::TrialOptions options{.recipient = home.next, .sender = test.from, .patience = kPatience, .observe = {}};
  POSTHUS_TRY_VOID(state_->keep(std::move(test)));
  if (!home.verdict.empty()) return id;
  options.observe = [state = state_, id](smtp::TrialStep step) {
    state->add(id, {.time = state->clock.now(),
                    .mark = trial_text(step.mark),
                    .stage = std::string(step.stage),
                    .host = std::move(step.host),
                    .meaning = std::move(step.meaning),
                    .lines = std::move(step.lines)});
  };
  state_->trials.start(std::move(options), [state = state_, id](const smtp::TrialResult& result) { state->end(id, result); });
  return id;
}

std::optional<SendTest> DryRuns::find(std::string_view id) {
  const std::lock_guard lock(state_->mutex);
  const auto* const found = state_->find(id);
  return found ? std::optional(found->test) : std::nullopt;
}

}  // namespace posthus::main
