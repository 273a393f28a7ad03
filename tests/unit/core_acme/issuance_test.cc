// The order of a certificate against a CA in memory: the ordinary way, and every way it goes wrong. RFC 8555 §7.
#include "core/acme/issuance.h"

#include <gtest/gtest.h>

#include "core/base/base64.h"
#include "tests/unit/core_acme/scripted_ca.h"

namespace posthus::acme {
namespace {

using Need = Issuance::Need;

class IssuanceTest : public ::testing::Test {
 protected:
  IssuanceOrder order() {
    return {.directory = ScriptedCa::url("dir"),
            .hostname = "mail.example.test",
            .contact = "mailto:postmaster@example.test",
            .accepts_terms = true,
            .external_account = {},
            .proof = Proof::kHttp,
            .certificate_request = "CSR",
            .replaces = {}};
  }
  Issuance& run(IssuanceOrder wanted, std::string account_url = "") {
    issuance_ = std::make_unique<Issuance>(std::move(wanted), key_, std::move(account_url), clock_);
    ca_.drive(*issuance_);
    return *issuance_;
  }
  Issuance& run() { return run(order()); }
  std::string why() const { return issuance_->failure().error.context; }
  /// The decoded payload of the last request to `path`.
  std::string payload(const std::string& path) { return member(path, "payload"); }
  std::string head(const std::string& path) { return member(path, "protected"); }
  std::string member(const std::string& path, const std::string& name) {
    const std::string& body = ca_.bodies[path];
    const std::size_t begin = body.find("\"" + name + "\":\"") + name.size() + 4;
    return base64url_decode(body.substr(begin, body.find('"', begin) - begin)).value_or("?");
  }
  std::size_t times(const std::string& path) const {
    return static_cast<std::size_t>(std::count(ca_.asked.begin(), ca_.asked.end(), path));
  }

  const AccountKey key_ = *AccountKey::make();
  ManualClock clock_{Timestamp::from_seconds(1'800'000'000)};
  ScriptedCa ca_;
  std::unique_ptr<Issuance> issuance_;
};

TEST_F(IssuanceTest, ACertificateIsObtainedInTheOrderOfRfc8555) {
  ASSERT_EQ(run().need(), Need::kDone) << why();
  const std::vector<std::string> expected{"dir",       "nonce",         "account", "order",    "authorization",
                                          "challenge", "authorization", "order/1", "finalize", "certificate"};
  EXPECT_EQ(ca_.asked, expected);
  EXPECT_EQ(issuance_->chain(), "a chain");
  EXPECT_EQ(issuance_->account_url(), ScriptedCa::url("account/1"));
  EXPECT_EQ(ca_.published, "aaaaaaaaaaaaaaaaaaaaaaaaaa." + key_.thumbprint());
  EXPECT_EQ(payload("account"), R"({"contact":["mailto:postmaster@example.test"],"termsOfServiceAgreed":true})");
  EXPECT_EQ(payload("order"), R"({"identifiers":[{"type":"dns","value":"mail.example.test"}]})");
  EXPECT_EQ(payload("challenge"), "{}");
  EXPECT_EQ(payload("finalize"), R"({"csr":"Q1NS"})");
  EXPECT_EQ(payload("certificate"), "");
  EXPECT_NE(head("account").find("\"jwk\""), std::string::npos);
  EXPECT_NE(head("order").find(R"("kid":"https://ca.test/account/1")"), std::string::npos) << head("order");
  EXPECT_NE(head("order").find(R"("nonce":"nonce","url":"https://ca.test/order")"), std::string::npos) << head("order");
}

TEST_F(IssuanceTest, AKnownAccountIsNotRegisteredAgain) {
  ASSERT_EQ(run(order(), ScriptedCa::url("account/7")).need(), Need::kDone) << why();
  EXPECT_EQ(times("account"), 0u);
  EXPECT_NE(head("order").find("account/7"), std::string::npos);
}

TEST_F(IssuanceTest, TheOtherProofTakesItsOwnChallenge) {
  IssuanceOrder wanted = order();
  wanted.proof = Proof::kTlsAlpn;
  ASSERT_EQ(run(std::move(wanted)).need(), Need::kDone) << why();
  EXPECT_EQ(times("challenge2"), 1u);
  EXPECT_EQ(times("challenge"), 0u);
  EXPECT_TRUE(ca_.published.starts_with("bbbb")) << ca_.published;
}

TEST_F(IssuanceTest, WhatTakesTimeIsLookedAtAgainAfterPauses) {
  ca_.needs_polls = true;
  ASSERT_EQ(run().need(), Need::kDone) << why();
  EXPECT_GE(ca_.pauses.size(), 3u);
  for (const std::int64_t pause : ca_.pauses) EXPECT_GE(pause, 1);
}

TEST_F(IssuanceTest, TheCaSaysHowLongToPause) {
  ca_.instead = [this](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "challenge" || times("challenge") > 1) return std::nullopt;
    ca_.proof_status = "valid";
    ca_.order_status = "ready";
    WebAnswer answer = ScriptedCa::json(200, "{}");
    answer.retry_after = "17";
    return answer;
  };
  ASSERT_EQ(run().need(), Need::kDone) << why();
  EXPECT_EQ(ca_.pauses.front(), 17);
}

TEST_F(IssuanceTest, AnAuthorizationThatIsValidAlreadyNeedsNoProof) {
  ca_.proof_status = "valid";
  ca_.order_status = "ready";
  ASSERT_EQ(run().need(), Need::kDone) << why();
  EXPECT_EQ(times("challenge"), 0u);
  EXPECT_EQ(times("authorization"), 0u);
}

TEST_F(IssuanceTest, RejectedNoncesAreTriedAgainWithTheNextOne) {
  int left = 8;
  ca_.instead = [&left](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "order" || left-- <= 0) return std::nullopt;
    WebAnswer answer = ScriptedCa::problem(400, "badNonce", "used");
    answer.replay_nonce = "fresh" + std::to_string(left);
    return answer;
  };
  ASSERT_EQ(run().need(), Need::kDone) << why();
  EXPECT_EQ(times("order"), 9u);
  EXPECT_NE(head("order").find(R"("nonce":"fresh0")"), std::string::npos) << head("order");
}

TEST_F(IssuanceTest, NoncesThatAreAlwaysRejectedEndTheOrder) {
  ca_.instead = [](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "order") return std::nullopt;
    return ScriptedCa::problem(400, "badNonce", "never good");
  };
  ASSERT_EQ(run().need(), Need::kFailed);
  EXPECT_EQ(times("order"), 1u + kMaxNonceRetries);
  EXPECT_NE(why().find("never good"), std::string::npos) << why();
}

TEST_F(IssuanceTest, ANonceThatIsNoneIsNotUsed) {
  ca_.instead = [](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "nonce") return std::nullopt;
    return WebAnswer{.status = 200, .content_type = {}, .body = {}, .replay_nonce = "a\" b"};
  };
  ASSERT_EQ(run().need(), Need::kFailed);
  EXPECT_NE(why().find("no nonce"), std::string::npos) << why();
}

TEST_F(IssuanceTest, AnAccountTheCaForgotIsRegisteredAgainOnce) {
  bool is_gone = true;
  ca_.instead = [&](const std::string& path) -> std::optional<WebAnswer> {
    if (path == "account") is_gone = false;
    if (path != "order" || !is_gone) return std::nullopt;
    return ScriptedCa::problem(400, "accountDoesNotExist", "who?");
  };
  ASSERT_EQ(run(order(), ScriptedCa::url("account/old")).need(), Need::kDone) << why();
  EXPECT_EQ(issuance_->account_url(), ScriptedCa::url("account/1"));
  ca_.instead = [](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "order") return std::nullopt;
    return ScriptedCa::problem(400, "accountDoesNotExist", "still not");
  };
  ASSERT_EQ(run(order(), ScriptedCa::url("account/old")).need(), Need::kFailed);
  EXPECT_NE(why().find("still not"), std::string::npos) << why();
}

// RFC 8555 §7.3.6: revoked or deactivated, what it asks for is "unauthorized"; so is the question for the account itself.
TEST_F(IssuanceTest, AnAccountTheCaHasEndedIsTold) {
  ca_.instead = [](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "order" && path != "account") return std::nullopt;
    return ScriptedCa::problem(403, "unauthorized", "the account is deactivated");
  };
  ASSERT_EQ(run(order(), ScriptedCa::url("account/1")).need(), Need::kFailed);
  EXPECT_TRUE(issuance_->failure().is_account);
  EXPECT_NE(why().find("ended this server's account: the account is deactivated"), std::string::npos) << why();
  EXPECT_EQ(why().find("must lead to this server"), std::string::npos) << "this is not about the name: " << why();
  // A key that is new to the CA has no account that could have ended.
  ASSERT_EQ(run().need(), Need::kFailed);
  EXPECT_FALSE(issuance_->failure().is_account);
}

TEST_F(IssuanceTest, AnAccountThatIsGoodIsKeptWhateverTheOrderIsRefusedFor) {
  ca_.instead = [](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "order") return std::nullopt;
    return ScriptedCa::problem(403, "unauthorized", "not for this name");
  };
  ASSERT_EQ(run(order(), ScriptedCa::url("account/1")).need(), Need::kFailed);
  EXPECT_FALSE(issuance_->failure().is_account);
  EXPECT_EQ(issuance_->account_url(), ScriptedCa::url("account/1"));
  EXPECT_EQ(times("order"), 2u);
  EXPECT_NE(why().find("not for this name"), std::string::npos) << why();
}

TEST_F(IssuanceTest, ARateLimitIsNotAskedTwiceForARenewal) {
  ca_.instead = [](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "order") return std::nullopt;
    return ScriptedCa::problem(429, "rateLimited", "too many");
  };
  IssuanceOrder wanted = order();
  wanted.replaces = "a.b";
  ASSERT_EQ(run(std::move(wanted)).need(), Need::kFailed);
  EXPECT_EQ(times("order"), 1u);
}

TEST_F(IssuanceTest, TermsAndExternalAccountsAreAskedForBeforeAnythingIsSent) {
  ca_.directory_more = R"(,"meta":{"termsOfService":"https://ca.test/terms","externalAccountRequired":true})";
  IssuanceOrder wanted = order();
  wanted.accepts_terms = false;
  ASSERT_EQ(run(std::move(wanted)).need(), Need::kFailed);
  EXPECT_NE(why().find("https://ca.test/terms"), std::string::npos) << why();
  ASSERT_EQ(run().need(), Need::kFailed);
  EXPECT_NE(why().find("acme.eab_key_id"), std::string::npos) << why();
  EXPECT_EQ(times("account"), 0u);
  wanted = order();
  wanted.external_account = ExternalAccount{"kid-1", "secret"};
  ASSERT_EQ(run(std::move(wanted)).need(), Need::kDone) << why();
  EXPECT_NE(payload("account").find(R"("externalAccountBinding":{)"), std::string::npos) << payload("account");
}

TEST_F(IssuanceTest, AFailedProofIsToldInTheWordsOfTheCa) {
  ca_.instead = [this](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "authorization" || times("challenge") == 0) return std::nullopt;
    return ScriptedCa::json(
        200, R"({"status":"invalid","identifier":{"type":"dns","value":"mail.example.test"},"challenges":[)"
             R"({"type":"http-01","url":"https://ca.test/c","token":"aaaaaaaaaaaaaaaaaaaaaaaaaa","status":"invalid",)"
             R"("error":{"type":"urn:ietf:params:acme:error:connection","detail":"Timeout during connect"}}]})");
  };
  ASSERT_EQ(run().need(), Need::kFailed);
  EXPECT_TRUE(issuance_->failure().is_proof);
  EXPECT_NE(why().find("Timeout during connect"), std::string::npos) << why();
  EXPECT_NE(why().find("port 80"), std::string::npos) << "what to do: " << why();
}

TEST_F(IssuanceTest, AProofTheCaDoesNotOfferIsAFailedProof) {
  ca_.instead = [](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "authorization") return std::nullopt;
    return ScriptedCa::json(
        200, R"({"status":"pending","identifier":{"type":"dns","value":"mail.example.test"},"challenges":[{"type":"dns-01"}]})");
  };
  ASSERT_EQ(run().need(), Need::kFailed);
  EXPECT_TRUE(issuance_->failure().is_proof);
  EXPECT_NE(why().find("does not offer http-01"), std::string::npos) << why();
}

TEST_F(IssuanceTest, ARateLimitSaysWhenToComeBack) {
  ca_.instead = [](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "order") return std::nullopt;
    WebAnswer answer = ScriptedCa::problem(429, "rateLimited", "too many certificates");
    answer.retry_after = "3600";
    return answer;
  };
  ASSERT_EQ(run().need(), Need::kFailed);
  EXPECT_EQ(issuance_->failure().retry_after, 3600);
  EXPECT_NE(why().find("too many certificates"), std::string::npos) << why();
}

TEST_F(IssuanceTest, WhatNeverEndsIsGivenUp) {
  ca_.instead = [this](const std::string& path) -> std::optional<WebAnswer> {
    if (path == "challenge") return ScriptedCa::json(200, "{}");
    return std::nullopt;  // the authorization stays pending
  };
  ASSERT_EQ(run().need(), Need::kFailed);
  EXPECT_EQ(issuance_->failure().error.kind, ErrorKind::kTimeout) << why();
  std::int64_t total = 0;
  for (const std::int64_t pause : ca_.pauses) total += pause;
  EXPECT_LE(total, kMaxPause);
  EXPECT_LE(ca_.asked.size(), static_cast<std::size_t>(kMaxRequests));
  ca_.pauses.clear();
  ca_.instead = [](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "order/1") return std::nullopt;
    return ScriptedCa::json(200, R"({"status":"ready","authorizations":[],"finalize":"https://ca.test/finalize"})");
  };
  ca_.needs_polls = true;
  ASSERT_EQ(run().need(), Need::kFailed) << "an order that is ready for ever";
}

TEST_F(IssuanceTest, AnAnswerThatDidNotComeEndsTheOrder) {
  Issuance issuance(order(), key_, "", clock_);
  issuance.answered(fail(ErrorKind::kTooLarge, "the response is too large"));
  ASSERT_EQ(issuance.need(), Need::kFailed);
  EXPECT_NE(issuance.failure().error.context.find("too large"), std::string::npos);
}

TEST_F(IssuanceTest, AnswersThatAreNotAsTheyMustBeEndTheOrder) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"dir", "<html>"},
      {"dir", "[]"},
      {"dir", R"({"newNonce":1,"newAccount":"https://ca.test/a","newOrder":"https://ca.test/o"})"},
      {"dir", R"({"newNonce":"http://ca.test/n","newAccount":"https://ca.test/a","newOrder":"https://ca.test/o"})"},
      {"account", "{}"},  // without Location
      {"order", "{}"},
      {"order", R"({"status":"pending","authorizations":[],"finalize":"https://ca.test/f"})"},
      {"order", R"({"status":"pending","authorizations":[7],"finalize":"https://ca.test/f"})"},
      {"order", R"({"status":"pending","authorizations":["ftp://x"],"finalize":"https://ca.test/f"})"},
      {"order", std::string(kMaxAnswer + 1, ' ')},
      {"authorization", R"({"status":"pending","identifier":{"type":"dns","value":"evil.test"},"challenges":[]})"},
      {"authorization", "null"},
      {"finalize", R"({"status":"valid","authorizations":[],"finalize":"https://ca.test/f"})"},
      {"finalize", R"({"status":"invalid","authorizations":[],"finalize":"https://ca.test/f"})"},
      {"certificate", "{}"},  // as JSON
  };
  for (const auto& [where, body] : wrong) {
    ca_ = ScriptedCa();
    ca_.instead = [where = where, body = body](const std::string& path) -> std::optional<WebAnswer> {
      if (path != where) return std::nullopt;
      WebAnswer answer = ScriptedCa::json(200, body);
      if (path == "order") answer.location = ScriptedCa::url("order/1");
      return answer;
    };
    EXPECT_EQ(run().need(), Need::kFailed) << where << ": " << body.substr(0, 100);
    EXPECT_FALSE(why().empty());
  }
}

TEST_F(IssuanceTest, ACertificateIsNamedThatThisOneReplacesUnlessTheCaRefuses) {
  IssuanceOrder wanted = order();
  wanted.replaces = "aki.serial";
  ASSERT_EQ(run(std::move(wanted)).need(), Need::kDone) << why();
  EXPECT_NE(payload("order").find(R"("replaces":"aki.serial")"), std::string::npos) << payload("order");
  bool is_first = true;
  ca_ = ScriptedCa();
  ca_.instead = [&is_first](const std::string& path) -> std::optional<WebAnswer> {
    if (path != "order" || !std::exchange(is_first, false)) return std::nullopt;
    return ScriptedCa::problem(409, "alreadyReplaced", "done before");
  };
  wanted = order();
  wanted.replaces = "aki.serial";
  ASSERT_EQ(run(std::move(wanted)).need(), Need::kDone) << why();
  EXPECT_EQ(payload("order").find("replaces"), std::string::npos) << payload("order");
}

}  // namespace
}  // namespace posthus::acme
