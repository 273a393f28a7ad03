// MTA-STS policies and TLS tallies in the store: put, replaced, expired, removed; long ones; broken bytes.
#include <gtest/gtest.h>

#include "store/record_tls.h"
#include "store/store.h"
#include "store/tls_reader.h"

namespace posthus::store {
namespace {

class TlsRecordsTest : public ::testing::Test {
 protected:
  template <class Request>
  ErrorKind refusal(Request request) {
    const auto outcome = store_->apply(std::move(request));
    EXPECT_FALSE(outcome);
    return outcome ? ErrorKind::kInvalid : outcome.error().kind;
  }
  template <class Request>
  void must(Request request) {
    const auto outcome = store_->apply(std::move(request));
    ASSERT_TRUE(outcome) << outcome.error().context;
  }
  std::optional<StsPolicyRecord> policy(std::string_view domain) {
    const auto snapshot = store_->snapshot();
    return TlsReader(**snapshot).sts_policy(domain).value();
  }

  ManualClock clock_{Timestamp::from_seconds(1'000'000)};
  std::unique_ptr<Store> store_ = Store::create_in_memory(clock_);
};

StsPolicyRecord record(std::string domain, std::int64_t expires) {
  return {.domain = std::move(domain),
          .id = "1",
          .text = "version: STSv1\n",
          .fetched = {},
          .expires = Timestamp::from_seconds(expires)};
}

TEST_F(TlsRecordsTest, APolicyIsKeptReplacedAndRemoved) {
  EXPECT_FALSE(policy("example.org"));
  must(PutStsPolicy{record("example.org", 10)});
  StsPolicyRecord longer = record("example.org", 20);
  longer.id = "2";
  longer.text = std::string(60'000, 'x');
  must(PutStsPolicy{longer});
  ASSERT_TRUE(policy("example.org"));
  EXPECT_EQ(policy("example.org")->id, "2");
  EXPECT_EQ(policy("example.org")->text.size(), 60'000u);
  EXPECT_EQ(policy("example.org")->expires.seconds(), 20);
  EXPECT_FALSE(policy("other.example.org"));
  must(RemoveStsPolicy{"example.org"});
  EXPECT_FALSE(policy("example.org"));
  must(RemoveStsPolicy{"example.org"});
}

TEST_F(TlsRecordsTest, ExpiredPoliciesAreListed) {
  must(PutStsPolicy{record("a.example", 10)});
  must(PutStsPolicy{record("b.example", 30)});
  StsPolicyRecord longer = record("c.example", 20);
  longer.text = std::string(60'000, '\0');
  must(PutStsPolicy{longer});
  const auto snapshot = store_->snapshot();
  const TlsReader reader(**snapshot);
  EXPECT_EQ(reader.expired_sts_policies(Timestamp::from_seconds(20), 10).value(),
            (std::vector<std::string>{"a.example", "c.example"}));
  EXPECT_EQ(reader.expired_sts_policies(Timestamp::from_seconds(20), 1).value().size(), 1u);
}

TEST_F(TlsRecordsTest, WhatIsNoRecordIsRefused) {
  EXPECT_EQ(refusal(PutStsPolicy{record("", 10)}), ErrorKind::kInvalid);
  StsPolicyRecord huge = record("a.example", 10);
  huge.text = std::string(kMaxTlsRecord, 'x');
  EXPECT_EQ(refusal(PutStsPolicy{huge}), ErrorKind::kTooLarge);
  EXPECT_EQ(refusal(PutTlsTally{{.day = 1, .domain = "", .policies = {}}}), ErrorKind::kInvalid);
}

TlsTallyRecord tally(std::uint32_t day, std::string domain) {
  TlsPolicyTally policy{.kind = TlsPolicyTally::Kind::kMtaSts,
                        .text = {"version: STSv1", ""},
                        .mx_patterns = {"*.a"},
                        .successes = 7,
                        .failures = 2,
                        .details = {}};
  policy.details.push_back({.result = 3,
                            .sending_address = "192.0.2.1",
                            .receiving_host = "mx.a",
                            .receiving_greeting = "g",
                            .receiving_address = "192.0.2.2",
                            .reason = "expired",
                            .count = 2});
  return {.day = day, .domain = std::move(domain), .policies = {policy, {}}};
}

TEST_F(TlsRecordsTest, TalliesAreFoundByDay) {
  must(PutTlsTally{tally(20, "b.example")});
  must(PutTlsTally{tally(10, "a.example")});
  must(PutTlsTally{tally(11, "a.example")});
  {
    const auto snapshot = store_->snapshot();
    const TlsReader reader(**snapshot);
    const auto before = reader.tls_tallies_before(20, 10).value();
    ASSERT_EQ(before.size(), 2u);
    EXPECT_EQ(before[0].day, 10u);
    EXPECT_EQ(before[1].day, 11u);
    const auto read = reader.tls_tally(20, "b.example").value();
    ASSERT_TRUE(read);
    EXPECT_EQ(read->policies.at(0).details.at(0).reason, "expired");
    EXPECT_EQ(encode_tls_tally(*read), encode_tls_tally(tally(20, "b.example")));
  }
  must(PutTlsTally{{.day = 10, .domain = "a.example", .policies = {}}});
  const auto snapshot = store_->snapshot();
  EXPECT_EQ(TlsReader(**snapshot).tls_tallies_before(20, 10).value().size(), 1u);
}

TEST(TlsRecordTest, CutOrLongerBytesAreCorrupt) {
  const std::string good = encode_tls_tally(tally(1, "a.example"));
  ASSERT_TRUE(decode_tls_tally(good));
  for (std::size_t i = 0; i < good.size(); ++i) EXPECT_FALSE(decode_tls_tally(good.substr(0, i))) << i;
  EXPECT_FALSE(decode_tls_tally(good + "x"));
  const std::string policy = encode_sts_policy(record("a.example", 1));
  ASSERT_TRUE(decode_sts_policy(policy));
  for (std::size_t i = 0; i < policy.size(); ++i) EXPECT_FALSE(decode_sts_policy(policy.substr(0, i))) << i;
}

}  // namespace
}  // namespace posthus::store
