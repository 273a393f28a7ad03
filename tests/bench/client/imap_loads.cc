// The IMAP loads: timed single commands, APPEND, and a mix as of many mail programs.
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>

#include "tests/bench/client/client.h"

namespace posthus::bench {

int imap_commands(const Options& options) {
  Connection connection;
  imap_login(connection, options, options.number("port", 0), options.number("tls", 0) != 0, 0);
  // Standard input: "label|command" per line; an empty label is not reported.
  int number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t bar = line.find('|');
    if (bar == std::string::npos) continue;
    const std::string label = line.substr(0, bar), tag = "t" + std::to_string(++number);
    const std::uint64_t before = connection.bytes_received();
    const double start = now();
    connection.send(tag + " " + line.substr(bar + 1) + "\r\n");
    const std::string reply = connection.imap_tagged(tag);
    const double seconds = now() - start;
    if (reply.compare(tag.size() + 1, 2, "OK") != 0) throw std::runtime_error(line + ": " + reply);
    if (!label.empty()) {
      std::printf("RESULT load=imap-cmd label=%s ms=%.2f MB=%.3f\n", label.c_str(), seconds * 1e3,
                  static_cast<double>(connection.bytes_received() - before) / 1e6);
    }
  }
  return 0;
}

int imap_append_load(const Options& options) {
  const long conns = options.number("conns", 1), count = options.number("count", 1000), size = options.number("size", 8192);
  const long users = options.number("users", 1);
  const std::string box = options.text("mailbox", "INBOX"), body = body_text(static_cast<std::size_t>(size) + 100, 2);
  std::atomic<long> next{0}, appended{0};
  Tally tally;
  std::vector<std::unique_ptr<Connection>> connections(static_cast<std::size_t>(conns));
  for (long i = 0; i < conns; ++i) {
    auto& connection = connections[static_cast<std::size_t>(i)] = std::make_unique<Connection>();
    imap_login(*connection, options, options.number("port", 0), options.number("tls", 0) != 0, i % users);
    connection->send("c1 CREATE " + box + "\r\n");
    connection->imap_tagged("c1");
  }
  const double begin = now();
  in_parallel(conns, tally, [&](long number) {
    Connection& connection = *connections[static_cast<std::size_t>(number)];
    std::vector<double> seconds;
    for (long i = next++; i < count; i = next++) {
      const std::string text = message(static_cast<std::size_t>(size), i, body);
      const double start = now();
      connection.send("b1 APPEND " + box + " {" + std::to_string(text.size()) + "+}\r\n" + text + "\r\n");
      connection.imap_expect("b1", "APPEND");
      ++appended;
      seconds.push_back(now() - start);
    }
    tally.add(seconds);
  });
  std::printf("RESULT load=imap-append conns=%ld size=%ld appended=%ld errors=%ld appends_per_s=%.1f %s\n", conns, size,
              appended.load(), tally.errors(), static_cast<double>(appended) / (now() - begin), tally.latencies().c_str());
  return tally.errors() > 0;
}

namespace {

enum Kind { kList, kStatus, kFetch, kFetchBody, kStore, kStoreDeleted, kExpunge, kAppend, kSearch, kNoop, kKinds };
constexpr unsigned kWeights[kKinds] = {5, 5, 20, 20, 10, 10, 10, 10, 3, 5};

/// One mail program of the mix: keeps count of what EXISTS, and does one random thing after the other.
class MixClient {
 public:
  MixClient(const Options& options, long number) : random_(static_cast<unsigned>(number) + 7), body_(body_text(5000, 3)) {
    imap_login(connection_, options, options.number("port", 0), options.number("tls", 0) != 0,
               number % options.number("users", 50));
    run("SELECT INBOX");
  }

  void step() {
    Kind kind = choose();
    const long low = exists_ ? 1 + static_cast<long>(random_() % static_cast<unsigned long>(exists_)) : 1;
    const std::string one = std::to_string(low),
                      range =
                          one + ":" + std::to_string(std::max(low, std::min(exists_, low + static_cast<long>(random_() % 20))));
    if (!exists_ && kind >= kFetch && kind <= kStoreDeleted) kind = kAppend;
    if (kind == kAppend && exists_ > 200) kind = kExpunge;
    switch (kind) {
      case kList: return run("LIST \"\" *");
      case kStatus: return run("STATUS INBOX (MESSAGES UNSEEN)");
      case kFetch: return run("FETCH " + range + " (UID FLAGS ENVELOPE INTERNALDATE)");
      case kFetchBody: return run("FETCH " + one + " (BODY.PEEK[])");
      case kStore: return run("STORE " + range + (random_() % 2 ? " +FLAGS (\\Seen)" : " FLAGS.SILENT (\\Flagged)"));
      case kStoreDeleted: return run("STORE " + one + " +FLAGS (\\Deleted)");
      case kExpunge: return run("EXPUNGE");
      case kSearch: return run("SEARCH SUBJECT alpha");
      case kNoop: return run("NOOP");
      default: {
        const std::string text = message(4096, static_cast<long>(random_() % 100'000), body_);
        return run("APPEND INBOX {" + std::to_string(text.size()) + "+}\r\n" + text);
      }
    }
  }

 private:
  Kind choose() {
    unsigned sum = 0;
    for (const unsigned weight : kWeights) sum += weight;
    unsigned at = static_cast<unsigned>(random_() % sum);
    int kind = 0;
    while (at >= kWeights[kind]) at -= kWeights[kind++];
    return static_cast<Kind>(kind);
  }

  void run(const std::string& command) {
    const std::string tag = "m" + std::to_string(++sequence_);
    std::string kept;
    connection_.send(tag + " " + command + "\r\n");
    const std::string reply = connection_.imap_tagged(tag, &kept);
    if (reply.compare(tag.size() + 1, 2, "BAD") == 0) throw std::runtime_error(command.substr(0, 60) + ": " + reply);
    for (std::size_t begin = 0, end; (end = kept.find("\r\n", begin)) != std::string::npos; begin = end + 2) {
      long value = 0;
      char word[16] = "";
      if (end - begin > 40 || std::sscanf(kept.c_str() + begin, "* %ld %15s", &value, word) != 2) continue;
      if (std::strcmp(word, "EXISTS") == 0) exists_ = value;
      if (std::strcmp(word, "EXPUNGE") == 0) --exists_;
    }
  }

  Connection connection_;
  std::mt19937 random_;
  std::string body_;
  long sequence_ = 0, exists_ = 0;
};

}  // namespace

int imap_mix_load(const Options& options) {
  const long conns = options.number("conns", 50);
  std::atomic<long> commands{0};
  Tally tally;
  const double begin = now(), end = begin + static_cast<double>(options.number("secs", 10));
  in_parallel(conns, tally, [&](long number) {
    MixClient client(options, number);
    std::vector<double> seconds;
    while (now() < end) {
      const double start = now();
      client.step();
      seconds.push_back(now() - start);
      ++commands;
    }
    tally.add(seconds);
  });
  std::printf("RESULT load=imap-mix conns=%ld commands=%ld errors=%ld commands_per_s=%.1f %s\n", conns, commands.load(),
              tally.errors(), static_cast<double>(commands) / (now() - begin), tally.latencies().c_str());
  return tally.errors() > 0;
}

}  // namespace posthus::bench
