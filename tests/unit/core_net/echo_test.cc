// The shared pieces of the network tests: the echo session and the blocking client.
#include "tests/unit/core_net/echo.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "core/base/ascii.h"

namespace posthus::net {

using session::Step;

EchoSession::EchoSession(EchoObserver& observer, session::Waker waker) : observer_(observer) {
  observer_.keep(std::move(waker));
  if (observer_.on_open) observer_.on_open();
}

EchoSession::~EchoSession() { ++observer_.destroyed; }

Step EchoSession::opened(session::Output& output) {
  ++observer_.opened;
  output += "hello\r\n";
  return Step::kRead;
}

Step EchoSession::received(session::Input& input, session::Output& output) {
  const std::size_t end = input.bytes().find("\r\n");
  if (end == std::string_view::npos) return is_idle_ ? Step::kIdle : Step::kRead;
  const std::string line(input.bytes().substr(0, end));
  input.consume(end + 2);
  return on_line(line, output);
}

Step EchoSession::on_line(std::string_view line, session::Output& output) {
  if (is_idle_ && line == "DONE") {
    is_idle_ = false;
    output += "done\r\n";
    return Step::kRead;
  }
  if (line == "STARTTLS") {
    output += "go\r\n";
    return Step::kStartTls;
  }
  if (line == "RUN" || line == "BRIEF") {
    is_brief_ = line == "BRIEF";
    done_text_ = "ran\r\n";
    return Step::kRun;
  }
  if (line == "WAIT") {
    done_text_ = "waited\r\n";
    return Step::kWait;
  }
  if (line == "IDLE") {
    is_idle_ = true;
    output += "idling\r\n";
    return Step::kIdle;
  }
  if (line.starts_with("BIG ")) {
    chunks_left_ = static_cast<int>(ascii::parse_decimal<std::uint32_t>(line.substr(4)).value_or(0));
    is_brief_ = false;
    done_text_ = "big done\r\n";
    return Step::kRun;
  }
  if (line == "DEADLINE") deadline_ = std::chrono::seconds(1);
  if (line == "QUIT") {
    output += "bye\r\n";
    return Step::kClose;
  }
  output.append("echo ").append(line).append("\r\n");
  return Step::kRead;
}

Step EchoSession::tls_started(const session::TlsFacts& facts, session::Output& output) {
  observer_.tls = facts;
  static_cast<void>(output);
  return Step::kRead;
}

void EchoSession::run(session::Output& output) {
  ++observer_.runs;
  if (observer_.on_run) observer_.on_run();
  if (chunks_left_ == 0) return;
  --chunks_left_;
  ++observer_.chunks;
  output.append(64 * 1024, 'x');
}

void EchoSession::begin(session::Resume resume) {
  if (observer_.on_wait) return observer_.on_wait(std::move(resume));
  resume();
}

Step EchoSession::resumed(session::Output& output) {
  if (chunks_left_ > 0) return Step::kRun;
  output += done_text_;
  return Step::kRead;
}

Step EchoSession::woken(session::Output& output) {
  ++observer_.woken;
  output += "woken\r\n";
  return Step::kIdle;
}

session::SessionFactory echo_sessions(EchoObserver& observer) {
  return [&observer](const session::ConnectionFacts&, session::Waker waker) {
    return std::make_unique<EchoSession>(observer, std::move(waker));
  };
}

const CertificateAndKey& test_certificate() {
  static const CertificateAndKey pair = make_self_signed_certificate("mail.example.org", 30).value();
  return pair;
}

std::shared_ptr<TlsContext> test_tls() { return TlsContext::create_server(test_certificate()).value(); }

namespace {

void set_patience(int fd) {
  const timeval patience{20, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

}  // namespace

Client::Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  set_patience(fd_);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return;
  ::close(fd_);
  fd_ = -1;
}

Client::Client(const std::string& unix_path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, unix_path.data(), unix_path.size());
  set_patience(fd_);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return;
  ::close(fd_);
  fd_ = -1;
}

Client::~Client() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  if (fd_ >= 0) ::close(fd_);
}

bool Client::start_tls(int version, const std::string& alpn, const char* groups) {
  context_ = SSL_CTX_new(TLS_client_method());
  if (version != 0) SSL_CTX_set_max_proto_version(context_, version);
  if (groups != nullptr) SSL_CTX_set1_groups_list(context_, groups);
  ssl_ = SSL_new(context_);
  if (!alpn.empty()) {
    const std::string offer = static_cast<char>(alpn.size()) + alpn;
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(offer.data()), static_cast<unsigned>(offer.size()));
  }
  SSL_set_tlsext_host_name(ssl_, "mail.example.org");
  SSL_set_fd(ssl_, fd_);
  return SSL_connect(ssl_) == 1;
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = ssl_ != nullptr ? static_cast<ssize_t>(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())))
                                     : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

bool Client::fill() {
  char bytes[16 * 1024];
  const auto got =
      ssl_ != nullptr ? static_cast<ssize_t>(SSL_read(ssl_, bytes, sizeof bytes)) : ::recv(fd_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::string Client::line() {
  std::size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!fill()) return "<closed>";
  }
  const std::string out = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return out;
}

std::string Client::exactly(std::size_t count) {
  while (buffer_.size() < count && fill()) {
  }
  const std::string out = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return out;
}

std::string Client::rest() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

void Client::shut_down_write() { ::shutdown(fd_, SHUT_WR); }

void Client::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(fd_);
  fd_ = -1;
}

std::string Client::selected_alpn() const {
  const unsigned char* data = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &data, &size);
  return std::string(reinterpret_cast<const char*>(data), size);
}

}  // namespace posthus::net
