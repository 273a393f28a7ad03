// Wiring of outgoing mail. Members stand in the order in which they need each other. Thread rule: outgoing.h.
#include "core/main/outgoing.h"

#include <algorithm>
#include <utility>

#include "core/main/dialer.h"

namespace posthus::main {
namespace {

constexpr std::chrono::milliseconds kTick{1000};
constexpr std::chrono::milliseconds kCountReports{10'000};
constexpr std::chrono::milliseconds kLastCount{500};  // at the end: a question to the DNS that is answered from its cache
constexpr std::chrono::milliseconds kForgetPolicies{3'600'000};

net::RootCertificates roots(const Settings& settings) {
  net::RootCertificates result;
  const std::string& file = settings.outgoing_roots;
  if (!file.empty()) result.file = file.starts_with('/') ? file : settings.data + "/" + file;
  return result;
}

// The first address that the MX listener listens at.
std::optional<IpAddress> own_listener(const Settings& settings) {
  if (settings.smtp_port == 0 || settings.listen.empty()) return std::nullopt;
  const auto address = parse_ip_address(settings.listen.front());
  const bool is_any = !address || to_string(*address) == "0.0.0.0" || to_string(*address) == "::";
  return is_any ? parse_ip_address("127.0.0.1") : address;
}

// Does it take us, who connect from its own address (smtp/hop_policy), for a proxy?
bool is_proxy_for_own_listener(const Settings& settings) {
  const auto address = own_listener(settings);
  const bool reads_headers = std::ranges::find(settings.proxy_listeners, "smtp") != settings.proxy_listeners.end();
  if (!address || !reads_headers) return false;
  return std::ranges::any_of(settings.proxy_addresses, [&](const std::string& text) {
    const auto network = parse_ip_network(text);
    return network && network->contains(*address);
  });
}

}  // namespace

OutgoingMail::OutgoingMail(const Settings& settings, net::Network& network) : network_(network), own_addresses_(settings) {
  resolver_ = std::make_unique<dns::UnboundResolver>(
      dns::UnboundOptions{.servers = settings.dns_servers, .trust_anchor = settings.dns_trust_anchor});
}

OutgoingMail::~OutgoingMail() = default;

Result<std::unique_ptr<OutgoingMail>> OutgoingMail::create(const Settings& settings, store::Store& store, net::Network& network,
                                                           const Clock& clock, ClockWatch& clock_watch) {
  auto dialer = POSTHUS_TRY(NetworkDialer::create(network, roots(settings)));
  std::unique_ptr<OutgoingMail> mail(new OutgoingMail(settings, network));
  OutgoingMail* const self = mail.get();
  mail->dialer_ = std::move(dialer);
  WebClientOptions web{.roots = roots(settings), .port = static_cast<std::uint16_t>(settings.outgoing_https_port)};
  web.on_date = [&clock_watch](const std::string& host, const std::string& date, std::int64_t asked, std::int64_t answered) {
    clock_watch.heard(host, date, asked, answered);
  };
  web.steady = [&clock_watch] { return clock_watch.steady_now(); };
  mail->web_ = POSTHUS_TRY(WebClient::create(*mail->resolver_, std::move(web)));
  mail->reports_ = std::make_unique<smtp::TlsReports>(smtp::TlsReportsContext{
      .store = store,
      .resolver = *mail->resolver_,
      .fetcher = *mail->web_,
      .clock = clock,
      .hostname = settings.hostname,
      .run_blocking = [self](std::move_only_function<void()> work) { self->run_blocking(std::move(work)); },
      .sign = [self, &store, &clock](const std::string& domain, std::string_view text) -> Result<smtp::Signature> {
        const auto snapshot = POSTHUS_TRY(store.snapshot());
        return self->signing_keys_.sign(*snapshot, domain, text, clock.now());
      },
      .queued = [self](const std::string& domain) { self->queued({domain}); }});
  mail->policies_ = std::make_unique<smtp::TlsPolicies>(
      smtp::TlsPoliciesContext{.store = store, .resolver = *mail->resolver_, .fetcher = *mail->web_, .clock = clock},
      mail->reports_.get());
  mail->runner_ = std::make_unique<smtp::QueueRunner>(
      smtp::QueueContext{.store = store,
                         .resolver = *mail->resolver_,
                         .dialer = *mail->dialer_,
                         .clock = clock,
                         .hostname = settings.hostname,
                         .smtp_port = static_cast<std::uint16_t>(settings.outgoing_smtp_port),
                         .run_blocking = [self](std::move_only_function<void()> work) { self->run_blocking(std::move(work)); },
                         .is_own_address = [self](const std::string& address,
                                                  std::uint16_t port) { return self->own_addresses_.contains(address, port); },
                         .own_listener = own_listener(settings),
                         .own_listener_port = static_cast<std::uint16_t>(settings.smtp_port),
                         .is_proxy_for_own_listener = is_proxy_for_own_listener(settings),
                         .tls_policies = mail->policies_.get(),
                         .signing = &mail->signing_keys_});
  mail->trials_ = std::make_unique<smtp::Trials>(
      smtp::TrialContext{.store = store,
                         .resolver = *mail->resolver_,
                         .dialer = *mail->dialer_,
                         .clock = clock,
                         .hostname = settings.hostname,
                         .smtp_port = static_cast<std::uint16_t>(settings.outgoing_smtp_port),
                         .run_blocking = [self](std::move_only_function<void()> work) { self->run_blocking(std::move(work)); },
                         .is_own_address = [self](const std::string& address,
                                                  std::uint16_t port) { return self->own_addresses_.contains(address, port); },
                         .tls_policies = mail->policies_.get()});
  mail->call_forward_ = std::make_unique<smtp::CallForward>(*mail->trials_, clock);
  return mail;
}

void OutgoingMail::run_blocking(std::move_only_function<void()> work) {
  using Work = std::move_only_function<void()>;
  auto* const kept = new Work(std::move(work));
  const auto perform = [kept] {
    const std::unique_ptr<Work> owner(kept);
    (*owner)();
  };
  // WHY: what is left when the workers have stopped is done by whoever brings it, so that the end is orderly.
  if (!network_.workers().try_submit(perform)) perform();
}

void OutgoingMail::start() {
  runner_->start();
  network_.timers().every(kTick, [this] {
    runner_->tick();
    trials_->tick();
  });
  network_.timers().every(kCountReports, [this] { reports_->tick(); });
  network_.timers().every(kForgetPolicies, [this] { run_blocking([this] { policies_->expire(); }); });
}

void OutgoingMail::queued(const std::vector<std::string>& domains) {
  for (const std::string& domain : domains) runner_->added(domain);
}

void OutgoingMail::changed(const std::string& domain) { runner_->look_again(domain); }

void OutgoingMail::wind_down(std::chrono::milliseconds patience) {
  trials_->stop();
  runner_->wind_down(patience);
  reports_->flush_within(kLastCount);
}

void OutgoingMail::asked(const std::set<std::uint64_t>& destinations) { runner_->look_again(destinations); }

Timestamp OutgoingMail::rests_until(std::uint64_t destination) { return runner_->rests_until(destination); }

void OutgoingMail::stop() {
  resolver_->stop();  // what is still asked ends here; first, because web requests wait for its answers
  web_->stop();
  runner_->stop();
}

}  // namespace posthus::main
