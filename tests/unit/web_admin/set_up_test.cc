// Setting up a new server: what answers before it, each step alone and again, what a wrong one leaves, and how it ends.
#include <gtest/gtest.h>

#include "core/dns/memory_resolver.h"
#include "core/sasl/totp.h"
#include "store/directory_reader.h"
#include "store/identity_reader.h"
#include "tests/support/memory_dialer.h"
#include "tests/support/world.h"
#include "tests/unit/web_admin/outside_doubles.h"
#include "web-admin/api.h"
#include "web-admin/first_start.h"
#include "web-admin/outside.h"
#include "web-admin/panel.h"

namespace posthus::web_admin {
namespace {

/// A smarthost that takes the login and refuses the recipient, or what a test says.
class OneTest final : public SendTests {
 public:
  Result<std::string> start(const mail::Address& address, const std::optional<std::string>&) override {
    run.id = "run-1";
    run.address = mail::to_string(address);
    return run.id;
  }
  std::optional<SendTest> find(std::string_view id) override { return id == run.id ? std::optional(run) : std::nullopt; }
  SendTest run;
};

class SetUpTest : public ::testing::Test {
 protected:
  SetUpTest() : store_(store::Store::create_in_memory(clock_)) { start(); }

  // As after a restart: what the store says, a new token.
  void start(bool is_hostname_fixed = false) {
    const auto snapshot = store_->snapshot();
    const auto hostname = chosen_hostname(**snapshot);
    first_start_ = std::make_unique<FirstStart>(*is_set_up(**snapshot), Secret(std::string(kToken)), [this] { ++restarts_; });
    api_ = std::make_unique<Api>(ServerContext{.store = *store_,
                                               .clock = clock_,
                                               .hostname = hostname->value_or("localhost"),
                                               .password_cost = testing::kCheapCost,
                                               .make_signing_key = testing::key_made_once,
                                               .first_start = first_start_.get(),
                                               .is_hostname_fixed = is_hostname_fixed});
    outside_.make_resolver = [this] { return std::make_unique<SameResolver>(zone_); };
    outside_.dialer = &dialer_;
    api_->set_outside(outside_);
    api_->set_send_tests(test_);
  }

  Response call(const std::string& method, const std::string& target, const std::string& body = "",
                const std::string& token = std::string(kToken)) {
    Request request{.method = method, .target = target, .content_type = "application/json"};
    if (!token.empty()) request.authorization = "Bearer " + token;
    request.body = body;
    request.origin = {.remote_address = "203.0.113.5", .is_tls = true};
    return api_->handle(request);
  }
  Response step(const std::string& name, const std::string& body) { return call("PUT", "/api/v1/setup/" + name, body); }
  Response local(const std::string& method, const std::string& target, const std::string& body = "") {
    Request request{.method = method, .target = target, .content_type = "application/json"};
    request.body = body;
    request.origin.is_unix_socket = true;
    return api_->handle(request);
  }
  bool has_user(const std::string& address) { return store::DirectoryReader(**store_->snapshot()).user(address)->has_value(); }
  bool has_domain(const std::string& name) { return store::DirectoryReader(**store_->snapshot()).domain(name)->has_value(); }
  static bool has(const Response& response, std::string_view text) { return response.body.find(text) != std::string::npos; }
  /// The step in the list of steps.
  bool is_done(const std::string& name) {
    const Response state = call("GET", "/api/v1/setup");
    const std::size_t at = state.body.find("\"name\":\"" + name + "\"");
    EXPECT_NE(at, std::string::npos) << state.body;
    return state.body.substr(at, state.body.find('}', at) - at).find("\"done\":true") != std::string::npos;
  }

  static constexpr std::string_view kToken = "abcd-efgh-ijkl";
  static inline const std::string kAdmin = R"({"address":"admin@example.test","password":"password-1"})";
  ManualClock clock_{Timestamp::from_seconds(1'780'000'000)};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<FirstStart> first_start_;
  dns::MemoryResolver zone_;
  PromptDialer dialer_;
  OneTest test_;
  Outside outside_;
  std::unique_ptr<Api> api_;
  int restarts_ = 0;
};

TEST_F(SetUpTest, NothingElseAnswersBefore) {
  for (const char* target : {"/api/v1/status", "/api/v1/domains", "/api/v1/session", "/metrics", "/setup",
                             "/mail/config-v1.1.xml?emailaddress=a@example.test", "/.well-known/mta-sts.txt"}) {
    const Response response = call("GET", target, "", "");
    EXPECT_EQ(response.status, 503) << target;
    EXPECT_TRUE(has(response, "\"set_up\":false")) << target << response.body;
  }
  EXPECT_EQ(call("GET", "/healthz", "", "").status, 200);
  EXPECT_EQ(call("GET", "/readyz", "", "").status, 200);
  EXPECT_EQ(call("GET", "/.well-known/acme-challenge/x", "", "").status, 404);
  EXPECT_EQ(call("GET", "/assets/none.js", "", "").status, 404);
  EXPECT_EQ(call("GET", "/", "", "").status, 200);
  // The token of the set-up opens nothing else.
  EXPECT_EQ(call("GET", "/api/v1/domains").status, 503);
}

TEST_F(SetUpTest, StrangersLearnOnlyThatItIsNotSetUp) {
  EXPECT_EQ(call("GET", "/api/v1/setup", "", "").body, "{\"set_up\":false}\n");
  EXPECT_EQ(call("GET", "/api/v1/setup", "", "abcd-efgh-ijkm").status, 401);
  for (const char* token : {"", "abcd-efgh-ijkm", "abcd-efgh-ijk", "abcd-efgh-ijkll"}) {
    EXPECT_EQ(call("PUT", "/api/v1/setup/admin", kAdmin, token).status, 401) << token;
  }
  EXPECT_FALSE(has_user("admin@example.test"));
}

TEST_F(SetUpTest, TheTokenIsTakenOverTlsOnly) {
  Request request{.method = "PUT", .target = "/api/v1/setup/admin", .authorization = "Bearer " + std::string(kToken)};
  request.content_type = "application/json";
  request.body = kAdmin;
  request.origin = {.remote_address = "203.0.113.5"};
  EXPECT_EQ(api_->handle(request).status, 403);
  request.origin = {.remote_address = "127.0.0.1"};
  EXPECT_EQ(api_->handle(request).status, 200);
}

TEST_F(SetUpTest, TheAdminComesWithHisDomainAndIsReplacedByTheNextOne) {
  EXPECT_EQ(step("admin", R"({"address":"admin@example.test","password":"short"})").status, 400);
  EXPECT_FALSE(is_done("admin"));
  EXPECT_EQ(step("admin", R"({"address":"admin","password":"password-1"})").status, 400);
  EXPECT_EQ(step("admin", R"({"address":"admin@[192.0.2.1]","password":"password-1"})").status, 400);
  EXPECT_EQ(step("admin", kAdmin).status, 200);
  EXPECT_TRUE(is_done("admin") && is_done("domain"));
  EXPECT_EQ(step("admin", R"({"address":"admin@example.test","password":"password-2"})").status, 200) << "again";
  EXPECT_EQ(step("admin", R"({"address":"boss@other.test","password":"password-1"})").status, 200);
  EXPECT_TRUE(has_user("boss@other.test") && has_domain("other.test"));
  EXPECT_FALSE(has_user("admin@example.test") || has_domain("example.test"));
  EXPECT_EQ(store::DirectoryReader(**store_->snapshot()).user("boss@other.test")->value().role, store::Role::kServerAdmin);
}

TEST_F(SetUpTest, TheSecondFactorIsTriedBeforeItIsOn) {
  EXPECT_EQ(call("POST", "/api/v1/setup/factor").status, 409) << "there is nobody yet";
  ASSERT_EQ(step("admin", kAdmin).status, 200);
  EXPECT_EQ(step("factor", R"({"code":"123456"})").status, 409) << "it was not begun";
  const Response begun = call("POST", "/api/v1/setup/factor");
  ASSERT_EQ(begun.status, 200) << begun.body;
  EXPECT_TRUE(has(begun, "otpauth://totp/")) << begun.body;
  const std::string secret = first_start_->pending_factor();
  const std::string right = sasl::totp_code(secret, static_cast<std::uint64_t>(clock_.now().seconds() / sasl::kTotpSeconds));
  const std::string wrong = right == "000000" ? "000001" : "000000";
  EXPECT_EQ(step("factor", R"({"code":")" + wrong + "\"}").status, 403);
  EXPECT_FALSE(is_done("factor"));
  const Response on = step("factor", R"({"code":")" + right + "\"}");
  EXPECT_EQ(on.status, 201);
  EXPECT_TRUE(has(on, "recovery_codes"));
  start();
  EXPECT_TRUE(is_done("factor"));
  const auto snapshot = store_->snapshot();
  const auto user = store::DirectoryReader(**snapshot).user("admin@example.test").value().value();
  EXPECT_EQ(store::IdentityReader(**snapshot).second_factor(user.account).value().value().secret, secret);
  EXPECT_EQ(step("admin", R"({"address":"admin@example.test","password":"password-2"})").status, 200);
  EXPECT_TRUE(is_done("factor")) << "another password leaves it";
  EXPECT_EQ(step("admin", R"({"address":"boss@other.test","password":"password-1"})").status, 200);
  EXPECT_FALSE(is_done("factor")) << "it went with its account";
  const Response audit = local("GET", "/api/v1/audit");
  EXPECT_TRUE(has(audit, "/api/v1/setup/factor"));
  EXPECT_FALSE(has(audit, "otpauth") || has(audit, right));
}

TEST_F(SetUpTest, ACorrectedDomainLeavesNothingBehindAndAnInhabitedOneStays) {
  EXPECT_EQ(step("domain", R"({"name":"exmaple.test"})").status, 200);
  EXPECT_EQ(step("domain", R"({"name":"example.test"})").status, 200);
  EXPECT_FALSE(has_domain("exmaple.test"));
  EXPECT_EQ(step("admin", kAdmin).status, 200);
  EXPECT_EQ(step("domain", R"({"name":"second.test"})").status, 200);
  EXPECT_TRUE(has_domain("example.test")) << "the admin lives there";
  EXPECT_EQ(step("domain", R"({"name":"not a domain"})").status, 400);
  EXPECT_EQ(step("domain", R"({"name":"[192.0.2.1]"})").status, 400);
}

TEST_F(SetUpTest, ItIsTakenUpAgainAfterEveryStep) {
  ASSERT_TRUE(zone_.add_zone("mail.example.test A 192.0.2.9\n"));
  const std::vector<std::pair<std::string, std::string>> steps{
      {"admin", kAdmin},
      {"hostname", R"({"hostname":"mail.example.test"})"},
      {"domain", R"({"name":"example.test"})"},
      {"certificate", R"({"mode":"self_signed"})"},
      {"mailbox", R"({"address":"anna@example.test","password":"password-3"})"}};
  for (const auto& [name, body] : steps) {
    const int status = step(name, body).status;
    EXPECT_TRUE(status == 200 || (name == "hostname" && status == 202)) << name << status;
    start();
    EXPECT_FALSE(first_start_->is_set_up()) << "what the set-up itself has made does not count as its end: " << name;
    EXPECT_TRUE(is_done(name)) << name;
  }
  EXPECT_EQ(call("POST", "/api/v1/setup/finish").status, 200);
  start();
  EXPECT_TRUE(first_start_->is_set_up());
}

TEST_F(SetUpTest, ANewNameIsLookedUpAndNeedsANewBeginning) {
  ASSERT_TRUE(zone_.add_zone("mail.example.test A 192.0.2.9\nother.example.test TXT \"x\"\n"));
  const Response none = step("hostname", R"({"hostname":"other.example.test"})");
  EXPECT_TRUE(none.status == 202 && has(none, "\"addresses\":[]") && has(none, "no address in the DNS yet")) << none.body;
  const Response found = step("hostname", R"({"hostname":"Mail.example.test","addresses":["192.0.2.9"]})");
  EXPECT_TRUE(found.status == 202 && has(found, "\"addresses\":[\"192.0.2.9\"]") && has(found, "\"restarts\":true"))
      << found.body;
  EXPECT_EQ(restarts_, 2);
  start();
  EXPECT_TRUE(has(call("GET", "/api/v1/setup"), "\"hostname\":\"mail.example.test\""));
  EXPECT_TRUE(has(local("GET", "/api/v1/settings/public.addresses"), "192.0.2.9"));
  const Response same = step("hostname", R"({"hostname":"mail.example.test"})");
  EXPECT_TRUE(same.status == 200 && has(same, "\"restarts\":false")) << same.body;
  EXPECT_EQ(restarts_, 2);
  for (const char* bad : {"localhost", "192.0.2.1", "[192.0.2.1]", "a b.test", ""}) {
    EXPECT_EQ(step("hostname", R"({"hostname":")" + std::string(bad) + "\"}").status, 400) << bad;
  }
  EXPECT_EQ(step("hostname", R"({"hostname":"mail.example.test","addresses":["nonsense"]})").status, 400);
}

TEST_F(SetUpTest, ANameOfTheSettingsStays) {
  start(true);
  EXPECT_EQ(step("hostname", R"({"hostname":"mail.example.test"})").status, 409);
  EXPECT_EQ(restarts_, 0);
}

TEST_F(SetUpTest, TheDirectWayOutIsTried) {
  local("PUT", "/api/v1/settings/delivery.probe_hosts", R"({"value":"mx.big.test"})");
  ASSERT_TRUE(zone_.add_zone("mx.big.test A 198.51.100.20\n"));
  const Response tried = step("sending", R"({"mode":"direct"})");
  EXPECT_EQ(tried.status, 200) << tried.body;
  EXPECT_TRUE(has(tried, "\"port_25\":{\"items\":[{\"subject\":\"mx.big.test (198.51.100.20)\",\"state\":\"wrong\""))
      << tried.body;
  EXPECT_TRUE(has(tried, "\"works\":false")) << tried.body;
  EXPECT_TRUE(is_done("sending"));
}

TEST_F(SetUpTest, ASmarthostIsKeptAndTriedWithItsLogin) {
  const std::string choice = R"({"mode":"smarthost","server":"smtps://smtp.relay.test","login":"us","password":"hidden-1"})";
  test_.run.verdict = "running";
  const Response begun = step("sending", choice);
  EXPECT_TRUE(begun.status == 200 && has(begun, "\"running\":true") && has(begun, "smtps://smtp.relay.test:465")) << begun.body;
  EXPECT_TRUE(has(begun, "postmaster@relay.test")) << begun.body;
  test_.run.verdict = "refused";
  test_.run.steps = {{.mark = "bad", .stage = "AUTH"}};
  EXPECT_TRUE(has(call("GET", "/api/v1/setup/sending"), "\"works\":false"));
  test_.run.steps = {{.mark = "good", .stage = "AUTH"}, {.mark = "bad", .stage = "RCPT"}};
  const Response over = call("GET", "/api/v1/setup/sending");
  EXPECT_TRUE(has(over, "\"running\":false,\"works\":true")) << over.body;
  EXPECT_EQ(over.body.find("hidden-1"), std::string::npos);
  // Back to direct: the route is gone.
  EXPECT_EQ(step("sending", R"({"mode":"direct"})").status, 200);
  EXPECT_EQ(local("GET", "/api/v1/routes/%2A").status, 404);
  EXPECT_EQ(step("sending", R"({"mode":"smarthost"})").status, 400);
  EXPECT_EQ(step("sending", R"({"mode":"smarthost","server":"nonsense"})").status, 400);
  EXPECT_EQ(step("sending", R"({"mode":"pigeon"})").status, 400);
}

TEST_F(SetUpTest, CertificatesAreOrderedOrRefusedAsElsewhere) {
  EXPECT_EQ(step("certificate", R"({"mode":"acme"})").status, 400) << "terms";
  EXPECT_EQ(step("certificate", R"({"mode":"upload","chain":"x","key":"y"})").status, 400);
  EXPECT_FALSE(is_done("certificate"));
  step("hostname", R"({"hostname":"mail.example.test"})");
  start();
  const Response ordered = step("certificate", R"({"mode":"acme","contact":"a@example.test","accept_terms":true})");
  EXPECT_TRUE(ordered.status == 200 && has(ordered, "\"hostname\":\"mail.example.test\",\"source\":\"acme\"")) << ordered.body;
  EXPECT_EQ(step("certificate", R"({"mode":"self_signed"})").status, 200);
  EXPECT_TRUE(has(call("GET", "/api/v1/setup/certificate"), "\"items\":[]"));
}

TEST_F(SetUpTest, TheRecordsOfTheFirstDomainAreShownAndLookedFor) {
  EXPECT_EQ(call("GET", "/api/v1/setup/dns").status, 404) << "no domain yet";
  step("admin", kAdmin);
  EXPECT_TRUE(has(call("GET", "/api/v1/setup/dns"), "\"domain\":\"example.test\""));
  EXPECT_FALSE(is_done("dns"));
  EXPECT_TRUE(has(call("POST", "/api/v1/setup/dns/check"), "\"light\":"));
  EXPECT_TRUE(is_done("dns"));
}

TEST_F(SetUpTest, TheEndNeedsAnAdminAndEndsTheToken) {
  EXPECT_EQ(call("POST", "/api/v1/setup/finish").status, 409);
  step("domain", R"({"name":"example.test"})");
  EXPECT_EQ(call("POST", "/api/v1/setup/finish").status, 409);
  step("admin", kAdmin);
  EXPECT_EQ(call("POST", "/api/v1/setup/finish").body, "{\"set_up\":true}\n");
  EXPECT_TRUE(first_start_->is_set_up());
  EXPECT_EQ(call("GET", "/api/v1/status").status, 401);
  EXPECT_EQ(step("admin", R"({"address":"thief@example.test","password":"password-1"})").status, 403);
  EXPECT_FALSE(has_user("thief@example.test"));
  EXPECT_EQ(call("GET", "/api/v1/setup").body, "{\"set_up\":true}\n");
  EXPECT_EQ(local("POST", "/api/v1/setup/finish").status, 409);
}

TEST_F(SetUpTest, TheUnixSocketDoesAllAndADomainMadeThereIsTheEnd) {
  EXPECT_EQ(local("GET", "/api/v1/status").status, 200);
  EXPECT_EQ(local("PUT", "/api/v1/settings/trace.days", R"({"value":"7"})").status, 200);
  EXPECT_FALSE(first_start_->is_set_up());
  EXPECT_EQ(local("POST", "/api/v1/domains", R"({"name":"not a domain"})").status, 400);
  EXPECT_FALSE(first_start_->is_set_up());
  EXPECT_EQ(local("POST", "/api/v1/domains", R"({"name":"example.test"})").status, 201);
  EXPECT_TRUE(first_start_->is_set_up());
}

TEST_F(SetUpTest, ACommandWithoutAServerEndsABegunSetUp) {
  step("domain", R"({"name":"example.test"})");
  api_ = std::make_unique<Api>(ServerContext{
      .store = *store_, .clock = clock_, .password_cost = testing::kCheapCost, .make_signing_key = testing::key_made_once});
  EXPECT_EQ(local("POST", "/api/v1/users", R"({"address":"a@example.test","password":"password-1"})").status, 201);
  start();
  EXPECT_TRUE(first_start_->is_set_up());
}

TEST_F(SetUpTest, AStoreOfAnOlderVersionCountsAsSetUp) {
  testing::World world;
  EXPECT_TRUE(*is_set_up(**world.store->snapshot()));
}

}  // namespace
}  // namespace posthus::web_admin
