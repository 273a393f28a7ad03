// Keys and signatures (known answers of RFC 7638 and by verifying), answers of CAs, times. RFC 7515, RFC 8555, RFC 9773.
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>

#include "core/acme/account_key.h"
#include "core/acme/answers.h"
#include "core/acme/schedule.h"
#include "core/acme/signed_request.h"
#include "core/base/base64.h"
#include "core/base/hash.h"

namespace posthus::acme {
namespace {

TEST(AccountKeyTest, AKeyComesBackFromItsPemAndSignsWhatItsPublicHalfVerifies) {
  const AccountKey made = *AccountKey::make();
  const Secret pem = *made.pem();
  const AccountKey read = *AccountKey::from_pem(pem.reveal());
  EXPECT_EQ(read.jwk(), made.jwk());
  EXPECT_EQ(read.thumbprint(), base64url_encode(as_view(sha256(made.jwk()))));
  EXPECT_TRUE(made.jwk().starts_with(R"({"crv":"P-256","kty":"EC","x":")")) << made.jwk();
  const std::string signature = *read.sign("text");
  ASSERT_EQ(signature.size(), 64u);
  ECDSA_SIG* pair = ECDSA_SIG_new();
  const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
  ECDSA_SIG_set0(pair, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair, &der);
  BIO* bio = BIO_new_mem_buf(pem.reveal().data(), static_cast<int>(pem.reveal().size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EXPECT_EQ(EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key), 1);
  EXPECT_EQ(EVP_DigestVerify(context, der, static_cast<std::size_t>(size), reinterpret_cast<const unsigned char*>("text"), 4), 1);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  BIO_free(bio);
  OPENSSL_free(der);
  ECDSA_SIG_free(pair);
}

TEST(AccountKeyTest, OtherKeysAreRefused) {
  EXPECT_FALSE(AccountKey::from_pem(""));
  EXPECT_FALSE(AccountKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
  EVP_PKEY* other = EVP_EC_gen("P-384");
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, other, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  EXPECT_FALSE(AccountKey::from_pem({data, static_cast<std::size_t>(size)}));
  BIO_free(bio);
  EVP_PKEY_free(other);
}

TEST(SignedRequestTest, AnExternalAccountIsBoundByAMac) {
  const AccountKey key = *AccountKey::make();
  const std::string jws = external_account_binding(key, {.key_id = "kid-1", .mac_key = "secret"}, "https://ca.test/new");
  const std::string head = base64url_encode(R"({"alg":"HS256","kid":"kid-1","url":"https://ca.test/new"})");
  const std::string payload = base64url_encode(key.jwk());
  const std::string mac = base64url_encode(hmac_sha256("secret", head + "." + payload));
  EXPECT_EQ(jws, R"({"protected":")" + head + R"(","payload":")" + payload + R"(","signature":")" + mac + "\"}");
}

TEST(AnswersTest, ProblemsAreToldWithWhatToDo) {
  const Problem problem = parse_problem(
      R"({"type":"urn:ietf:params:acme:error:caa","detail":"CAA forbids","subproblems":[{"detail":"for a.test\n\u0000"}]})");
  EXPECT_EQ(problem.type, "caa");
  EXPECT_EQ(problem.detail, "CAA forbids (for a.test??)");
  EXPECT_EQ(
      explain(problem, "a.test"),
      "the CA refused a.test (caa): CAA forbids (for a.test??). A CAA record of the domain forbids this CA; add the CA there or "
      "take another.");
  EXPECT_EQ(parse_problem("<html>").detail, "");
  EXPECT_EQ(parse_problem(R"({"type":7,"detail":[]})").type, "");
  EXPECT_LE(parse_problem(R"({"detail":")" + std::string(10'000, 'x') + "\"}").detail.size(), kMaxDetail);
}

TEST(AnswersTest, TokensThatAreNoneArePassedOver) {
  const auto authorization =
      parse_authorization(R"({"status":"pending","identifier":{"type":"dns","value":"A.Test"},"challenges":[)"
                          R"({"type":"http-01","url":"https://ca.test/1","token":"short"},)"
                          R"({"type":"http-01","url":"https://ca.test/2","token":"../../../../../etc/passwd-passwd"},)"
                          R"({"type":"http-01","url":"javascript:1","token":"aaaaaaaaaaaaaaaaaaaaaaaaaa"},7,)"
                          R"({"type":"http-01","url":"https://ca.test/3","token":"aaaaaaaaaaaaaaaaaaaaaaaaaa"}]})");
  ASSERT_TRUE(authorization);
  EXPECT_EQ(authorization->hostname, "a.test");
  ASSERT_EQ(authorization->challenges.size(), 1u);
  EXPECT_EQ(authorization->challenges[0].url, "https://ca.test/3");
}

TEST(AnswersTest, RenewalInformationHasAWindow) {
  const auto info = parse_renewal_info(
      R"({"suggestedWindow":{"start":"2026-01-02T04:00:00Z","end":"2026-01-03T04:00:00.5Z"},"explanationURL":"https://ca.test/why"})");
  ASSERT_TRUE(info) << info.error().context;
  EXPECT_EQ(info->end.seconds() - info->start.seconds(), 86'400);
  EXPECT_EQ(info->explanation_url, "https://ca.test/why");
  EXPECT_FALSE(parse_renewal_info("{}"));
  EXPECT_FALSE(parse_renewal_info(R"({"suggestedWindow":{"start":"2026-01-03T04:00:00Z","end":"2026-01-02T04:00:00Z"}})"));
  EXPECT_FALSE(parse_renewal_info(R"({"suggestedWindow":{"start":7,"end":"2026-01-02T04:00:00Z"}})"));
}

TEST(AnswersTest, RetryAfterIsSecondsOrADate) {
  const Timestamp now = Timestamp::from_seconds(784'111'777);  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(parse_retry_after("120", now), 120);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now), 30);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), 0);
  EXPECT_EQ(parse_retry_after("99999999999999", now), 7 * 86'400);
  EXPECT_EQ(parse_retry_after("", now), std::nullopt);
  EXPECT_EQ(parse_retry_after("soon", now), std::nullopt);
}

TEST(ScheduleTest, ARenewalIsDueAfterTwoThirdsOfTheLife) {
  const Timestamp begin = Timestamp::from_seconds(1'000'000), end = Timestamp::from_seconds(1'000'000 + 90 * 86'400);
  for (int i = 0; i < 200; ++i) {
    const Timestamp due = renewal_time(begin, end, std::to_string(i));
    EXPECT_GE(due.seconds(), begin.seconds() + 60 * 86'400);
    EXPECT_LE(due.seconds(), begin.seconds() + 60 * 86'400 + 90 * 86'400 / 36);
    EXPECT_EQ(due, renewal_time(begin, end, std::to_string(i))) << "a restart changes nothing";
    const Timestamp chosen = renewal_time_within(begin, end, std::to_string(i));
    EXPECT_TRUE(begin <= chosen && chosen <= end);
  }
  EXPECT_NE(renewal_time(begin, end, "a"), renewal_time(begin, end, "b"));
  EXPECT_EQ(renewal_time(end, begin, "a"), end) << "a life that is none";
}

TEST(ScheduleTest, FailuresAreTriedAgainLaterAndLater) {
  const Timestamp now = Timestamp::from_seconds(5'000'000);
  const auto wait = [&](std::uint32_t failures, std::optional<std::int64_t> said = {}) {
    return retry_time(now, failures, said, "seed").seconds() - now.seconds();
  };
  EXPECT_GE(wait(1), 60);
  EXPECT_LE(wait(1), 72);
  EXPECT_GE(wait(2), 20 * 60);
  EXPECT_LE(wait(2), 24 * 60);
  std::int64_t before = 0;
  for (std::uint32_t n = 1; n < 9; ++n) {
    EXPECT_GT(wait(n), before) << n;
    before = wait(n);
  }
  EXPECT_LE(wait(4'000'000'000), 86'400 * 6 / 5);
  EXPECT_GE(wait(4'000'000'000), 86'400);
  EXPECT_GE(wait(1, 7200), 7200) << "never before the CA says";
  // Five failed proofs of a name in an hour is what CAs allow.
  EXPECT_GT(wait(1) + wait(2) + wait(3), 3600);
}

}  // namespace
}  // namespace posthus::acme
