// What a connection costs: resident bytes while idle (plain and TLS), echo round trips per second, TLS connects per second.
// The client is another process, so that only the server's memory is counted. Usage: connections_bench [connections]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "core/net/network.h"

namespace {

using namespace posthus;
using session::Step;

/// Echoes lines; as large as a session of a real protocol is expected to be.
class BenchSession final : public session::Session {
 public:
  Step opened(session::Output& output) override {
    state_.fill('x');
    output += "hello\r\n";
    return Step::kRead;
  }
  Step received(session::Input& input, session::Output& output) override {
    const std::size_t end = input.bytes().find('\n');
    if (end == std::string_view::npos) return Step::kRead;
    output.append(input.bytes().substr(0, end + 1));
    input.consume(end + 1);
    return Step::kRead;
  }
  Step tls_started(const session::TlsFacts&, session::Output&) override { return Step::kRead; }
  Step resumed(session::Output&) override { return Step::kRead; }
  std::chrono::seconds deadline() const override { return std::chrono::minutes(30); }
  void timed_out(session::Output&) override {}
  void shutting_down(session::Output&) override {}

 private:
  std::array<char, 2048> state_;
};

long resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  long pages = 0;
  long resident = 0;
  statm >> pages >> resident;
  return resident * 4096;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  return fd;
}

void hold_idle(std::uint16_t port, int count, bool with_tls, int ready, int done) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  for (int i = 0; i < count; ++i) {
    const int fd = connect_to(port);
    char greeting[64];
    if (with_tls) {
      SSL* ssl = SSL_new(context);
      SSL_set_fd(ssl, fd);
      if (SSL_connect(ssl) != 1 || SSL_read(ssl, greeting, sizeof greeting) <= 0) std::exit(1);
      SSL_write(ssl, "x\n", 2);
      if (SSL_read(ssl, greeting, sizeof greeting) <= 0) std::exit(1);
    } else {
      if (::recv(fd, greeting, sizeof greeting, 0) <= 0 || ::send(fd, "x\n", 2, 0) != 2) std::exit(1);
      if (::recv(fd, greeting, sizeof greeting, 0) <= 0) std::exit(1);
    }
  }
  char byte = 0;
  static_cast<void>(::write(ready, &byte, 1));
  static_cast<void>(::read(done, &byte, 1));
}

void ask_and_hear(std::uint16_t port, int connections, int rounds) {
  std::vector<pollfd> sockets;
  char bytes[256];
  for (int i = 0; i < connections; ++i) {
    sockets.push_back({connect_to(port), POLLIN, 0});
    static_cast<void>(::recv(sockets.back().fd, bytes, sizeof bytes, 0));
    static_cast<void>(::send(sockets.back().fd, "round trip\n", 11, 0));
  }
  for (int heard = 0; heard < rounds;) {
    ::poll(sockets.data(), sockets.size(), -1);
    for (pollfd& socket : sockets) {
      if ((socket.revents & POLLIN) == 0) continue;
      static_cast<void>(::recv(socket.fd, bytes, sizeof bytes, 0));
      static_cast<void>(::send(socket.fd, "round trip\n", 11, 0));
      ++heard;
    }
  }
}

template <class ClientWork>
pid_t in_other_process(ClientWork work) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  work();
  ::_exit(0);
}

struct Ports {
  int ready[2];
  int done[2];
  std::uint16_t port;
};

net::ListenerOptions listener(const char* name) {
  net::ListenerOptions options;
  options.name = name;
  options.max_per_network = 0;
  options.make_session = [](const session::ConnectionFacts&, const session::Waker&) { return std::make_unique<BenchSession>(); };
  return options;
}

void measure_idle(bool with_tls, int count) {
  net::Network network({.io_threads = 2, .workers = 1});
  net::ListenerOptions options = listener("bench");
  if (with_tls) {
    options.tls = net::TlsMode::kImplicit;
    options.tls_context = net::TlsContext::create_server(net::make_self_signed_certificate("localhost", 1).value()).value();
  }
  Ports p{};
  p.port = network.add_listener(std::move(options)).value();
  if (::pipe(p.ready) != 0 || ::pipe(p.done) != 0) std::exit(1);
  const pid_t client = in_other_process([&] { hold_idle(p.port, count, with_tls, p.ready[1], p.done[0]); });
  const long before = resident_bytes();
  const double cpu_before = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  network.start();
  char byte = 0;
  static_cast<void>(::read(p.ready[0], &byte, 1));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const long grown = resident_bytes() - before;
  std::printf("%-5s %d idle connections: %.1f KiB each resident; %.0f connects/s, %.0f us server CPU each\n",
              with_tls ? "TLS" : "plain", count, static_cast<double>(grown) / count / 1024.0, count / took.count(),
              (cpu_seconds() - cpu_before) / count * 1e6);
  static_cast<void>(::write(p.done[1], &byte, 1));
  ::waitpid(client, nullptr, 0);
  network.stop(std::chrono::seconds(5));
}

void measure_round_trips(int connections, int rounds) {
  net::Network network({.io_threads = 2, .workers = 1});
  const std::uint16_t port = network.add_listener(listener("bench")).value();
  const pid_t client = in_other_process([&] { ask_and_hear(port, connections, rounds); });
  const double cpu_before = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  network.start();
  ::waitpid(client, nullptr, 0);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%d connections: %.0f round trips/s, %.1f us server CPU each\n", connections, rounds / took.count(),
              (cpu_seconds() - cpu_before) / rounds * 1e6);
  network.stop(std::chrono::seconds(5));
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 3000;
  // Each in a process of its own, so that memory freed by one does not hide the growth of the next.
  for (const bool with_tls : {false, true}) {
    const pid_t server = in_other_process([&] {
      measure_idle(with_tls, count);
      std::fflush(stdout);
    });
    ::waitpid(server, nullptr, 0);
  }
  measure_round_trips(10, 200'000);
  return 0;
}
