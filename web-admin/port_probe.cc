// Probing port 25. See port_probe.h.
#include "web-admin/port_probe.h"

#include <condition_variable>
#include <memory>
#include <mutex>

namespace posthus::web_admin {
namespace {

using session::Input;
using session::Output;
using session::Step;

constexpr std::chrono::seconds kConnect{8}, kGreeting{8};
constexpr std::size_t kMaxGreeting = 2048;  // a greeting of many lines; its first is all we need

struct Shared {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<std::string> failures;
  std::size_t left = 0;
};

/// Says only QUIT.
class ProbeSession final : public session::Session {
 public:
  ProbeSession(std::shared_ptr<Shared> shared, std::size_t index) : shared_(std::move(shared)), index_(index) {}
  Step opened(Output&) override { return Step::kRead; }
  Step tls_started(const session::TlsFacts&, Output&) override { return Step::kClose; }
  Step resumed(Output&) override { return Step::kClose; }
  std::chrono::seconds deadline() const override { return kGreeting; }
  void timed_out(Output&) override { say("it was connected, but no greeting came"); }
  void shutting_down(Output&) override {}
  Step received(Input& input, Output& output) override {
    const std::string_view bytes = input.bytes();
    if (bytes.find('\n') == std::string_view::npos && bytes.size() < kMaxGreeting) return Step::kRead;
    const std::string_view code = bytes.substr(0, 3);
    say(code == "220" ? ""
                      : "it greeted with " +
                            std::string(code.find_first_not_of("0123456789") == std::string_view::npos ? code : "nonsense"));
    input.consume(bytes.size());
    output.append("QUIT\r\n");
    return Step::kClose;
  }

 private:
  void say(std::string failure) {
    const std::lock_guard lock(shared_->mutex);
    shared_->failures[index_] = std::move(failure);
  }
  const std::shared_ptr<Shared> shared_;
  const std::size_t index_;
};

}  // namespace

void probe_ports(session::Dialer& dialer, std::vector<ProbedPort>& ports, std::uint16_t port,
                 std::chrono::steady_clock::time_point deadline, std::stop_token stop) {
  const auto shared = std::make_shared<Shared>();
  shared->left = ports.size();
  for (const ProbedPort& probed : ports) shared->failures.push_back(probed.failure);
  for (std::size_t i = 0; i < ports.size(); ++i) {
    session::DialOptions options{
        .address = to_string(ports[i].address), .port = port, .connect_deadline = kConnect, .tls = session::DialTls::kNone};
    dialer.dial(
        std::move(options),
        [shared, i](const session::ConnectionFacts&, const session::Waker&) { return std::make_unique<ProbeSession>(shared, i); },
        [shared, i](std::string failure) {
          const std::lock_guard lock(shared->mutex);
          if (!failure.empty()) shared->failures[i] = std::move(failure);
          --shared->left;
          shared->changed.notify_all();
        });
  }
  std::unique_lock lock(shared->mutex);
  shared->changed.wait_until(lock, stop, deadline, [&] { return shared->left == 0; });
  for (std::size_t i = 0; i < ports.size(); ++i) ports[i].failure = shared->failures[i];
}

}  // namespace posthus::web_admin
