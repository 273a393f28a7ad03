// The load client of the benchmarks: blocking connections, one thread each (SMTP: all on one thread), loopback only. The same
// program drives Posthus and its peers. Every load prints one line "RESULT key=value ...".
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthus::bench {

double now();  // seconds, monotonic

/// --name value pairs of the command line.
class Options {
 public:
  Options(int count, char** words);
  std::string text(const std::string& name, const std::string& otherwise) const;
  long number(const std::string& name, long otherwise) const;
  /// "u0007@bench.test": --user is a printf pattern, --u0 the first number.
  std::string user(long index) const;
  std::string password() const { return text("pass", "bench-pw"); }

 private:
  std::map<std::string, std::string> values_;
};

/// One connection; throws std::runtime_error with what the server said when it is not what was wanted.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(); }

  void open(const Options& options, long port, bool tls);
  void close();
  bool is_open() const { return fd_ >= 0; }
  void send(std::string_view bytes);
  std::string line();
  // For loads that hold many connections on one thread; without TLS.
  int fd() const { return fd_; }
  /// Room for a whole message in the socket, so that no send waits for the server.
  void keep_sends();
  /// Takes what has come without waiting; false at the end of the stream.
  bool receive();
  /// The next line, when a whole one has come.
  std::optional<std::string> take_line();
  std::uint64_t bytes_received() const { return received_; }

  void smtp_expect(char first_digit, const char* what);
  void pop_expect(const char* what);
  /// A multi-line answer after its +OK; returns its bytes.
  std::uint64_t pop_lines();
  /// Reads up to the tagged line and returns it; untagged bytes go to `kept` when given.
  std::string imap_tagged(const std::string& tag, std::string* kept = nullptr);
  void imap_expect(const std::string& tag, const char* what, std::string* kept = nullptr);

 private:
  void fill();
  int fd_ = -1;
  SSL* ssl_ = nullptr;
  std::string buffer_;
  std::size_t position_ = 0;
  std::uint64_t received_ = 0;
};

/// Latencies and errors of all threads of a load.
class Tally {
 public:
  void add(const std::vector<double>& seconds);
  void error(const std::exception& e);
  long errors() const { return errors_; }
  std::string latencies();  // "p50_ms=… p99_ms=… max_ms=…"

 private:
  std::vector<double> seconds_;
  std::atomic<long> errors_{0};
};

void in_parallel(long threads, Tally& tally, const std::function<void(long)>& body);
std::string body_text(std::size_t size, unsigned seed);
/// A message of exactly `size` bytes (if the header leaves room) with CRLF line ends and no leading dots.
std::string message(std::size_t size, long number, const std::string& body);
void imap_login(Connection& connection, const Options& options, long port, bool tls, long user);
void pop_login(Connection& connection, const Options& options, long user);

int smtp_load(const Options& options);
int submission_load(const Options& options);
int pop_retr_load(const Options& options);
int pop_login_load(const Options& options);
int imap_login_load(const Options& options);
int imap_commands(const Options& options);
int imap_append_load(const Options& options);
int imap_mix_load(const Options& options);
int hold_connections(const Options& options);

}  // namespace posthus::bench
