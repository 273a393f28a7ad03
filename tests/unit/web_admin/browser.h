// A browser before the API, through the gate: signing in, cookies, and the fields the panel sends. For tests of who may do what.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/base/queue_id.h"
#include "store/queue_reader.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"
#include "web-admin/api.h"
#include "web-admin/server_session.h"

namespace posthus::web_admin {

struct Answer {
  int status = 0;
  std::string head, body;
  bool has(std::string_view text) const { return head.find(text) != std::string::npos || body.find(text) != std::string::npos; }
  /// The value of the first text member of this name; empty without.
  std::string text(const std::string& member) const {
    const std::string mark = "\"" + member + "\":\"";
    const std::size_t at = body.find(mark);
    return at == std::string::npos ? std::string()
                                   : body.substr(at + mark.size(), body.find('"', at + mark.size()) - at - mark.size());
  }
};

class BrowserTest : public ::testing::Test {
 protected:
  BrowserTest()
      : api_({.store = *world_.store,
              .authenticator = world_.authenticator.get(),
              .clock = world_.clock,
              .hostname = "mx.example.test",
              .version = "9.9",
              .started = world_.clock.now(),
              .password_cost = testing::kCheapCost,
              .make_signing_key = testing::key_made_once}),
        http_(api_),
        gate_{http_, world_.clock} {}

  Answer call(const std::string& method, const std::string& target, const std::string& body = "", const std::string& fields = "",
              bool is_local = false) {
    testing::LoopbackDriver driver;
    const session::ConnectionFacts facts{.remote_address = is_local ? "" : address_, .is_unix_socket = is_local};
    driver.open(make_server_session(gate_, facts, driver.waker()),
                is_tls_ && !is_local ? testing::Tls::kImplicit : testing::Tls::kNo);
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: " + host_ + "\r\n" + fields;
    if (!body.empty()) request += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    driver.send(request + "\r\n" + body);
    const std::string output = driver.take_output();
    const std::size_t end = output.find("\r\n\r\n");
    EXPECT_NE(end, std::string::npos) << method << ' ' << target << output;
    return {std::stoi(output.substr(9, 3)), output.substr(0, end), output.substr(end + 4)};
  }
  /// Over the Unix socket; dies when it is refused.
  Answer local(const std::string& method, const std::string& target, const std::string& body = "") {
    Answer answer = call(method, target, body, "", /*is_local=*/true);
    EXPECT_LT(answer.status, 300) << method << ' ' << target << ' ' << answer.body;
    return answer;
  }
  /// `more`: further members of the body.
  Answer sign_in(const std::string& login, const std::string& password, const std::string& more = "") {
    return sign_in_with(login, password, kPanel, more);
  }
  Answer sign_in_with(const std::string& login, const std::string& password, const std::string& fields,
                      const std::string& more = "") {
    return call("POST", "/api/v1/session", R"({"login":")" + login + R"(","password":")" + password + "\"" + more + "}", fields);
  }
  /// The fields of the browser that got this answer to its sign-in.
  static std::string fields_after(const Answer& answer) {
    EXPECT_EQ(answer.status, 201) << answer.body;
    const std::size_t at = answer.head.find("__Host-posthus=");
    if (at == std::string::npos) return {};
    return "Cookie: theme=dark; " + answer.head.substr(at, answer.head.find(';', at) - at) + "\r\n" + kPanel;
  }
  std::string browser(const std::string& login, const std::string& password) { return fields_after(sign_in(login, password)); }

  static std::string without_panel(const std::string& fields) { return fields.substr(0, fields.size() - kPanel.size()); }

  /// Queues a message; its id as text.
  std::string queue(std::string_view account, const std::vector<std::string>& recipients, const std::string& trace,
                    std::size_t body_bytes = 1) {
    world_.clock.advance(1'000'000);
    store::AddMessage message{.message = world_.store->begin_message(), .targets = {}, .internal_date = world_.clock.now()};
    EXPECT_TRUE(message.message.append("Subject: x\r\n\r\n" + std::string(body_bytes, 'x') + "\r\n"));
    EXPECT_TRUE(message.message.finish());
    message.id = next_queue_id(world_.clock.now());
    message.queue = store::QueueEntry();
    message.queue->reverse_path = "claimed@one.test";
    if (!account.empty()) {
      const auto snapshot = world_.store->snapshot();
      message.queue->account = store::DirectoryReader(**snapshot).user(account).value().value().account;
    }
    message.trace = trace;
    for (const std::string& address : recipients) {
      store::QueuedRecipient recipient;
      recipient.address = address;
      recipient.domain = address.substr(address.find('@') + 1);
      message.recipients.push_back(recipient);
    }
    const QueueId id = message.id;
    EXPECT_TRUE(world_.store->apply(std::move(message)));
    return to_text(id);
  }

  static inline const std::string kPanel = "X-Posthus-Panel: 1\r\n";
  testing::World world_;
  std::string address_ = "203.0.113.9", host_ = "mx.example.test";
  bool is_tls_ = true;  // of calls that are not local
  Api api_;
  HttpServer http_;
  GateContext gate_;
};

}  // namespace posthus::web_admin
