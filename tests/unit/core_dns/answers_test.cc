// Checks as functions over what is known so far: what is lacking is asked once, all at a time, and never waited for too long.
#include "core/dns/answers.h"

#include <gtest/gtest.h>

#include "core/dns/memory_resolver.h"

namespace posthus::dns {
namespace {

constexpr auto kNoTime = std::chrono::steady_clock::time_point::min();
std::chrono::steady_clock::time_point soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

TEST(AnswersTest, WhatIsLackingIsNotedOnceInOneForm) {
  Answers answers;
  EXPECT_EQ(answers.ask("A.Test.", RecordType::kA), nullptr);
  EXPECT_EQ(answers.ask("a.test", RecordType::kA), nullptr);
  EXPECT_EQ(answers.ask("a.test", RecordType::kMx), nullptr);
  EXPECT_EQ(answers.lacking().size(), 2u);
  EXPECT_EQ(answers.ask("a..test", RecordType::kA)->status, Status::kNoName);
  EXPECT_EQ(answers.ask("", RecordType::kA)->status, Status::kNoName);
}

TEST(AnswersTest, RoundsGoOnUntilNothingIsLacking) {
  MemoryResolver zone;
  ASSERT_TRUE(zone.add_zone("a.test MX 1 b.test\nb.test A 192.0.2.1"));
  Answers answers;
  std::string found;
  int rounds = 0;
  ask_until_complete(zone, answers, soon(), {}, [&](Answers& known) {
    ++rounds;
    const Answer* const mx = known.ask("a.test", RecordType::kMx);
    const Answer* const host = mx && !mx->exchanges.empty() ? known.ask(mx->exchanges[0].exchange, RecordType::kA) : nullptr;
    if (host) found = to_string(host->addresses.at(0));
  });
  EXPECT_EQ(found, "192.0.2.1");
  EXPECT_EQ(rounds, 3);
  EXPECT_EQ(zone.questions(), 2u);
}

TEST(AnswersTest, WhatDoesNotComeInTimeIsTemporaryAndComesToNoHarmLater) {
  MemoryResolver zone;
  zone.hold();
  {
    Answers answers;
    answers.ask("a.test", RecordType::kA);
    gather(zone, answers, kNoTime);
    EXPECT_EQ(answers.ask("a.test", RecordType::kA)->status, Status::kTemporary);
    EXPECT_TRUE(answers.lacking().empty());
  }
  zone.release();
}

TEST(AnswersTest, AStopEndsTheWait) {
  MemoryResolver zone;
  zone.hold();
  std::stop_source stop;
  stop.request_stop();
  Answers answers;
  answers.ask("a.test", RecordType::kA);
  gather(zone, answers, soon(), stop.get_token());
  EXPECT_EQ(answers.ask("a.test", RecordType::kA)->status, Status::kTemporary);
  zone.release();
}

TEST(AnswersTest, QuestionsAndRoundsAreBounded) {
  Answers many;
  for (std::size_t i = 0; i < 2 * Answers::kMaxQuestions; ++i) many.ask("h" + std::to_string(i) + ".test", RecordType::kA);
  EXPECT_EQ(many.lacking().size(), Answers::kMaxQuestions);
  MemoryResolver zone;
  Answers answers;
  int calls = 0;
  ask_until_complete(zone, answers, soon(), {},
                     [&](Answers& known) { known.ask("h" + std::to_string(calls++) + ".test", RecordType::kA); });
  EXPECT_EQ(calls, kMaxRounds + 1);
}

}  // namespace
}  // namespace posthus::dns
