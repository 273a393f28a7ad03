// TLS outcomes become reports: counted by day and domain, kept across restarts, sent the day after to who asked for them.
// RFC 8460 §3, §4, §5.
#include "smtp/tls_reports.h"

#include <gtest/gtest.h>

#include "core/base/log.h"
#include "core/dns/memory_resolver.h"
#include "smtp/tls_tally.h"
#include "store/directory_reader.h"
#include "store/mailbox_reader.h"
#include "store/queue_reader.h"
#include "store/tls_reader.h"

namespace posthus::smtp {
namespace {

constexpr std::int64_t kDay = 86'400;

class PostBox final : public PolicyFetcher {
 public:
  void fetch(std::string, std::move_only_function<void(Result<std::string>)> done) override { done(fail(ErrorKind::kBusy)); }
  void post(std::string uri, std::string report, std::move_only_function<void(Result<>)> done) override {
    posts.emplace_back(std::move(uri), std::move(report));
    done(is_refusing ? Result<>(fail(ErrorKind::kUnavailable, "so told")) : Result<>());
  }
  std::vector<std::pair<std::string, std::string>> posts;
  bool is_refusing = false;
};

class TlsReportsTest : public ::testing::Test {
 protected:
  TlsReportsTest() {
    log::configure(log::Level::kError, log::Format::kText);
    must(store::PutDomain{{.name = "home.test"}});
    EXPECT_TRUE(
        resolver.add_zone("_smtp._tls.by-mail.test TXT \"v=TLSRPTv1; rua=mailto:tls@reports.test\"\n"
                          "_smtp._tls.by-web.test TXT \"v=TLSRPTv1; rua=https://reports.test/in\"\n"
                          "_smtp._tls.both.test TXT \"v=TLSRPTv1; rua=https://reports.test/in,mailto:tls@both.test\"\n"));
    reports = make();
  }
  std::unique_ptr<TlsReports> make() {
    return std::make_unique<TlsReports>(TlsReportsContext{
        .store = *store,
        .resolver = resolver,
        .fetcher = post_box,
        .clock = clock,
        .hostname = "mx.home.test",
        .run_blocking = [this](std::move_only_function<void()> work) { work_.push_back(std::move(work)); },
        .sign = [](const std::string& domain,
                   std::string_view) { return Result<Signature>(Signature{"DKIM-Signature: of " + domain + "\r\n", domain}); },
        .queued = [this](const std::string& domain) { queued.push_back(domain); }});
  }
  template <class Request>
  void must(Request request) {
    const auto outcome = store->apply(std::move(request));
    ASSERT_TRUE(outcome) << outcome.error().context;
  }
  void tick() {
    reports->tick();
    work();
  }
  void work() {
    while (!work_.empty()) {
      auto next = std::move(work_.front());
      work_.erase(work_.begin());
      next();
    }
    must(store::RemoveStsPolicy{"none"});  // what was submitted before is done by now
  }
  void count(const std::string& domain, TlsResult result = TlsResult::kSuccess) {
    reports->add({}, {.domain = domain, .host = "mx." + domain, .result = result, .reason = "because"});
  }
  std::vector<store::TlsTallyRecord> tallies() {
    const auto snapshot = store->snapshot();
    return store::TlsReader(**snapshot).tls_tallies_before(1'000'000, 100).value();
  }
  std::vector<store::QueuedMessage> queue() {
    const auto snapshot = store->snapshot();
    return store::QueueReader(**snapshot).messages(QueueId{}, 100, 100).value();
  }
  std::string text_of(const store::QueueEntry& entry) {
    const auto snapshot = store->snapshot();
    std::string text;
    EXPECT_TRUE(store->read_message(**snapshot, entry.blob, 0, entry.size, text));
    return text;
  }
  void next_day() {
    clock.set(Timestamp::from_seconds((clock.now().seconds() / kDay + 1) * kDay + TlsReports::kMaxDelaySeconds));
  }

  ManualClock clock{Timestamp::from_seconds(20'000 * kDay + 3600)};
  std::unique_ptr<store::Store> store = store::Store::create_in_memory(clock);
  dns::MemoryResolver resolver;
  PostBox post_box;
  std::vector<std::string> queued;
  std::vector<std::move_only_function<void()>> work_;
  std::unique_ptr<TlsReports> reports;
};

TEST_F(TlsReportsTest, OnlyDomainsThatAskForReportsAreKept) {
  count("by-mail.test");
  count("silent.test");
  tick();
  ASSERT_EQ(tallies().size(), 1u);
  EXPECT_EQ(tallies()[0].domain, "by-mail.test");
  EXPECT_EQ(tallies()[0].day, 20'000u);
}

TEST_F(TlsReportsTest, AnOrderlyEndJoinsWhatWasCounted) {
  count("by-mail.test");
  reports->flush_within(std::chrono::milliseconds(0));
  work();
  EXPECT_EQ(tallies().size(), 1u);
  EXPECT_TRUE(post_box.posts.empty());
}

TEST_F(TlsReportsTest, CountsAddUpAcrossTicksAndRestarts) {
  count("by-mail.test");
  count("by-mail.test", TlsResult::kCertificateExpired);
  tick();
  reports = make();
  count("by-mail.test");
  count("by-mail.test", TlsResult::kCertificateExpired);
  count("by-mail.test", TlsResult::kStartTlsNotSupported);
  tick();
  ASSERT_EQ(tallies().size(), 1u);
  ASSERT_EQ(tallies()[0].policies.size(), 1u);
  const store::TlsPolicyTally policy = tallies()[0].policies[0];
  EXPECT_EQ(policy.successes, 2u);
  EXPECT_EQ(policy.failures, 3u);
  ASSERT_EQ(policy.details.size(), 2u);
  EXPECT_EQ(policy.details[0].count, 2u);
}

TEST_F(TlsReportsTest, WhenTheDnsIsSilentNothingIsLost) {
  resolver.add("_smtp._tls.by-mail.test", dns::RecordType::kTxt, {.status = dns::Status::kTemporary});
  count("by-mail.test");
  tick();
  EXPECT_TRUE(tallies().empty());
  resolver.add("_smtp._tls.by-mail.test", dns::RecordType::kTxt,
               {.status = dns::Status::kFound, .texts = {"v=TLSRPTv1; rua=mailto:tls@reports.test"}});
  count("by-mail.test");
  tick();
  EXPECT_EQ(tallies().at(0).policies.at(0).successes, 2u);
}

TEST_F(TlsReportsTest, TheDayAfterAReportIsQueued) {
  count("by-mail.test", TlsResult::kCertificateExpired);
  tick();
  tick();
  EXPECT_TRUE(queue().empty()) << "the day is not over";
  next_day();
  tick();
  ASSERT_EQ(queue().size(), 1u);
  const store::QueuedMessage message = queue()[0];
  EXPECT_EQ(message.entry.origin, store::QueueOrigin::kReport);
  EXPECT_EQ(message.entry.reverse_path, "");
  EXPECT_EQ(message.entry.extra_header, "DKIM-Signature: of home.test\r\n");
  EXPECT_EQ(message.entry.signing_domain, "home.test");
  EXPECT_TRUE(message.entry.ignores_tls_policy) << "RFC 8460 §3: despite TLS failures, and not counted";
  EXPECT_EQ(message.recipients.at(0).address, "tls@reports.test");
  EXPECT_EQ(message.recipients.at(0).domain, "reports.test");
  EXPECT_EQ(queued, std::vector<std::string>{"reports.test"});
  const std::string text = text_of(message.entry);
  EXPECT_NE(text.find("TLS-Report-Domain: by-mail.test\r\nTLS-Report-Submitter: home.test\r\n"), std::string::npos) << text;
  EXPECT_TRUE(tallies().empty());
  tick();
  EXPECT_EQ(queue().size(), 1u) << "once";
}

TEST_F(TlsReportsTest, ReportsAreHandedInByHttps) {
  count("by-web.test");
  tick();
  next_day();
  tick();
  ASSERT_EQ(post_box.posts.size(), 1u);
  EXPECT_EQ(post_box.posts[0].first, "https://reports.test/in");
  EXPECT_TRUE(post_box.posts[0].second.starts_with("\x1f\x8b"));
  EXPECT_TRUE(tallies().empty());
  EXPECT_TRUE(queue().empty());
}

TEST_F(TlsReportsTest, WhenOneEndpointFailsTheNextGetsIt) {
  post_box.is_refusing = true;
  count("both.test");
  tick();
  next_day();
  tick();
  EXPECT_EQ(post_box.posts.size(), 1u);
  EXPECT_EQ(queue().size(), 1u);
  EXPECT_TRUE(tallies().empty());
}

TEST_F(TlsReportsTest, AReportNobodyTakesIsTriedHourlyForADay) {
  post_box.is_refusing = true;
  count("by-web.test");
  tick();
  next_day();
  tick();
  tick();
  EXPECT_EQ(post_box.posts.size(), 1u);
  clock.advance(3601ll * 1'000'000);
  tick();
  EXPECT_EQ(post_box.posts.size(), 2u);
  EXPECT_EQ(tallies().size(), 1u);
  clock.advance(kDay * 1'000'000);
  tick();
  EXPECT_TRUE(tallies().empty()) << "too old";
  EXPECT_EQ(post_box.posts.size(), 2u);
}

TEST_F(TlsReportsTest, WhoAsksNoMoreGetsNone) {
  count("by-mail.test");
  tick();
  resolver.add("_smtp._tls.by-mail.test", dns::RecordType::kTxt, {.status = dns::Status::kNoName});
  next_day();
  tick();
  EXPECT_TRUE(queue().empty());
  EXPECT_TRUE(tallies().empty());
}

TEST_F(TlsReportsTest, AReportToADomainOfOursStaysHereAndIsNotReportedOn) {
  must(store::PutUser{{.address = "anna@home.test"}});
  ASSERT_TRUE(
      resolver.add_zone("_smtp._tls.backup.test TXT \"v=TLSRPTv1; rua=mailto:anna@home.test\"\n"
                        "_smtp._tls.nobody.test TXT \"v=TLSRPTv1; rua=mailto:nobody@home.test\"\n"));
  count("backup.test", TlsResult::kCertificateExpired);
  count("nobody.test");
  tick();
  next_day();
  tick();
  EXPECT_TRUE(queue().empty()) << "it would go out only to come back";
  EXPECT_TRUE(queued.empty());
  EXPECT_TRUE(tallies().empty());
  const auto snapshot = store->snapshot();
  const auto inbox = store::DirectoryReader(**snapshot)
                         .resolve(*mail::parse_mailbox("anna@home.test", mail::Utf8::kRefuse), 0, store::QuotaCheck::kNone);
  ASSERT_EQ(inbox->inboxes.size(), 1u);
  EXPECT_EQ(store::MailboxReader::open(**snapshot, inbox->inboxes[0])->record().messages, 1u);
}

TEST(TlsTallyTest, HostileTextsAndManyKindsAreBounded) {
  store::TlsTallyRecord tally{.day = 1, .domain = "a.test", .policies = {}};
  for (int i = 0; i < 1000; ++i) {
    TlsPolicy policy;
    policy.text = {"policy " + std::to_string(i)};
    count_outcome(tally, policy,
                  {.domain = "a.test",
                   .host = "h" + std::to_string(i),
                   .result = TlsResult::kValidationFailure,
                   .greeting_name = std::string(10'000, 'g'),
                   .reason = std::string(10'000, 'r')});
  }
  ASSERT_EQ(tally.policies.size(), kMaxTalliedPolicies);
  std::uint64_t failures = 0;
  for (const auto& policy : tally.policies) {
    failures += policy.failures;
    EXPECT_LE(policy.details.size(), kMaxTalliedFailures);
    for (const auto& detail : policy.details) EXPECT_EQ(detail.reason.size(), kMaxTalliedText);
  }
  EXPECT_EQ(failures, 1000u) << "every connection counts somewhere";
}

TEST(TlsTallyTest, AReportCoversItsDay) {
  store::TlsTallyRecord tally{.day = 20'000, .domain = "a.test", .policies = {}};
  TlsPolicy policy;
  policy.kind = TlsPolicy::Kind::kMtaSts;
  policy.text = {"version: STSv1"};
  policy.mx_patterns = {"*.a.test"};
  count_outcome(tally, policy, {.domain = "a.test", .host = "mx.a.test", .result = TlsResult::kCertificateHostMismatch});
  const mailauth::TlsReport report = make_tls_report(tally, "home.test");
  EXPECT_EQ(report.contact, "postmaster@home.test");
  EXPECT_EQ(report.end.seconds() - report.begin.seconds(), kDay - 1);
  ASSERT_EQ(report.policies.size(), 1u);
  EXPECT_EQ(report.policies[0].type, "sts");
  EXPECT_EQ(report.policies[0].details.at(0).result_type, "certificate-host-mismatch");
  EXPECT_EQ(report.id, make_tls_report(tally, "home.test").id) << "a second report of the same is known as such";
}

}  // namespace
}  // namespace posthus::smtp
