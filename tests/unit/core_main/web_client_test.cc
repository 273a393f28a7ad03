// HTTPS to servers of the test: policies and reports arrive, certificates must hold, time and size are bounded.
// RFC 8461 §3.3, RFC 8460 §5.4.
#include "core/main/web_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <future>
#include <thread>

#include "core/base/file.h"
#include "core/dns/memory_resolver.h"
#include "core/net/tls_context.h"
#include "tests/unit/core_net/made_certificates.h"

namespace posthus::main {
namespace {

using net::MadeAs;
using net::MadeCertificate;

/// Takes one connection after the other on a loopback port and hands each, after its handshake, to `serve`.
class WebServer {
 public:
  WebServer(const net::CertificateAndKey& certificate, std::function<void(SSL*)> serve)
      : tls_(*net::TlsContext::create_server(certificate)), serve_(std::move(serve)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(socket_.get(), 8), 0);
    socklen_t length = sizeof address;
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~WebServer() {
    shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::uint16_t port() const { return port_; }

 private:
  void run() {
    for (;;) {
      const UniqueFd client(accept(socket_.get(), nullptr, nullptr));
      if (!client) return;
      const net::SslPointer ssl = tls_->accept_on(client.get(), no_protocol_);
      if (SSL_accept(ssl.get()) == 1) serve_(ssl.get());
    }
  }

  const std::string no_protocol_;
  std::shared_ptr<net::TlsContext> tls_;
  std::function<void(SSL*)> serve_;
  UniqueFd socket_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

std::string read_request(SSL* ssl) {
  std::string all;
  char block[4096];
  while (all.find("\r\n\r\n") == std::string::npos) {
    const int count = SSL_read(ssl, block, sizeof block);
    if (count <= 0) return all;
    all.append(block, static_cast<std::size_t>(count));
  }
  return all;
}

void say(SSL* ssl, std::string_view text) {
  while (!text.empty()) {  // a record at a time
    const int count = SSL_write(ssl, text.data(), static_cast<int>(text.size()));
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

class WebClientTest : public ::testing::Test {
 protected:
  WebClientTest() {
    std::signal(SIGPIPE, SIG_IGN);  // a client that hangs up must not end the test
    EXPECT_TRUE(write_file_durably(roots_, authority_.pem()));
    EXPECT_TRUE(resolver_.add_zone("mta-sts.example.test A 127.0.0.1\nreports.example.test A 127.0.0.1\n"));
  }
  ~WebClientTest() override { unlink(roots_.c_str()); }

  std::unique_ptr<WebClient> client(std::uint16_t port, std::chrono::milliseconds deadline = std::chrono::seconds(20)) {
    WebClientOptions options;
    options.roots.file = roots_;
    options.port = port;
    options.deadline = deadline;
    auto made = WebClient::create(resolver_, options);
    EXPECT_TRUE(made) << made.error().context;
    return std::move(*made);
  }
  static Result<std::string> fetch(WebClient& client, const std::string& domain = "example.test") {
    auto promise = std::make_shared<std::promise<Result<std::string>>>();
    client.fetch(domain, [promise](Result<std::string> body) { promise->set_value(std::move(body)); });
    return promise->get_future().get();
  }
  net::CertificateAndKey certificate(const std::string& name, int from_days = -10, int to_days = 10) {
    return net::make_certificate(name, MadeAs::kServer, &authority_, from_days, to_days).pair(&authority_);
  }
  Result<std::string> answer_of(const std::string& response, const std::string& name = "mta-sts.example.test") {
    WebServer server(certificate(name), [&](SSL* ssl) {
      request_ = read_request(ssl);
      say(ssl, response);
      SSL_shutdown(ssl);
    });
    auto web = client(server.port());
    return fetch(*web);
  }

  MadeCertificate authority_ = net::make_certificate("authority", MadeAs::kAuthority);
  std::string roots_ = ::testing::TempDir() + "web_roots_" + std::to_string(getpid()) + ".pem";
  dns::MemoryResolver resolver_;
  std::string request_;
};

constexpr const char* kHead = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

TEST_F(WebClientTest, APolicyIsFetched) {
  const auto body = answer_of(std::string(kHead) + "Content-Length: 16\r\n\r\nversion: STSv1\r\n");
  ASSERT_TRUE(body) << body.error().context;
  EXPECT_EQ(*body, "version: STSv1\r\n");
  EXPECT_TRUE(request_.starts_with("GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.test\r\n")) << request_;
}

TEST_F(WebClientTest, RedirectsAndOtherAnswersAreNoPolicy) {
  EXPECT_EQ(answer_of("HTTP/1.1 301 Moved\r\nLocation: https://example.test/\r\nContent-Length: 0\r\n\r\n").error().context,
            "HTTP status 301");
  EXPECT_EQ(answer_of("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").error().context, "HTTP status 404");
  EXPECT_EQ(answer_of("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx").error().kind,
            ErrorKind::kInvalid);
  EXPECT_EQ(answer_of("nonsense").error().kind, ErrorKind::kInvalid);
}

TEST_F(WebClientTest, APolicyThatIsTooLargeIsRefused) {
  EXPECT_EQ(answer_of(std::string(kHead) + "\r\n" + std::string(70'000, 'x')).error().kind, ErrorKind::kTooLarge);
  EXPECT_EQ(answer_of(std::string(kHead) + "\r\n" + std::string(400'000, 'x')).error().kind, ErrorKind::kTooLarge);
}

TEST_F(WebClientTest, ACertificateForAnotherNameIsRefused) {
  const auto body = answer_of(std::string(kHead) + "\r\nx", "example.test");
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().kind, ErrorKind::kDenied) << body.error().context;
}

TEST_F(WebClientTest, ACertificateThatHasExpiredOrIsNobodysIsRefused) {
  const auto nothing = [](SSL*) {};
  WebServer old(certificate("mta-sts.example.test", -10, -1), nothing);
  EXPECT_EQ(fetch(*client(old.port())).error().context, "certificate has expired");
  WebServer stranger(net::make_certificate("mta-sts.example.test", MadeAs::kServer).pair(), nothing);
  EXPECT_EQ(fetch(*client(stranger.port())).error().kind, ErrorKind::kDenied);
}

TEST_F(WebClientTest, AResponseCutOffIsNone) {
  WebServer server(certificate("mta-sts.example.test"), [](SSL* ssl) {
    read_request(ssl);
    say(ssl, std::string(kHead) + "\r\nversion: STSv1\n");  // and no close_notify
    SSL_set_quiet_shutdown(ssl, 1);
  });
  EXPECT_EQ(fetch(*client(server.port())).error().kind, ErrorKind::kUnavailable);
}

TEST_F(WebClientTest, AServerThatDripsIsGivenUp) {
  std::atomic<bool> is_over = false;
  WebServer server(certificate("mta-sts.example.test"), [&](SSL* ssl) {
    read_request(ssl);
    pollfd watched{.fd = SSL_get_fd(ssl), .events = POLLIN, .revents = 0};
    while (!is_over && SSL_write(ssl, "X", 1) == 1 && poll(&watched, 1, 10) == 0) {
    }
  });
  auto web = client(server.port(), std::chrono::milliseconds(300));
  EXPECT_EQ(fetch(*web).error().kind, ErrorKind::kTimeout);
  is_over = true;
}

TEST_F(WebClientTest, NamesWithoutAddressOrServerAreUnavailable) {
  auto web = client(1);
  EXPECT_EQ(fetch(*web, "none.test").error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(fetch(*web).error().kind, ErrorKind::kUnavailable);
}

TEST_F(WebClientTest, StoppingEndsWhatIsUnderWayAndWhatWaits) {
  std::promise<void> is_there, may_end;
  auto end = may_end.get_future().share();
  std::atomic<int> connections = 0;
  WebServer server(certificate("mta-sts.example.test"), [&](SSL* ssl) {
    read_request(ssl);
    if (++connections == 1) is_there.set_value();
    end.wait();
  });
  auto web = client(server.port());
  std::vector<std::future<Result<std::string>>> bodies;
  for (int i = 0; i < 8; ++i) {
    auto promise = std::make_shared<std::promise<Result<std::string>>>();
    bodies.push_back(promise->get_future());
    web->fetch("example.test", [promise](Result<std::string> body) { promise->set_value(std::move(body)); });
  }
  is_there.get_future().wait();
  web->stop();
  for (auto& body : bodies) EXPECT_EQ(body.get().error().context, "shutting down");
  EXPECT_EQ(fetch(*web).error().context, "shutting down");
  may_end.set_value();
}

TEST_F(WebClientTest, AReportIsHandedIn) {
  std::string got;
  WebServer server(certificate("reports.example.test"), [&](SSL* ssl) {
    got = read_request(ssl);
    say(ssl, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  });
  auto web = client(server.port());
  const auto post = [&](const std::string& uri) {
    auto promise = std::make_shared<std::promise<Result<>>>();
    web->post(uri, "REPORT", [promise](Result<> result) { promise->set_value(std::move(result)); });
    return promise->get_future().get();
  };
  const auto posted = post("https://reports.example.test/v1/tlsrpt?x=y");
  EXPECT_TRUE(posted) << posted.error().context;
  EXPECT_TRUE(got.starts_with("POST /v1/tlsrpt?x=y HTTP/1.1\r\nHost: reports.example.test\r\n")) << got;
  EXPECT_NE(got.find("Content-Type: application/tlsrpt+gzip\r\nContent-Length: 6\r\n"), std::string::npos);
  EXPECT_EQ(post("https://reports.example.test:22/").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(post("http://reports.example.test/").error().kind, ErrorKind::kInvalid);
}

TEST(HttpsUriTest, PartsAreTakenApart) {
  const auto uri = parse_https_uri("HTTPS://Reports.Example.test:444?x=y", 443);
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->host, "reports.example.test");
  EXPECT_EQ(uri->port, 444);
  EXPECT_EQ(uri->target, "/?x=y");
  for (const char* bad :
       {"", "https://", "https:///x", "https://user@example.test/", "https://127.0.0.1/", "https://[::1]/", "https://a.test:0/",
        "https://a.test:x/", "https://a.test/\r\nX: y", "https://a.test/ x", "https://a.test/#x"}) {
    EXPECT_FALSE(parse_https_uri(bad, 443)) << bad;
  }
}

}  // namespace
}  // namespace posthus::main
