// WebClient: requests in a queue, a few threads that work it off. RFC 8461 §3.3, RFC 8460 §5.4.
#include "core/main/web_client.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/ascii.h"
#include "core/base/file.h"
#include "core/base/ip_address.h"
#include "core/mail/address.h"
#include "core/mailauth/tls_policy.h"
#include "core/main/http_response.h"
#include "core/main/web_connection.h"

namespace posthus::main {
namespace {

constexpr std::size_t kMaxReportAnswer = 64 * 1024;  // whatever it says, the status is all we need
constexpr std::size_t kMaxAddresses = 4;             // tried in order
constexpr std::size_t kMaxUri = 1024;
constexpr std::uint16_t kHttps = 443, kHttp = 80;
constexpr std::string_view kPlainScheme = "http://";

struct Request {
  std::string host, text;  // the request as it is sent
  std::uint16_t port = 0;  // 0: the usual one
  std::size_t limit = 0;   // of the body
  BodyRule rule = BodyRule::kAsSaid;
  bool is_plain = false;  // `host` is a loopback address then
  std::move_only_function<void(Result<HttpResponse>)> done;
};

/// What the resolver says, waited for: it answers always (dns::AnswerDone).
dns::Answer ask(dns::Resolver& resolver, const std::string& name, dns::RecordType type) {
  std::promise<dns::Answer> promise;
  auto answer = promise.get_future();
  resolver.resolve(name, type, [&promise](dns::Answer found) { promise.set_value(std::move(found)); });
  return answer.get();
}

}  // namespace

struct WebClient::State {
  State(dns::Resolver& to_ask, WebClientOptions given) : resolver(to_ask), options(std::move(given)) {}

  void submit(Request request);
  std::thread start_thread();
  void work();
  Result<std::shared_ptr<net::TlsContext>> context();
  Result<HttpResponse> perform(const Request& request);
  Result<HttpResponse> perform_plain(const Request& request);
  Result<HttpResponse> perform_over_tls(const Request& request);
  Result<std::vector<IpAddress>> addresses(const std::string& host);

  dns::Resolver& resolver;
  const WebClientOptions options;
  UniqueFd stop_event{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

  std::mutex mutex;                      // of the following
  std::shared_ptr<net::TlsContext> tls;  // made with the first request: the system's roots take a megabyte
  std::deque<Request> waiting;
  std::condition_variable has_work;
  std::vector<std::thread> threads;
  std::size_t idle = 0;  // threads that wait for a request
  bool is_stopping = false;
};

Result<std::unique_ptr<WebClient>> WebClient::create(dns::Resolver& resolver, WebClientOptions options) {
  auto state = std::make_unique<State>(resolver, std::move(options));
  if (!state->stop_event) return fail(ErrorKind::kUnavailable, "no descriptor");
  return std::unique_ptr<WebClient>(new WebClient(std::move(state)));
}

WebClient::WebClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
WebClient::~WebClient() { stop(); }

void WebClient::stop() {
  std::deque<Request> left;
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
    left = std::exchange(state_->waiting, {});
    threads = std::exchange(state_->threads, {});
  }
  state_->has_work.notify_all();
  const std::uint64_t one = 1;
  static_cast<void>(!write(state_->stop_event.get(), &one, sizeof one));
  for (Request& request : left) request.done(fail(ErrorKind::kUnavailable, "shutting down"));
  for (std::thread& thread : threads) thread.join();
}

void WebClient::State::submit(Request request) {
  ErrorKind refusal = ErrorKind::kBusy;
  {
    const std::lock_guard lock(mutex);
    if (is_stopping) refusal = ErrorKind::kUnavailable;
    if (!is_stopping && waiting.size() < kMaxWaiting) {
      waiting.push_back(std::move(request));
      if (waiting.size() > idle && threads.size() < kMaxThreads) threads.push_back(start_thread());
      has_work.notify_one();
      return;
    }
  }
  request.done(fail(refusal, refusal == ErrorKind::kBusy ? "too many requests at once" : "shutting down"));
}

// Without signals: a server that hangs up must not end the process (SIGPIPE), and the rest is for the main thread.
std::thread WebClient::State::start_thread() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread([this] { work(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

void WebClient::State::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    ++idle;
    has_work.wait(lock, [this] { return is_stopping || !waiting.empty(); });
    --idle;
    if (is_stopping) return;
    Request request = std::move(waiting.front());
    waiting.pop_front();
    lock.unlock();
    request.done(perform(request));
    request.done = nullptr;
    lock.lock();
  }
}

Result<std::vector<IpAddress>> WebClient::State::addresses(const std::string& host) {
  std::vector<IpAddress> found;
  std::string reason = "no address";
  for (const dns::RecordType type : {dns::RecordType::kAaaa, dns::RecordType::kA}) {
    const dns::Answer answer = ask(resolver, host, type);
    if (!answer.reason.empty()) reason = answer.reason;
    const std::size_t room = kMaxAddresses / 2;
    found.insert(found.end(), answer.addresses.begin(), answer.addresses.begin() + std::min(room, answer.addresses.size()));
  }
  if (found.empty()) return fail(ErrorKind::kUnavailable, host + ": " + reason);
  return found;
}

Result<std::shared_ptr<net::TlsContext>> WebClient::State::context() {
  const std::lock_guard lock(mutex);
  if (!tls) tls = POSTHUS_TRY(net::TlsContext::create_client(options.roots));
  return tls;
}

Result<HttpResponse> WebClient::State::perform(const Request& request) {
  const std::int64_t asked = options.on_date ? options.steady() : 0;
  auto response = request.is_plain ? perform_plain(request) : perform_over_tls(request);
  // WHY not of plain ones: whoever listens on this machine has this machine's clock.
  if (response && !response->date.empty() && options.on_date && !request.is_plain)
    options.on_date(request.host, response->date, asked, options.steady());
  return response;
}

Result<HttpResponse> WebClient::State::perform_plain(const Request& request) {
  const WebEnd end{std::chrono::steady_clock::now() + options.deadline, stop_event.get()};
  const auto address = parse_ip_address(request.host);
  if (!address) return fail(ErrorKind::kInvalid, request.host);
  const std::size_t limit = request.limit * 2 + kMaxResponseHead;
  const auto bytes = POSTHUS_TRY(exchange_in_clear(*address, request.port, request.text, limit, end, request.rule));
  return parse_response(bytes, request.limit, request.rule);
}

Result<HttpResponse> WebClient::State::perform_over_tls(const Request& request) {
  const auto roots = POSTHUS_TRY(context());
  const WebEnd end{std::chrono::steady_clock::now() + options.deadline, stop_event.get()};
  Result<HttpResponse> last = fail(ErrorKind::kUnavailable, "no address");
  for (const IpAddress& address : POSTHUS_TRY(addresses(request.host))) {
    const std::size_t limit = request.limit * 2 + kMaxResponseHead;  // chunks of one byte are another server's problem
    const std::uint16_t port = request.port == 0 ? options.port : request.port;
    auto bytes = exchange_over_tls(*roots, address, port, request.host, request.text, limit, end, request.rule);
    if (bytes) return parse_response(*bytes, request.limit, request.rule);
    last = std::unexpected(bytes.error());
    if (bytes.error().kind != ErrorKind::kUnavailable) break;  // another address is no better, or there is no time
  }
  return last;
}

void WebClient::fetch(std::string domain, std::move_only_function<void(Result<std::string>)> done) {
  Request request;
  request.host = "mta-sts." + domain;
  request.limit = mailauth::kMaxStsPolicy;
  request.text = "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: " + request.host +
                 "\r\nUser-Agent: " + state_->options.user_agent +
                 "\r\nAccept: text/plain\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n";
  request.done = [done = std::move(done)](Result<HttpResponse> response) mutable {
    if (!response) return done(std::unexpected(response.error()));
    if (response->status != 200) return done(fail(ErrorKind::kUnavailable, "HTTP status " + std::to_string(response->status)));
    if (response->content_type != "text/plain") return done(fail(ErrorKind::kInvalid, "the policy is not text/plain"));
    done(std::move(response->body));
  };
  state_->submit(std::move(request));
}

void WebClient::post(std::string uri, std::string report, std::move_only_function<void(Result<>)> done) {
  auto parsed = parse_https_uri(uri, state_->options.port);
  if (parsed && parsed->port != state_->options.port) parsed = fail(ErrorKind::kInvalid, "a port of its own");
  if (!parsed) return done(std::unexpected(parsed.error()));
  Request request;
  request.host = parsed->host;
  request.limit = kMaxReportAnswer;
  request.text = "POST " + parsed->target + " HTTP/1.1\r\nHost: " + parsed->host +
                 "\r\nUser-Agent: " + state_->options.user_agent +
                 "\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Length: " + std::to_string(report.size()) +
                 "\r\nConnection: close\r\n\r\n" + report;
  request.done = [done = std::move(done)](const Result<HttpResponse>& response) mutable {
    if (!response) return done(std::unexpected(response.error()));
    if (response->status / 100 != 2)
      return done(fail(ErrorKind::kUnavailable, "HTTP status " + std::to_string(response->status)));
    done({});
  };
  state_->submit(std::move(request));
}

void WebClient::call(WebCall call, std::move_only_function<void(Result<HttpResponse>)> done) {
  const bool is_plain = call.plain == WebCall::Plain::kLoopback && call.uri.starts_with(kPlainScheme);
  const std::uint16_t usual_port = is_plain ? kHttp : kHttps;
  auto parsed = is_plain ? parse_loopback_uri(call.uri) : parse_https_uri(call.uri, kHttps);
  if (!parsed) return done(std::unexpected(parsed.error()));
  const bool is_post = call.method == WebCall::Method::kPost, is_head = call.method == WebCall::Method::kHead;
  Request request;
  request.host = parsed->host;
  request.port = parsed->port;
  request.limit = call.limit;
  request.rule = is_head ? BodyRule::kNone : BodyRule::kAsSaid;
  // RFC 9112 §3.2: the port belongs to Host unless it is the usual one.
  const std::string name = parsed->host.find(':') == std::string::npos ? parsed->host : "[" + parsed->host + "]";
  const std::string host = parsed->port == usual_port ? name : name + ":" + std::to_string(parsed->port);
  request.is_plain = is_plain;
  request.text = std::string(is_post   ? "POST "
                             : is_head ? "HEAD "
                                       : "GET ") +
                 parsed->target + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: " + state_->options.user_agent +
                 "\r\nAccept-Language: en\r\nAccept-Encoding: identity\r\n";
  if (is_post) {
    request.text += "Content-Type: " + call.content_type + "\r\nContent-Length: " + std::to_string(call.body.size()) + "\r\n";
  }
  request.text += "Connection: close\r\n\r\n" + call.body;
  request.done = std::move(done);
  state_->submit(std::move(request));
}

namespace {

/// Bytes that may stand in no URI, or mean something else to others.
bool has_odd_bytes(std::string_view uri) {
  return uri.size() > kMaxUri ||
         std::any_of(uri.begin(), uri.end(), [](char c) { return c <= 0x20 || c >= 0x7F || c == '#' || c == '\\'; });
}

}  // namespace

Result<HttpsUri> parse_loopback_uri(std::string_view uri) {
  const auto wrong = [] { return fail(ErrorKind::kInvalid, "no http URI of this machine itself"); };
  if (has_odd_bytes(uri) || !uri.starts_with(kPlainScheme)) return wrong();
  uri.remove_prefix(kPlainScheme.size());
  const std::size_t end = std::min(uri.find_first_of("/?"), uri.size());
  std::string_view authority = uri.substr(0, end);
  HttpsUri out{.host = "", .port = kHttp, .target = std::string(uri.substr(end))};
  if (!out.target.starts_with('/')) out.target.insert(0, 1, '/');
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const auto port = ascii::parse_decimal<std::uint16_t>(authority.substr(colon + 1));
    if (!port || *port == 0) return wrong();
    out.port = *port;
    authority = authority.substr(0, colon);
  }
  if (authority == "[::1]") {
    out.host = "::1";
  } else if (authority == "localhost") {
    out.host = "127.0.0.1";
  } else {
    const auto address = parse_ip_address(authority);
    if (!address || address->is_v6 || address->bytes[0] != 127) return wrong();
    out.host = to_string(*address);
  }
  return out;
}

Result<HttpsUri> parse_https_uri(std::string_view uri, std::uint16_t default_port) {
  constexpr std::string_view kScheme = "https://";
  const auto wrong = [] { return fail(ErrorKind::kInvalid, "no https URI"); };
  if (has_odd_bytes(uri) || !ascii::equal_ignoring_case(uri.substr(0, kScheme.size()), kScheme)) return wrong();
  uri.remove_prefix(kScheme.size());
  const std::size_t end = std::min(uri.find_first_of("/?"), uri.size());
  std::string_view authority = uri.substr(0, end);
  HttpsUri out{.host = "", .port = default_port, .target = std::string(uri.substr(end))};
  if (!out.target.starts_with('/')) out.target.insert(0, 1, '/');
  if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    const auto port = ascii::parse_decimal<std::uint16_t>(authority.substr(colon + 1));
    if (!port || *port == 0) return wrong();
    out.port = *port;
    authority = authority.substr(0, colon);
  }
  const auto host = mail::normalise_domain(authority);
  if (!host || parse_ip_address(*host)) return wrong();
  out.host = *host;
  return out;
}

}  // namespace posthus::main
