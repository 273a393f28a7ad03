// See client.h.
#include "tests/bench/client/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

namespace posthus::bench {

namespace {

std::mutex tally_mutex;

SSL_CTX* tls_context() {
  static SSL_CTX* context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(made, SSL_VERIFY_NONE, nullptr);
    return made;
  }();
  return context;
}

}  // namespace

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Options::Options(int count, char** words) {
  for (int i = 0; i + 1 < count; i += 2) {
    if (std::strncmp(words[i], "--", 2) != 0) throw std::runtime_error(std::string("bad option ") + words[i]);
    values_[words[i] + 2] = words[i + 1];
  }
}

std::string Options::text(const std::string& name, const std::string& otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : found->second;
}

long Options::number(const std::string& name, long otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : std::stol(found->second);
}

std::string Options::user(long index) const {
  char name[256];
  std::snprintf(name, sizeof name, text("user", "u%04d@bench.test").c_str(), static_cast<int>(number("u0", 0) + index));
  return name;
}

void Connection::open(const Options& options, long port, bool tls) {
  close();
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw std::runtime_error("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, options.text("host", "127.0.0.1").c_str(), &address.sin_addr);
  if ((ntohl(address.sin_addr.s_addr) >> 24) != 127) throw std::runtime_error("loopback only");
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const timeval limit{options.number("timeout", 120), 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (!tls) return;
  ssl_ = SSL_new(tls_context());
  SSL_set_fd(ssl_, fd_);
  if (SSL_connect(ssl_) != 1) throw std::runtime_error("TLS handshake");
}

void Connection::close() {
  if (ssl_) SSL_free(ssl_);
  if (fd_ >= 0) ::close(fd_);
  ssl_ = nullptr;
  fd_ = -1;
  buffer_.clear();
  position_ = 0;
}

void Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ssl_ ? SSL_write(ssl_, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 30)))
                              : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error("write");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Connection::fill() {
  char piece[65536];
  const ssize_t got = ssl_ ? SSL_read(ssl_, piece, sizeof piece) : ::recv(fd_, piece, sizeof piece, 0);
  if (got <= 0) throw std::runtime_error("read: closed or timed out");
  if (position_ > (1 << 18)) {
    buffer_.erase(0, position_);
    position_ = 0;
  }
  buffer_.append(piece, static_cast<std::size_t>(got));
  received_ += static_cast<std::uint64_t>(got);
}

std::string Connection::line() {
  std::size_t from = position_;
  for (;;) {
    const std::size_t end = buffer_.find('\n', from);
    if (end != std::string::npos) {
      std::string text = buffer_.substr(position_, end - position_);
      if (!text.empty() && text.back() == '\r') text.pop_back();
      position_ = end + 1;
      if (position_ == buffer_.size()) {
        buffer_.clear();
        position_ = 0;
      }
      return text;
    }
    const std::size_t scanned = buffer_.size() - position_;
    fill();
    from = position_ + scanned;
  }
}

void Connection::keep_sends() {
  const int bytes = 1 << 20;
  setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

bool Connection::receive() {
  char piece[65536];
  const ssize_t got = ::recv(fd_, piece, sizeof piece, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) return false;
  buffer_.append(piece, static_cast<std::size_t>(got));
  received_ += static_cast<std::uint64_t>(got);
  return true;
}

std::optional<std::string> Connection::take_line() {
  if (buffer_.find('\n', position_) == std::string::npos) return std::nullopt;
  return line();
}

void Connection::smtp_expect(char first_digit, const char* what) {
  for (;;) {
    const std::string reply = line();
    if (reply.size() >= 4 && reply[3] == '-') continue;
    if (reply.empty() || reply[0] != first_digit) throw std::runtime_error(std::string(what) + ": " + reply);
    return;
  }
}

void Connection::pop_expect(const char* what) {
  const std::string reply = line();
  if (reply.compare(0, 3, "+OK") != 0) throw std::runtime_error(std::string(what) + ": " + reply);
}

std::uint64_t Connection::pop_lines() {
  pop_expect("multi-line answer");
  std::uint64_t bytes = 0;
  std::size_t from = position_;
  for (;;) {
    const std::size_t end = buffer_.find("\r\n.\r\n", from);
    if (end != std::string::npos) {
      bytes += end + 2 - position_;
      position_ = end + 5;
      if (position_ == buffer_.size()) {
        buffer_.clear();
        position_ = 0;
      }
      return bytes;
    }
    const std::size_t waiting = buffer_.size() - position_;
    fill();
    from = position_ + (waiting > 4 ? waiting - 4 : 0);
  }
}

std::string Connection::imap_tagged(const std::string& tag, std::string* kept) {
  const std::string needle = "\n" + tag + " ";
  for (;;) {
    if (buffer_.compare(position_, tag.size() + 1, tag + " ") == 0) return line();
    const std::size_t end = buffer_.find(needle, position_);
    if (end != std::string::npos) {
      if (kept) kept->append(buffer_, position_, end + 1 - position_);
      position_ = end + 1;
      return line();
    }
    const std::size_t last = buffer_.rfind('\n');
    if (last != std::string::npos && last + 1 > position_ + 32768) {
      if (kept) kept->append(buffer_, position_, last + 1 - position_);
      buffer_.erase(0, last + 1);
      position_ = 0;
    }
    fill();
  }
}

void Connection::imap_expect(const std::string& tag, const char* what, std::string* kept) {
  const std::string reply = imap_tagged(tag, kept);
  if (reply.compare(tag.size() + 1, 2, "OK") != 0) throw std::runtime_error(std::string(what) + ": " + reply);
}

void Tally::add(const std::vector<double>& seconds) {
  const std::lock_guard lock(tally_mutex);
  seconds_.insert(seconds_.end(), seconds.begin(), seconds.end());
}

void Tally::error(const std::exception& e) {
  if (errors_++ == 0) std::fprintf(stderr, "first error: %s\n", e.what());
}

std::string Tally::latencies() {
  if (seconds_.empty()) return {};
  std::sort(seconds_.begin(), seconds_.end());
  const auto at = [&](double share) {
    return seconds_[std::min(seconds_.size() - 1, static_cast<std::size_t>(share * static_cast<double>(seconds_.size())))] * 1e3;
  };
  char text[128];
  std::snprintf(text, sizeof text, "p50_ms=%.2f p99_ms=%.2f max_ms=%.1f", at(0.5), at(0.99), seconds_.back() * 1e3);
  return text;
}

void in_parallel(long threads, Tally& tally, const std::function<void(long)>& body) {
  std::vector<std::thread> running;
  for (long i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      try {
        body(i);
      } catch (const std::exception& e) {
        tally.error(e);
      }
    });
  }
  for (auto& thread : running) thread.join();
}

namespace {
constexpr const char* kWords[] = {"alpha",   "bravo",   "invoice",  "meeting", "report", "project",    "schedule",
                                  "holiday", "budget",  "review",   "server",  "update", "newsletter", "contract",
                                  "draft",   "minutes", "question", "answer",  "travel", "lunch"};
}

std::string body_text(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  std::size_t column = 0;
  while (text.size() < size) {
    char hex[16];
    std::snprintf(hex, sizeof hex, "%08x", static_cast<unsigned>(random()));
    const std::string word = random() % 3 ? kWords[random() % 20] : hex;
    if (column + word.size() > 74) {
      text += "\r\n";
      column = 0;
    }
    text += word + " ";
    column += word.size() + 1;
  }
  return text;
}

std::string message(std::size_t size, long number, const std::string& body) {
  char header[512];
  const int length =
      std::snprintf(header, sizeof header,
                    "From: Sender %ld <s%ld@bench.test>\r\nTo: Rcpt <u0000@bench.test>\r\nSubject: %s %s number %ld\r\n"
                    "Date: Fri, 20 Nov 2026 %02ld:%02ld:%02ld +0000\r\nMessage-ID: <m%ld.%x@bench.test>\r\nMIME-Version: 1.0\r\n"
                    "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
                    number % 97, number % 97, kWords[number % 20], kWords[(number / 20) % 20], number, number / 3600 % 24,
                    number / 60 % 60, number % 60, number, static_cast<unsigned>(now() * 1000));
  std::string text(header, static_cast<std::size_t>(length));
  const std::size_t room = size > text.size() + 2 ? size - text.size() - 2 : 0;
  text.append(body, 0, room);
  if (text.back() == '\r') text.back() = ' ';
  return text + "\r\n";
}

void imap_login(Connection& connection, const Options& options, long port, bool tls, long user) {
  connection.open(options, port, tls);
  connection.line();
  connection.send("a0 LOGIN " + options.user(user) + " " + options.password() + "\r\n");
  connection.imap_expect("a0", "LOGIN");
}

void pop_login(Connection& connection, const Options& options, long user) {
  connection.open(options, options.number("port", 0), options.number("tls", 0) != 0);
  connection.pop_expect("greeting");
  connection.send("USER " + options.user(user) + "\r\n");
  connection.pop_expect("USER");
  connection.send("PASS " + options.password() + "\r\n");
  connection.pop_expect("PASS");
}

}  // namespace posthus::bench
