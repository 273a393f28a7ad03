// OutgoingMail: the parts that deliver to other servers, wired: resolver, dialer, queue runner and its tick.
// Thread rule: create, start and stop on the main thread; the rest on any.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/dns/unbound_resolver.h"
#include "core/main/clock_watch.h"
#include "core/main/own_addresses.h"
#include "core/main/settings.h"
#include "core/main/web_client.h"
#include "core/net/network.h"
#include "core/session/dialer.h"
#include "smtp/call_forward.h"
#include "smtp/queue_runner.h"
#include "smtp/signing.h"
#include "smtp/tls_policies.h"
#include "smtp/tls_reports.h"
#include "smtp/trial.h"
#include "store/store.h"

namespace posthus::main {

class OutgoingMail {
 public:
  /// References outlive it. Errors: the root certificates cannot be read.
  /// The clock watch is told what time other servers say it is.
  static Result<std::unique_ptr<OutgoingMail>> create(const Settings& settings, store::Store& store, net::Network& network,
                                                      const Clock& clock, ClockWatch& clock_watch);
  ~OutgoingMail();

  /// REQUIRES: the network has started.
  void start();
  /// HTTPS to others; ends with stop().
  WebClient& web() { return *web_; }
  /// For the checks of the admin API.
  session::Dialer& dialer() { return *dialer_; }
  /// Mail for these domains was queued.
  void queued(const std::vector<std::string>& domains);
  /// Routes of this domain (empty: of any) changed.
  void changed(const std::string& domain);
  /// Dry runs, and asking the primaries of relay domains.
  smtp::Trials& trials() { return *trials_; }
  smtp::RecipientCheck& recipient_check() { return *call_forward_; }
  /// Rows of these destinations were made due.
  void asked(const std::set<std::uint64_t>& destinations);
  Timestamp rests_until(std::uint64_t destination);
  /// Nothing new is taken; what is on its way has `patience` to arrive.
  void wind_down(std::chrono::milliseconds patience);
  /// REQUIRES: the network has stopped.
  void stop();

 private:
  OutgoingMail(const Settings& settings, net::Network& network);
  void run_blocking(std::move_only_function<void()> work);

  net::Network& network_;
  const OwnAddresses own_addresses_;
  smtp::SigningKeys signing_keys_;  // of reports
  std::unique_ptr<session::Dialer> dialer_;
  std::unique_ptr<dns::UnboundResolver> resolver_;
  std::unique_ptr<WebClient> web_;
  std::unique_ptr<smtp::TlsReports> reports_;
  std::unique_ptr<smtp::TlsPolicies> policies_;
  std::unique_ptr<smtp::QueueRunner> runner_;
  std::unique_ptr<smtp::Trials> trials_;
  std::unique_ptr<smtp::CallForward> call_forward_;
};

}  // namespace posthus::main
