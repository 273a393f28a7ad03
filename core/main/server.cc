// Wiring. Members of State stand in the order in which they need each other; they die in the reverse order.
#include "core/main/server.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/shared_addresses.h"
#include "core/main/acme_settings.h"
#include "core/main/address_literals.h"
#include "core/main/alerts.h"
#include "core/main/certificate_orders.h"
#include "core/main/certificates.h"
#include "core/main/data_directory.h"
#include "core/main/dns_exchange.h"
#include "core/main/domain_certificates.h"
#include "core/main/first_start.h"
#include "core/main/history.h"
#include "core/main/kept_blocks.h"
#include "core/main/kept_sign_ins.h"
#include "core/main/outgoing.h"
#include "core/main/own_addresses.h"
#include "core/main/public_services.h"
#include "core/main/resident_pages.h"
#include "core/main/send_tests.h"
#include "core/main/store_credentials.h"
#include "core/main/until_set_up.h"
#include "core/main/version.h"
#include "core/main/web_wait.h"
#include "core/net/network.h"
#include "imap/server_session.h"
#include "pop3/server_session.h"
#include "smtp/forwarding.h"
#include "smtp/server_session.h"
#include "smtp/signing.h"
#include "store/maintenance.h"
#include "web-admin/api.h"
#include "web-admin/delivery_check.h"
#include "web-admin/domain_publication.h"
#include "web-admin/figures.h"
#include "web-admin/http_server.h"
#include "web-admin/live_check.h"
#include "web-admin/outside.h"
#include "web-admin/server_session.h"
#include "web-admin/signing_keys.h"

namespace posthus::main {
namespace {

constexpr std::chrono::milliseconds kLastDeliveries{2500};    // for mail that is on its way to other servers when we stop
constexpr std::chrono::milliseconds kDrain{4000};             // what a client may take for its farewell
constexpr std::chrono::milliseconds kStorePatience{3000};     // what the store may take for what is queued when we stop
constexpr std::chrono::milliseconds kPlugInPatience{30'000};  // providers' interfaces are slow
constexpr std::chrono::milliseconds kReclaimInterval{60'000};
constexpr std::chrono::milliseconds kExpireInterval{
    3'600'000};                                             // daily work, looked at each hour so that restarts do not skip it
constexpr std::chrono::seconds kBlocklistInterval{86'400};  // lists ask to be asked no more often by those they list
// Whoever renews the files needs no signal, and a self-signed certificate does not end while the server runs.
constexpr std::chrono::milliseconds kCertificateInterval{3'600'000};
constexpr std::chrono::milliseconds kCertificateFilesInterval{10'000};  // files that have changed are taken within it
constexpr std::chrono::milliseconds kOrdersTick{1000};
constexpr std::chrono::milliseconds kHistoryTick{1000}, kAlertsTick{1000};
constexpr std::chrono::milliseconds kSignInsTick{10'000};       // what a crash may take of them
constexpr std::chrono::milliseconds kNamesInterval{600'000};    // somebody who has just made the records waits for it
constexpr std::chrono::milliseconds kGatewaysInterval{60'000};  // a container may get another network while it runs

/// One row of the table of listeners.
struct Listener {
  std::string name;
  std::uint64_t port;
  net::TlsMode tls;
  std::string farewell;  // to a connection beyond the limits, where one can be read
  session::SessionFactory make_session;
};

std::vector<IpNetwork> parse_networks(const std::vector<std::string>& texts) {
  std::vector<IpNetwork> networks;
  for (const std::string& text : texts) {
    if (const auto network = parse_ip_network(text)) networks.push_back(*network);  // the settings have checked them
  }
  return networks;
}

// Proxies are among them for clients that they do not name.
std::vector<IpNetwork> shared_networks(const Settings& settings) {
  std::vector<IpNetwork> networks = parse_networks(settings.shared_addresses);
  for (const auto* proxies : {&settings.proxy_addresses, &settings.http_proxies}) {
    for (const IpNetwork& network : parse_networks(*proxies)) networks.push_back(network);
  }
  return networks;
}

web_admin::TrustedProxies trusted_proxies(const Settings& settings) {
  using web_admin::ProxyFields;
  return {.networks = parse_networks(settings.http_proxies),
          .fields = settings.http_proxy_fields == "forwarded" ? ProxyFields::kForwarded : ProxyFields::kXForwarded,
          .loopback = settings.is_loopback_confidential ? web_admin::Loopback::kThisMachine : web_admin::Loopback::kForwarder};
}

smtp::ServerContext smtp_context(store::Store& store, sasl::Authenticator& authenticator, const Clock& clock,
                                 const Settings& settings, smtp::SigningKeys& signing) {
  smtp::ServerContext context{
      .store = store, .authenticator = authenticator, .clock = clock, .hostname = settings.hostname, .offers_tls = true};
  context.limits.max_message_bytes = settings.message_bytes;
  context.address_literals = address_literals(settings.listen);
  context.signing = &signing;
  return context;
}

}  // namespace

struct Server::State {
  State(Settings s, const Clock& c, std::unique_ptr<store::Store> opened, std::unique_ptr<web_admin::FirstStart> first)
      : settings(std::move(s)),
        clock(c),
        first_start(std::move(first)),
        store(std::move(opened)),
        credentials(*store),
        shared(clock, shared_networks(settings)),
        authenticator(credentials, clock, {.exempt_networks = parse_networks(settings.exempt_networks), .shared = &shared}),
        mx(smtp_context(*store, authenticator, clock, settings, signing_keys)),
        pop3{.store = *store,
             .authenticator = authenticator,
             .clock = clock,
             .locks = maildrop_locks,
             .hostname = settings.hostname,
             .offers_tls = true,
             .allow_plaintext_auth = settings.allow_plaintext},
        imap{.store = *store,
             .authenticator = authenticator,
             .clock = clock,
             .hostname = settings.hostname,
             .offers_tls = true,
             .allow_plaintext_login = settings.allow_plaintext,
             .max_message_bytes = settings.message_bytes},
        strangers(clock, {.burst = 60, .microseconds_per_token = 1'000'000, .max_keys = 10'000}),
        api({.store = *store,
             .authenticator = &authenticator,
             .clock = clock,
             .hostname = settings.hostname,
             .version = std::string(version()),
             .started = clock.now(),
             .listeners = {},
             .is_ready = [this] { return is_ready.load(); },
             .queue_changed = [this](const std::string& domain) { outgoing->changed(domain); },
             .queue_asked = [this](const std::set<std::uint64_t>& destinations) { outgoing->asked(destinations); },
             .rests_until = [this](std::uint64_t destination) { return outgoing->rests_until(destination); },
             .services = enabled_services(settings),
             .interface_addresses = [this] { return global_addresses(settings); },
             .certificate = [this] { return certificate->own_pair(); },
             .strangers = &strangers,
             .shared = &shared,
             .data_directory = settings.data,
             .first_start = first_start.get(),
             .is_hostname_fixed = settings.is_hostname_set,
             .certificates_changed = [this] { certificates_changed(); },
             .end_sessions = [this](AccountId account) { open_sessions.end(account.value); },
             .passed_over_names = [this] { return passed_over_names(); },
             .default_certificate = [this] { return default_certificate(); },
             .http_challenge = [this](const std::string& token) { return orders->http_challenge(token); },
             .clock_verdict = [this](std::int64_t mark) { return clock_verdict(mark); },
             .test_alerts = [this] { return alerts->test(); },
             .alerts_changed = [this] { alerts->look_soon(); }}),
        http(api),
        gate{http, clock, trusted_proxies(settings)},
        network({.io_threads = static_cast<int>(settings.io_threads), .workers = static_cast<int>(settings.worker_threads)}) {
    mx.shared = &shared;
    mx.open_sessions = pop3.open_sessions = imap.open_sessions = &open_sessions;
    shared.set_gateways(hiding_gateways(settings));
    mx.queued = [this](const std::vector<std::string>& domains) { outgoing->queued(domains); };
  }

  std::vector<Listener> listeners();
  Result<> listen(const Listener& listener, const std::string& address);
  Result<> listen(const Listener& listener);
  Result<> listen_on_socket();
  void start_periodic_work();
  void start_orders();
  void start_history();
  void start_kept_sign_ins();
  void look_at_dns();
  void refresh_certificates();
  void tell_certificate_failure(std::string failure = {});
  void certificates_changed();
  web_admin::DefaultCertificate default_certificate() const;
  std::vector<web_admin::PassedOverName> passed_over_names() const;
  void start_domain_certificates();
  void look_for_names();
  void tend_keys();
  void reach_outside();
  void look_at_blocklists();
  void start_alerts();
  web_admin::ClockVerdict clock_verdict(std::int64_t mark);

  const Settings settings;
  const Clock& clock;
  std::atomic<bool> is_ready = false, is_reclaiming = false, is_stopping = false;
  const std::unique_ptr<web_admin::FirstStart> first_start;
  std::unique_ptr<store::Store> store;
  StoreCredentials credentials;
  SharedAddresses shared;
  sasl::Authenticator authenticator;
  smtp::SigningKeys signing_keys;
  session::OpenSessions open_sessions;
  smtp::ServerContext mx;  // submission shares it
  pop3::MaildropLocks maildrop_locks;
  pop3::ServerContext pop3;
  imap::ServerContext imap;
  RateLimiter strangers;  // that ask for client settings
  web_admin::Outside outside;
  web_admin::Api api;
  web_admin::HttpServer http;
  web_admin::GateContext gate;
  std::unique_ptr<ServerCertificates> certificate;
  ClockWatch clock_watch{clock};
  net::Network network;
  std::unique_ptr<OutgoingMail> outgoing;
  std::unique_ptr<DryRuns> dry_runs;
  std::unique_ptr<CertificateOrders> orders;
  std::unique_ptr<History> history;
  std::unique_ptr<KeptSignIns> kept_sign_ins;
  std::unique_ptr<KeptBlocks> kept_blocks;
  std::unique_ptr<Alerts> alerts;
  std::unique_ptr<DomainCertificates> domain_certificates;
  std::atomic<bool> is_looking_for_names = false, is_looking_at_dns = false;
  std::mutex certificate_failure_mutex;
  std::string last_certificate_failure;  // what the log has been told
  bool is_stopped = false;
};

std::vector<Listener> Server::State::listeners() {
  const std::string closed = "This mail server is not set up yet: its log says how\r\n";
  const auto smtp = [&](smtp::ListenerRole role) -> session::SessionFactory {
    return until_set_up(*first_start, "421 4.3.2 " + closed,
                        [this, role](const session::ConnectionFacts& facts, session::Waker waker) {
                          return smtp::make_server_session(mx, role, facts, std::move(waker));
                        });
  };
  const session::SessionFactory pop = until_set_up(*first_start, "-ERR [SYS/TEMP] " + closed,
                                                   [this](const session::ConnectionFacts& facts, session::Waker waker) {
                                                     return pop3::make_server_session(pop3, facts, std::move(waker));
                                                   });
  const session::SessionFactory imap4 = until_set_up(*first_start, "* BYE [UNAVAILABLE] " + closed,
                                                     [this](const session::ConnectionFacts& facts, session::Waker waker) {
                                                       return imap::make_server_session(imap, facts, std::move(waker));
                                                     });
  const session::SessionFactory web = [this](const session::ConnectionFacts& facts, session::Waker waker) {
    return web_admin::make_server_session(gate, facts, std::move(waker));
  };
  using Tls = net::TlsMode;
  const std::string smtp_farewell = "421 4.3.2 Too many connections\r\n";
  const std::string pop3_farewell = "-ERR [SYS/TEMP] Too many connections\r\n";
  const std::string imap_farewell = "* BYE [UNAVAILABLE] Too many connections\r\n";
  const std::string http_farewell = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  return {{"smtp", settings.smtp_port, Tls::kStartTls, smtp_farewell, smtp(smtp::ListenerRole::kMx)},
          {"submission", settings.submission_port, Tls::kStartTls, smtp_farewell, smtp(smtp::ListenerRole::kSubmission)},
          {"submissions", settings.submissions_port, Tls::kImplicit, "", smtp(smtp::ListenerRole::kSubmission)},
          {"pop3", settings.pop3_port, Tls::kStartTls, pop3_farewell, pop},
          {"pop3s", settings.pop3s_port, Tls::kImplicit, "", pop},
          {"imap", settings.imap_port, Tls::kStartTls, imap_farewell, imap4},
          {"imaps", settings.imaps_port, Tls::kImplicit, "", imap4},
          {"http", settings.http_port, Tls::kNone, http_farewell, web},
          {"https", settings.https_port, Tls::kImplicit, "", web}};
}

Result<> Server::State::listen(const Listener& listener, const std::string& address) {
  net::ListenerOptions options{.name = listener.name,
                               .address = address,
                               .port = static_cast<std::uint16_t>(listener.port),
                               .tls = listener.tls,
                               .tls_context = listener.tls == net::TlsMode::kNone ? nullptr : certificate->tls(),
                               .alpn = listener.name == "https" ? "http/1.1" : "",
                               .make_session = listener.make_session,
                               .max_connections = settings.connections,
                               .max_per_network = settings.connections_per_network,
                               .farewell = listener.farewell};
  options.is_shared = [this](const IpAddress& client) { return shared.is_shared(client); };
  if (std::ranges::find(settings.proxy_listeners, listener.name) != settings.proxy_listeners.end())
    options.proxies = parse_networks(settings.proxy_addresses);
  const auto bound = network.add_listener(std::move(options));
  if (!bound) {
    return fail(bound.error().kind, "cannot listen for " + listener.name + " on " + address + " port " +
                                        std::to_string(listener.port) + ": " + bound.error().context);
  }
  api.add_listener(
      {.name = listener.name, .address = address, .port = *bound, .is_tls = listener.tls == net::TlsMode::kImplicit});
  return {};
}

Result<> Server::State::listen(const Listener& listener) {
  if (listener.port == 0) return {};
  const std::vector<std::string>& addresses = listener.name == "http" ? settings.listen_http : settings.listen;
  std::size_t bound = 0;
  for (const std::string& address : addresses) {
    const auto done = listen(listener, address);
    // WHY: a machine without IPv6 has no ::1; one address of several that does not exist here must not keep the server down.
    const bool may_pass =
        !done && done.error().kind != ErrorKind::kExists && done.error().kind != ErrorKind::kDenied && addresses.size() > 1;
    if (!done && !may_pass) return done;
    if (!done) log::warning("listen.passed_over", {{"context", done.error().context}});
    if (done) ++bound;
  }
  if (bound == 0) return fail(ErrorKind::kInvalid, "no address of " + listener.name + " can be listened on");
  return {};
}

Result<> Server::State::listen_on_socket() {
  const std::string path = socket_path(settings);
  unlink(path.c_str());  // WHY: we hold the store's lock, so whoever left a socket here is gone
  net::ListenerOptions options{.name = "admin", .unix_path = path};
  options.max_per_network = 0;
  options.make_session = [this](const session::ConnectionFacts& facts, session::Waker waker) {
    return web_admin::make_server_session(gate, facts, std::move(waker));
  };
  const auto bound = network.add_listener(std::move(options));
  if (!bound) return fail(bound.error().kind, "cannot listen on " + path + ": " + bound.error().context);
  api.add_listener({.name = "admin", .address = path});
  return {};
}

// Keys for domains that have none (of an older version, or whose making failed), none for those whose time is over.
void Server::State::tend_keys() {
  const auto make = [this](mailauth::SigningAlgorithm algorithm) -> Result<mailauth::NewKey> {
    if (is_stopping) return fail(ErrorKind::kUnavailable, "stopping");
    return mailauth::make_signing_key(algorithm);
  };
  const auto tended = web_admin::tend_keys(*store, make, clock.now());
  if (!tended && !is_stopping) log::warning("dkim.tend_failed", {{"context", tended.error().context}});
}

void Server::State::start_periodic_work() {
  network.timers().every(kGatewaysInterval, [this] { shared.set_gateways(hiding_gateways(settings)); });
  network.timers().every(kReclaimInterval, [this] {
    if (is_reclaiming.exchange(true)) return;
    const bool is_queued = network.workers().try_submit([this] {
      const auto freed = store::reclaim(*store);
      if (!freed) log::warning("store.reclaim_failed", {{"context", freed.error().context}});
      if (freed && *freed > 0) log::info("store.reclaimed", {{"bytes", *freed}});
      is_reclaiming = false;
    });
    if (!is_queued) is_reclaiming = false;
  });
  const auto expire = [this] {
    network.workers().try_submit([this] {
      const auto expired = store::expire(*store, clock.now());
      if (!expired) log::warning("store.expire_failed", {{"context", expired.error().context}});
      tend_keys();
    });
  };
  expire();  // goes on with removals that the last stop cut short
  network.timers().every(kExpireInterval, expire);
  network.timers().every(kExpireInterval, [this] { network.workers().try_submit([this] { look_at_blocklists(); }); });
  network.timers().every(kExpireInterval, [this] { network.workers().try_submit([this] { look_at_dns(); }); });
  network.timers().every(kCertificateInterval, [this] {
    network.workers().try_submit([this] {
      refresh_certificates();
      certificate->warn_of_expiry();
    });
  });
  network.timers().every(kCertificateFilesInterval, [this] {
    if (certificate->have_files_changed()) refresh_certificates();
  });
}

void Server::State::refresh_certificates() {
  const auto refreshed = certificate->refresh();
  tell_certificate_failure(refreshed ? std::string() : refreshed.error().context);
  if (refreshed && *refreshed) log::info("tls.reloaded");
}

// WHY compared: half a renewal is looked at every ten seconds.
void Server::State::tell_certificate_failure(std::string failure) {
  const auto of_file = certificate->file_failure();
  if (failure.empty() && of_file) failure = describe(*of_file);
  const std::lock_guard lock(certificate_failure_mutex);
  if (!failure.empty() && failure != last_certificate_failure) log::error("tls.certificate_unusable", {{"context", failure}});
  last_certificate_failure = std::move(failure);
}

void Server::State::certificates_changed() {
  refresh_certificates();
  orders->changed();
  look_for_names();
}

void Server::State::start_domain_certificates() {
  domain_certificates = std::make_unique<DomainCertificates>(DomainCertificatesContext{
      .settings = settings,
      .store = *store,
      .certificates = *certificate,
      .make_resolver = outside.make_resolver,
      .own_addresses = [this](const store::Snapshot& snapshot) { return web_admin::public_addresses(api.context(), snapshot); },
      .ordered = [this] { orders->changed(); },
      .stop = outside.stop.get_token()});
  network.timers().every(kNamesInterval, [this] { look_for_names(); });
  look_for_names();
}

void Server::State::look_for_names() {
  if (is_looking_for_names.exchange(true)) return;
  const bool is_queued = network.workers().try_submit([this] {
    const auto looked = domain_certificates->look();
    if (!looked && !is_stopping) log::warning("acme.names_not_looked_for", {{"context", looked.error().context}});
    is_looking_for_names = false;
  });
  if (!is_queued) is_looking_for_names = false;
}

std::vector<web_admin::PassedOverName> Server::State::passed_over_names() const {
  std::vector<web_admin::PassedOverName> names;
  for (PassedOver& passed : domain_certificates->passed_over()) {
    names.push_back({.hostname = passed.hostname,
                     .reason = describe(passed),
                     .kind = std::string(to_string(passed.kind)),
                     .facts = std::move(passed.facts)});
  }
  return names;
}

web_admin::DefaultCertificate Server::State::default_certificate() const {
  DefaultCertificate found = certificate->default_certificate();
  return {.source = std::string(to_string(found.source)), .chain = std::move(found.chain)};
}

void Server::State::start_orders() {
  orders = std::make_unique<CertificateOrders>(CertificateOrdersContext{
      .settings = settings,
      .store = *store,
      .call =
          [this](WebCall call, std::move_only_function<void(Result<HttpResponse>)> done) {
            outgoing->web().call(std::move(call), std::move(done));
          },
      .certificates = *certificate,
      .clock = clock,
      .run_blocking = [this](std::move_only_function<void()> work) { return network.workers().try_submit(std::move(work)); }});
  if (const auto added = orders->add_configured(); !added) log::warning("acme.not_ordered", {{"context", added.error().context}});
  network.timers().every(kOrdersTick, [this] { orders->tick(); });
}

void Server::State::start_history() {
  history = std::make_unique<History>(HistoryContext{
      .store = *store,
      .clock = clock,
      .read = [this] { return read_figures(*store, settings.data, web_admin::open_connections(api.context())); },
      .run_blocking = [this](std::move_only_function<void()> work) { return network.workers().try_submit(std::move(work)); }});
  network.timers().every(kHistoryTick, [this] { history->tick(); });
}

void Server::State::start_kept_sign_ins() {
  kept_sign_ins = std::make_unique<KeptSignIns>(KeptSignInsContext{
      .store = *store, .authenticator = authenticator, .run_blocking = [this](std::move_only_function<void()> work) {
        return network.workers().try_submit(std::move(work));
      }});
  if (const auto restored = kept_sign_ins->restore(); !restored)
    log::warning("sign_ins.not_restored", {{"context", restored.error().context}});
  kept_blocks = std::make_unique<KeptBlocks>(*store, authenticator);
  if (const auto restored = kept_blocks->restore(); !restored)
    log::warning("blocks.not_restored", {{"context", restored.error().context}});
  network.timers().every(kSignInsTick, [this] {
    kept_sign_ins->tick();
    network.workers().try_submit([this] { kept_blocks->flush(); });
  });
}

// WHY the CA's word counts alone: its certificates are dates, and we have chosen to trust it.
web_admin::ClockVerdict Server::State::clock_verdict(std::int64_t mark) {
  const auto snapshot = store->snapshot();
  const auto acme = snapshot ? acme_settings(settings, **snapshot) : Result<AcmeSettings>(std::unexpected(snapshot.error()));
  if (acme) clock_watch.believe(parse_https_uri(acme->directory, 443).value_or(HttpsUri{}).host);
  return clock_watch.verdict(mark);
}

void Server::State::start_alerts() {
  alerts = std::make_unique<Alerts>(AlertsContext{
      .store = *store,
      .clock = clock,
      .hostname = settings.hostname,
      .sources = {.store = *store,
                  .clock = clock,
                  .certificates = [this] { return certificate->lives(); },
                  .certificate_files = [this] { return certificate->file_failure(); },
                  .disk = [this] { return web_admin::disk_room(settings.data); },
                  .delivery_report = [this] { return web_admin::last_delivery_report(api.context()); },
                  .refused_sign_ins = web_admin::refused_sign_ins,
                  .clock_verdict = [this](std::int64_t mark) { return clock_verdict(mark); },
                  .shared_addresses = [this] { return shared.warnings(); },
                  .is_loopback_this_machine = settings.is_loopback_confidential},
      .call =
          [this](WebCall call, std::move_only_function<void(Result<HttpResponse>)> done) {
            outgoing->web().call(std::move(call), std::move(done));
          },
      .signing = &signing_keys,
      .queued = [this](const std::vector<std::string>& domains) { outgoing->queued(domains); },
      .run_blocking = [this](std::move_only_function<void()> work) { return network.workers().try_submit(std::move(work)); }});
  network.timers().every(kAlertsTick, [this] { alerts->tick(); });
}

// Once a day; the first time an hour after the start, so that a server that is started often asks no more for it.
void Server::State::look_at_blocklists() {
  const auto last = web_admin::last_delivery_report(api.context());
  if (last && clock.now().seconds() - last->checked.seconds() < kBlocklistInterval.count()) return;
  const auto report = web_admin::check_delivery(api.context(), web_admin::Probe::kNone, web_admin::Extent::kBlocklists);
  if (!report && !is_stopping) log::warning("delivery.check_failed", {{"context", report.error().context}});
}

// A day after the last time; some domains each hour. A server that is not set up has asked for nothing.
void Server::State::look_at_dns() {
  if (!first_start->is_set_up() || is_looking_at_dns.exchange(true)) return;
  const auto checked = web_admin::check_stale_domains(api.context(), web_admin::kDomainsPerRound);
  if (!checked && !is_stopping) log::warning("dns.check_failed", {{"context", checked.error().context}});
  is_looking_at_dns = false;
}

void Server::State::reach_outside() {
  outside.make_resolver = [this] {
    return std::make_unique<dns::UnboundResolver>(
        dns::UnboundOptions{.servers = settings.dns_servers, .trust_anchor = settings.dns_trust_anchor});
  };
  outside.dialer = &outgoing->dialer();
  outside.fetch_sts_policy = [this](std::string domain, std::move_only_function<void(Result<std::string>)> done) {
    outgoing->web().fetch(std::move(domain), std::move(done));
  };
  outside.exchange_dns = [this](const std::string& server, const std::string& message) {
    return exchange_dns(server, message, outside.stop.get_token());
  };
  outside.post_json = [this](const std::string& url, const std::string& body) -> Result<web_admin::PlugInAnswer> {
    WebCall call{.method = WebCall::Method::kPost, .uri = url, .content_type = "application/json", .body = body};
    call.plain = WebCall::Plain::kLoopback;
    const auto answer = POSTHUS_TRY(call_and_wait(outgoing->web(), std::move(call), kPlugInPatience, outside.stop.get_token()));
    return web_admin::PlugInAnswer{answer.status, answer.body};
  };
  outside.smtp_port = static_cast<std::uint16_t>(settings.outgoing_smtp_port);
  const std::string& roots = settings.outgoing_roots;
  outside.roots_file = roots.empty() || roots.starts_with('/') ? roots : settings.data + "/" + roots;
  api.set_outside(outside);
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(Settings settings, const Clock& clock, Requests requests, Secret set_up_token,
                                              std::string configuration) {
  POSTHUS_TRY_VOID(make_data_directory(settings));
  auto store = POSTHUS_TRY(store::Store::open(store_options(settings), clock));
  POSTHUS_TRY_VOID(smtp::prepare_forward_secret(*store));
  POSTHUS_TRY_VOID(take_chosen_hostname(settings, *store));
  store->on_fatal([end = std::move(requests.end)](const Error& error) {
    log::error("store.fatal", {{"kind", to_string(error.kind)}, {"context", error.context}});
    end();
  });
  bool is_set_up = false;
  {
    const auto snapshot = POSTHUS_TRY(store->snapshot());
    is_set_up = POSTHUS_TRY(web_admin::is_set_up(*snapshot));
  }
  auto first = std::make_unique<web_admin::FirstStart>(is_set_up, set_up_token.clone(), std::move(requests.restart));
  auto state = std::make_unique<State>(std::move(settings), clock, std::move(store), std::move(first));
  state->api.set_configuration(std::move(configuration));
  state->certificate = POSTHUS_TRY(ServerCertificates::load(state->settings, state->store.get(), clock));
  state->tell_certificate_failure();
  for (const Listener& listener : state->listeners()) POSTHUS_TRY_VOID(state->listen(listener));
  POSTHUS_TRY_VOID(state->listen_on_socket());
  const auto noted = write_file_durably(process_id_path(state->settings), std::to_string(getpid()) + "\n");
  // WHY not fatal: on a full disk what is held is served on, and only its owners can make room.
  if (!noted) log::warning("server.no_process_id", {{"context", noted.error().context}});
  state->outgoing = POSTHUS_TRY(OutgoingMail::create(state->settings, *state->store, state->network, clock, state->clock_watch));
  state->mx.recipient_check = &state->outgoing->recipient_check();
  state->dry_runs = std::make_unique<DryRuns>(*state->store, state->outgoing->trials(), clock);
  state->api.set_send_tests(*state->dry_runs);
  state->reach_outside();
  state->start_orders();
  state->start_history();
  state->start_kept_sign_ins();
  state->start_alerts();
  state->start_domain_certificates();
  state->start_periodic_work();
  state->network.start();
  state->outgoing->start();
  auto server = std::unique_ptr<Server>(new Server(std::move(state)));  // from here on an error must stop it
  if (!is_set_up) POSTHUS_TRY_VOID(set_up_by_settings(server->state_->settings, server->state_->api));
  if (!server->state_->first_start->is_set_up()) announce_set_up(server->state_->settings, set_up_token);
  give_back_pages_of_the_start();
  server->state_->is_ready = true;
  return server;
}

const std::string& Server::hostname() const { return state_->settings.hostname; }

Result<> Server::reload_certificate() {
  POSTHUS_TRY_VOID(state_->certificate->refresh());
  const auto failure = state_->certificate->file_failure();
  return failure ? fail(ErrorKind::kInvalid, describe(*failure)) : Result<>{};
}

void Server::stop() {
  if (std::exchange(state_->is_stopped, true)) return;
  state_->is_ready = false;
  state_->is_stopping = true;
  state_->outside.stop.request_stop();
  if (state_->orders) state_->orders->stop();
  if (state_->alerts) state_->alerts->stop();
  if (state_->outgoing) state_->outgoing->wind_down(kLastDeliveries);
  if (state_->history) state_->history->flush();
  if (state_->kept_sign_ins) state_->kept_sign_ins->flush();
  if (state_->kept_blocks) state_->kept_blocks->flush();
  state_->store->close_within(kStorePatience);  // else a session that waits for long bulk work would keep us
  state_->network.stop(kDrain);
  if (state_->outgoing) state_->outgoing->stop();
  unlink(socket_path(state_->settings).c_str());
  unlink(process_id_path(state_->settings).c_str());
}

}  // namespace posthus::main
