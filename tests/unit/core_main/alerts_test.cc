// Alerts end to end over a store in memory: each kind opens and closes, mail and webhook are told once, also over a restart.
#include "core/main/alerts.h"

#include <gtest/gtest.h>

#include "core/base/queue_id.h"
#include "store/alert_reader.h"
#include "store/directory_reader.h"
#include "store/hold_reason.h"
#include "tests/support/world.h"

namespace posthus::main {
namespace {

using store::AlertKind;
using store::AlertRecord;
using store::AlertTold;

class AlertsTest : public ::testing::Test {
 protected:
  AlertsTest() {
    world_.add_user("admin@example.test", "password-1");
    set("alerts.interval_seconds", "1");
    restart();
  }
  void set(const std::string& name, const std::string& value) {
    ASSERT_TRUE(world_.store->apply(store::PutSetting{name, value}));
  }
  void restart() {
    alerts_ = std::make_unique<Alerts>(
        AlertsContext{.store = *world_.store,
                      .clock = world_.clock,
                      .hostname = "mx.example.test",
                      .sources = {.store = *world_.store,
                                  .clock = world_.clock,
                                  .certificates = [this] { return certificates_; },
                                  .certificate_files = [this] { return file_failure_; },
                                  .disk = [this] { return disk_; },
                                  .delivery_report = [this] { return report_; },
                                  .refused_sign_ins = [this] { return refused_; },
                                  .clock_verdict = [this](std::int64_t) { return verdict_; },
                                  .shared_addresses = [this] { return shared_; }},
                      .call =
                          [this](WebCall call, std::move_only_function<void(Result<HttpResponse>)> done) {
                            bodies_.push_back(call.body);
                            if (is_silent_) return;
                            HttpResponse response;
                            response.status = status_;
                            done(response);
                          },
                      .queued = [this](const std::vector<std::string>& domains) { queued_ += domains.size(); },
                      .run_blocking =
                          [](std::move_only_function<void()> work) {
                            work();
                            return true;
                          }});
  }
  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      world_.clock.advance(1'000'000);
      alerts_->tick();
    }
  }
  std::vector<AlertRecord> all() { return store::read_alerts(**world_.store->snapshot()).value(); }
  /// The last alert: "open disk" or "over disk".
  std::string last() {
    const auto alerts = all();
    if (alerts.empty()) return "none";
    return (alerts.back().is_open() ? "open " : "over ") + std::string(to_string(alerts.back().kind));
  }
  std::vector<std::string> inbox() { return world_.messages("admin@example.test"); }
  bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
  void queue_message(const std::string& domain) {
    store::AddMessage add{.message = world_.store->begin_message(), .internal_date = world_.clock.now()};
    EXPECT_TRUE(add.message.append("Subject: x\r\n\r\nx\r\n"));
    EXPECT_TRUE(add.message.finish());
    add.id = next_queue_id(world_.clock.now());
    add.queue.emplace();
    add.queue->accepted = world_.clock.now();
    add.queue->reverse_path = "admin@example.test";
    store::QueuedRecipient recipient;
    recipient.address = "x@" + domain;
    recipient.domain = domain;
    recipient.last_reply = "451 4.3.0 later";
    add.recipients = {recipient};
    EXPECT_TRUE(world_.store->apply(std::move(add)));
  }
  void empty_queue() {
    store::ChangeQueue change;
    change.action = store::QueueAction::kRemove;
    change.filter.everything = true;
    ASSERT_TRUE(world_.store->apply(std::move(change)));
  }

  testing::World world_;
  std::map<std::string, CertificateLife> certificates_;
  std::optional<CertificateFileFailure> file_failure_;
  web_admin::DiskRoom disk_{.total = 100'000, .available = 50'000};
  std::shared_ptr<web_admin::DeliveryReport> report_;
  std::uint64_t refused_ = 0;
  web_admin::ClockVerdict verdict_;
  std::vector<SharedAddressWarning> shared_;
  std::vector<std::string> bodies_;
  std::uint16_t status_ = 204;
  bool is_silent_ = false;
  std::size_t queued_ = 0;
  std::unique_ptr<Alerts> alerts_;
};

TEST_F(AlertsTest, NothingIsWrongAndNothingIsSaid) {
  rounds(20);
  EXPECT_TRUE(all().empty());
  EXPECT_TRUE(inbox().empty());
}

TEST_F(AlertsTest, AFullDiskIsToldOnceAndSoIsItsEnd) {
  disk_.available = 5'000;
  rounds(20);
  EXPECT_EQ(last(), "open disk");
  ASSERT_EQ(inbox().size(), 1u);
  const std::string mail = inbox()[0];
  EXPECT_TRUE(has(mail, "Return-Path: <>")) << mail;
  EXPECT_TRUE(has(mail, "Auto-Submitted: auto-generated")) << mail;
  EXPECT_TRUE(has(mail, "Subject: Alert: Only 4 % of the disk is free\r\n")) << mail;
  EXPECT_TRUE(has(mail, "What to do:")) << mail;
  disk_.available = 11'000;  // above the mark, below where it is over
  rounds(20);
  EXPECT_EQ(last(), "open disk");
  disk_.available = 13'000;
  rounds(20);
  EXPECT_EQ(last(), "over disk");
  ASSERT_EQ(inbox().size(), 2u);
  EXPECT_TRUE(has(inbox()[1], "Subject: Over: The disk has room again")) << inbox()[1];
}

TEST_F(AlertsTest, MarksOfNoughtSwitchKindsOff) {
  for (const char* name :
       {"certificate_days", "disk_percent", "queue_copies", "destination_minutes", "refused_sign_ins", "clock_seconds"}) {
    set(std::string("alerts.") + name, "0");
  }
  disk_.available = 0;
  refused_ = 100'000;
  certificates_["mx.example.test"] = {0, 1};
  verdict_ = {.kind = web_admin::ClockVerdict::Kind::kWrong, .ahead = 9999, .hosts = {"a"}};
  queue_message("far.test");
  world_.clock.advance(86'400'000'000);
  rounds(10);
  EXPECT_TRUE(all().empty());
}

TEST_F(AlertsTest, ACertificateThatEnds) {
  const std::int64_t now = world_.clock.now().seconds();
  certificates_["mx.example.test"] = {now - 80 * 86'400, now + 10 * 86'400};
  certificates_["short.example.test"] = {now - 86'400, now + 5 * 86'400};  // of six days: not before a quarter is left
  certificates_["fresh.example.test"] = {now, now + 90 * 86'400};
  rounds(2);
  ASSERT_EQ(all().size(), 1u);
  EXPECT_EQ(all()[0].subject, "mx.example.test");
  certificates_["mx.example.test"] = {now, now + 90 * 86'400};
  rounds(2);
  EXPECT_EQ(last(), "over certificate");
}

TEST_F(AlertsTest, ACertificateThatHasEndedIsToldAsEnded) {
  const std::int64_t now = world_.clock.now().seconds();
  certificates_["mx.example.test"] = {now - 90 * 86'400, now - 60};
  rounds(2);
  ASSERT_EQ(inbox().size(), 1u);
  EXPECT_TRUE(has(inbox()[0], "Subject: Alert: The certificate of mx.example.test expired on ")) << inbox()[0];
  EXPECT_FALSE(has(inbox()[0], "good only until"));
}

TEST_F(AlertsTest, ACertificateFileThatCannotBeUsed) {
  file_failure_ = CertificateFileFailure{"/run/tls/chain.pem", "key and certificate do not belong together"};
  rounds(20);
  ASSERT_EQ(all().size(), 1u);
  ASSERT_EQ(inbox().size(), 1u);
  EXPECT_TRUE(has(inbox()[0], "Subject: Alert: The certificate file /run/tls/chain.pem cannot be used\r\n")) << inbox()[0];
  EXPECT_TRUE(has(inbox()[0], "do not belong together")) << inbox()[0];
  file_failure_.reset();
  rounds(10);
  EXPECT_EQ(last(), "over certificate");
  ASSERT_EQ(inbox().size(), 2u);
  EXPECT_TRUE(has(inbox()[1], "Subject: Over: The certificate file /run/tls/chain.pem is in use\r\n")) << inbox()[1];
}

TEST_F(AlertsTest, AddressesThatClientsShareAreToldOnceAlsoOverRestarts) {
  using Kind = SharedAddressWarning::Kind;
  shared_ = {{Kind::kManyClients, *parse_ip_address("127.0.0.1"), 5, 0},  // programs of this machine
             {Kind::kGateway, *parse_ip_address("172.17.0.1"), 2, 0},
             {Kind::kUnnamedProxy, *parse_ip_address("172.17.0.1"), 0, 0}};
  rounds(3);
  ASSERT_EQ(all().size(), 1u) << "what anybody behind a gateway can forge is no alert";
  EXPECT_EQ(last(), "open shared_address");
  EXPECT_EQ(all()[0].subject, "172.17.0.1");
  ASSERT_EQ(inbox().size(), 1u);
  EXPECT_TRUE(has(inbox()[0], "userland-proxy: false")) << inbox()[0];
  shared_.clear();  // another process, which has not found it yet
  restart();
  rounds(20);
  EXPECT_EQ(last(), "open shared_address");
  shared_ = {{Kind::kGateway, *parse_ip_address("172.17.0.1"), 2, 0}};
  rounds(2);
  EXPECT_EQ(all().size(), 1u);
  EXPECT_EQ(inbox().size(), 1u);
  shared_.clear();
  restart();
  world_.clock.advance(kEvidenceSeconds * 1'000'000);
  rounds(2);
  EXPECT_EQ(last(), "over shared_address");
  EXPECT_EQ(inbox().size(), 2u);
}

TEST_F(AlertsTest, AQueueThatGrows) {
  set("alerts.queue_copies", "4");
  set("alerts.destination_minutes", "0");
  for (int i = 0; i < 5; ++i) queue_message("far.test");
  rounds(3);
  EXPECT_EQ(last(), "open queue");
  EXPECT_EQ(all()[0].facts, (std::vector<std::string>{"5", "4"}));
  empty_queue();
  rounds(10);
  EXPECT_EQ(last(), "over queue");
}

TEST_F(AlertsTest, ADestinationThatFails) {
  queue_message("far.test");
  rounds(3);
  EXPECT_EQ(last(), "none");
  world_.clock.advance(121 * 60'000'000ll);
  rounds(3);
  EXPECT_EQ(last(), "open destination");
  EXPECT_EQ(all()[0].subject, "far.test");
  EXPECT_EQ(all()[0].facts[1], "451 4.3.0 later");
  empty_queue();
  rounds(5);
  EXPECT_EQ(last(), "over destination");
}

TEST_F(AlertsTest, ManyDestinationsAreOneAlert) {
  for (int i = 0; i < 8; ++i) queue_message("far" + std::to_string(i) + ".test");
  world_.clock.advance(121 * 60'000'000ll);
  rounds(5);
  ASSERT_EQ(all().size(), 1u);
  EXPECT_EQ(all()[0].subject, "*");
  EXPECT_EQ(all()[0].facts[0], "8");
}

TEST_F(AlertsTest, AlertsAboutAlertsAreImpossible) {
  set("alerts.mail", "boss@far.test");
  disk_.available = 0;
  rounds(5);
  EXPECT_EQ(queued_, 1u) << "the alert is on its way to another server";
  EXPECT_TRUE(inbox().empty());
  world_.clock.advance(10 * 86'400'000'000ll);  // where it waits for days
  rounds(5);
  EXPECT_EQ(all().size(), 1u);
  EXPECT_EQ(last(), "open disk");
}

TEST_F(AlertsTest, AnAccountOnHold) {
  world_.add_user("anna@example.test", "password-2");
  set("alerts.mail", "admin@example.test,anna@example.test");
  const AccountId anna = (*store::DirectoryReader(**world_.store->snapshot()).user("anna@example.test"))->account;
  ASSERT_TRUE(
      world_.store->apply(store::HoldAccount{anna, true, store::encode_hold_reason({store::HoldCode::kBurst, 412, 300, ""})}));
  rounds(3);
  EXPECT_EQ(last(), "open hold");
  EXPECT_EQ(all()[0].subject, "anna@example.test");
  EXPECT_TRUE(inbox().empty()) << "the first admin has had the notice of it";
  EXPECT_EQ(all()[0].facts, (std::vector<std::string>{"burst", "412", "300", ""}));
  ASSERT_EQ(world_.messages("anna@example.test").size(), 1u);
  EXPECT_TRUE(has(world_.messages("anna@example.test")[0], "The reason: 412 copies within ten minutes, up to 300 are usual"));
  ASSERT_TRUE(world_.store->apply(store::HoldAccount{anna, false, ""}));
  rounds(3);
  EXPECT_EQ(last(), "over hold");
  EXPECT_EQ(inbox().size(), 1u);
}

TEST_F(AlertsTest, ALimitOfTheDay) {
  world_.add_user("chief@example.test", "password-2");
  auto chief = *store::DirectoryReader(**world_.store->snapshot()).user("chief@example.test").value();
  chief.role = store::Role::kDomainAdmin;
  store::PutUser change{chief, store::PutRule::kReplace};
  change.administers = {{"example.test"}};
  ASSERT_TRUE(world_.store->apply(std::move(change)));
  store::DomainRecord domain{.name = "example.test"};
  domain.total_limits.messages_per_day = 50;
  ASSERT_TRUE(world_.store->apply(store::PutDomain{domain, store::PutRule::kReplace}));
  rounds(3);
  EXPECT_EQ(last(), "none");
  ASSERT_TRUE(world_.store->apply(store::NoteLimit{"example.test", store::MetLimit::kMessages, 50}));
  rounds(3);
  EXPECT_EQ(last(), "open limit");
  EXPECT_EQ(all()[0].subject, "example.test");
  EXPECT_EQ(all()[0].facts, (std::vector<std::string>{"50", "messages"}));
  ASSERT_EQ(inbox().size(), 1u);
  EXPECT_TRUE(has(inbox()[0], "Today example.test may send no more mail")) << inbox()[0];
  EXPECT_TRUE(has(inbox()[0], "posthus domain limits example.test"));
  EXPECT_EQ(world_.messages("chief@example.test").size(), 1u) << "who looks after the domain";
  domain.total_limits.messages_per_day = 100;
  ASSERT_TRUE(world_.store->apply(store::PutDomain{domain, store::PutRule::kReplace}));
  rounds(3);
  EXPECT_EQ(last(), "over limit") << "it was raised";
  ASSERT_TRUE(world_.store->apply(store::NoteLimit{"team@example.test", store::MetLimit::kForwards, 100}));
  rounds(3);
  EXPECT_EQ(last(), "open limit");
  EXPECT_TRUE(has(world_.messages("chief@example.test").back(), "Today team@example.test forwards no more mail"));
  world_.clock.advance(86'400'000'000ll);
  rounds(3);
  EXPECT_EQ(last(), "over limit");
}

TEST_F(AlertsTest, ABlockList) {
  const auto report = [this](mailauth::RecordState state) {
    report_ = std::make_shared<web_admin::DeliveryReport>();
    report_->items.push_back(
        {.check = "blocklist", .subject = "192.0.2.1 at list.test", .state = state, .meaning = "", .action = ""});
  };
  report(mailauth::RecordState::kWrong);
  rounds(2);
  EXPECT_EQ(last(), "open blocklist");
  report_ = nullptr;
  restart();
  rounds(10);
  EXPECT_EQ(last(), "open blocklist") << "after a restart nothing is known until lists are asked";
  report(mailauth::RecordState::kUnknown);
  rounds(10);
  EXPECT_EQ(last(), "open blocklist");
  report(mailauth::RecordState::kOk);
  rounds(2);
  EXPECT_EQ(last(), "over blocklist");
}

TEST_F(AlertsTest, LoginAttacks) {
  rounds(5);
  refused_ = 150;
  rounds(5);
  EXPECT_EQ(last(), "none");
  refused_ = 250;
  rounds(5);
  EXPECT_EQ(last(), "open logins");
  EXPECT_EQ(all()[0].facts, (std::vector<std::string>{"250", "10"}));
  rounds(590);
  EXPECT_EQ(last(), "open logins");
  rounds(40);
  EXPECT_EQ(last(), "over logins");
}

TEST_F(AlertsTest, AWrongClock) {
  using Kind = web_admin::ClockVerdict::Kind;
  verdict_ = {.kind = Kind::kWrong, .ahead = 300, .hosts = {"a.test", "b.test"}};
  rounds(3);
  EXPECT_EQ(last(), "open clock");
  EXPECT_EQ(all()[0].facts, (std::vector<std::string>{"+300", "a.test, b.test"}));
  verdict_.kind = Kind::kUnknown;
  rounds(20);
  EXPECT_EQ(last(), "open clock");
  verdict_.kind = Kind::kRight;
  rounds(10);
  EXPECT_EQ(last(), "over clock");
}

TEST_F(AlertsTest, TheWebhookIsToldOnceOfBothEnds) {
  set("alerts.webhook", "https://hook.test/x");
  disk_.available = 0;
  rounds(10);
  ASSERT_EQ(bodies_.size(), 1u);
  EXPECT_TRUE(has(bodies_[0], R"({"event":"opened","server":"mx.example.test","id":1,"kind":"disk")")) << bodies_[0];
  restart();
  rounds(5);
  EXPECT_EQ(bodies_.size(), 1u);
  disk_.available = 90'000;
  rounds(10);
  ASSERT_EQ(bodies_.size(), 2u);
  EXPECT_TRUE(has(bodies_[1], R"("event":"closed")")) << bodies_[1];
  EXPECT_EQ(inbox().size(), 2u);
}

TEST_F(AlertsTest, AWebhookThatFailsIsTriedAgainAndGivenUp) {
  set("alerts.webhook", "https://hook.test/x");
  status_ = 500;
  disk_.available = 0;
  rounds(3);
  EXPECT_EQ(bodies_.size(), 1u);
  EXPECT_EQ(all()[0].webhook_error, "HTTP status 500");
  rounds(10);
  EXPECT_LE(bodies_.size(), 5u) << "the delays grow";
  restart();
  status_ = 200;
  rounds(70);
  EXPECT_EQ(all()[0].webhook, AlertTold::kBegin);
  EXPECT_EQ(all()[0].webhook_error, "");
  const std::size_t before = bodies_.size();
  status_ = 404;
  disk_.available = 90'000;
  rounds(3000);
  EXPECT_EQ(bodies_.size() - before, Alerts::kMaxWebhookAttempts);
  EXPECT_EQ(all()[0].webhook, AlertTold::kEnd);
  EXPECT_EQ(all()[0].webhook_error, "HTTP status 404");
}

TEST_F(AlertsTest, AWebhookThatComesLaterHearsOnlyOfWhatIsOpen) {
  disk_.available = 0;
  rounds(5);
  disk_.available = 90'000;
  rounds(10);
  refused_ = 1000;
  rounds(5);
  set("alerts.webhook", "https://hook.test/x");
  rounds(5);
  ASSERT_EQ(bodies_.size(), 1u);
  EXPECT_TRUE(has(bodies_[0], R"("kind":"logins")")) << bodies_[0];
}

TEST_F(AlertsTest, ASilentWebhookHoldsUpNothing) {
  set("alerts.webhook", "https://hook.test/x");
  is_silent_ = true;
  disk_.available = 0;
  refused_ = 1000;
  rounds(10);
  EXPECT_EQ(bodies_.size(), 1u);
  EXPECT_EQ(inbox().size(), 2u);
}

TEST_F(AlertsTest, AClockThatIsPutBackStopsNothing) {
  set("alerts.webhook", "https://hook.test/x");
  status_ = 500;
  disk_.available = 0;
  rounds(4);
  ASSERT_EQ(last(), "open disk");
  world_.clock.advance(-86'400'000'000);
  status_ = 200;
  rounds(8);
  EXPECT_EQ(all()[0].webhook, AlertTold::kBegin);
  disk_.available = 90'000;
  rounds(10);
  EXPECT_EQ(last(), "over disk");
}

TEST_F(AlertsTest, ATestSaysWhatCameOfIt) {
  set("alerts.mail", "admin@example.test,nobody@example.test,boss@far.test");
  set("alerts.webhook", "https://hook.test/secret");
  status_ = 403;
  const auto deliveries = alerts_->test();
  ASSERT_TRUE(deliveries);
  ASSERT_EQ(deliveries->size(), 4u);
  EXPECT_TRUE((*deliveries)[0].is_delivered);
  EXPECT_EQ((*deliveries)[0].outcome, "in the mailbox");
  EXPECT_FALSE((*deliveries)[1].is_delivered);
  EXPECT_TRUE((*deliveries)[2].is_delivered);
  EXPECT_EQ(queued_, 1u);
  EXPECT_EQ((*deliveries)[3].target, "https://hook.test/...");
  EXPECT_EQ((*deliveries)[3].outcome, "HTTP status 403");
  EXPECT_TRUE(has(inbox().at(0), "This is a test")) << inbox()[0];
  EXPECT_TRUE(all().empty());
}

TEST_F(AlertsTest, MailSpeaksTheLanguageOfItsReadersDomain) {
  store::DomainRecord german;
  german.name = "example.test";
  german.language = mail::ReportLanguage::kGerman;
  ASSERT_TRUE(world_.store->apply(store::PutDomain{german, store::PutRule::kReplace}));
  refused_ = 1000;
  rounds(3);
  ASSERT_EQ(inbox().size(), 1u);
  EXPECT_TRUE(has(inbox()[0], "Jemand scheint Passwörter zu erraten.")) << inbox()[0];
  EXPECT_TRUE(has(inbox()[0], "Content-Language: de")) << inbox()[0];
}

TEST(AlertMail, HeadersAreEncodedWhereTheyMustBe) {
  EXPECT_EQ(encode_header_text("plain"), "plain");
  const std::string encoded = encode_header_text("Übergröße ist " + std::string(60, 'x') + " — ja");
  EXPECT_TRUE(encoded.starts_with("=?utf-8?B?"));
  EXPECT_NE(encoded.find("?=\r\n =?utf-8?B?"), std::string::npos);
}

TEST(AlertMail, WhatARemoteServerSaidBreaksNothing) {
  AlertMessage message{.event = AlertEvent::kOpened, .alert = {.id = 1, .kind = AlertKind::kDestination}, .hostname = "mx.test"};
  message.alert.subject = "far.test";
  message.alert.facts = {"90", "451 a\r\n.\r\nBcc: x\x01 " + std::string(300, 'z')};
  const std::string mail = compose_alert_mail(message, "postmaster@a.test", "b@a.test", mail::ReportLanguage::kEnglish);
  EXPECT_EQ(mail.find("\nBcc:"), std::string::npos);
  EXPECT_EQ(mail.find("\n.\r\n"), std::string::npos);
  const std::string body = compose_webhook(message, mail::ReportLanguage::kEnglish);
  EXPECT_EQ(body.find('\n'), std::string::npos) << body;
}

}  // namespace
}  // namespace posthus::main
