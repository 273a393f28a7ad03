// argon2id hashes: known answer, PHC strings, bounds on what a foreign hash may ask for.
#include "core/sasl/argon2id.h"

#include <gtest/gtest.h>

#include "core/base/hash.h"

namespace posthus::sasl {
namespace {

TEST(Argon2id, ComputesTheKnownAnswerOfTheReferenceImplementation) {
  // `echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32` of the reference implementation's test suite.
  const auto hash = parse_phc("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc");
  ASSERT_TRUE(hash.has_value());
  EXPECT_EQ(hash->salt, "somesalt");
  const EvaluationPlace place;
  EXPECT_EQ(evaluate(place, *hash, "password"), hash->hash);
  EXPECT_NE(evaluate(place, *hash, "Password"), hash->hash);
}

TEST(Argon2id, MakesHashesThatVerifyAndDiffer) {
  const std::string one = make_phc("secret"), two = make_phc("secret");
  EXPECT_NE(one, two);
  EXPECT_TRUE(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  const auto parsed = parse_phc(one);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(to_phc(*parsed), one);
  const EvaluationPlace place;
  EXPECT_EQ(evaluate(place, *parsed, "secret"), parsed->hash);
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
