// LINK: posthus_smtp posthus_test_support
// Whole SMTP client sessions: bytes 0 and 1 choose options, messages and the end, the rest is what the host says; where it may
// stand by, up to a NUL before it is woken with more to send, and the rest after that. Whatever that is, every recipient gets one
// result, the end is told once, and the client's commands are lines of their own.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/base/log.h"
#include "smtp/client_session.h"
#include "smtp/recorded_session.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/outgoing_source.h"

namespace {

using namespace posthus;

// Outside of a text, what the client says is lines of printable characters.
void check_commands(std::string_view output) {
  std::string_view line = output.substr(0, output.find("\r\n"));
  CHECK(line.empty() || line.starts_with("EHLO ") || line == "QUIT");
  CHECK(!output.contains("\nRCPT TO:<evil"));
}

void add_messages(testing::OutgoingSource& source, std::uint8_t choice) {
  constexpr std::string_view kTexts[] = {"Subject: one\r\n\r\nbody\r\n", "Subject: two\r\n\r\n\xc3\xa5\r\n.\r\n",
                                         "MIME-Version: 1.0\r\nContent-Type: application/x\r\n\r\n\n\r.\0x", ""};
  for (std::size_t i = 0; i < 4; ++i) {
    smtp::OutgoingMessage message;
    message.id = QueueId{i + 1};
    message.reverse_path = i == 1 ? "" : "sender@example.org";
    message.body = static_cast<store::BodyKind>(i == 3 ? 0 : i);
    message.is_trial = (choice & 32) != 0;
    message.requires_tls = (choice & 1) != 0 && i == 2;
    message.envelope_id = "id+1 =";
    for (std::uint16_t number = 1; number <= (i == 0 ? 3 : 1); ++number) {
      message.recipients.push_back({number, "user" + std::to_string(number) + "@example.test", store::notify::kSuccess,
                                    number == 2 ? "utf-8;\xc3\xa5@example.test" : "rfc822;a+b@example.test"});
    }
    if (i == 3) message.recipients.push_back({9, "a>\r\nRCPT TO:<evil@example.test", 0, {}});
    std::string text(kTexts[i]);
    if (i == 0 && (choice & 2) != 0) text.append(150'000, '.');
    source.add(std::move(message), std::move(text));
  }
  if ((choice & 4) != 0) source.readable = 40;
}

/// What the host says in two parts: the first while there is one message, the second when there is more.
void converse(testing::LoopbackDriver& driver, testing::OutgoingSource& source, std::string_view said, std::size_t cut) {
  std::deque<smtp::OutgoingMessage> later(std::make_move_iterator(source.messages.begin() + 1),
                                          std::make_move_iterator(source.messages.end()));
  source.messages.resize(1);
  source.stands_by = true;
  const std::size_t end = said.find('\0');
  driver.send(said.substr(0, end), cut);
  for (smtp::OutgoingMessage& message : later) source.messages.push_back(std::move(message));
  source.stands_by = false;
  driver.waker().wake();
  driver.deliver_wake();
  if (end != std::string_view::npos) driver.send(said.substr(end + 1), cut);
}

/// Reads along: nothing of a login, and never more than was promised.
class Reader final : public smtp::ExchangeListener {
 public:
  void exchanged(smtp::Exchange exchange) override {
    CHECK(exchange.command.find("YW5uYQ") == std::string::npos && exchange.command.find("AGFubmE") == std::string::npos);
    lines_ += exchange.reply.size();
    CHECK(lines_ <= smtp::RecordedSession::kMaxLines);
  }
  void tls_established(const session::TlsFacts&) override {}

 private:
  std::size_t lines_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static const bool is_quiet = (log::configure(log::Level::kError, log::Format::kText), true);
  CHECK(is_quiet);
  const std::uint8_t choice = data[0];
  const std::uint8_t content = data[1];
  const std::string_view said(reinterpret_cast<const char*>(data + 2), size - 2);
  testing::OutgoingSource source;
  add_messages(source, content);
  smtp::ClientOptions options{.hostname = "mail.example.org"};
  options.tls = static_cast<smtp::TlsUse>(choice & 3);
  if ((choice & 4) != 0) {
    options.login = "anna";
    options.password = "secret";
    options.may_login_without_tls = true;
  }
  {
    testing::LoopbackDriver driver;
    session::TlsFacts facts = testing::LoopbackDriver::tls_facts();
    facts.is_peer_verified = (choice & 8) != 0;
    driver.set_tls_facts(facts);
    if ((choice & 16) != 0) driver.set_tls_failure("no");
    const ManualClock clock(Timestamp::from_seconds(1));
    std::unique_ptr<session::Session> session = smtp::make_client_session(options, source);
    if ((content & 64) != 0) {
      session = std::make_unique<smtp::RecordedSession>(std::move(session), std::make_shared<Reader>(), clock,
                                                        Timestamp::from_seconds(60));
    }
    driver.open(std::move(session), options.tls == smtp::TlsUse::kImplicit ? testing::Tls::kImplicit : testing::Tls::kNo);
    constexpr std::size_t kCuts[] = {1, 7, 100, 1000};
    if ((content & 128) != 0) {
      converse(driver, source, said, kCuts[choice >> 6]);
    } else {
      driver.send(said, kCuts[choice >> 6]);
    }
    check_commands(driver.output());
    if ((content & 8) != 0) driver.time_out();
    if ((content & 16) != 0) driver.shut_down();
  }
  CHECK(source.connection.has_value());
  return 0;
}
