// argon2id hashes: known answer, PHC strings, bounds on what a foreign hash may ask for.
#include "core/sasl/argon2id.h"

#include <gtest/gtest.h>

#include <latch>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/base/hash.h"

namespace posthus::sasl {
namespace {

TEST(Argon2id, ComputesTheKnownAnswerOfTheReferenceImplementation) {
  // `echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32` of the reference implementation's test suite.
  const auto hash = parse_phc("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc");
  ASSERT_TRUE(hash.has_value());
  EXPECT_EQ(hash->salt, "somesalt");
  const EvaluationPlace place(*hash);
  EXPECT_EQ(evaluate(place, *hash, "password"), hash->hash);
  EXPECT_NE(evaluate(place, *hash, "Password"), hash->hash);
}

TEST(Argon2id, MakesHashesThatVerifyAndDiffer) {
  const std::string one = make_phc("secret"), two = make_phc("secret");
  EXPECT_NE(one, two);
  EXPECT_TRUE(one.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"));
  const auto parsed = parse_phc(one);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(to_phc(*parsed), one);
  const EvaluationPlace place(*parsed);
  EXPECT_EQ(evaluate(place, *parsed, "secret"), parsed->hash);
}

TEST(Argon2id, EvaluationsShareTheirMemoryInTheOrderTheyCame) {
  const Argon2Hash half{.memory_kib = kEvaluationsMemoryKib / 2, .passes = 1, .salt = {}, .hash = {}};
  const Argon2Hash more_than_all{.memory_kib = 2 * kEvaluationsMemoryKib, .passes = 1, .salt = {}, .hash = {}};
  std::vector<std::string> order;
  std::mutex mutex;
  const auto note = [&](std::string what) {
    const std::lock_guard lock(mutex);
    order.push_back(std::move(what));
  };
  std::optional<EvaluationPlace> one(std::in_place, half), two(std::in_place, half);  // both fit
  std::latch has_come(1);
  std::thread large([&] {
    has_come.count_down();
    const EvaluationPlace place(more_than_all);
    note("large");
  });
  has_come.wait();
  note("freed one");
  one.reset();
  note("freed two");
  two.reset();
  large.join();
  EXPECT_EQ(order, (std::vector<std::string>{"freed one", "freed two", "large"}));
  const EvaluationPlace after(half);
}

TEST(Argon2id, RefusesMalformedAndForeignAndGreedyHashes) {
  const std::string tail = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  EXPECT_TRUE(parse_phc("$argon2id$v=19$m=19456,t=2,p=1" + tail).has_value());
  for (const std::string& bad :
       {std::string(), std::string("$argon2id$v=19$"), "$argon2i$v=19$m=19456,t=2,p=1" + tail,
        "$argon2id$v=16$m=19456,t=2,p=1" + tail, "$argon2id$v=19$m=4000000,t=2,p=1" + tail,
        "$argon2id$v=19$m=19456,t=1000,p=1" + tail, "$argon2id$v=19$m=19456,t=2,p=64" + tail,
        "$argon2id$v=19$m=19456,t=0,p=1" + tail, "$argon2id$v=19$m=4,t=2,p=1" + tail, "$argon2id$v=19$t=2,m=19456,p=1" + tail,
        "$argon2id$v=19$m=19456,t=2,p=1,x=1" + tail,
        std::string("$argon2id$v=19$m=19456,t=2,p=1$!!!!$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
        std::string("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$"), std::string("$2b$10$abcdefghijklmnopqrstuv")}) {
    EXPECT_FALSE(parse_phc(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace posthus::sasl
