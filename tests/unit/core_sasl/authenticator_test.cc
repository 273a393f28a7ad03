// Whole exchanges of every mechanism: right, wrong, malformed, aborted, throttled, disabled, cached.
#include "core/sasl/authenticator.h"

#include <gtest/gtest.h>

#include "core/base/base64.h"
#include "core/base/hash.h"
#include "core/base/metrics.h"
#include "core/sasl/memory_credentials.h"
#include "core/sasl/scram.h"

namespace posthus::sasl {
namespace {

using namespace std::string_literals;
using State = LoginExchange::State;

struct AuthenticatorTest : testing::Test {
  static MemoryCredentials& shared() {  // hashing is slow under sanitizers: once for all tests
    static MemoryCredentials credentials = [] {
      MemoryCredentials made;
      made.put(AccountId(7), "anna@example.test", "pencil");
      made.put(AccountId(8), "bert@example.test", "Gr\u00FCn");
      Credentials disabled = **made.find("anna@example.test");
      disabled.login = "gone@example.test";
      disabled.is_disabled = true;
      made.put(disabled);
      return made;
    }();
    return credentials;
  }
  static std::uint64_t evaluations() {
    return metrics::counter("posthus_password_evaluations_total", "argon2id evaluations, of real and of unknown users").value();
  }

  MemoryCredentials source = shared();
  ManualClock clock{Timestamp::from_seconds(1'000'000)};
  Authenticator authenticator{source, clock, {}};
  LoginFacts facts{.protocol = "imap", .remote_address = "192.0.2.1", .is_tls = true};

  LoginVerdict password(std::string_view login, std::string_view secret) {
    auto exchange = authenticator.begin_password(login, Secret(std::string(secret)), facts);
    if (exchange->state() == State::kVerify) exchange->verify();
    EXPECT_EQ(exchange->state(), State::kDone);
    return exchange->verdict();
  }
  LoginVerdict plain(const std::string& message) {
    auto exchange = authenticator.begin("plain", message, facts);
    if (exchange->state() == State::kVerify) exchange->verify();
    EXPECT_EQ(exchange->state(), State::kDone);
    return exchange->verdict();
  }
};

TEST_F(AuthenticatorTest, AnnouncesNothingWithoutTlsAndPlusOnlyWithAChannelBinding) {
  using Names = std::vector<std::string_view>;
  EXPECT_EQ(authenticator.mechanisms(facts), (Names{"SCRAM-SHA-256", "PLAIN", "LOGIN"}));
  facts.tls_exporter = "x";
  EXPECT_EQ(authenticator.mechanisms(facts), (Names{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"}));
  facts.is_tls = false;
  EXPECT_TRUE(authenticator.mechanisms(facts).empty());
  EXPECT_EQ(authenticator.begin("PLAIN", std::nullopt, facts), nullptr);
  facts.is_tls = true;
  EXPECT_EQ(authenticator.begin("CRAM-MD5", std::nullopt, facts), nullptr);
}

TEST_F(AuthenticatorTest, PasswordAcceptsAndNamesTheAccount) {
  auto exchange = authenticator.begin_password("Anna@Example.Test", Secret("pencil"), facts);
  ASSERT_EQ(exchange->state(), State::kVerify);
  exchange->verify();
  ASSERT_EQ(exchange->state(), State::kDone);
  EXPECT_EQ(exchange->verdict(), LoginVerdict::kAccepted);
  EXPECT_EQ(exchange->account(), AccountId(7));
  EXPECT_EQ(exchange->login(), "anna@example.test");
}

TEST_F(AuthenticatorTest, WrongPasswordsAndUnknownUsersCostOneEvaluationEach) {
  const auto before = evaluations();
  EXPECT_EQ(password("anna@example.test", "pencils"), LoginVerdict::kRejected);
  EXPECT_EQ(evaluations(), before + 1);
  EXPECT_EQ(password("nobody@example.test", "pencil"), LoginVerdict::kRejected);
  EXPECT_EQ(evaluations(), before + 2);
  EXPECT_EQ(password("", "pencil"), LoginVerdict::kRejected);
  EXPECT_EQ(password("\x01", "pencil"), LoginVerdict::kRejected);
  EXPECT_EQ(password("anna@example.test", ""), LoginVerdict::kRejected);
  EXPECT_EQ(evaluations(), before + 5);
}

TEST_F(AuthenticatorTest, PasswordsAreComparedPrepared) {
  EXPECT_EQ(password("bert@example.test", "Gru\u0308n"), LoginVerdict::kAccepted);  // u and combining diaeresis
}

TEST_F(AuthenticatorTest, AUserWithoutAHashCannotLogIn) {
  source.put(Credentials{AccountId(9), "empty@example.test", "", {}, false});
  EXPECT_EQ(password("empty@example.test", ""), LoginVerdict::kRejected);
  EXPECT_EQ(password("empty@example.test", "x"), LoginVerdict::kRejected);
}

TEST_F(AuthenticatorTest, DisabledAccountsAreOnlyToldApartByTheRightPassword) {
  EXPECT_EQ(password("gone@example.test", "wrong"), LoginVerdict::kRejected);
  EXPECT_EQ(password("gone@example.test", "pencil"), LoginVerdict::kDisabled);
}

TEST_F(AuthenticatorTest, PlainFollowsRfc4616) {
  EXPECT_EQ(plain("\0anna@example.test\0pencil"s), LoginVerdict::kAccepted);
  EXPECT_EQ(plain("anna@example.test\0anna@example.test\0pencil"s), LoginVerdict::kAccepted);
  EXPECT_EQ(plain("bert@example.test\0anna@example.test\0pencil"s), LoginVerdict::kRejected);
  EXPECT_EQ(plain("\0anna@example.test\0wrong"s), LoginVerdict::kRejected);
  for (const std::string& bad :
       {""s, "\0"s, "\0\0"s, "\0anna@example.test\0"s, "\0\0pencil"s, "anna@example.test"s, "\0anna@example.test\0pencil\0"s,
        std::string(5000, 'x'), "\0"s + std::string(3000, 'x') + "\0y"s}) {
    EXPECT_EQ(plain(bad), LoginVerdict::kRejected) << bad.size();
  }
}

TEST_F(AuthenticatorTest, PlainWithoutInitialResponseAsksWithAnEmptyChallenge) {
  auto exchange = authenticator.begin("PLAIN", std::nullopt, facts);
  ASSERT_EQ(exchange->state(), State::kChallenge);
  EXPECT_EQ(exchange->challenge(), "");
  exchange->respond("\0anna@example.test\0pencil"s);
  EXPECT_EQ(exchange->state(), State::kVerify);
}

TEST_F(AuthenticatorTest, LoginAsksForNameAndPassword) {
  for (const bool has_initial : {false, true}) {
    auto exchange = has_initial ? authenticator.begin("LOGIN", "anna@example.test", facts)
                                : authenticator.begin("login", std::nullopt, facts);
    if (!has_initial) {
      EXPECT_EQ(exchange->challenge(), "Username:");
      exchange->respond("anna@example.test");
    }
    EXPECT_EQ(exchange->challenge(), "Password:");
    exchange->respond("pencil");
    if (exchange->state() == State::kVerify) exchange->verify();
    EXPECT_EQ(exchange->verdict(), LoginVerdict::kAccepted);
  }
}

TEST_F(AuthenticatorTest, AbortEndsAnyExchange) {
  for (const std::string_view name : {"SCRAM-SHA-256", "PLAIN", "LOGIN"}) {
    auto exchange = authenticator.begin(name, std::nullopt, facts);
    exchange->abort();
    EXPECT_EQ(exchange->state(), State::kDone);
    EXPECT_EQ(exchange->verdict(), LoginVerdict::kAborted);
  }
}

TEST_F(AuthenticatorTest, ASecondLoginIsAnsweredFromTheCache) {
  EXPECT_EQ(password("anna@example.test", "pencil"), LoginVerdict::kAccepted);
  auto again = authenticator.begin_password("anna@example.test", Secret("pencil"), facts);
  EXPECT_EQ(again->state(), State::kDone);
  EXPECT_EQ(again->verdict(), LoginVerdict::kAccepted);
  EXPECT_EQ(again->account(), AccountId(7));
  EXPECT_EQ(authenticator.begin("PLAIN", "\0anna@example.test\0pencil"s, facts)->state(), State::kDone);
  EXPECT_EQ(authenticator.begin_password("anna@example.test", Secret("Pencil"), facts)->state(), State::kVerify);
}

TEST_F(AuthenticatorTest, TheCacheEndsWithItsLifetimeAForgetOrANewHash) {
  const auto state = [&] { return authenticator.begin_password("anna@example.test", Secret("pencil"), facts)->state(); };
  EXPECT_EQ(password("anna@example.test", "pencil"), LoginVerdict::kAccepted);
  clock.advance(300'000'000);
  EXPECT_EQ(state(), State::kVerify);
  EXPECT_EQ(password("anna@example.test", "pencil"), LoginVerdict::kAccepted);
  EXPECT_EQ(state(), State::kDone);
  authenticator.forget("ANNA@example.test");
  EXPECT_EQ(state(), State::kVerify);
  EXPECT_EQ(password("anna@example.test", "pencil"), LoginVerdict::kAccepted);
  source.put(AccountId(7), "anna@example.test", "other");
  EXPECT_EQ(state(), State::kVerify);
  EXPECT_EQ(password("anna@example.test", "pencil"), LoginVerdict::kRejected);
}

TEST_F(AuthenticatorTest, TheCacheNoticesADisabledAccountAndARemovedOne) {
  EXPECT_EQ(password("anna@example.test", "pencil"), LoginVerdict::kAccepted);
  Credentials changed = **source.find("anna@example.test");
  changed.is_disabled = true;
  source.put(changed);
  EXPECT_EQ(password("anna@example.test", "pencil"), LoginVerdict::kDisabled);
  source.remove("anna@example.test");
  EXPECT_EQ(password("anna@example.test", "pencil"), LoginVerdict::kRejected);
}

TEST_F(AuthenticatorTest, RepeatedFailuresAreThrottledInEveryMechanismBeforeTheyAreLookedAt) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(password("anna@example.test", "wrong" + std::to_string(i)), LoginVerdict::kRejected);
  const auto before = evaluations();
  EXPECT_EQ(password("anna@example.test", "pencil"), LoginVerdict::kThrottled);
  EXPECT_EQ(plain("\0ANNA@example.test\0pencil"s), LoginVerdict::kThrottled);
  auto scram = authenticator.begin("SCRAM-SHA-256", "n,,n=anna@example.test,r=abc", facts);
  EXPECT_EQ(scram->verdict(), LoginVerdict::kThrottled);
  EXPECT_EQ(evaluations(), before);
  clock.advance(10'000'000);
  EXPECT_EQ(password("anna@example.test", "pencil"), LoginVerdict::kAccepted);
}

TEST_F(AuthenticatorTest, GuessesSentAtOnceDoNotSlipPastTheThrottle) {
  std::vector<std::unique_ptr<LoginExchange>> guesses;
  for (int i = 0; i < 8; ++i) {
    guesses.push_back(authenticator.begin_password("anna@example.test", Secret("guess" + std::to_string(i)), facts));
    EXPECT_EQ(guesses.back()->state(), State::kVerify);
  }
  const auto before = evaluations();
  for (auto& guess : guesses) guess->verify();
  EXPECT_EQ(evaluations(), before + 5);
  EXPECT_EQ(guesses.back()->verdict(), LoginVerdict::kThrottled);
}

TEST_F(AuthenticatorTest, AnUnreadableDirectoryIsNobodysWrongPassword) {
  source.is_unreadable = true;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(password("anna@example.test", "guess" + std::to_string(i)), LoginVerdict::kUnavailable);
    EXPECT_EQ(plain("\0anna@example.test\0pencil"s), LoginVerdict::kUnavailable);
    auto scram = authenticator.begin("SCRAM-SHA-256", "n,,n=anna@example.test,r=abc", facts);
    ASSERT_EQ(scram->state(), State::kDone);
    EXPECT_EQ(scram->verdict(), LoginVerdict::kUnavailable);
  }
  source.is_unreadable = false;
  EXPECT_EQ(password("anna@example.test", "pencil"), LoginVerdict::kAccepted);
}

// Who reads the log must see which logins went over the wire in the clear, and no password.
TEST_F(AuthenticatorTest, LogsEveryLoginWithoutSecrets) {
  facts.is_tls = false;
  facts.may_send_plaintext = true;
  EXPECT_EQ(authenticator.mechanisms(facts).size(), 3u);
  testing::internal::CaptureStderr();
  EXPECT_EQ(plain("\0anna@example.test\0pencil"s), LoginVerdict::kAccepted);
  EXPECT_EQ(password("anna@example.test", "crayon"), LoginVerdict::kRejected);
  EXPECT_EQ(password("nobody@example.test", "crayon"), LoginVerdict::kRejected);
  facts.is_tls = true;
  EXPECT_EQ(password("gone@example.test", "pencil"), LoginVerdict::kDisabled);
  const std::string log = testing::internal::GetCapturedStderr();
  const auto has = [&log](std::string_view text) { return log.find(text) != std::string::npos; };
  EXPECT_TRUE(has("login.accepted protocol=imap user=anna@example.test address=192.0.2.1 mechanism=PLAIN tls=no\n")) << log;
  EXPECT_TRUE(
      has("login.rejected protocol=imap user=anna@example.test address=192.0.2.1 mechanism=password tls=no reason=\"wrong "
          "password\"\n"))
      << log;
  EXPECT_TRUE(has("user=nobody@example.test address=192.0.2.1 mechanism=password tls=no reason=\"unknown user\"\n")) << log;
  EXPECT_TRUE(has("user=gone@example.test address=192.0.2.1 mechanism=password tls=yes reason=\"account disabled\"\n")) << log;
  EXPECT_FALSE(has("pencil") || has("crayon")) << log;
}

// ---- SCRAM ----

struct ScramDialog : AuthenticatorTest {
  /// Runs a whole exchange as a client that knows `secret`; `binding` goes into "c=" after the header.
  LoginVerdict scram(std::string_view mechanism, const std::string& header, const std::string& user, std::string_view secret,
                     const std::string& binding) {
    const std::string bare = "n=" + user + ",r=clientnonce";
    auto exchange = authenticator.begin(mechanism, header + bare, facts);
    if (!exchange || exchange->state() == State::kDone) return exchange ? exchange->verdict() : LoginVerdict::kAborted;
    server_first = std::string(exchange->challenge());
    const std::size_t s = server_first.find(",s="), i = server_first.find(",i=");
    const std::string nonce = server_first.substr(2, s - 2);
    EXPECT_TRUE(nonce.starts_with("clientnonce"));
    const std::string salt = *base64_decode(server_first.substr(s + 3, i - s - 3));
    const auto iterations = static_cast<std::uint32_t>(std::stoul(server_first.substr(i + 3)));
    const std::string without_proof = "c=" + base64_encode(header + binding) + ",r=" + nonce;
    const std::string message = make_auth_message(bare, server_first, without_proof);
    exchange->respond(without_proof + ",p=" + base64_encode(client_proof(secret, salt, iterations, message)));
    if (exchange->state() == State::kDone) return exchange->verdict();
    const ScramKeys keys = make_scram_keys(secret, salt, iterations);
    EXPECT_EQ(exchange->challenge(), make_server_final(keys, message));
    exchange->respond("");
    EXPECT_EQ(exchange->state(), State::kDone);
    return exchange->verdict();
  }

  /// RFC 5802 §3, by the formula: U1 ^ ... ^ Ui, so that it shares nothing with what it tests but HMAC.
  static std::string client_proof(std::string_view secret, const std::string& salt, std::uint32_t iterations,
                                  const std::string& message) {
    std::string u = hmac_sha256(secret, salt + "\0\0\0\1"s), salted = u;
    for (std::uint32_t i = 1; i < iterations; ++i) {
      u = hmac_sha256(secret, u);
      for (std::size_t k = 0; k < 32; ++k) salted[k] = static_cast<char>(salted[k] ^ u[k]);
    }
    std::string client_key = hmac_sha256(salted, "Client Key");
    const std::string signature = hmac_sha256(as_view(sha256(client_key)), message);
    for (std::size_t k = 0; k < 32; ++k) client_key[k] = static_cast<char>(client_key[k] ^ signature[k]);
    return client_key;
  }
  std::string server_first;
};

TEST_F(ScramDialog, AcceptsTheRightPasswordAndRejectsTheWrongOne) {
  EXPECT_EQ(scram("SCRAM-SHA-256", "n,,", "anna@example.test", "pencil", ""), LoginVerdict::kAccepted);
  EXPECT_EQ(scram("SCRAM-SHA-256", "n,,", "anna@example.test", "pencils", ""), LoginVerdict::kRejected);
  EXPECT_EQ(scram("SCRAM-SHA-256", "n,a=anna@example.test,", "anna@example.test", "pencil", ""), LoginVerdict::kAccepted);
  EXPECT_EQ(scram("SCRAM-SHA-256", "n,a=bert@example.test,", "anna@example.test", "pencil", ""), LoginVerdict::kRejected);
  EXPECT_EQ(scram("SCRAM-SHA-256", "n,,", "gone@example.test", "pencil", ""), LoginVerdict::kDisabled);
  EXPECT_EQ(scram("SCRAM-SHA-256", "n,,", "gone@example.test", "wrong", ""), LoginVerdict::kRejected);
}

TEST_F(ScramDialog, UnknownUsersLookLikeKnownOnes) {
  const auto salt = [this] { return server_first.substr(server_first.find(",s=")); };
  EXPECT_EQ(scram("SCRAM-SHA-256", "n,,", "nobody@example.test", "pencil", ""), LoginVerdict::kRejected);
  const std::string first = salt();
  EXPECT_EQ(scram("SCRAM-SHA-256", "n,,", "Nobody@example.test", "pencil", ""), LoginVerdict::kRejected);
  EXPECT_EQ(salt(), first);
  EXPECT_EQ(scram("SCRAM-SHA-256", "n,,", "other@example.test", "pencil", ""), LoginVerdict::kRejected);
  EXPECT_NE(salt(), first);
  const std::string unknown = server_first;
  EXPECT_EQ(scram("SCRAM-SHA-256", "n,,", "anna@example.test", "pencil", ""), LoginVerdict::kAccepted);
  EXPECT_EQ(server_first.size(), unknown.size());
  EXPECT_EQ(server_first.substr(server_first.find(",i=")), unknown.substr(unknown.find(",i=")));
}

TEST_F(ScramDialog, BindsToTheChannel) {
  facts.tls_exporter = "exporter bytes";
  facts.tls_unique = "unique bytes";
  facts.tls_server_end_point = "end point bytes";
  const std::string_view plus = "SCRAM-SHA-256-PLUS";
  const std::string anna = "anna@example.test";
  EXPECT_EQ(scram(plus, "p=tls-exporter,,", anna, "pencil", "exporter bytes"), LoginVerdict::kAccepted);
  EXPECT_EQ(scram(plus, "p=tls-unique,,", anna, "pencil", "unique bytes"), LoginVerdict::kAccepted);
  EXPECT_EQ(scram(plus, "p=tls-server-end-point,,", anna, "pencil", "end point bytes"), LoginVerdict::kAccepted);
  EXPECT_EQ(scram(plus, "p=tls-exporter,,", anna, "pencil", "bytes of another channel"), LoginVerdict::kRejected);
  EXPECT_EQ(scram(plus, "p=tls-exporter,,", anna, "pencil", "unique bytes"), LoginVerdict::kRejected);
  EXPECT_EQ(scram(plus, "p=tls-sci,,", anna, "pencil", ""), LoginVerdict::kRejected);
}

TEST_F(ScramDialog, RefusesABindingTheChannelDoesNotHave) {
  facts.tls_exporter = "exporter bytes";
  EXPECT_EQ(scram("SCRAM-SHA-256-PLUS", "p=tls-unique,,", "anna@example.test", "pencil", ""), LoginVerdict::kRejected);
}

TEST_F(ScramDialog, NoticesADowngrade) {
  EXPECT_EQ(scram("SCRAM-SHA-256", "y,,", "anna@example.test", "pencil", ""), LoginVerdict::kAccepted);
  facts.tls_exporter = "exporter bytes";
  EXPECT_EQ(scram("SCRAM-SHA-256", "y,,", "anna@example.test", "pencil", ""), LoginVerdict::kRejected);
  EXPECT_EQ(scram("SCRAM-SHA-256", "n,,", "anna@example.test", "pencil", ""), LoginVerdict::kAccepted);
}

TEST_F(ScramDialog, TheFlagMustFitTheMechanism) {
  facts.tls_exporter = "exporter bytes";
  EXPECT_EQ(scram("SCRAM-SHA-256-PLUS", "n,,", "anna@example.test", "pencil", ""), LoginVerdict::kRejected);
  EXPECT_EQ(scram("SCRAM-SHA-256", "p=tls-exporter,,", "anna@example.test", "pencil", "exporter bytes"), LoginVerdict::kRejected);
}

TEST_F(ScramDialog, RejectsAForeignNonceAHeaderThatChangedAndGarbage) {
  const auto second = [this](const std::string& message) {
    auto exchange = authenticator.begin("SCRAM-SHA-256", "n,,n=anna@example.test,r=abc", facts);
    std::string text = message;
    const std::string nonce(exchange->challenge().substr(2, exchange->challenge().find(",s=") - 2));
    if (const auto at = text.find("NONCE"); at != std::string::npos) text.replace(at, 5, nonce);
    exchange->respond(text);
    return exchange->verdict();
  };
  const std::string proof = ",p=" + base64_encode(std::string(32, 'x'));
  facts.remote_address.clear();  // not the throttle's business here
  EXPECT_EQ(second("c=biws,r=NONCE" + proof), LoginVerdict::kRejected);
  EXPECT_EQ(second("c=biws,r=abc" + proof), LoginVerdict::kRejected);
  EXPECT_EQ(second("c=eSws,r=NONCE" + proof), LoginVerdict::kRejected);
  EXPECT_EQ(second(""), LoginVerdict::kRejected);
  auto garbage = authenticator.begin("SCRAM-SHA-256", "garbage", facts);
  EXPECT_EQ(garbage->verdict(), LoginVerdict::kRejected);
}

}  // namespace
}  // namespace posthus::sasl
