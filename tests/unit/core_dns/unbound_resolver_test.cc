// The resolver against a real authoritative server: records, aliases, secure, insecure, bogus, dead. RFC 4035 §4.3.
#include "core/dns/unbound_resolver.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <future>
#include <memory>

#include "core/base/file.h"
#include "core/base/log.h"
#include "tests/unit/core_dns/dns_site.h"

namespace posthus::dns {

DnsSite::DnsSite(const std::string& json) {
  const std::string path = ::testing::TempDir() + "dns_site_" + std::to_string(getpid()) + ".json";
  std::ofstream(path) << json;
  int to_child[2], from_child[2];
  if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0) return;
  child_ = fork();
  if (child_ == 0) {
    dup2(to_child[0], 0);
    dup2(from_child[1], 1);
    execl("/usr/bin/python3", "python3", POSTHUS_SOURCE_DIR "/tests/support/dns_site.py", path.c_str(), nullptr);
    _exit(127);
  }
  close(to_child[0]);
  close(from_child[1]);
  input_ = to_child[1];
  std::string line;
  char c = 0;
  while (read(from_child[0], &c, 1) == 1 && c != '\n') line.push_back(c);
  close(from_child[0]);
  unlink(path.c_str());
  const std::size_t space = line.find(' ');
  if (space == std::string::npos) {
    ADD_FAILURE() << "dns_site.py did not start";
    return;
  }
  server_ = "127.0.0.1@" + line.substr(0, space);
  trust_anchor_ = line.substr(space + 1);
}

DnsSite::~DnsSite() {
  close(input_);  // which ends it
  if (child_ > 0) waitpid(child_, nullptr, 0);
}

namespace {

constexpr const char* kSite = R"({
  "zones": {
    "signed.test": "@ MX 20 mx2\n@ MX 10 MX1.signed.test.\nmx1 A 127.0.0.5\nmx1 AAAA ::5\nmx2 A 127.0.0.6\n@ TXT \"v=spf1 \" \"-all\"\n@ TXT second\n_25._tcp.mx1 TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\nalias CNAME mx1\nfar CNAME alias.plain.test.\nloop CNAME pool\npool CNAME loop\nnull MX 0 .\n_imap._tcp SRV 1 2 143 mx1\nodd MX 10 a\\ b.signed.test.\nmany MX 1 h\n*.wild A 127.0.0.9",
    "plain.test": "@ MX 10 mx\nmx A 127.0.0.7\nalias CNAME mx",
    "forged.test": "@ MX 10 mx\nmx A 127.0.0.8",
    "127.in-addr.arpa": "5.0.0 PTR mx1.signed.test."
  },
  "insecure": ["plain.test"], "bogus": ["forged.test"], "broken": ["dead.test"]})";

class UnboundResolverTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    log::configure(log::Level::kError, log::Format::kText);
    site_ = new DnsSite(kSite);
    resolver_ = new UnboundResolver({.servers = {site_->server()}, .trust_anchor = site_->trust_anchor()});
  }
  static void TearDownTestSuite() {
    delete resolver_;
    delete site_;
  }
  static Answer ask(Resolver& resolver, const std::string& name, RecordType type) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto future = promise->get_future();
    resolver.resolve(name, type, [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return future.get();
  }
  static Answer ask(const std::string& name, RecordType type) { return ask(*resolver_, name, type); }

  static inline DnsSite* site_ = nullptr;
  static inline UnboundResolver* resolver_ = nullptr;
};

TEST_F(UnboundResolverTest, RecordsOfASignedZoneAreSecure) {
  const Answer mx = ask("signed.test", RecordType::kMx);
  ASSERT_EQ(mx.status, Status::kFound) << mx.reason;
  EXPECT_TRUE(mx.is_secure);
  EXPECT_EQ(mx.canonical_name, "signed.test");
  EXPECT_GT(mx.time_to_live.count(), 0);
  EXPECT_LE(mx.time_to_live.count(), 60);
  ASSERT_EQ(mx.exchanges.size(), 2u);
  const auto& first = mx.exchanges[0].preference == 10 ? mx.exchanges[0] : mx.exchanges[1];
  EXPECT_EQ(first.exchange, "mx1.signed.test") << "names are normalised";
  EXPECT_EQ(to_string(ask("mx1.signed.test", RecordType::kA).addresses.at(0)), "127.0.0.5");
  EXPECT_EQ(to_string(ask("mx1.signed.test", RecordType::kAaaa).addresses.at(0)), "::5");
  const Answer tlsa = ask("_25._tcp.mx1.signed.test", RecordType::kTlsa);
  EXPECT_TRUE(tlsa.is_secure);
  ASSERT_EQ(tlsa.tlsa.size(), 1u);
  EXPECT_EQ(tlsa.tlsa[0].usage, 3);
  EXPECT_EQ(tlsa.tlsa[0].data.size(), 32u);
  const Answer srv = ask("_imap._tcp.signed.test", RecordType::kSrv);
  ASSERT_EQ(srv.services.size(), 1u);
  EXPECT_EQ(srv.services[0].port, 143);
  EXPECT_EQ(srv.services[0].target, "mx1.signed.test");
  EXPECT_EQ(ask("5.0.0.127.in-addr.arpa", RecordType::kPtr).names.at(0), "mx1.signed.test");
  EXPECT_EQ(to_string(ask("any.wild.signed.test", RecordType::kA).addresses.at(0)), "127.0.0.9");
}

TEST_F(UnboundResolverTest, TextsAreJoinedWithinARecordOnly) {
  Answer answer = ask("signed.test", RecordType::kTxt);
  std::sort(answer.texts.begin(), answer.texts.end());
  EXPECT_EQ(answer.texts, (std::vector<std::string>{"second", "v=spf1 -all"}));
}

TEST_F(UnboundResolverTest, ANullMxIsAnEmptyExchange) {
  const Answer answer = ask("null.signed.test", RecordType::kMx);
  ASSERT_EQ(answer.exchanges.size(), 1u);
  EXPECT_EQ(answer.exchanges[0].exchange, "");
}

TEST_F(UnboundResolverTest, AnUnreadableRecordIsTemporaryNotAbsent) {
  const Answer answer = ask("odd.signed.test", RecordType::kMx);
  EXPECT_EQ(answer.status, Status::kTemporary);
  EXPECT_EQ(answer.reason, "no record could be read");
}

TEST_F(UnboundResolverTest, AbsenceIsProvenInASignedZone) {
  const Answer no_data = ask("mx1.signed.test", RecordType::kMx);
  EXPECT_EQ(no_data.status, Status::kNoData);
  EXPECT_TRUE(no_data.is_secure);
  const Answer no_name = ask("none.signed.test", RecordType::kMx);
  EXPECT_EQ(no_name.status, Status::kNoName);
  EXPECT_TRUE(no_name.is_secure);
  const Answer no_zone = ask("no-such-zone.example", RecordType::kMx);
  EXPECT_EQ(no_zone.status, Status::kNoName) << no_zone.reason;
}

TEST_F(UnboundResolverTest, AnUnsignedZoneIsNotSecure) {
  const Answer found = ask("plain.test", RecordType::kMx);
  EXPECT_EQ(found.status, Status::kFound) << found.reason;
  EXPECT_FALSE(found.is_secure);
  const Answer absent = ask("none.plain.test", RecordType::kMx);
  EXPECT_EQ(absent.status, Status::kNoName);
  EXPECT_FALSE(absent.is_secure);
}

TEST_F(UnboundResolverTest, AForgedAnswerIsBogusAndGivesNothing) {
  const Answer answer = ask("forged.test", RecordType::kMx);
  EXPECT_EQ(answer.status, Status::kBogus);
  EXPECT_TRUE(answer.exchanges.empty());
  EXPECT_FALSE(answer.is_secure);
  EXPECT_NE(answer.reason, "");
}

TEST_F(UnboundResolverTest, AliasesAreFollowedAndSecureOnlyAllTheWay) {
  const Answer near = ask("alias.signed.test", RecordType::kA);
  ASSERT_EQ(near.status, Status::kFound);
  EXPECT_EQ(near.canonical_name, "mx1.signed.test");
  EXPECT_TRUE(near.is_secure);
  const Answer far = ask("far.signed.test", RecordType::kA);
  ASSERT_EQ(far.status, Status::kFound) << far.reason;
  EXPECT_EQ(far.canonical_name, "mx.plain.test");
  EXPECT_FALSE(far.is_secure);
  EXPECT_EQ(ask("alias.signed.test", RecordType::kCname).names.at(0), "mx1.signed.test");
  EXPECT_EQ(ask("loop.signed.test", RecordType::kA).status, Status::kTemporary);
}

TEST_F(UnboundResolverTest, AServerFailureIsTemporary) {
  const Answer answer = ask("dead.test", RecordType::kMx);
  EXPECT_EQ(answer.status, Status::kTemporary);
  EXPECT_EQ(answer.reason, "SERVFAIL");
}

TEST_F(UnboundResolverTest, WhatIsNoNameIsNotAsked) {
  const std::string long_label(64, 'a'), long_name(300, 'b');
  for (const std::string& name : {std::string(), std::string("."), std::string("a..b"), std::string(".a"), std::string("a."),
                                  std::string("a b"), long_label, long_name}) {
    EXPECT_EQ(ask(name, RecordType::kA).status, Status::kNoName) << name;
  }
  EXPECT_EQ(ask("a\\", RecordType::kA).status, Status::kNoName) << "an escape without end";
  EXPECT_EQ(ask("mx1.signed.test", RecordType::kA).status, Status::kFound) << "and the others still get answers";
}

TEST_F(UnboundResolverTest, WithoutATrustAnchorNothingIsSecure) {
  UnboundResolver resolver({.servers = {site_->server()}, .trust_anchor = "/nonexistent/root.key"});
  const Answer answer = ask(resolver, "signed.test", RecordType::kMx);
  EXPECT_EQ(answer.status, Status::kFound);
  EXPECT_FALSE(answer.is_secure);
}

/// A UDP socket that takes questions and never answers.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t length = sizeof address;
    EXPECT_EQ(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    name_ = "127.0.0.1@" + std::to_string(ntohs(address.sin_port));
  }
  const std::string& name() const { return name_; }
  /// Waits for one question to come.
  void take() {
    std::array<char, 512> bytes;
    EXPECT_GT(recv(socket_.get(), bytes.data(), bytes.size(), 0), 0);
  }

 private:
  UniqueFd socket_;
  std::string name_;
};

TEST_F(UnboundResolverTest, ASilentServerIsGivenUpInTime) {
  SilentServer server;
  UnboundResolver resolver({.servers = {server.name()}, .trust_anchor = "", .deadline = std::chrono::milliseconds(50)});
  const Answer answer = ask(resolver, "example.org", RecordType::kMx);
  EXPECT_EQ(answer.status, Status::kTemporary);
  EXPECT_EQ(answer.reason, "no answer in time");
  EXPECT_EQ(answer.canonical_name, "example.org");
}

TEST_F(UnboundResolverTest, EqualQuestionsShareOnePlace) {
  SilentServer server;
  auto resolver =
      std::make_unique<UnboundResolver>(UnboundOptions{.servers = {server.name()}, .trust_anchor = "", .max_in_flight = 1});
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 50; ++i) {
    auto promise = std::make_shared<std::promise<Answer>>();
    answers.push_back(promise->get_future());
    resolver->resolve("example.org", RecordType::kMx, [promise](Answer answer) { promise->set_value(std::move(answer)); });
  }
  server.take();
  resolver.reset();
  for (auto& answer : answers) {
    const Answer ended = answer.get();
    EXPECT_EQ(ended.status, Status::kTemporary);
    EXPECT_EQ(ended.reason, "shutting down");
    EXPECT_EQ(ended.canonical_name, "example.org");
  }
  // Alone in its only place: what was asked meanwhile must have joined it, or it would have been told apart here.
  UnboundResolver given_up(
      {.servers = {server.name()}, .trust_anchor = "", .deadline = std::chrono::milliseconds(300), .max_in_flight = 1});
  std::vector<std::string> order;
  std::promise<void> all;
  const auto note = [&](const std::string& word) {
    return [&order, &all, word](const Answer&) {
      order.push_back(word);
      if (order.size() == 3) all.set_value();
    };
  };
  given_up.resolve("a.example", RecordType::kMx, note("a"));
  given_up.resolve("b.example", RecordType::kMx, note("b"));
  given_up.resolve("a.example", RecordType::kMx, note("a again"));
  all.get_future().wait();
  EXPECT_EQ(order, (std::vector<std::string>{"a", "a again", "b"}));
}

TEST_F(UnboundResolverTest, WhoIsToldOfTheEndMayAskAgain) {
  SilentServer server;
  UnboundResolver resolver({.servers = {server.name()}, .trust_anchor = ""});
  std::vector<std::string> reasons;
  resolver.resolve("example.org", RecordType::kMx, [&](const Answer& first) {
    reasons.push_back(first.reason);
    resolver.resolve("example.com", RecordType::kMx, [&](const Answer& second) { reasons.push_back(second.reason); });
  });
  server.take();
  resolver.stop();
  EXPECT_EQ(reasons, (std::vector<std::string>{"shutting down", "shutting down"}));
  EXPECT_EQ(ask(resolver, "example.net", RecordType::kA).reason, "shutting down");
  resolver.stop();
}

TEST_F(UnboundResolverTest, QuestionsWaitForAFreePlaceAndAreRefusedWhenTooMany) {
  SilentServer server;
  UnboundResolver resolver({.servers = {server.name()},
                            .trust_anchor = "",
                            .deadline = std::chrono::milliseconds(50),
                            .max_in_flight = 2,
                            .max_waiting = 5});
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 5; ++i) {
    auto promise = std::make_shared<std::promise<Answer>>();
    answers.push_back(promise->get_future());
    resolver.resolve("host" + std::to_string(i) + ".example", RecordType::kMx,
                     [promise](Answer answer) { promise->set_value(std::move(answer)); });
  }
  // WHY: the first may have been given up by now on a slow machine; then there is room for this one too.
  const Answer sixth = ask(resolver, "host6.example", RecordType::kMx);
  EXPECT_EQ(sixth.status, Status::kTemporary);
  for (auto& answer : answers) EXPECT_EQ(answer.get().reason, "no answer in time");
}

TEST_F(UnboundResolverTest, ABrokenTrustAnchorMakesEveryAnswerTemporary) {
  const std::string path = ::testing::TempDir() + "broken_anchor_" + std::to_string(getpid());
  ASSERT_TRUE(write_file_durably(path, "this is no key\n"));
  log::configure(log::Level::kError, log::Format::kText);
  UnboundResolver resolver({.servers = {site_->server()}, .trust_anchor = path});
  for (int i = 0; i < 2; ++i) {
    const Answer answer = ask(resolver, "plain.test", RecordType::kMx);
    EXPECT_EQ(answer.status, Status::kTemporary);
    EXPECT_NE(answer.reason, "");
  }
  unlink(path.c_str());
}

TEST(UnboundConfigurationTest, NothingGetsIntoItThatIsNoServer) {
  EXPECT_FALSE(unbound_configuration({.servers = {"127.0.0.1\n include: x"}, .trust_anchor = ""}));
  EXPECT_FALSE(unbound_configuration({.servers = {}, .trust_anchor = "/tmp/a\" \n"}));
  const auto recursive = unbound_configuration({});
  ASSERT_TRUE(recursive);
  EXPECT_EQ(recursive->find("forward-zone"), std::string::npos);
  EXPECT_EQ(recursive->find("do-not-query-localhost: no"), std::string::npos)
      << "strangers' zones must not point us at ourselves";
}

}  // namespace
}  // namespace posthus::dns
