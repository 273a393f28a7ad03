// What the network tests share: a small line protocol whose commands exercise every Step, and a blocking client.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/net/network.h"
#include "core/net/tls_context.h"

namespace posthus::net {

/// What sessions report to the test. Any thread.
struct EchoObserver {
  std::atomic<int> opened{0};
  std::atomic<int> destroyed{0};
  std::atomic<int> runs{0};
  std::atomic<int> woken{0};
  session::TlsFacts tls;               // of the last handshake; read after a reply that follows it
  std::atomic<std::size_t> chunks{0};  // of BIG: how many run() have been made
  // WAIT hands its resume here.
  std::function<void(session::Resume)> on_wait;
  std::function<void()> on_run;
  std::function<void()> on_open;

  void keep(session::Waker waker) {
    const std::lock_guard guard(mutex);
    newest = std::move(waker);
  }
  session::Waker waker() {
    const std::lock_guard guard(mutex);
    return newest;
  }

 private:
  std::mutex mutex;
  session::Waker newest;  // of the session opened last
};

/// Lines: STARTTLS, RUN, BRIEF, WAIT, IDLE (then DONE), BIG <n> (n chunks of 64 KiB), DEADLINE (one second from now), QUIT;
/// any other line comes back as "echo <line>".
class EchoSession final : public session::Session {
 public:
  EchoSession(EchoObserver& observer, session::Waker waker);
  ~EchoSession() override;
  session::Step opened(session::Output& output) override;
  session::Step received(session::Input& input, session::Output& output) override;
  session::Step tls_started(const session::TlsFacts& facts, session::Output& output) override;
  void run(session::Output& output) override;
  session::RunCost run_cost() const override { return is_brief_ ? session::RunCost::kBrief : session::RunCost::kBlocking; }
  void begin(session::Resume resume) override;
  session::Step resumed(session::Output& output) override;
  session::Step woken(session::Output& output) override;
  std::chrono::seconds deadline() const override { return deadline_; }
  void timed_out(session::Output& output) override { output += "bye timeout\r\n"; }
  void shutting_down(session::Output& output) override { output += "bye shutdown\r\n"; }

 private:
  session::Step on_line(std::string_view line, session::Output& output);

  EchoObserver& observer_;
  std::chrono::seconds deadline_{60};
  int chunks_left_ = 0;
  bool is_brief_ = false;
  bool is_idle_ = false;
  std::string done_text_;
};

session::SessionFactory echo_sessions(EchoObserver& observer);

/// A self-signed certificate for "mail.example.org", made once.
const CertificateAndKey& test_certificate();
std::shared_ptr<TlsContext> test_tls();

/// A client that blocks. Every read gives up after 20 s and fails the test by what it returns.
class Client {
 public:
  explicit Client(std::uint16_t port);
  explicit Client(const std::string& unix_path);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  bool is_connected() const { return fd_ >= 0; }
  bool start_tls(int version = 0, const std::string& alpn = "", const char* groups = nullptr);
  void send(std::string_view bytes);
  /// One line without CRLF; "<closed>" at the end of the stream.
  std::string line();
  /// Everything up to the end of the stream.
  std::string rest();
  std::string exactly(std::size_t count);
  std::string ask(std::string_view command) {
    send(std::string(command) + "\r\n");
    return line();
  }
  void shut_down_write();
  void reset();  // closes with RST
  int fd() const { return fd_; }
  struct ssl_st* ssl() const { return ssl_; }
  std::string selected_alpn() const;

 private:
  bool fill();
  int fd_ = -1;
  struct ssl_ctx_st* context_ = nullptr;
  struct ssl_st* ssl_ = nullptr;
  std::string buffer_;
};

}  // namespace posthus::net
