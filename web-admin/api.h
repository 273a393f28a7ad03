// Api: the admin API without HTTP framing: finds the route, checks who asks, calls the handler. The gate calls it on a
// worker; the command line calls it in its own process when no server runs. Same code, same answers.
// Thread rule: any thread; calls may block (password hashing, waiting for the Writer), so never an io thread.
#pragma once

#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ip_address.h"
#include "core/base/rate_limiter.h"
#include "core/net/certificate.h"
#include "core/sasl/authenticator.h"
#include "store/store.h"
#include "web-admin/alert_delivery.h"
#include "web-admin/browser_sessions.h"
#include "web-admin/clock_verdict.h"
#include "web-admin/message_upload.h"
#include "web-admin/request.h"
#include "web-admin/routes.h"
#include "web-admin/send_tests.h"
#include "web-admin/signing_keys.h"

namespace posthus {
class SharedAddresses;
}

namespace posthus::web_admin {

class FirstStart;
struct Outside;

struct ListenerStatus {
  std::string name;     // "imaps"
  std::string address;  // "0.0.0.0", or the path of a Unix socket
  std::uint16_t port = 0;
  bool is_tls = false;  // TLS from the first byte
};

/// Which services the settings have switched on; under which ports clients reach them is told by run-time settings.
struct EnabledServices {
  bool submission = true, submissions = true, imap = true, imaps = true, pop3 = true, pop3s = true;
};

/// What clients get that name no hostname with a certificate of its own.
struct DefaultCertificate {
  std::string source;  // "file", "store", "self-signed"; empty: no server runs
  std::string chain;   // PEM
};

/// A name for which no certificate is ordered by itself, although a domain of ours wants one.
struct PassedOverName {
  std::string hostname, reason;         // the reason: for people
  std::string kind;                     // of the reason, as in openapi.yaml
  std::vector<std::string> facts = {};  // what the words of this kind are made with
};

/// What the API works on. References must outlive the Api.
struct ServerContext {
  store::Store& store;
  sasl::Authenticator* authenticator = nullptr;  // nullptr in the command line: nobody logs in there
  const Clock& clock;
  std::string hostname, version;
  Timestamp started;
  std::vector<ListenerStatus> listeners;
  std::function<bool()> is_ready = [] { return true; };
  sasl::PasswordCost password_cost = {};
  KeyMaker make_signing_key = mailauth::make_signing_key;
  /// How mail for `domain` goes was changed: look at once. Empty: at everything.
  std::function<void(const std::string& domain)> queue_changed = [](const std::string&) {};
  /// Mail for these destinations (store::destination_hash) was made due by an admin: look at once.
  std::function<void(const std::set<std::uint64_t>& destinations)> queue_asked = [](const std::set<std::uint64_t>&) {};
  /// Until when nothing is attempted at this destination (store::destination_hash), whatever its rows say; 0: it does not rest.
  std::function<Timestamp(std::uint64_t destination)> rests_until = [](std::uint64_t) { return Timestamp(); };
  SendTests* send_tests = nullptr;  // dry runs; nullptr in the command line, which has no network
  EnabledServices services = {};
  /// Of our interfaces, those that others may know; used as long as public.addresses is not set.
  std::function<std::vector<IpAddress>()> interface_addresses = [] { return std::vector<IpAddress>(); };
  /// The certificate that is served now.
  std::function<Result<net::CertificateAndKey>()> certificate = [] {
    return Result<net::CertificateAndKey>(fail(ErrorKind::kUnavailable, "no certificate is known here"));
  };
  Outside* outside = nullptr;  // nullptr in the command line: nobody is asked there
  /// How often strangers may ask for client settings; nullptr: as they like.
  RateLimiter* strangers = nullptr;
  /// Addresses that many clients share; told of proxies that nobody has named. nullptr: none are known.
  SharedAddresses* shared = nullptr;
  std::string data_directory;  // for the status; empty: not told
  /// Whether the server is set up; nullptr in the command line, which may do everything.
  FirstStart* first_start = nullptr;
  bool is_hostname_fixed = false;  // by posthus.toml or the environment
  /// A certificate was ordered, uploaded or removed, or a setting changed.
  std::function<void()> certificates_changed = [] {};
  /// The account may no longer sign in, or not with the password it did: its IMAP, POP3 and submission sessions end.
  std::function<void(AccountId account)> end_sessions = [](AccountId) {};
  /// Names of our domains that have no certificate because none can be had now.
  std::function<std::vector<PassedOverName>()> passed_over_names = [] { return std::vector<PassedOverName>(); };
  std::function<DefaultCertificate()> default_certificate = [] { return DefaultCertificate{}; };
  /// The answer to an http-01 challenge with this token, if one is under way.
  std::function<std::optional<std::string>(const std::string& token)> http_challenge = [](const std::string&) {
    return std::nullopt;
  };
  /// Whether our clock is right, as far as others have said. `mark`: seconds from which it is wrong.
  std::function<ClockVerdict(std::int64_t mark)> clock_verdict = [](std::int64_t) { return ClockVerdict{}; };
  /// Tells everybody who is told of alerts that this is a test, and what came of it; some seconds.
  std::function<Result<std::vector<AlertDelivery>>()> test_alerts = [] {
    return Result<std::vector<AlertDelivery>>(fail(ErrorKind::kUnavailable, "only the running server can test this"));
  };
  /// A setting alerts.* has changed.
  std::function<void()> alerts_changed = [] {};
  std::string configuration;  // the settings of the file and the environment, a line each, for the support bundle
};

class Api {
 public:
  explicit Api(ServerContext context) : context_(std::move(context)) {}

  /// Answers one complete request. Never fails: refusals are problem responses.
  Response handle(const Request& request);

  /// When the head is there and the body is not: what can be refused without the body. Nothing when it may come.
  std::optional<Response> refusal_of_head(const Request& request);
  /// The same for a route with BodyKind::kMessage: takes the body as it comes.
  std::expected<MessageUpload, Response> begin_upload(const Request& request);

  const ServerContext& context() const { return context_; }
  /// For the status. REQUIRES: before the first request.
  void add_listener(ListenerStatus listener) { context_.listeners.push_back(std::move(listener)); }
  /// REQUIRES: before the first request; outlives them.
  void set_send_tests(SendTests& tests) { context_.send_tests = &tests; }
  /// For the support bundle. REQUIRES: before the first request.
  void set_configuration(std::string text) { context_.configuration = std::move(text); }
  /// What the world is reached through; outlives the Api. REQUIRES: before the first request.
  void set_outside(Outside& outside) { context_.outside = &outside; }

 private:
  ServerContext context_;
  BrowserSessions sessions_{context_.clock};
  std::mutex directory_;  // held from reading a record to writing its change: two changes never undo each other
};

}  // namespace posthus::web_admin
