// What a connection must prove, from DNS answers and policies: DANE before MTA-STS, failures that forbid a host, policies
// kept and refreshed. RFC 7672 §2.2, RFC 8461 §2, §3.3, §5.
#include "smtp/tls_policies.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "core/base/log.h"
#include "core/dns/memory_resolver.h"
#include "store/tls_reader.h"

namespace posthus::smtp {
namespace {

using ProofKind = session::PeerVerification::Kind;
using mailauth::TlsRequirement;

class MemoryFetcher final : public PolicyFetcher {
 public:
  void fetch(std::string domain, std::move_only_function<void(Result<std::string>)> done) override {
    ++fetches;
    if (is_held) return held.push_back(std::move(done));
    const auto found = policies.find(domain);
    done(found == policies.end() ? Result<std::string>(fail(failure, "so told")) : Result<std::string>(found->second));
  }
  void post(std::string, std::string, std::move_only_function<void(Result<>)> done) override { done({}); }

  std::map<std::string, std::string> policies;
  ErrorKind failure = ErrorKind::kUnavailable;
  int fetches = 0;
  bool is_held = false;
  std::vector<std::move_only_function<void(Result<std::string>)>> held;
};

struct CountedOutcomes final : TlsOutcomes {
  void add(const TlsPolicy& policy, TlsOutcome outcome) override {
    kinds.push_back(policy.kind);
    outcomes.push_back(std::move(outcome));
  }
  std::vector<TlsPolicy::Kind> kinds;
  std::vector<TlsOutcome> outcomes;
};

constexpr std::string_view kDigest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

std::string policy_text(std::string_view mode, std::string_view mx = "mx.plain.test") {
  return "version: STSv1\nmode: " + std::string(mode) + "\nmx: " + std::string(mx) + "\nmax_age: 604800\n";
}

class TlsPoliciesTest : public ::testing::Test {
 protected:
  TlsPoliciesTest() {
    log::configure(log::Level::kError, log::Format::kText);
    const std::string zone =
        "signed.test !secure\nsigned.test MX 10 mx.signed.test\nmx.signed.test A 127.0.0.2\n_25._tcp.mx.signed.test TLSA 3 1 1 " +
        std::string(kDigest) +
        "\n"
        "pkix.signed.test A 127.0.0.2\n_25._tcp.pkix.signed.test TLSA 1 1 1 " +
        std::string(kDigest) +
        "\n"
        "none.signed.test A 127.0.0.2\nbroken.signed.test A 127.0.0.2\n_25._tcp.broken.signed.test !temporary\n"
        "six.signed.test AAAA ::1\n_25._tcp.six.signed.test TLSA 2 0 1 " +
        std::string(kDigest) +
        "\n"
        "mx.plain.test A 127.0.0.3\nmx2.plain.test A 127.0.0.3\n_25._tcp.mx2.plain.test !temporary\n"
        "forged.test !bogus\n";
    EXPECT_TRUE(resolver.add_zone(zone));
  }

  TlsPolicy ask(TlsQuestion question) {
    auto promise = std::make_shared<std::promise<TlsPolicy>>();  // what is fetched is answered on the Writer's thread
    policies.policy_for(std::move(question), [promise](TlsPolicy policy) { promise->set_value(std::move(policy)); });
    return promise->get_future().get();
  }
  TlsPolicy ask(std::string domain, std::string host, bool is_mx_secure) {
    return ask({.domain = std::move(domain), .host = std::move(host), .is_from_mx = true, .is_mx_secure = is_mx_secure});
  }
  void announce(const std::string& domain, const std::string& id, const std::string& text) {
    resolver.add("_mta-sts." + domain, dns::RecordType::kTxt,
                 {.status = dns::Status::kFound, .texts = {"v=STSv1; id=" + id + ";"}});
    fetcher.policies[domain] = text;
  }

  ManualClock clock{Timestamp::from_seconds(1'700'000'000)};
  std::unique_ptr<store::Store> store = store::Store::create_in_memory(clock);
  dns::MemoryResolver resolver;
  MemoryFetcher fetcher;
  CountedOutcomes outcomes;
  TlsPolicies policies{{*store, resolver, fetcher, clock}, &outcomes};
};

TEST_F(TlsPoliciesTest, DaneDemandsItsCertificate) {
  const TlsPolicy policy = ask("signed.test", "mx.signed.test", true);
  EXPECT_TRUE(policy.may_connect);
  EXPECT_EQ(policy.kind, TlsPolicy::Kind::kDane);
  EXPECT_EQ(policy.requirement, TlsRequirement::kDane);
  EXPECT_EQ(policy.verification.kind, ProofKind::kDane);
  ASSERT_EQ(policy.verification.tlsa.size(), 1u);
  EXPECT_EQ(policy.verification.names, (std::vector<std::string>{"mx.signed.test", "signed.test"}));
  EXPECT_EQ(policy.server_name, "mx.signed.test");
  EXPECT_EQ(policy.text, std::vector<std::string>{"3 1 1 " + std::string(kDigest)});
  EXPECT_EQ(fetcher.fetches, 0);
}

TEST_F(TlsPoliciesTest, UnusableRecordsDemandTlsOnly) {
  const TlsPolicy policy = ask("signed.test", "pkix.signed.test", true);
  EXPECT_EQ(policy.requirement, TlsRequirement::kEncrypted);
  EXPECT_EQ(policy.verification.kind, ProofKind::kNone);
}

TEST_F(TlsPoliciesTest, AHostWithIpv6OnlyHasItsRecordsToo) {
  const TlsPolicy policy = ask("signed.test", "six.signed.test", true);
  EXPECT_EQ(policy.requirement, TlsRequirement::kDane);
}

TEST_F(TlsPoliciesTest, WithoutRecordsTlsIsOpportunistic) {
  for (const auto& [domain, host] : {std::pair{"signed.test", "none.signed.test"}, {"plain.test", "mx.plain.test"}}) {
    const TlsPolicy policy = ask(domain, host, true);
    EXPECT_TRUE(policy.may_connect);
    EXPECT_EQ(policy.kind, TlsPolicy::Kind::kNone);
    EXPECT_EQ(policy.requirement, TlsRequirement::kOpportunistic);
    EXPECT_EQ(policy.verification.names, std::vector<std::string>{host});
  }
}

TEST_F(TlsPoliciesTest, AFailedTlsaLookupForbidsTheHost) {
  const TlsPolicy policy = ask("signed.test", "broken.signed.test", true);
  EXPECT_FALSE(policy.may_connect);
  EXPECT_NE(policy.reason.find("TLSA"), std::string::npos);
  ASSERT_EQ(outcomes.outcomes.size(), 1u);
  EXPECT_EQ(outcomes.outcomes[0].result, TlsResult::kDnssecInvalid);
  EXPECT_FALSE(ask("forged.test", "mx.forged.test", true).may_connect);
}

TEST_F(TlsPoliciesTest, NobodyAsksForTlsaRecordsOfAnInsecureHost) {
  EXPECT_TRUE(ask("plain.test", "mx2.plain.test", false).may_connect) << "its name server breaks on TLSA questions";
  EXPECT_EQ(resolver.questions("_25._tcp.mx2.plain.test", dns::RecordType::kTlsa), 0u);
}

TEST_F(TlsPoliciesTest, AddressesHaveNoPolicy) {
  for (const char* host : {"127.0.0.1", "::1", "[127.0.0.1]", ""}) {
    const TlsPolicy policy = ask({.domain = host, .host = host});
    EXPECT_TRUE(policy.may_connect);
    EXPECT_EQ(policy.kind, TlsPolicy::Kind::kNone);
  }
  EXPECT_EQ(resolver.questions(), 0u);
}

TEST_F(TlsPoliciesTest, EnforceDemandsAListedHostAndItsCertificate) {
  announce("plain.test", "1", policy_text("enforce"));
  const TlsPolicy listed = ask("plain.test", "mx.plain.test", false);
  EXPECT_EQ(listed.kind, TlsPolicy::Kind::kMtaSts);
  EXPECT_EQ(listed.requirement, TlsRequirement::kPkix);
  EXPECT_EQ(listed.verification.kind, ProofKind::kPkix);
  EXPECT_EQ(listed.verification.names, std::vector<std::string>{"mx.plain.test"});
  EXPECT_EQ(listed.text.size(), 4u);
  const TlsPolicy other = ask("plain.test", "mx2.plain.test", false);
  EXPECT_FALSE(other.may_connect);
  EXPECT_NE(other.reason.find("MTA-STS"), std::string::npos);
  EXPECT_EQ(fetcher.fetches, 1) << "the second time it is known";
  ASSERT_EQ(outcomes.outcomes.size(), 1u);
  EXPECT_EQ(outcomes.kinds[0], TlsPolicy::Kind::kMtaSts);
}

TEST_F(TlsPoliciesTest, TestingDemandsNothingButTells) {
  announce("plain.test", "1", policy_text("testing"));
  const TlsPolicy listed = ask("plain.test", "mx.plain.test", false);
  EXPECT_TRUE(listed.is_testing);
  EXPECT_TRUE(listed.is_host_listed);
  EXPECT_EQ(listed.requirement, TlsRequirement::kOpportunistic);
  EXPECT_EQ(listed.verification.kind, ProofKind::kNone);
  const TlsPolicy other = ask("plain.test", "mx2.plain.test", false);
  EXPECT_TRUE(other.may_connect);
  EXPECT_FALSE(other.is_host_listed);
}

TEST_F(TlsPoliciesTest, NoneIsNoPolicy) {
  announce("plain.test", "1", policy_text("none"));
  EXPECT_EQ(ask("plain.test", "mx.plain.test", false).kind, TlsPolicy::Kind::kNone);
}

TEST_F(TlsPoliciesTest, DaneGoesBeforeMtaStsWhenTheMxAnswerIsSecure) {
  announce("signed.test", "1", policy_text("enforce", "other.signed.test"));
  EXPECT_EQ(ask("signed.test", "mx.signed.test", true).kind, TlsPolicy::Kind::kDane);
  EXPECT_EQ(fetcher.fetches, 0);
}

TEST_F(TlsPoliciesTest, WithAnInsecureMxAnswerAPolicyToBeEnforcedDecides) {
  const TlsPolicy alone = ask("plain.test", "mx.signed.test", false);
  EXPECT_EQ(alone.kind, TlsPolicy::Kind::kDane);
  EXPECT_EQ(alone.verification.names, std::vector<std::string>{"mx.signed.test"});
  announce("plain.test", "1", policy_text("testing"));
  EXPECT_EQ(ask("plain.test", "mx.signed.test", false).kind, TlsPolicy::Kind::kDane);
  announce("plain.test", "2", policy_text("enforce"));
  EXPECT_FALSE(ask("plain.test", "mx.signed.test", false).may_connect);
}

TEST_F(TlsPoliciesTest, APolicyOutlivesItsRecordAndItsServer) {
  announce("plain.test", "1", policy_text("enforce"));
  ask("plain.test", "mx.plain.test", false);
  resolver.add("_mta-sts.plain.test", dns::RecordType::kTxt, {.status = dns::Status::kNoName});
  EXPECT_EQ(ask("plain.test", "mx.plain.test", false).requirement, TlsRequirement::kPkix);
  announce("plain.test", "2", "");
  fetcher.policies.clear();
  EXPECT_EQ(ask("plain.test", "mx.plain.test", false).requirement, TlsRequirement::kPkix) << "the new one cannot be had";
  clock.advance(604'800ll * 1'000'000);
  EXPECT_EQ(ask("plain.test", "mx.plain.test", false).requirement, TlsRequirement::kOpportunistic) << "a week later";
  policies.expire();
  const auto snapshot = store->snapshot();
  EXPECT_FALSE(store::TlsReader(**snapshot).sts_policy("plain.test").value());
}

TEST_F(TlsPoliciesTest, ANewIdBringsTheNewPolicy) {
  announce("plain.test", "1", policy_text("enforce"));
  ask("plain.test", "mx.plain.test", false);
  announce("plain.test", "2", policy_text("none"));
  EXPECT_EQ(ask("plain.test", "mx.plain.test", false).kind, TlsPolicy::Kind::kNone);
  EXPECT_EQ(fetcher.fetches, 2);
}

TEST_F(TlsPoliciesTest, AnOldPolicyIsRefreshedWithoutWaiting) {
  announce("plain.test", "1", policy_text("enforce"));
  ask("plain.test", "mx.plain.test", false);
  clock.advance(86'401ll * 1'000'000);
  fetcher.is_held = true;
  EXPECT_EQ(ask("plain.test", "mx.plain.test", false).requirement, TlsRequirement::kPkix);
  EXPECT_EQ(fetcher.fetches, 2);
  fetcher.held.front()(policy_text("enforce"));
  ASSERT_TRUE(store->apply(store::RemoveStsPolicy{"other.test"})) << "what was submitted before is done by now";
  const auto snapshot = store->snapshot();
  EXPECT_EQ(store::TlsReader(**snapshot).sts_policy("plain.test").value()->fetched, clock.now());
}

TEST_F(TlsPoliciesTest, AFailedFetchIsNotRepeatedForFiveMinutes) {
  announce("plain.test", "1", "");
  fetcher.policies.clear();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("plain.test", "mx.plain.test", false).kind, TlsPolicy::Kind::kNone);
  EXPECT_EQ(fetcher.fetches, 1);
  ASSERT_EQ(outcomes.outcomes.size(), 1u);
  EXPECT_EQ(outcomes.outcomes[0].result, TlsResult::kStsPolicyFetchError);
  clock.advance(301ll * 1'000'000);
  fetcher.failure = ErrorKind::kDenied;
  ask("plain.test", "mx.plain.test", false);
  EXPECT_EQ(fetcher.fetches, 2);
  EXPECT_EQ(outcomes.outcomes.back().result, TlsResult::kStsWebpkiInvalid);
  announce("plain.test", "2", "nonsense");
  ask("plain.test", "mx.plain.test", false);
  EXPECT_EQ(fetcher.fetches, 3) << "another id is another policy";
  EXPECT_EQ(outcomes.outcomes.back().result, TlsResult::kStsPolicyInvalid);
}

// Who wants proof of a name (RFC 8689) must know "there is none" from "none can be had".
TEST_F(TlsPoliciesTest, APolicyThatMayExistIsNotTakenForNone) {
  EXPECT_FALSE(ask("plain.test", "mx.plain.test", false).is_policy_unknown);
  announce("plain.test", "1", "");
  fetcher.policies.clear();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(ask("plain.test", "mx.plain.test", false).is_policy_unknown) << i;
  resolver.add("_mta-sts.plain.test", dns::RecordType::kTxt, {.status = dns::Status::kTemporary});
  EXPECT_TRUE(ask("plain.test", "mx.plain.test", false).is_policy_unknown);
}

TEST_F(TlsPoliciesTest, AllWaitForOneFetch) {
  announce("plain.test", "1", "");
  fetcher.is_held = true;
  std::atomic<int> answered = 0;
  std::promise<void> all;
  for (int i = 0; i < 3; ++i) {
    policies.policy_for({.domain = "plain.test", .host = "mx.plain.test", .is_from_mx = true}, [&](const TlsPolicy& policy) {
      EXPECT_EQ(policy.requirement, TlsRequirement::kPkix);
      if (++answered == 3) all.set_value();
    });
  }
  EXPECT_EQ(fetcher.fetches, 1);
  EXPECT_EQ(answered, 0);
  fetcher.held.front()(policy_text("enforce"));
  all.get_future().wait();
}

TEST(TlsResultTest, WordsOfFailuresAreToldApart) {
  EXPECT_EQ(tls_result_of("certificate has expired"), TlsResult::kCertificateExpired);
  EXPECT_EQ(tls_result_of("hostname mismatch"), TlsResult::kCertificateHostMismatch);
  EXPECT_EQ(tls_result_of("self-signed certificate"), TlsResult::kCertificateNotTrusted);
  EXPECT_EQ(tls_result_of("unable to get local issuer certificate"), TlsResult::kCertificateNotTrusted);
  EXPECT_EQ(tls_result_of("no matching DANE TLSA records"), TlsResult::kTlsaInvalid);
  EXPECT_EQ(tls_result_of("handshake failure"), TlsResult::kValidationFailure);
}

}  // namespace
}  // namespace posthus::smtp
