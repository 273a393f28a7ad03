// Orders over the store with a CA in memory: kept, renewed, tried again, not brought back after removal. RFC 8555, RFC 9773.
#include "core/main/certificate_orders.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "core/base/base64.h"
#include "core/base/log.h"
#include "core/mail/date_time.h"
#include "core/net/certificate_facts.h"
#include "store/certificate_reader.h"
#include "tests/unit/core_acme/scripted_ca.h"
#include "tests/unit/core_net/made_certificates.h"
#include "tests/unit/store/temporary_directory.h"

namespace posthus::main {
namespace {

constexpr const char* kName = "mail.example.test";
constexpr std::int64_t kDay = 86'400;

class CertificateOrdersTest : public ::testing::Test {
 protected:
  CertificateOrdersTest() {
    log::configure(log::Level::kError, log::Format::kText);
    settings_.hostname = "mx.example.test";
    settings_.data = directory_.path();
    settings_.acme_directory = acme::ScriptedCa::url("dir");
    settings_.acme_accept_terms = true;
    certificates_ = std::move(*ServerCertificates::load(settings_, store_.get(), clock_));
    restart();
  }
  void restart() {
    orders_ = std::make_unique<CertificateOrders>(
        CertificateOrdersContext{.settings = settings_,
                                 .store = *store_,
                                 .call =
                                     [this](WebCall call, std::move_only_function<void(Result<HttpResponse>)> done) {
                                       calls_.emplace_back(std::move(call), std::move(done));
                                     },
                                 .certificates = *certificates_,
                                 .clock = clock_,
                                 .run_blocking =
                                     [this](std::move_only_function<void()> work) {
                                       work_.push_back(std::move(work));
                                       return true;
                                     }});
  }
  /// Until nothing is asked any more; the clock goes on during the pauses of an order.
  void settle() {
    for (int i = 0; i < 300; ++i) {
      orders_->tick();
      if (work_.empty() && calls_.empty()) {
        if (!orders_->is_ordering()) return;
        pass(1);
      }
      while (!work_.empty()) {
        auto work = std::move(work_.front());
        work_.pop_front();
        work();
      }
      while (!calls_.empty()) {
        auto [call, done] = std::move(calls_.front());
        calls_.pop_front();
        done(respond(call));
      }
    }
    ADD_FAILURE() << "it does not settle";
  }
  Result<HttpResponse> respond(const WebCall& call) {
    if (is_unreachable_) return fail(ErrorKind::kTimeout, "time is up");
    const auto path = call.uri.substr(std::string(acme::ScriptedCa::kRoot).size());
    if (path.starts_with("ari/")) {
      ++enquiries_;
      enquired_ = path.substr(4);
      return HttpResponse{.status = 200, .content_type = "application/json", .retry_after = "7200", .body = renewal_info_};
    }
    if (path == "finalize") ca_.chain = issue(call.body);
    acme::WebAnswer answer = ca_.answer({.method = acme::WebRequest::Method::kPost, .url = call.uri, .body = call.body});
    if (path == "challenge") answered_ = orders_->http_challenge("aaaaaaaaaaaaaaaaaaaaaaaaaa");
    return HttpResponse{.status = static_cast<std::uint16_t>(answer.status),
                        .content_type = answer.content_type,
                        .location = answer.location,
                        .retry_after = answer.retry_after,
                        .replay_nonce = answer.replay_nonce,
                        .body = answer.body};
  }
  /// A certificate over the public key of the request in this JWS.
  std::string issue(const std::string& jws) {
    const auto member = [](const std::string& text, const std::string& name) {
      const std::size_t begin = text.find("\"" + name + "\":\"") + name.size() + 4;
      return base64url_decode(text.substr(begin, text.find('"', begin) - begin)).value();
    };
    const std::string der = member(member(jws, "payload"), "csr");
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    X509_REQ* request = d2i_X509_REQ(nullptr, &bytes, static_cast<long>(der.size()));
    const int today = static_cast<int>((clock_.now().seconds() - SystemClock().now().seconds() + 60) / kDay);
    net::MadeCertificate made = net::make_certificate(issued_name_, net::MadeAs::kServer, &authority_, today - 1, today + 89);
    X509_set_pubkey(made.certificate.get(), X509_REQ_get0_pubkey(request));
    AUTHORITY_KEYID* id = AUTHORITY_KEYID_new();
    id->keyid = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(id->keyid, reinterpret_cast<const unsigned char*>("authority"), 9);
    X509_add1_ext_i2d(made.certificate.get(), NID_authority_key_identifier, id, 0, X509V3_ADD_DEFAULT);
    AUTHORITY_KEYID_free(id);
    X509_sign(made.certificate.get(), authority_.key.get(), EVP_sha256());
    X509_REQ_free(request);
    return made.pem() + authority_.pem();
  }
  void order() {
    ASSERT_TRUE(store_->apply(store::PutCertificate{{.hostname = kName}}));
    orders_->changed();
  }
  std::optional<store::CertificateRecord> stored(const std::string& name = kName) {
    return store::CertificateReader(**store_->snapshot()).certificate(name).value();
  }
  void pass(std::int64_t seconds) { clock_.advance(seconds * 1'000'000); }

  store::TemporaryDirectory directory_;
  Settings settings_;
  ManualClock clock_{SystemClock().now()};
  std::unique_ptr<store::Store> store_ = store::Store::create_in_memory(clock_);
  std::unique_ptr<ServerCertificates> certificates_;
  std::unique_ptr<CertificateOrders> orders_;
  acme::ScriptedCa ca_;
  net::MadeCertificate authority_ = net::make_certificate("authority", net::MadeAs::kAuthority);
  std::string issued_name_ = kName, renewal_info_ = "{}", enquired_;
  std::deque<std::pair<WebCall, std::move_only_function<void(Result<HttpResponse>)>>> calls_;
  std::deque<std::move_only_function<void()>> work_;
  std::optional<std::string> answered_;
  bool is_unreachable_ = false;
  int enquiries_ = 0;
};

TEST_F(CertificateOrdersTest, AnOrderBecomesACertificateInUseAndItsRenewalIsDueAfterTwoThirds) {
  order();
  settle();
  const auto record = stored();
  ASSERT_TRUE(record && !record->chain.empty()) << record->last_error;
  EXPECT_EQ(record->failures, 0u);
  const std::int64_t due = record->next_attempt.seconds() - clock_.now().seconds();
  EXPECT_GE(due, 59 * kDay - 10);
  EXPECT_LE(due, 59 * kDay + 90 * kDay / 36 + 10);
  EXPECT_FALSE(certificates_->refresh().value()) << "it is in use already";
  EXPECT_FALSE(orders_->http_challenge("aaaaaaaaaaaaaaaaaaaaaaaaaa")) << "withdrawn";
}

TEST_F(CertificateOrdersTest, ARenewalKeepsTheKeyAndTheAccount) {
  order();
  settle();
  const auto first = *stored();
  ca_ = acme::ScriptedCa();
  pass(58 * kDay);
  settle();
  EXPECT_EQ(stored()->chain, first.chain) << "not yet";
  pass(5 * kDay);
  restart();
  settle();
  const auto second = *stored();
  EXPECT_NE(second.chain, first.chain);
  EXPECT_EQ(second.private_key, first.private_key) << "TLSA records stay true";
  EXPECT_EQ(std::ranges::count(ca_.asked, "account"), 0) << "the account was kept";
}

TEST_F(CertificateOrdersTest, AnAccountTheCaHasEndedIsFollowedByOneWithANewKey) {
  const auto account = [this] {
    return *store::CertificateReader(**store_->snapshot()).acme_account(settings_.acme_directory).value();
  };
  order();
  settle();
  const auto first = *stored();
  const std::string key = account().private_key;
  ca_ = acme::ScriptedCa();
  ca_.instead = [](const std::string& path) -> std::optional<acme::WebAnswer> {
    if (path != "order" && path != "account") return std::nullopt;
    return acme::ScriptedCa::problem(403, "unauthorized", "deactivated");
  };
  pass(63 * kDay);
  settle();
  EXPECT_EQ(stored()->failures, 1u);
  EXPECT_EQ(stored()->chain, first.chain) << "in use until another one comes";
  EXPECT_NE(stored()->last_error.find("account"), std::string::npos) << stored()->last_error;
  EXPECT_NE(account().private_key, key);
  ca_ = acme::ScriptedCa();
  pass(100);
  settle();
  EXPECT_EQ(stored()->failures, 0u) << stored()->last_error;
  EXPECT_NE(stored()->chain, first.chain);
  EXPECT_EQ(std::ranges::count(ca_.asked, "account"), 1);
  EXPECT_EQ(account().url, acme::ScriptedCa::url("account/1"));
}

TEST_F(CertificateOrdersTest, FailuresAreKeptAndTriedAgainLaterWithTheOtherProof) {
  ca_.instead = [](const std::string& path) -> std::optional<acme::WebAnswer> {
    if (path != "order") return std::nullopt;
    return acme::ScriptedCa::problem(403, "rejectedIdentifier", "not this one");
  };
  order();
  settle();
  EXPECT_EQ(stored()->failures, 1u);
  EXPECT_NE(stored()->last_error.find("not this one"), std::string::npos) << stored()->last_error;
  const std::size_t asked = ca_.asked.size();
  pass(30);
  settle();
  EXPECT_EQ(ca_.asked.size(), asked) << "too early";
  restart();
  settle();
  EXPECT_EQ(ca_.asked.size(), asked) << "a restart does not hurry";
  pass(60);
  settle();
  EXPECT_EQ(stored()->failures, 2u);
  pass(1100);
  settle();
  EXPECT_EQ(stored()->failures, 2u);
  ca_ = acme::ScriptedCa();
  pass(400);
  settle();
  EXPECT_EQ(stored()->failures, 0u) << stored()->last_error;
  EXPECT_FALSE(stored()->chain.empty());
}

TEST_F(CertificateOrdersTest, TheProofsTakeTurns) {
  ca_.instead = [](const std::string& path) -> std::optional<acme::WebAnswer> {
    if (path != "challenge" && path != "challenge2") return std::nullopt;
    return acme::ScriptedCa::problem(400, "connection", "no way");
  };
  order();
  settle();
  EXPECT_EQ(std::ranges::count(ca_.asked, "challenge"), 1);
  EXPECT_TRUE(answered_ && answered_->starts_with("aaaaaaaaaaaaaaaaaaaaaaaaaa.")) << "while it was asked";
  EXPECT_NE(stored()->last_error.find("[http-01]"), std::string::npos) << stored()->last_error;
  pass(100);
  settle();
  EXPECT_EQ(std::ranges::count(ca_.asked, "challenge2"), 1);
  EXPECT_NE(stored()->last_error.find("[tls-alpn-01]"), std::string::npos) << stored()->last_error;
}

TEST_F(CertificateOrdersTest, ACertificateThatIsNotForTheNameOrNotOfTheKeyIsNotUsed) {
  issued_name_ = "evil.example.test";
  order();
  settle();
  EXPECT_TRUE(stored()->chain.empty());
  EXPECT_NE(stored()->last_error.find("not for this name"), std::string::npos) << stored()->last_error;
  ca_ = acme::ScriptedCa();
  ca_.instead = [this](const std::string& path) -> std::optional<acme::WebAnswer> {
    if (path != "certificate") return std::nullopt;
    return acme::WebAnswer{.status = 200,
                           .content_type = std::string(acme::kChainType),
                           .body = net::make_certificate(kName, net::MadeAs::kServer, &authority_, -1, 89).pem(),
                           .replay_nonce = "nonce"};
  };
  pass(100);
  settle();
  EXPECT_TRUE(stored()->chain.empty());
  EXPECT_NE(stored()->last_error.find("do not belong together"), std::string::npos) << stored()->last_error;
}

TEST_F(CertificateOrdersTest, ACaThatCannotBeReachedLeavesWhatIsThereInUse) {
  order();
  settle();
  const auto before = *stored();
  is_unreachable_ = true;
  pass(70 * kDay);
  settle();
  EXPECT_EQ(stored()->chain, before.chain);
  EXPECT_EQ(stored()->failures, 1u);
  EXPECT_NE(stored()->last_error.find("time is up"), std::string::npos) << stored()->last_error;
}

TEST_F(CertificateOrdersTest, WhatIsRemovedOrUploadedDuringAnOrderStaysSo) {
  ca_.instead = [this](const std::string& path) -> std::optional<acme::WebAnswer> {
    if (path == "certificate") store_->apply(store::RemoveCertificate{kName}).value();
    return std::nullopt;
  };
  order();
  settle();
  EXPECT_FALSE(stored());
  const auto own = *net::make_self_signed_certificate(kName, 30);
  ca_ = acme::ScriptedCa();
  ca_.instead = [&](const std::string& path) -> std::optional<acme::WebAnswer> {
    if (path != "certificate") return std::nullopt;
    store_
        ->apply(store::PutCertificate{{.hostname = kName,
                                       .source = store::CertificateSource::kUpload,
                                       .chain = own.certificate_pem,
                                       .private_key = std::string(own.private_key_pem.reveal())}})
        .value();
    return std::nullopt;
  };
  order();
  settle();
  EXPECT_EQ(stored()->source, store::CertificateSource::kUpload);
  EXPECT_EQ(stored()->chain, own.certificate_pem);
}

TEST_F(CertificateOrdersTest, NamesOfTheSettingsAreOrderedOnce) {
  settings_.acme_hostnames = {kName, "mx.example.test"};
  restart();
  ASSERT_TRUE(orders_->add_configured());
  ASSERT_TRUE(orders_->add_configured());
  EXPECT_TRUE(stored(kName) && stored("mx.example.test"));
  settings_.acme_hostnames = {"not a name"};
  EXPECT_FALSE(orders_->add_configured());
}

TEST_F(CertificateOrdersTest, TheCaIsAskedWhenToRenewAndIsBelieved) {
  const Timestamp now = clock_.now();
  const auto at = [&](std::int64_t days) { return Timestamp::from_seconds(now.seconds() + days * kDay); };
  renewal_info_ = R"({"suggestedWindow":{"start":")" + mail::format_rfc3339(at(10)) + R"(","end":")" +
                  mail::format_rfc3339(at(11)) + R"("},"explanationURL":"https://ca.test/why"})";
  order();
  settle();
  EXPECT_EQ(enquiries_, 1);
  EXPECT_EQ(enquired_, net::certificate_facts(stored()->chain)->renewal_id);
  EXPECT_GE(stored()->next_attempt, at(10));
  EXPECT_LE(stored()->next_attempt, at(11));
  EXPECT_EQ(stored()->next_enquiry.seconds(), clock_.now().seconds() + 7200);
  EXPECT_EQ(stored()->explanation_url, "https://ca.test/why");
  pass(7201);
  settle();
  EXPECT_EQ(enquiries_, 2);
  // What was revoked is to be replaced at once: a window in the past.
  renewal_info_ = R"({"suggestedWindow":{"start":")" + mail::format_rfc3339(at(-2)) + R"(","end":")" +
                  mail::format_rfc3339(at(-1)) + R"("}})";
  ca_ = acme::ScriptedCa();
  const std::string before = stored()->chain;
  pass(7201);
  settle();
  EXPECT_EQ(stored()->chain, before) << "not within a day of the last one";
  renewal_info_ = "{}";
  pass(kDay);
  settle();
  EXPECT_NE(stored()->chain, before);
  EXPECT_EQ(stored()->explanation_url, "");
}

TEST_F(CertificateOrdersTest, AWindowBehindTheEndOfTheCertificateIsNotWaitedFor) {
  const auto at = [this](std::int64_t days) {
    return mail::format_rfc3339(Timestamp::from_seconds(clock_.now().seconds() + days * kDay));
  };
  renewal_info_ = R"({"suggestedWindow":{"start":")" + at(400) + R"(","end":")" + at(500) + R"("}})";
  order();
  settle();
  EXPECT_EQ(enquiries_, 1);
  const auto facts = net::certificate_facts(stored()->chain);
  ASSERT_TRUE(facts);
  EXPECT_LT(stored()->next_attempt.seconds(), facts->not_after - 10 * kDay);
  EXPECT_GT(stored()->next_attempt.seconds(), facts->not_after - 20 * kDay) << "but as late as is safe";
}

}  // namespace
}  // namespace posthus::main
