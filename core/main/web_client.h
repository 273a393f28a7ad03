// WebClient: HTTPS to other servers: MTA-STS policies, TLS reports, and what a caller says (ACME). RFC 8461 §3.3, RFC 8460 §5.4,
// RFC 9110, RFC 9112.
// On threads of its own, started when there is something to do, at most kMaxThreads: a web server that takes its minute
// never holds up mail. Names are resolved by our resolver; one deadline for all of a request; redirects are not followed.
// Known limit: no HTTP/2, no revocation check. Thread rule: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/dns/resolver.h"
#include "core/main/http_response.h"
#include "core/net/tls_context.h"
#include "smtp/policy_fetcher.h"

namespace posthus::main {

struct WebClientOptions {
  net::RootCertificates roots;
  std::uint16_t port = 443;                    // of every server; another one is for tests
  std::chrono::milliseconds deadline{60'000};  // RFC 8461 §3.3: one minute
  std::string user_agent = "Posthus";
  /// Told of the time a server said (the value of Date) between these two moments of `steady`; on the client's threads.
  std::function<void(const std::string& host, const std::string& date, std::int64_t asked, std::int64_t answered)> on_date = {};
  std::function<std::int64_t()> steady = {};  // with on_date: microseconds
};

struct WebCall {
  enum class Method : std::uint8_t { kGet, kHead, kPost };
  Method method = Method::kGet;
  std::string uri;
  std::string content_type, body;  // of kPost
  std::size_t limit = 64 * 1024;   // of the answer's body
  /// kLoopback: "http://" is taken as well, to an address of this machine itself (127.0.0.0/8, [::1], localhost) and no other.
  enum class Plain : std::uint8_t { kNever, kLoopback };
  Plain plain = Plain::kNever;
};

class WebClient final : public smtp::PolicyFetcher {
 public:
  /// The resolver outlives it. The roots are read at the first request. Errors: kUnavailable, no descriptor.
  static Result<std::unique_ptr<WebClient>> create(dns::Resolver& resolver, WebClientOptions options);
  ~WebClient() override;

  void fetch(std::string domain, std::move_only_function<void(Result<std::string>)> done) override;
  /// The URI's port must be options.port, or not be given.
  void post(std::string uri, std::string report, std::move_only_function<void(Result<>)> done) override;
  /// Any request to any https URI, at its own port. `done` is called once, on a thread of the client or of the caller.
  void call(WebCall call, std::move_only_function<void(Result<HttpResponse>)> done);
  /// Ends what is under way or waits, each with kUnavailable; returns when all is told. Stop the resolver first, else a
  /// request that waits for its answer is waited for.
  void stop();

  static constexpr std::size_t kMaxThreads = 4;
  static constexpr std::size_t kMaxWaiting = 1000;  // requests; further ones are kBusy

 private:
  struct State;
  explicit WebClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct HttpsUri {
  std::string host;  // lower case
  std::uint16_t port = 0;
  std::string target;  // path and query, "/" at least
};
/// "https://host[:port]/path"; no user, no address literal, no fragment. Errors: kInvalid.
Result<HttpsUri> parse_https_uri(std::string_view uri, std::uint16_t default_port);
/// "http://host[:port]/path" of this machine itself: the host is an address, as in the URI but without brackets. Errors:
/// kInvalid.
Result<HttpsUri> parse_loopback_uri(std::string_view uri);

}  // namespace posthus::main
