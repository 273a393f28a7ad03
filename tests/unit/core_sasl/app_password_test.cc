// App passwords and second factors as mail programs meet them, the list of sign-ins, and blocks with their end.
#include <gtest/gtest.h>

#include "core/base/base64.h"
#include "core/base/hash.h"
#include "core/base/metrics.h"
#include "core/sasl/login_throttle.h"
#include "core/sasl/memory_credentials.h"
#include "core/sasl/scram.h"
#include "core/sasl/sign_in_log.h"

namespace posthus::sasl {
namespace {

using namespace std::string_literals;
using State = LoginExchange::State;
constexpr PasswordCost kCheap{8, 1, 4096};
const std::string kApp = "abcd-efgh-jkmn-pqrs-tuvw";

/// Counts what is told of the use of app passwords.
class CountingCredentials final : public CredentialSource {
 public:
  Result<std::optional<Credentials>> find(std::string_view login) const override {
    if (login != anna.login) return std::nullopt;
    return anna;
  }
  void app_password_used(AccountId, std::string_view id, std::string_view address) const override {
    used.push_back(std::string(id) + " " + std::string(address));
  }
  Credentials anna;
  mutable std::vector<std::string> used;
};

struct AppPasswordTest : testing::Test {
  AppPasswordTest() {
    PasswordRecord record = make_password_record(Secret("pencil"), kCheap);
    const std::string salt = record.scram.salt;
    source.anna = {AccountId(7), "anna@example.test", record.password_hash, record.scram, false};
    source.anna.app_passwords.push_back({.id = "phone",
                                         .protocols = app_protocol::kImap | app_protocol::kSmtp,
                                         .secret_hash = std::string(as_view(sha256(app_password_text(kApp)))),
                                         .scram = make_further_keys(kApp, salt, 4096)});
  }
  LoginFacts from(std::string_view protocol) const {
    return {.protocol = protocol, .remote_address = "192.0.2.1", .is_tls = true};
  }
  LoginVerdict password(std::string_view secret, std::string_view protocol = "imap") {
    auto exchange = authenticator.begin_password("anna@example.test", Secret(std::string(secret)), from(protocol));
    if (exchange->state() == State::kVerify) exchange->verify();
    return exchange->verdict();
  }
  LoginVerdict scram(std::string_view secret, std::string_view protocol = "imap") {
    const std::string bare = "n=anna@example.test,r=clientnonce";
    auto exchange = authenticator.begin("SCRAM-SHA-256", "n,," + bare, from(protocol));
    if (exchange->state() == State::kDone) return exchange->verdict();
    const std::string first(exchange->challenge());
    const std::size_t s = first.find(",s="), i = first.find(",i=");
    const std::string salt = *base64_decode(first.substr(s + 3, i - s - 3));
    const auto iterations = static_cast<std::uint32_t>(std::stoul(first.substr(i + 3)));
    const ScramKeys keys = make_scram_keys(secret, salt, iterations);
    const std::string without_proof = "c=biws,r=" + first.substr(2, s - 2);
    const std::string message = make_auth_message(bare, first, without_proof);
    exchange->respond(without_proof + ",p=" + base64_encode(proof(secret, salt, iterations, keys, message)));
    if (exchange->state() != State::kChallenge) return exchange->verdict();
    EXPECT_EQ(exchange->challenge(), make_server_final(keys, message)) << "the server proves that it knows the same password";
    exchange->respond("");
    return exchange->verdict();
  }
  // ClientProof = ClientKey XOR ClientSignature (RFC 5802 §3); StoredKey is the hash of ClientKey.
  static std::string proof(std::string_view secret, const std::string& salt, std::uint32_t iterations, const ScramKeys& keys,
                           const std::string& message) {
    std::string block = hmac_sha256(secret, salt + std::string("\0\0\0\1", 4)), salted = block;
    for (std::uint32_t round = 1; round < iterations; ++round) {
      block = hmac_sha256(secret, block);
      for (std::size_t at = 0; at < salted.size(); ++at) salted[at] = static_cast<char>(salted[at] ^ block[at]);
    }
    std::string out = hmac_sha256(salted, "Client Key");
    const std::string signature = hmac_sha256(keys.stored_key, message);
    for (std::size_t at = 0; at < out.size(); ++at) out[at] = static_cast<char>(out[at] ^ signature[at]);
    return out;
  }
  static std::uint64_t evaluations() {
    return metrics::counter("posthus_password_evaluations_total", "argon2id evaluations, of real and of unknown users").value();
  }

  CountingCredentials source;
  ManualClock clock{Timestamp::from_seconds(1'000'000)};
  Authenticator authenticator{source, clock, {.cost = kCheap}};
};

TEST_F(AppPasswordTest, WorksHoweverItIsTypedAndCostsNoEvaluation) {
  const auto before = evaluations();
  EXPECT_EQ(password(kApp), LoginVerdict::kAccepted);
  EXPECT_EQ(password("abcdefghjkmnpqrstuvw"), LoginVerdict::kAccepted);
  EXPECT_EQ(password("ABCD efgh jkmn pqrs tuvw", "smtp"), LoginVerdict::kAccepted);
  EXPECT_EQ(evaluations(), before);
  EXPECT_EQ(password("pencil"), LoginVerdict::kAccepted) << "the main one works as before";
}

TEST_F(AppPasswordTest, IsOfItsProtocolsAndOfItsTime) {
  const auto before = evaluations();
  EXPECT_EQ(password(kApp, "pop3"), LoginVerdict::kRejected);
  EXPECT_EQ(password(kApp, "http"), LoginVerdict::kRejected) << "never for the panel";
  EXPECT_EQ(scram(kApp, "pop3"), LoginVerdict::kRejected);
  source.anna.app_passwords[0].expires = clock.now();
  EXPECT_EQ(password(kApp), LoginVerdict::kRejected);
  EXPECT_EQ(scram(kApp), LoginVerdict::kRejected);
  EXPECT_EQ(evaluations(), before + 3) << "a wrong one costs what any wrong password costs";
}

TEST_F(AppPasswordTest, WorksInScramBesideTheMainOne) {
  EXPECT_EQ(scram("pencil"), LoginVerdict::kAccepted);
  EXPECT_EQ(scram(kApp), LoginVerdict::kAccepted);
  EXPECT_EQ(scram("wrong"), LoginVerdict::kRejected);
  source.anna.scram = {};
  EXPECT_EQ(scram(kApp), LoginVerdict::kAccepted) << "without a main one";
  source.anna.scram = make_scram_keys("pencil", std::string(16, 's'), 4096);
  EXPECT_EQ(scram("pencil"), LoginVerdict::kAccepted);
  EXPECT_EQ(scram(kApp), LoginVerdict::kRejected) << "with another salt PLAIN is left";
}

TEST_F(AppPasswordTest, UseIsToldOnceAnHour) {
  password(kApp);
  ASSERT_EQ(source.used, std::vector<std::string>{"phone 192.0.2.1"});
  source.anna.app_passwords[0].last_used = clock.now();
  password(kApp);
  scram(kApp);
  EXPECT_EQ(source.used.size(), 1u);
  clock.advance(3'600'000'000);
  scram(kApp);
  EXPECT_EQ(source.used.size(), 2u);
}

TEST_F(AppPasswordTest, ASecondFactorKeepsTheMainPasswordOutOfMailPrograms) {
  EXPECT_EQ(password("pencil", "http"), LoginVerdict::kAccepted);  // the cache knows it now
  source.anna.has_second_factor = source.anna.needs_app_password = true;
  const auto before = evaluations();
  for (const char* protocol : {"imap", "pop3", "smtp"}) EXPECT_EQ(password("pencil", protocol), LoginVerdict::kRejected);
  EXPECT_EQ(evaluations(), before + 3) << "as slow as a wrong one, cached or not";
  EXPECT_EQ(scram("pencil"), LoginVerdict::kRejected);
  EXPECT_EQ(scram(kApp), LoginVerdict::kAccepted);
  EXPECT_EQ(password(kApp), LoginVerdict::kAccepted);
  EXPECT_EQ(password("pencil", "http"), LoginVerdict::kAccepted) << "the code comes after it";
}

TEST_F(AppPasswordTest, RightAndWrongMainPasswordsAreThrottledAlike) {
  source.anna.has_second_factor = source.anna.needs_app_password = true;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(password("wrong" + std::to_string(i)), LoginVerdict::kRejected);
  EXPECT_EQ(password("pencil"), LoginVerdict::kRejected);
  EXPECT_EQ(password("pencil"), LoginVerdict::kThrottled);
}

TEST_F(AppPasswordTest, ThePasswordDoesNotForgiveWrongCodes) {
  source.anna.has_second_factor = true;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(authenticator.admits_code("anna@example.test"));
    EXPECT_EQ(password("pencil", "http"), LoginVerdict::kAccepted);
    authenticator.code_checked("anna@example.test", from("http"), Authenticator::CodeVerdict::kWrong);
  }
  EXPECT_FALSE(authenticator.admits_code("Anna@example.test")) << "from any network";
  clock.advance(10'000'000);
  EXPECT_TRUE(authenticator.admits_code("anna@example.test"));
  authenticator.code_checked("anna@example.test", from("http"), Authenticator::CodeVerdict::kWrong);
  ASSERT_EQ(authenticator.blocks().size(), 1u);
  const LoginBlock block = authenticator.blocks()[0];
  EXPECT_EQ(block.kind, LoginBlockKind::kCodes);
  EXPECT_EQ(block.login, "anna@example.test");
  EXPECT_TRUE(authenticator.unblock(block.id));
  EXPECT_TRUE(authenticator.admits_code("anna@example.test"));
}

TEST_F(AppPasswordTest, BlocksAreListedAndLifted) {
  for (int i = 0; i < 5; ++i) password("wrong" + std::to_string(i));
  EXPECT_EQ(password("pencil"), LoginVerdict::kThrottled);
  const auto blocks = authenticator.blocks();
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].login, "anna@example.test");
  EXPECT_EQ(blocks[0].network, "192.0.2.1/32");
  EXPECT_EQ(blocks[0].failures, 5u);
  EXPECT_GT(blocks[0].until, clock.now());
  for (const char* id : {"", "p", "p0000000000000000", "pzzzzzzzzzzzzzzzz", "x0"}) EXPECT_FALSE(authenticator.unblock(id)) << id;
  EXPECT_TRUE(authenticator.unblock(blocks[0].id));
  EXPECT_EQ(password("pencil"), LoginVerdict::kAccepted);
}

TEST_F(AppPasswordTest, SignInsAreListedCountedAndBounded) {
  for (int i = 0; i < 3; ++i) password(kApp);
  password("wrong");
  clock.advance(1'000'000);
  password("pencil", "smtp");
  const auto all = authenticator.sign_ins();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].protocol, "smtp");
  EXPECT_EQ(all[1].result, "rejected");
  EXPECT_EQ(all[1].reason, "wrong password");
  EXPECT_EQ(all[2].app_password, "phone");
  EXPECT_EQ(all[2].count, 3u);
  clock.advance(3'600'000'000);
  password(kApp);
  EXPECT_EQ(authenticator.sign_ins().size(), 4u) << "another hour";
  SignInLog log(clock);
  log.add({.login = "owner", .result = "accepted"});
  for (std::size_t i = 0; i < 3 * kMaxSignIns; ++i)
    log.add({.login = std::to_string(i) + std::string(500, 'x'), .result = "rejected"});
  EXPECT_EQ(log.all().size(), kMaxSignIns + 1);
  EXPECT_EQ(log.all().back().login, "owner");
  EXPECT_EQ(log.all().front().login.size(), kMaxSignInText);
}

}  // namespace
}  // namespace posthus::sasl
