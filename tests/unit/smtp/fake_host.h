// FakeHost: another mail server for tests of delivery: it answers command lines as it is told and keeps what it was given.
// Thread rule: that of MemoryDialer (one thread).
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/session/session.h"

namespace posthus::testing {

struct ReceivedMessage {
  std::string mail, text;         // the MAIL line, the text with its dots
  std::vector<std::string> rcpt;  // addresses
};

/// An answer to "." that does not come.
inline constexpr std::string_view kSilence = "silence";

/// What one host does, and what became of it. Lives longer than its sessions.
struct FakeHost {
  std::string greeting = "220 fake.example ESMTP\r\n";
  std::string ehlo = "250-fake.example\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n";
  /// The answer to a line ("RCPT TO:<…>", and "." for the end of a text); empty: the usual one.
  std::function<std::string(const std::string& line)> answer;
  std::vector<ReceivedMessage> messages;
  std::size_t connections = 0;

  session::SessionFactory factory();
};

class FakeHostSession final : public session::Session {
 public:
  explicit FakeHostSession(FakeHost& host) : host_(host) { ++host_.connections; }

  session::Step opened(session::Output& output) override {
    output.append(host_.greeting);
    return session::Step::kRead;
  }
  session::Step received(session::Input& input, session::Output& output) override {
    const std::size_t end = input.bytes().find("\r\n");
    if (end == std::string_view::npos) return session::Step::kRead;
    const std::string line(input.bytes().substr(0, end));
    input.consume(end + 2);
    if (!is_in_text_) return command(line, output);
    if (line != ".") {
      message_.text += line + "\r\n";
      return session::Step::kRead;
    }
    is_in_text_ = false;
    const std::string reply = reply_to(line, "250 2.0.0 taken\r\n");
    if (reply == kSilence) return session::Step::kRead;
    output.append(reply);
    if (reply.front() == '2') host_.messages.push_back(message_);
    return reply.starts_with("421") ? session::Step::kClose : session::Step::kRead;
  }
  session::Step tls_started(const session::TlsFacts&, session::Output&) override { return session::Step::kRead; }
  session::Step resumed(session::Output&) override { return session::Step::kRead; }
  std::chrono::seconds deadline() const override { return std::chrono::seconds(60); }
  void timed_out(session::Output&) override {}
  void shutting_down(session::Output&) override {}

 private:
  std::string reply_to(const std::string& line, const std::string& usual) const {
    const std::string own = host_.answer ? host_.answer(line) : std::string();
    return own.empty() ? usual : own;
  }
  session::Step command(const std::string& line, session::Output& output) {
    if (line.starts_with("EHLO")) {
      output.append(reply_to(line, host_.ehlo));
    } else if (line.starts_with("QUIT")) {
      output.append("221 bye\r\n");
      return session::Step::kClose;
    } else if (line.starts_with("STARTTLS")) {
      output.append("220 go\r\n");
      return session::Step::kStartTls;
    } else if (line.starts_with("DATA")) {
      const std::string reply = reply_to(line, message_.rcpt.empty() ? "554 no recipients\r\n" : "354 go\r\n");
      output.append(reply);
      is_in_text_ = reply.front() == '3';
    } else {
      const std::string reply = reply_to(line, "250 2.1.0 ok\r\n");
      output.append(reply);
      note(line, reply);
      if (reply.starts_with("421")) return session::Step::kClose;
    }
    return session::Step::kRead;
  }
  void note(const std::string& line, const std::string& reply) {
    if (reply.front() != '2') return;
    if (line.starts_with("MAIL")) message_ = {.mail = line, .text = {}, .rcpt = {}};
    if (line.starts_with("RSET")) message_ = {};
    if (line.starts_with("RCPT TO:<")) message_.rcpt.push_back(line.substr(9, line.find('>') - 9));
  }

  FakeHost& host_;
  ReceivedMessage message_;
  bool is_in_text_ = false;
};

inline session::SessionFactory FakeHost::factory() {
  return [this](const session::ConnectionFacts&, session::Waker) { return std::make_unique<FakeHostSession>(*this); };
}

}  // namespace posthus::testing
