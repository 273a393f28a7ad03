// The SMTP load: all connections on one thread, so that the client takes as little as it can of the cores it shares with the
// server. The next message goes out on a connection when the last one was acknowledged.
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include "tests/bench/client/arrival.h"
#include "tests/bench/client/client.h"

namespace posthus::bench {
namespace {

/// What every connection of a load has in common.
struct Load {
  const Options& options;
  long conns = 0, count = 0, size = 0, users = 0, per_connection = 0;
  bool pipelined = false;
  std::string body;
  long next = 0, accepted = 0;
  std::vector<double> seconds;
};

/// One connection and where its dialog is: the reply that is awaited.
class Dialog {
 public:
  explicit Dialog(Load& load) : load_(load) {}

  /// Opens the connection for the next message, or goes on with the next message on it. False when there is none left.
  bool begin() {
    if (load_.next >= load_.count) return false;
    number_ = load_.next++;
    start_ = now();
    if (connection_.is_open()) {
      send_mail();
      return true;
    }
    connection_.open(load_.options, load_.options.number("port", 0), false);
    connection_.keep_sends();
    awaited_ = Awaited::kGreeting;
    sent_ = 0;
    return true;
  }
  /// Takes what has come. False when the message was acknowledged.
  bool go_on() {
    if (!connection_.receive()) throw std::runtime_error("closed");
    while (const auto reply = connection_.take_line()) {
      if (reply->size() >= 4 && (*reply)[3] == '-') continue;
      if (is_acknowledged(*reply)) return false;
    }
    return true;
  }
  /// After an acknowledgement; true when the connection was closed because it has had its messages.
  bool end_message() {
    ++load_.accepted;
    load_.seconds.push_back(now() - start_);
    if (!load_.per_connection || ++sent_ % load_.per_connection != 0) return false;
    connection_.send("QUIT\r\n");
    connection_.close();
    return true;
  }
  void close() { connection_.close(); }
  int fd() const { return connection_.fd(); }

 private:
  enum class Awaited { kGreeting, kEhlo, kMail, kRcpt, kData, kText };

  void send_mail() {
    awaited_ = Awaited::kMail;
    connection_.send(load_.pipelined ? kMail + rcpt() + "DATA\r\n" : kMail);
  }
  std::string rcpt() const { return "RCPT TO:<" + load_.options.user(number_ % load_.users) + ">\r\n"; }

  bool is_acknowledged(const std::string& reply) {
    if (reply.empty() || reply[0] != (awaited_ == Awaited::kData ? '3' : '2')) throw std::runtime_error(reply);
    switch (awaited_) {
      case Awaited::kGreeting:
        connection_.send("EHLO client.bench.test\r\n");
        awaited_ = Awaited::kEhlo;
        return false;
      case Awaited::kEhlo: send_mail(); return false;
      case Awaited::kMail:
        if (!load_.pipelined) connection_.send(rcpt());
        awaited_ = Awaited::kRcpt;
        return false;
      case Awaited::kRcpt:
        if (!load_.pipelined) connection_.send("DATA\r\n");
        awaited_ = Awaited::kData;
        return false;
      case Awaited::kData:
        connection_.send(message(static_cast<std::size_t>(load_.size), number_, load_.body) + ".\r\n");
        awaited_ = Awaited::kText;
        return false;
      case Awaited::kText: break;
    }
    return true;
  }

  inline static const std::string kMail = "MAIL FROM:<s@elsewhere.test>\r\n";

  Load& load_;
  Connection connection_;
  Awaited awaited_ = Awaited::kGreeting;
  long number_ = 0, sent_ = 0;
  double start_ = 0;
};

class Poll {
 public:
  Poll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;
  ~Poll() { ::close(fd_); }
  void add(Dialog& dialog) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &dialog;
    if (::epoll_ctl(fd_, EPOLL_CTL_ADD, dialog.fd(), &event) != 0) throw std::runtime_error("epoll");
  }
  int wait(std::array<epoll_event, 64>& events, int seconds) const {
    return ::epoll_wait(fd_, events.data(), static_cast<int>(events.size()), seconds * 1000);
  }

 private:
  int fd_;
};

/// False when the dialog is over: nothing is left to send.
bool go_on(Dialog& dialog, Poll& poll) {
  if (dialog.go_on()) return true;
  const bool is_closed = dialog.end_message();
  if (!dialog.begin()) return false;
  if (is_closed) poll.add(dialog);
  return true;
}

void run(Load& load, Tally& tally) {
  Poll poll;
  std::vector<std::unique_ptr<Dialog>> dialogs;
  long open = 0;
  const auto guarded = [&](auto&& body) {
    try {
      return body();
    } catch (const std::exception& e) {
      tally.error(e);
      return false;
    }
  };
  for (long i = 0; i < load.conns; ++i) {
    dialogs.push_back(std::make_unique<Dialog>(load));
    const bool has_begun = guarded([&] {
      if (!dialogs.back()->begin()) return false;
      poll.add(*dialogs.back());
      return true;
    });
    open += has_begun ? 1 : 0;
  }
  std::array<epoll_event, 64> events;
  while (open > 0) {
    const int ready = poll.wait(events, static_cast<int>(load.options.number("timeout", 120)));
    if (ready <= 0) return tally.error(std::runtime_error("no reply in time"));
    for (int i = 0; i < ready; ++i) {
      Dialog& dialog = *static_cast<Dialog*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (guarded([&] { return go_on(dialog, poll); })) continue;
      dialog.close();
      --open;
    }
  }
}

}  // namespace

int smtp_load(const Options& options) {
  Load load{.options = options,
            .conns = options.number("conns", 1),
            .count = options.number("count", 1000),
            .size = options.number("size", 4096),
            .users = options.number("users", 20),
            .per_connection = options.number("percon", 0),
            .pipelined = options.number("pipeline", 0) != 0};
  const bool checked = options.number("check-port", 0) != 0;
  load.body = body_text(static_cast<std::size_t>(load.size) + 100, 1);
  std::unique_ptr<Arrival> arrival;
  if (checked) arrival = std::make_unique<Arrival>(options, load.users, load.count);
  Tally tally;
  const double begin = now();
  run(load, tally);
  tally.add(load.seconds);
  const double accept_end = now();
  const bool complete = !arrival || arrival->wait(static_cast<double>(options.number("limit", 120)));
  const double end = now();
  std::printf(
      "RESULT load=smtp conns=%ld size=%ld percon=%ld pipeline=%d accepted=%ld errors=%ld accept_per_s=%.1f readable_per_s=%.1f "
      "complete=%d %s\n",
      load.conns, load.size, load.per_connection, load.pipelined, load.accepted, tally.errors(),
      static_cast<double>(load.accepted) / (accept_end - begin), checked ? static_cast<double>(load.count) / (end - begin) : 0.0,
      complete, tally.latencies().c_str());
  return tally.errors() > 0 || !complete;
}

}  // namespace posthus::bench
