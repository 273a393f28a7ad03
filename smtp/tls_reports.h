// TlsReports: how TLS to other domains went, counted by day, reported the day after to those who asked for it. RFC 8460.
// Outcomes are counted in memory and joined to the store's record at each tick: a crash costs what was counted since the last.
// Only domains with a TLSRPT record leave rows.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/dns/resolver.h"
#include "core/mailauth/tls_report.h"
#include "smtp/policy_fetcher.h"
#include "smtp/signing.h"
#include "smtp/tls_policies.h"
#include "store/store.h"

namespace posthus::smtp {

struct TlsReportsContext {
  store::Store& store;
  dns::Resolver& resolver;
  PolicyFetcher& fetcher;
  const Clock& clock;
  std::string hostname;
  /// Runs work that may block, later.
  std::function<void(std::move_only_function<void()>)> run_blocking;
  /// For a whole message in the name of a domain of ours; empty when it has no keys. May be unset.
  std::function<Result<Signature>(const std::string& domain, std::string_view text)> sign;
  /// Mail for this domain was queued.
  std::function<void(const std::string& domain)> queued;
};

/// Thread rule: any thread. Everything outlives it.
class TlsReports final : public TlsOutcomes {
 public:
  explicit TlsReports(TlsReportsContext context) : context_(std::move(context)) {}
  /// Waits for what is under way: end resolver and fetcher first.
  ~TlsReports() override;

  void add(const TlsPolicy& policy, TlsOutcome outcome) override;
  /// Every few seconds: joins what was counted to the store, sends reports that are due. Does not block.
  void tick();

  /// Before an orderly end: joins what was counted to the store; waits for it no longer than `patience`.
  void flush_within(std::chrono::milliseconds patience);

  static constexpr std::size_t kMaxDomains = 1000;            // counted between two ticks; further ones are not
  static constexpr std::size_t kReportsAtOnce = 20;           // looked at in one tick
  static constexpr std::int64_t kMaxDelaySeconds = 4 * 3600;  // §4.1: spread over this time after midnight
  static constexpr std::int64_t kKeepSeconds = 24 * 3600;     // §5.5: tried for a day after its day

 private:
  using Key = std::pair<std::uint32_t, std::string>;  // day, domain
  /// A report on its way to one endpoint after the other.
  struct Errand {
    store::TlsTallyRecord tally;
    std::vector<mailauth::ReportEndpoint> endpoints;
    std::size_t next = 0;
    std::string submitter;
  };

  void flush();
  void join(const store::TlsTallyRecord& counted, const dns::Answer& answer);
  void send_due();
  void send(std::unique_ptr<Errand> errand);
  void send_by_mail(std::unique_ptr<Errand> errand, const std::string& recipient);
  Result<std::optional<store::AddMessage>> compose(const Errand& errand, const std::string& recipient);
  void attempted(std::unique_ptr<Errand> errand, const Result<>& result);
  void remove(const store::TlsTallyRecord& tally);
  bool is_due(const store::TlsTallyRecord& tally);
  Result<std::string> submitter() const;
  void begin_work(std::size_t count);
  void end_work();

  const TlsReportsContext context_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t working_ = 0;                       // answers awaited; nothing new is begun while there are some
  std::map<Key, store::TlsTallyRecord> counted_;  // since the last flush
  std::map<Key, Timestamp> again_;                // reports that nobody took, and when to try again
};

}  // namespace posthus::smtp
