// Submission of mail for other servers: each connection logs in once (unless --login 0) and sends message after message.
// See client.h.
#include <openssl/evp.h>

#include <atomic>
#include <cstdio>
#include <string>

#include "tests/bench/client/client.h"

namespace posthus::bench {

namespace {

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

/// --to is a printf pattern with one number: "x@d%04ld.sink.test".
std::string recipient(const Options& options, long number) {
  char text[256];
  std::snprintf(text, sizeof text, options.text("to", "ben@sink.test").c_str(), number);
  return text;
}

/// A message whose From is the user's own address: what submission lets pass.
std::string own_message(const Options& options, long user, long number, const std::string& body) {
  const auto size = static_cast<std::size_t>(options.number("size", 4096));
  std::string text = message(size, number, body);
  return text.replace(0, text.find('\r'), "From: Sender <" + options.user(user) + ">");
}

void greet(Connection& connection, const Options& options, long user) {
  connection.open(options, options.number("port", 0), options.number("tls", 0) != 0);
  connection.smtp_expect('2', "greeting");
  connection.send("EHLO client.bench.test\r\n");
  connection.smtp_expect('2', "EHLO");
  if (options.number("login", 1) == 0) return;
  std::string credentials(1, '\0');
  credentials.append(options.user(user)).append(1, '\0').append(options.password());
  connection.send("AUTH PLAIN " + base64(credentials) + "\r\n");
  connection.smtp_expect('2', "AUTH");
}

}  // namespace

int submission_load(const Options& options) {
  const long conns = options.number("conns", 1), count = options.number("count", 1000), size = options.number("size", 4096);
  const long users = options.number("users", 20), domains = options.number("domains", 1);
  const std::string body = body_text(static_cast<std::size_t>(size) + 100, 1);
  std::atomic<long> next{0}, accepted{0};
  Tally tally;
  const double begin = now();
  in_parallel(conns, tally, [&](long number) {
    const long user = number % users;
    std::vector<double> seconds;
    Connection connection;
    greet(connection, options, user);
    for (long i = next++; i < count; i = next++) {
      const double start = now();
      connection.send("MAIL FROM:<" + options.user(user) + ">\r\nRCPT TO:<" + recipient(options, i % domains) + ">\r\nDATA\r\n");
      connection.smtp_expect('2', "MAIL");
      connection.smtp_expect('2', "RCPT");
      connection.smtp_expect('3', "DATA");
      connection.send(own_message(options, user, i, body) + ".\r\n");
      connection.smtp_expect('2', "end of data");
      ++accepted;
      seconds.push_back(now() - start);
    }
    connection.send("QUIT\r\n");
    tally.add(seconds);
  });
  const double seconds = now() - begin;
  std::printf("RESULT load=submission conns=%ld size=%ld domains=%ld accepted=%ld errors=%ld accept_per_s=%.1f %s\n", conns, size,
              domains, accepted.load(), tally.errors(), static_cast<double>(accepted) / seconds, tally.latencies().c_str());
  return tally.errors() > 0;
}

}  // namespace posthus::bench
