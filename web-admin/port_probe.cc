// Probing port 25. See port_probe.h.
#include "web-admin/port_probe.h"

#include <condition_variable>
#include <memory>
#include <mutex>

#include "core/base/ascii.h"
#include "web-admin/check_progress.h"

namespace posthus::web_admin {
namespace {

using session::Input;
using session::Output;
using session::Step;

constexpr std::chrono::seconds kConnect{8}, kReply{8};
constexpr std::size_t kMaxLine = 2048;  // four times what a reply line may have (RFC 5321 §4.5.3.1.5)

struct Shared {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<std::string> failures;
  std::vector<std::optional<IpAddress>> sees;
  std::size_t left = 0;
};

/// Says EHLO and QUIT.
class ProbeSession final : public session::Session {
 public:
  ProbeSession(std::shared_ptr<Shared> shared, std::size_t index, std::string hostname)
      : shared_(std::move(shared)), index_(index), hostname_(std::move(hostname)) {}
  Step opened(Output&) override { return Step::kRead; }
  Step tls_started(const session::TlsFacts&, Output&) override { return Step::kClose; }
  Step resumed(Output&) override { return Step::kClose; }
  std::chrono::seconds deadline() const override { return kReply; }
  void timed_out(Output&) override {
    if (!has_greeted_) say("it was connected, but no greeting came");
  }
  void shutting_down(Output&) override {}
  Step received(Input& input, Output& output) override {
    while (true) {
      const std::string_view bytes = input.bytes();
      const std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos && bytes.size() < kMaxLine) return Step::kRead;
      const std::string line(bytes.substr(0, end));
      input.consume(end == std::string_view::npos ? bytes.size() : end + 1);
      if (const Step next = reply(line, output); next != Step::kRead) return next;
    }
  }

 private:
  Step reply(std::string_view line, Output& output) {
    const std::string_view code = line.substr(0, 3);
    if (code == "220" && has_greeted_) return Step::kRead;  // a greeting of several lines
    if (code == "220") {
      has_greeted_ = true;
      say("");
      output.append("EHLO " + hostname_ + "\r\n");
      return Step::kRead;
    }
    if (has_greeted_) {
      const std::lock_guard lock(shared_->mutex);
      shared_->sees[index_] = address_in_greeting(line);
    } else {
      const bool is_code = code.find_first_not_of("0123456789") == std::string_view::npos;
      say("it greeted with " + std::string(is_code ? code : "nonsense"));
    }
    output.append("QUIT\r\n");
    return Step::kClose;
  }
  void say(std::string failure) {
    const std::lock_guard lock(shared_->mutex);
    shared_->failures[index_] = std::move(failure);
  }
  const std::shared_ptr<Shared> shared_;
  const std::size_t index_;
  const std::string hostname_;
  bool has_greeted_ = false;
};

}  // namespace

std::optional<IpAddress> address_in_greeting(std::string_view line) {
  constexpr std::string_view kV6 = "IPv6:";
  const std::size_t begin = line.find('[');
  const std::size_t end = begin == std::string_view::npos ? begin : line.find(']', begin);
  if (!line.starts_with("250") || end == std::string_view::npos) return std::nullopt;
  std::string_view text = line.substr(begin + 1, end - begin - 1);
  if (ascii::equal_ignoring_case(text.substr(0, kV6.size()), kV6)) text.remove_prefix(kV6.size());
  return parse_ip_address(text);
}

void probe_ports(session::Dialer& dialer, std::vector<ProbedPort>& ports, const ProbeDialog& dialog,
                 std::chrono::steady_clock::time_point deadline, std::stop_token stop,
                 const std::shared_ptr<CheckProgress>& progress) {
  const auto shared = std::make_shared<Shared>();
  shared->left = ports.size();
  shared->sees.resize(ports.size());
  progress->asked += ports.size();
  for (const ProbedPort& probed : ports) shared->failures.push_back(probed.failure);
  for (std::size_t i = 0; i < ports.size(); ++i) {
    session::DialOptions options{.address = to_string(ports[i].address),
                                 .port = dialog.port,
                                 .connect_deadline = kConnect,
                                 .tls = session::DialTls::kNone};
    dialer.dial(
        std::move(options),
        [shared, i, hostname = dialog.hostname](const session::ConnectionFacts&, const session::Waker&) {
          return std::make_unique<ProbeSession>(shared, i, hostname);
        },
        [shared, i, progress](std::string failure) {
          ++progress->answered;
          const std::lock_guard lock(shared->mutex);
          if (!failure.empty()) shared->failures[i] = std::move(failure);
          --shared->left;
          shared->changed.notify_all();
        });
  }
  std::unique_lock lock(shared->mutex);
  shared->changed.wait_until(lock, stop, deadline, [&] { return shared->left == 0; });
  for (std::size_t i = 0; i < ports.size(); ++i) {
    ports[i].failure = shared->failures[i];
    ports[i].sees = shared->sees[i];
  }
}

}  // namespace posthus::web_admin
