// The POP3 loads, held connections, and the command line of the load client.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <random>
#include <stdexcept>

#include "tests/bench/client/client.h"

namespace posthus::bench {

namespace {

volatile std::sig_atomic_t stopped = 0;

}  // namespace

int pop_retr_load(const Options& options) {
  const long conns = options.number("conns", 1), depth = options.number("depth", 1), users = options.number("users", 1);
  const long rounds = options.number("rounds", 1);
  std::atomic<long> messages{0};
  std::atomic<std::uint64_t> bytes{0};
  Tally tally;
  const double begin = now();
  in_parallel(conns, tally, [&](long number) {
    for (long round = 0; round < rounds; ++round) {
      Connection connection;
      pop_login(connection, options, number % users);
      connection.send("STAT\r\n");
      const long count = std::stol(connection.line().substr(4));
      long sent = 0;
      for (long k = 0; k < count; ++k) {
        std::string commands;
        if (sent <= k) {
          while (sent < std::min(count, k + depth)) commands += "RETR " + std::to_string(++sent) + "\r\n";
          connection.send(commands);
        }
        bytes += connection.pop_lines();
        ++messages;
      }
      connection.send("QUIT\r\n");
      connection.line();
    }
  });
  const double seconds = now() - begin;
  std::printf("RESULT load=pop3-retr conns=%ld depth=%ld messages=%ld errors=%ld messages_per_s=%.0f MB_per_s=%.1f\n", conns,
              depth, messages.load(), tally.errors(), static_cast<double>(messages) / seconds,
              static_cast<double>(bytes) / seconds / 1e6);
  return tally.errors() > 0;
}

namespace {

int login_load(const Options& options, const char* name, const std::function<void(Connection&, long)>& once) {
  const long conns = options.number("conns", 1), users = options.number("users", 100);
  std::atomic<long> logins{0};
  Tally tally;
  const double begin = now(), end = begin + static_cast<double>(options.number("secs", 5));
  in_parallel(conns, tally, [&](long number) {
    std::mt19937 random(static_cast<unsigned>(number));
    std::vector<double> seconds;
    while (now() < end) {
      Connection connection;
      const double start = now();
      once(connection, static_cast<long>(random() % static_cast<unsigned long>(users)));
      seconds.push_back(now() - start);
      ++logins;
    }
    tally.add(seconds);
  });
  std::printf("RESULT load=%s conns=%ld tls=%ld logins=%ld errors=%ld logins_per_s=%.1f %s\n", name, conns,
              options.number("tls", 0), logins.load(), tally.errors(), static_cast<double>(logins) / (now() - begin),
              tally.latencies().c_str());
  return tally.errors() > 0;
}

}  // namespace

int pop_login_load(const Options& options) {
  return login_load(options, "pop3-login", [&](Connection& connection, long user) {
    pop_login(connection, options, user);
    connection.send("STAT\r\nQUIT\r\n");
    connection.pop_expect("STAT");
    connection.pop_expect("QUIT");
  });
}

int imap_login_load(const Options& options) {
  return login_load(options, "imap-login", [&](Connection& connection, long user) {
    imap_login(connection, options, options.number("port", 0), options.number("tls", 0) != 0, user);
    connection.send("a2 LOGOUT\r\n");
    connection.imap_expect("a2", "LOGOUT");
  });
}

int hold_connections(const Options& options) {
  const long conns = options.number("conns", 100), users = options.number("users", 100);
  const std::string protocol = options.text("proto", "imap");
  const bool tls = options.number("tls", 0) != 0;
  std::vector<std::unique_ptr<Connection>> held(static_cast<std::size_t>(conns));
  std::atomic<long> next{0}, opened{0};
  Tally tally;
  const double begin = now();
  in_parallel(options.number("threads", 8), tally, [&](long) {
    for (long i = next++; i < conns; i = next++) {
      auto& connection = held[static_cast<std::size_t>(i)] = std::make_unique<Connection>();
      if (protocol == "imap") {
        imap_login(*connection, options, options.number("port", 0), tls, i % users);
        connection->send("a1 SELECT INBOX\r\n");
        connection->imap_expect("a1", "SELECT");
        connection->send("a2 IDLE\r\n");
        while (connection->line()[0] != '+') continue;
      } else if (protocol == "pop3") {
        pop_login(*connection, options, i % users);
      } else {
        connection->open(options, options.number("port", 0), tls);
        connection->smtp_expect('2', "greeting");
        connection->send("EHLO client.bench.test\r\n");
        connection->smtp_expect('2', "EHLO");
      }
      ++opened;
    }
  });
  std::printf("READY load=hold proto=%s tls=%d conns=%ld opened=%ld errors=%ld seconds=%.2f\n", protocol.c_str(), tls, conns,
              opened.load(), tally.errors(), now() - begin);
  std::fflush(stdout);
  const double end = now() + static_cast<double>(options.number("secs", 60));
  while (!stopped && now() < end) usleep(100'000);
  return tally.errors() > 0;
}

}  // namespace posthus::bench

int main(int argc, char** argv) {
  using namespace posthus::bench;
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, [](int) { stopped = 1; });
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const std::map<std::string, int (*)(const Options&)> loads = {{"smtp", smtp_load},
                                                                {"submission", submission_load},
                                                                {"pop3-retr", pop_retr_load},
                                                                {"pop3-login", pop_login_load},
                                                                {"imap-login", imap_login_load},
                                                                {"imap-cmd", imap_commands},
                                                                {"imap-append", imap_append_load},
                                                                {"imap-mix", imap_mix_load},
                                                                {"hold", hold_connections}};
  const auto load = argc > 1 ? loads.find(argv[1]) : loads.end();
  if (load == loads.end()) {
    std::fprintf(stderr,
                 "usage: mailbench smtp|submission|pop3-retr|pop3-login|imap-login|imap-cmd|imap-append|imap-mix|hold --port N "
                 "[--name value]...\n");
    return 2;
  }
  try {
    return load->second(Options(argc - 2, argv + 2));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}
