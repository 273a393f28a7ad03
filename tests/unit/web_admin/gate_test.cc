// The gate as a session: framing, limits, deadlines, persistence.
#include <gtest/gtest.h>

#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"
#include "web-admin/api.h"
#include "web-admin/http_head.h"
#include "web-admin/server_session.h"

namespace posthus::web_admin {
namespace {

using testing::LoopbackDriver;

class GateTest : public ::testing::Test {
 protected:
  GateTest()
      : api_({.store = *world_.store,
              .authenticator = world_.authenticator.get(),
              .clock = world_.clock,
              .hostname = "localhost",
              .version = "1",
              .started = world_.clock.now()}),
        http_(api_),
        gate_{http_, world_.clock} {}

  void open(LoopbackDriver& driver, bool is_unix_socket = true) {
    session::ConnectionFacts facts{.remote_address = is_unix_socket ? "" : "192.0.2.1", .is_unix_socket = is_unix_socket};
    driver.open(make_server_session(gate_, facts, driver.waker()));
  }
  // What a fresh connection answers to `bytes`.
  std::string answer(std::string_view bytes, std::size_t cut = 0) {
    LoopbackDriver driver;
    open(driver);
    driver.send(bytes, cut);
    return driver.take_output();
  }
  // The status of that answer, and that the connection was closed.
  std::string refusal(std::string_view bytes) {
    LoopbackDriver driver;
    open(driver);
    driver.send(bytes);
    EXPECT_TRUE(driver.is_closed()) << bytes.substr(0, 200);
    const std::string output = driver.take_output();
    EXPECT_NE(output.find("Connection: close\r\n"), std::string::npos) << output;
    return output.substr(0, 12);
  }

  testing::World world_;
  Api api_;
  HttpServer http_;
  GateContext gate_;
};

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

std::string post(std::string_view path, std::string_view type, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

const std::string kHealth = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(GateTest, AnswersHoweverBytesAreCut) {
  for (const std::size_t cut : {0, 1, 2, 7}) {
    const std::string output = answer(kHealth, cut);
    EXPECT_TRUE(output.starts_with("HTTP/1.1 200 OK\r\n")) << output;
    EXPECT_TRUE(output.ends_with("\r\n\r\nok\n")) << output;
    const std::string made =
        answer(post("/api/v1/domains", "application/json", "{\"name\":\"cut" + std::to_string(cut) + ".test\"}"), cut);
    EXPECT_TRUE(made.starts_with("HTTP/1.1 201 Created\r\n")) << made;
  }
}

TEST_F(GateTest, AnswersCarrySecurityFields) {
  for (const std::string& output : {answer(kHealth), answer("GET / HTTP/9.9\r\n\r\n")}) {
    for (const char* field : {"X-Content-Type-Options: nosniff\r\n", "Cache-Control: no-store\r\n",
                              "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n", " GMT\r\n"}) {
      EXPECT_NE(output.find(field), std::string::npos) << field << output;
    }
    EXPECT_EQ(output.find("Access-Control"), std::string::npos);
  }
}

TEST_F(GateTest, PipelinedRequestsAreAnsweredInOrder) {
  LoopbackDriver driver;
  open(driver);
  driver.send(kHealth + "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n" + kHealth);
  const std::string output = driver.take_output();
  EXPECT_EQ(count(output, "HTTP/1.1 200 OK"), 3u);
  EXPECT_LT(output.find("ok\n"), output.find("ready\n"));
  EXPECT_FALSE(driver.is_closed());
}

TEST_F(GateTest, HeadHasNoBody) {
  const std::string output = answer("HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(output.ends_with("\r\n\r\n")) << output;
  EXPECT_NE(output.find("Content-Length: 3\r\n"), std::string::npos) << output;
}

TEST_F(GateTest, NoContentHasNoLength) {
  const std::string output = answer("DELETE /api/v1/domains/example.test HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(output.starts_with("HTTP/1.1 204 No Content\r\n")) << output;
  EXPECT_EQ(output.find("Content-Length"), std::string::npos);
}

TEST_F(GateTest, ClosesWhenAsked) {
  LoopbackDriver driver;
  open(driver);
  driver.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(driver.is_closed());
  EXPECT_NE(driver.take_output().find("Connection: close\r\n"), std::string::npos);
}

TEST_F(GateTest, ServesABoundedNumberOfRequests) {
  LoopbackDriver driver;
  open(driver);
  for (int i = 0; i < kMaxRequestsPerConnection - 1; ++i) driver.send(kHealth);
  EXPECT_FALSE(driver.is_closed());
  driver.take_output();
  driver.send(kHealth);
  EXPECT_TRUE(driver.is_closed());
  EXPECT_NE(driver.take_output().find("Connection: close\r\n"), std::string::npos);
}

TEST_F(GateTest, RefusesAmbiguousFraming) {
  EXPECT_EQ(refusal("POST /api/v1/check HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "HTTP/1.1 411");
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(refusal("GET /healthz HTTP/1.1\nHost: a\n\n"), "HTTP/1.1 400");
}

TEST_F(GateTest, LimitsTheHead) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nX: " + std::string(kMaxHead, 'a')), "HTTP/1.1 431");
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(kMaxHead, 'a') + "\r\n\r\n"), "HTTP/1.1 431");
  EXPECT_EQ(refusal("GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 414");
}

TEST_F(GateTest, LimitsTheBodyBeforeItComes) {
  const auto head = [](std::string_view line, std::uint64_t length) {
    return std::string(line) +
           " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  };
  EXPECT_EQ(refusal(head("POST /api/v1/domains", kMaxJsonBody + 1)), "HTTP/1.1 413");
  EXPECT_EQ(refusal(head("POST /api/v1/deliver?to=a@example.test", kMaxMessageBody + 1)), "HTTP/1.1 413");
  EXPECT_EQ(refusal(head("GET /healthz", 1)), "HTTP/1.1 413");
  EXPECT_EQ(refusal(head("POST /nothing", 1'000'000)), "HTTP/1.1 404");
}

TEST_F(GateTest, StrangersAreRefusedBeforeTheirBody) {
  LoopbackDriver driver;
  open(driver, false);
  driver.send(
      "POST /api/v1/deliver?to=a@example.test HTTP/1.1\r\nHost: a\r\nContent-Type: message/rfc822\r\nContent-Length: "
      "50000000\r\n\r\n");
  EXPECT_TRUE(driver.is_closed());
  EXPECT_TRUE(driver.take_output().starts_with("HTTP/1.1 401 "));
}

TEST_F(GateTest, ContinueIsSentOnceTheHeadIsAccepted) {
  LoopbackDriver driver;
  open(driver);
  const std::string body = "{\"name\":\"later.test\"}";
  driver.send(
      "POST /api/v1/domains HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_EQ(driver.take_output(), "HTTP/1.1 100 Continue\r\n\r\n");
  driver.send(body);
  EXPECT_TRUE(driver.take_output().starts_with("HTTP/1.1 201 "));

  LoopbackDriver refused;
  open(refused, false);
  refused.send(
      "POST /api/v1/domains HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: "
      "5\r\n\r\n");
  EXPECT_TRUE(refused.take_output().starts_with("HTTP/1.1 401 "));
}

TEST_F(GateTest, TricklingDoesNotProlongARequest) {
  LoopbackDriver driver;
  open(driver);
  driver.send("GET /healthz HT");
  EXPECT_EQ(driver.session().deadline(), kRequestTimeout);
  world_.clock.advance(20'000'000);
  driver.send("TP/1.1\r\n");
  EXPECT_EQ(driver.session().deadline(), std::chrono::seconds(10));
  world_.clock.advance(11'000'000);
  driver.send("Host");
  EXPECT_TRUE(driver.is_closed());
  EXPECT_TRUE(driver.take_output().starts_with("HTTP/1.1 408 "));
}

TEST_F(GateTest, AClockSetBackDoesNotProlongARequest) {
  LoopbackDriver driver;
  open(driver);
  driver.send("GET ");
  world_.clock.advance(-3'600'000'000);
  EXPECT_EQ(driver.session().deadline(), kRequestTimeout);
}

TEST_F(GateTest, TimeoutsAreToldOnlyDuringARequest) {
  LoopbackDriver idle;
  open(idle);
  EXPECT_EQ(idle.session().deadline(), kIdleTimeout);
  idle.time_out();
  EXPECT_EQ(idle.take_output(), "");
  LoopbackDriver busy;
  open(busy);
  busy.send("GET ");
  busy.time_out();
  EXPECT_TRUE(busy.take_output().starts_with("HTTP/1.1 408 "));
}

TEST_F(GateTest, UploadsMayTakeLonger) {
  world_.add_user("anna@example.test", "password-1");
  LoopbackDriver driver;
  open(driver);
  driver.send(
      "POST /api/v1/deliver?to=anna@example.test HTTP/1.1\r\nHost: a\r\nContent-Type: message/rfc822\r\nContent-Length: "
      "10\r\n\r\nSub");
  EXPECT_EQ(driver.session().deadline(), kUploadTimeout);
}

TEST_F(GateTest, WhatClientsSayAboutThemselvesIsNotBelieved) {
  LoopbackDriver driver;
  open(driver, false);
  driver.send("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nREMOTE_ADDR: 127.0.0.1\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n");
  EXPECT_TRUE(driver.take_output().starts_with("HTTP/1.1 401 "));
}

}  // namespace
}  // namespace posthus::web_admin
