// Dry runs and the call-forward over them: a DNS in memory, hosts in memory, a clock that stands still.
#include "smtp/trial.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>

#include "core/dns/memory_resolver.h"
#include "smtp/call_forward.h"
#include "tests/support/memory_dialer.h"
#include "tests/support/world.h"
#include "tests/unit/smtp/fake_host.h"

namespace posthus::smtp {
namespace {

using testing::FakeHost;
using TrialVerdict = TrialResult::Verdict;
using Mark = TrialStep::Mark;

class TrialTest : public ::testing::Test {
 protected:
  TrialTest() {
    EXPECT_TRUE(
        resolver.add_zone("there.example MX 10 mx.there.example !secure\nthere.example MX 20 mx2.there.example !secure\n"
                          "mx.there.example A 192.0.2.1 !secure\nmx2.there.example A 192.0.2.2\n"));
    trials = std::make_unique<Trials>(
        TrialContext{.store = *world.store,
                     .resolver = resolver,
                     .dialer = dialer,
                     .clock = world.clock,
                     .hostname = "mx.example.test",
                     .run_blocking = [this](std::move_only_function<void()> job) { jobs.push_back(std::move(job)); },
                     .is_own_address = [](const std::string& address, std::uint16_t) { return address == "192.0.2.250"; }});
  }
  ~TrialTest() override {
    trials->stop();
    settle();
    while (dialer.time_out() > 0) settle();
  }

  FakeHost& host(int last) {
    FakeHost& fake = hosts[last];
    dialer.set_host("192.0.2." + std::to_string(last), 25, {.make_session = fake.factory()});
    return fake;
  }
  void settle() {
    do {
      for (; !jobs.empty(); jobs.pop_front()) jobs.front()();
    } while (dialer.run() > 0 || !jobs.empty());
  }
  /// Runs one to its end, or as far as it gets.
  std::optional<TrialResult> run(TrialOptions options = {}) {
    const std::size_t before = results.size();
    if (options.recipient.domain.empty()) options.recipient = {"ben", "there.example"};
    if (!options.observe) options.observe = [this](TrialStep step) { steps.push_back(std::move(step)); };
    // WHY no reference to anything here: the result may come when this call is long over.
    trials->start(std::move(options), [this](TrialResult result) { results.push_back(std::move(result)); });
    settle();
    return results.size() > before ? std::optional(results.back()) : std::nullopt;
  }
  const TrialStep* step(std::string_view stage, std::size_t nth = 0) const {
    for (const TrialStep& s : steps) {
      if (s.stage == stage && nth-- == 0) return &s;
    }
    return nullptr;
  }
  std::string lines(std::string_view stage) const {
    std::string out;
    const TrialStep* const found = step(stage);
    for (const std::string& line : found ? found->lines : std::vector<std::string>{"no such step"}) out += line + "\n";
    return out;
  }

  testing::World world;
  dns::MemoryResolver resolver;
  testing::MemoryDialer dialer;
  std::deque<std::move_only_function<void()>> jobs;
  std::map<int, FakeHost> hosts;
  std::unique_ptr<Trials> trials;
  std::vector<TrialStep> steps;
  std::vector<TrialResult> results;
};

TEST_F(TrialTest, ItEndsWithTheAnswerToRcptAndSendsNothing) {
  FakeHost& there = host(1);
  std::vector<std::string> heard;
  there.answer = [&](const std::string& line) { return heard.push_back(line), std::string(); };
  const auto result = run({.recipient = {"ben", "there.example"}, .sender = "anna@example.test", .observe = {}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdict, TrialVerdict::kTaken);
  EXPECT_EQ(result->stage, "RCPT");
  EXPECT_EQ(result->reply.code, 250);
  EXPECT_TRUE(there.messages.empty());
  EXPECT_EQ(std::ranges::count(heard, "DATA"), 0);
  EXPECT_EQ(lines("route"),
            "there.example MX: 10 mx.there.example, 20 mx2.there.example [DNSSEC: secure]\n"
            "mx.there.example A: 192.0.2.1 [DNSSEC: secure]\nmx.there.example AAAA: none [DNSSEC: not signed]\n"
            "mx2.there.example A: 192.0.2.2 [DNSSEC: not signed]\nmx2.there.example AAAA: none [DNSSEC: not signed]\n"
            "mx.there.example [192.0.2.1]:25\nmx2.there.example [192.0.2.2]:25\n");
  for (const char* stage : {"policy", "connect", "greeting", "EHLO", "MAIL", "RCPT", "RSET", "QUIT"}) {
    ASSERT_TRUE(step(stage)) << stage;
    EXPECT_EQ(step(stage)->host, "mx.there.example [192.0.2.1]:25") << stage;
    EXPECT_NE(step(stage)->mark, Mark::kBad) << stage;
  }
  EXPECT_TRUE(lines("RCPT").starts_with("> RCPT TO:<ben@there.example>\n< 250")) << lines("RCPT");
}

TEST_F(TrialTest, ARefusalIsTheHostsAndFinal) {
  host(1).answer = [](const std::string& line) { return line.starts_with("RCPT") ? "550 5.1.1 nobody\r\n" : std::string(); };
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdict, TrialVerdict::kRefused);
  EXPECT_EQ(result->reply.text, "nobody");
  EXPECT_EQ(step("RCPT")->mark, Mark::kBad);
  EXPECT_EQ(dialer.dialled().size(), 1u);
}

TEST_F(TrialTest, TheNextHostIsAskedWhereADeliveryWouldGoOn) {
  host(1).answer = [](const std::string& line) { return line.starts_with("RCPT") ? "450 later\r\n" : std::string(); };
  host(2);
  EXPECT_EQ(run()->verdict, TrialVerdict::kTaken);
  EXPECT_EQ(dialer.dialled().size(), 2u);
  EXPECT_EQ(run({.recipient = {"ben", "there.example"}, .depth = TrialOptions::Depth::kFirstAnswer, .observe = {}})->verdict,
            TrialVerdict::kUnavailable);
  EXPECT_EQ(dialer.dialled().size(), 3u);
}

TEST_F(TrialTest, HostsThatCannotBeReachedAreNamed) {
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdict, TrialVerdict::kUnavailable);
  EXPECT_EQ(result->stage, "connect");
  ASSERT_TRUE(step("connect", 1));
  EXPECT_EQ(step("connect")->mark, Mark::kBad);
  EXPECT_EQ(step("connect", 1)->host, "mx2.there.example [192.0.2.2]:25");
}

TEST_F(TrialTest, ADomainThatDoesNotExistIsRefusedAndADnsThatIsSilentIsNot) {
  EXPECT_EQ(run({.recipient = {"x", "nowhere.example"}, .observe = {}})->verdict, TrialVerdict::kRefused);
  ASSERT_TRUE(resolver.add_zone("broken.example !bogus\n"));
  const auto result = run({.recipient = {"x", "broken.example"}, .observe = {}});
  EXPECT_EQ(result->verdict, TrialVerdict::kUnavailable);
  EXPECT_EQ(results.front().reply.enhanced, "5.1.2");
}

TEST_F(TrialTest, AFailedHandshakeIsFollowedByNoTlsAsInADelivery) {
  FakeHost& there = host(1);
  there.ehlo = "250-fake.example\r\n250 STARTTLS\r\n";
  dialer.set_host("192.0.2.1", 25, {.make_session = there.factory(), .tls_failure = "wrong version number"});
  EXPECT_EQ(run()->verdict, TrialVerdict::kTaken);
  EXPECT_EQ(step("STARTTLS")->mark, Mark::kGood) << "the answer to the command";
  EXPECT_EQ(step("STARTTLS", 1)->mark, Mark::kBad) << "the handshake";
  EXPECT_EQ(dialer.dialled().size(), 2u);
}

TEST_F(TrialTest, ACertificateThatDoesNotHoldIsLookedAtAndGetsNothing) {
  ASSERT_TRUE(world.store->apply(store::PutRoute{{.name = "there.example",
                                                  .hops = {{"mx.there.example", 25, store::RouteRecord::Tls::kRequired}},
                                                  .login = {},
                                                  .password = {}}}));
  FakeHost& there = host(1);
  there.ehlo = "250-fake.example\r\n250 STARTTLS\r\n";
  dialer.set_host("192.0.2.1", 25, {.make_session = there.factory(), .is_verified = false});
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdict, TrialVerdict::kUnavailable);
  EXPECT_EQ(result->stage, "STARTTLS");
  EXPECT_FALSE(step("MAIL"));
  ASSERT_EQ(dialer.dialled().size(), 2u);
  EXPECT_EQ(dialer.dialled()[1].verification.kind, session::PeerVerification::Kind::kNone);
  ASSERT_TRUE(step("certificate"));
  EXPECT_EQ(step("certificate")->mark, Mark::kBad);
}

TEST_F(TrialTest, ALoginIsNotShown) {
  ASSERT_TRUE(world.store->apply(store::PutRoute{
      {.name = "*", .hops = {{"192.0.2.1", 25, store::RouteRecord::Tls::kImplicit}}, .login = "us", .password = "our-secret"}}));
  FakeHost& there = host(1);
  there.ehlo = "250-fake.example\r\n250 AUTH PLAIN\r\n";
  run();
  ASSERT_TRUE(step("AUTH"));
  EXPECT_EQ(step("AUTH")->lines.front(), "> AUTH PLAIN");
  for (const TrialStep& s : steps) {
    for (const std::string& line : s.lines) EXPECT_EQ(line.find("AHVz"), std::string::npos) << line;  // "\0us" in base64
  }
}

TEST_F(TrialTest, ItEndsWhenItsTimeIsOver) {
  dialer.set_host("192.0.2.1", 25, {.make_session = host(1).factory(), .is_silent = true});
  run({.recipient = {"ben", "there.example"}, .patience = std::chrono::seconds(10), .observe = {}});
  ASSERT_TRUE(results.empty());
  world.clock.advance(9'000'000);
  trials->tick();
  EXPECT_TRUE(results.empty());
  world.clock.advance(1'000'000);
  trials->tick();
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].verdict, TrialVerdict::kUnavailable);
  const std::size_t told = steps.size();
  dialer.time_out();
  settle();
  EXPECT_EQ(steps.size(), told) << "what comes after the end is not told";
  EXPECT_EQ(dialer.dialled().size(), 1u) << "nor is another host tried";
}

TEST_F(TrialTest, AHostThatClosesAfterEveryByteEndsInOneResult) {
  for (std::size_t bytes = 0; bytes < 200; ++bytes) {
    FakeHost& there = host(1);
    dialer.set_host("192.0.2.1", 25, {.make_session = there.factory(), .close_after = bytes});
    results.clear();
    run();
    ASSERT_EQ(results.size(), 1u) << bytes;
    ASSERT_NE(results[0].verdict, TrialVerdict::kRefused) << bytes;
  }
}

TEST_F(TrialTest, TooManyAreNotRunAndTheStopEndsAll) {
  resolver.hold();
  for (std::size_t i = 0; i <= Trials::kMaxRunning; ++i) run();
  ASSERT_EQ(results.size(), 1u);
  trials->stop();
  EXPECT_EQ(results.size(), Trials::kMaxRunning + 1);
  resolver.release();
  settle();
  EXPECT_TRUE(dialer.dialled().empty());
}

// ---- call-forward ----

class CallForwardTest : public TrialTest {
 protected:
  CallForwardTest() : calls(std::make_unique<CallForward>(*trials, world.clock)) {}

  void ask(const std::string& local_part) {
    calls->ask({local_part, "there.example"}, [this](PrimaryReply reply) { replies.push_back(std::move(reply)); });
  }
  PrimaryAnswer answer(const std::string& local_part) {
    ask(local_part);
    settle();
    return replies.empty() ? PrimaryAnswer::kUnavailable : replies.back().answer;
  }
  std::size_t asked() const { return dialer.dialled().size(); }

  std::unique_ptr<CallForward> calls;
  std::vector<PrimaryReply> replies;
};

TEST_F(CallForwardTest, AnswersAreRememberedForTheirTimes) {
  std::vector<std::string> senders;
  host(1).answer = [&](const std::string& line) {
    if (line.starts_with("MAIL")) senders.push_back(line);
    return line.starts_with("RCPT TO:<nobody@") ? "550 5.1.1 no such user\r\n" : std::string();
  };
  EXPECT_EQ(answer("ben"), PrimaryAnswer::kTaken);
  EXPECT_EQ(answer("nobody"), PrimaryAnswer::kRefused);
  EXPECT_EQ(replies.back().code, 550);
  EXPECT_EQ(replies.back().text, "no such user");
  EXPECT_EQ(answer("ben"), PrimaryAnswer::kTaken);
  EXPECT_EQ(answer("nobody"), PrimaryAnswer::kRefused);
  EXPECT_EQ(asked(), 2u);
  ASSERT_FALSE(senders.empty());
  EXPECT_TRUE(senders[0].starts_with("MAIL FROM:<>")) << senders[0];
  world.clock.advance(std::chrono::microseconds(kRefusedLifetime).count());
  answer("ben");
  EXPECT_EQ(asked(), 2u);
  answer("nobody");
  EXPECT_EQ(asked(), 3u);
  world.clock.advance(std::chrono::microseconds(kTakenLifetime).count());
  answer("ben");
  EXPECT_EQ(asked(), 4u);
}

TEST_F(CallForwardTest, APrimaryThatIsDownIsNotAskedForEachRecipient) {
  EXPECT_EQ(answer("ben"), PrimaryAnswer::kUnavailable);
  EXPECT_EQ(asked(), 2u) << "both exchangers";
  EXPECT_EQ(answer("anna"), PrimaryAnswer::kUnavailable);
  EXPECT_EQ(asked(), 2u);
  host(1);
  world.clock.advance(std::chrono::microseconds(kUnavailableLifetime).count());
  EXPECT_EQ(answer("anna"), PrimaryAnswer::kTaken);
}

TEST_F(CallForwardTest, ATemporaryAnswerIsOfThatRecipientOnly) {
  host(1).answer = [&](const std::string& line) { return line.starts_with("RCPT TO:<grey@") ? "451 later\r\n" : std::string(); };
  EXPECT_EQ(answer("grey"), PrimaryAnswer::kUnavailable);
  EXPECT_EQ(answer("ben"), PrimaryAnswer::kTaken);
  EXPECT_EQ(asked(), 2u);
  EXPECT_EQ(answer("grey"), PrimaryAnswer::kUnavailable);
  EXPECT_EQ(asked(), 2u);
}

TEST_F(CallForwardTest, OnlyWhatIsSaidOfTheRecipientIsARefusal) {
  host(1).answer = [&](const std::string& line) {
    return line.starts_with("MAIL") ? "550 no reports please\r\n" : std::string();
  };
  EXPECT_EQ(answer("ben"), PrimaryAnswer::kUnavailable);
  EXPECT_EQ(run({.recipient = {"x", "nowhere.example"}, .observe = {}})->verdict, TrialVerdict::kRefused);
  calls->ask({"x", "nowhere.example"}, [this](PrimaryReply reply) { replies.push_back(std::move(reply)); });
  settle();
  EXPECT_EQ(replies.back().answer, PrimaryAnswer::kUnavailable) << "the DNS may be wrong: that is what a backup is for";
}

TEST_F(CallForwardTest, EqualQuestionsShareACallAndCallsAreBounded) {
  host(1);
  for (int i = 0; i < 50; ++i) ask("ben");
  EXPECT_TRUE(replies.empty());
  for (std::size_t i = 1; i < kMaxCallsToDomain; ++i) ask("u" + std::to_string(i));
  EXPECT_TRUE(replies.empty());
  ask("one-too-many");
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].answer, PrimaryAnswer::kBusy);
  settle();
  EXPECT_EQ(asked(), kMaxCallsToDomain);
  EXPECT_EQ(replies.size(), 50 + kMaxCallsToDomain);
  EXPECT_EQ(answer("one-too-many"), PrimaryAnswer::kTaken) << "not being asked is not remembered";
}

TEST_F(CallForwardTest, WhoGuessesAddressesIsNotLetInByBeingFast) {
  host(1).answer = [&](const std::string& line) { return line.starts_with("RCPT") ? "550 no\r\n" : std::string(); };
  for (std::size_t i = 0; i < kMaxCallsPerMinute; ++i) ASSERT_EQ(answer("u" + std::to_string(i)), PrimaryAnswer::kRefused);
  EXPECT_EQ(answer("another"), PrimaryAnswer::kBusy);
  EXPECT_EQ(answer("u1"), PrimaryAnswer::kRefused) << "known";
  EXPECT_EQ(asked(), kMaxCallsPerMinute);
  world.clock.advance(60'000'000);
  EXPECT_EQ(answer("another"), PrimaryAnswer::kRefused);
}

TEST_F(CallForwardTest, TheStopAnswersAll) {
  dialer.set_host("192.0.2.1", 25, {.make_session = host(1).factory(), .is_silent = true});
  ask("ben");
  settle();
  EXPECT_TRUE(replies.empty());
  trials->stop();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].answer, PrimaryAnswer::kUnavailable);
}

}  // namespace
}  // namespace posthus::smtp
