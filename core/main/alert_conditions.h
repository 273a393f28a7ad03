// What alerts are about, looked at once: certificates, disk, queue, destinations, accounts on hold, limits of a day, block lists,
// sign-ins, the clock, addresses that clients share. Thread rule: one thread at a time; reads the store, blocks briefly.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/shared_addresses.h"
#include "core/main/alert_book.h"
#include "core/main/certificates.h"
#include "store/store.h"
#include "web-admin/clock_verdict.h"
#include "web-admin/delivery_check.h"
#include "web-admin/figures.h"

namespace posthus::main {

struct AlertSources {
  store::Store& store;
  const Clock& clock;
  std::function<std::map<std::string, CertificateLife>()> certificates;
  std::function<std::optional<CertificateFileFailure>()> certificate_files = [] { return std::nullopt; };
  std::function<web_admin::DiskRoom()> disk;
  std::function<std::shared_ptr<const web_admin::DeliveryReport>()> delivery_report;  // null: none yet
  std::function<std::uint64_t()> refused_sign_ins;                                    // since the start of the process
  std::function<web_admin::ClockVerdict(std::int64_t mark)> clock_verdict;
  std::function<std::vector<SharedAddressWarning>()> shared_addresses;
  bool is_loopback_this_machine = true;  // false: what comes from there came through a forwarder
};

/// From which marks on something is bad; 0: it is never.
struct AlertMarks {
  std::uint64_t certificate_days = 0, disk_percent = 0, queue_copies = 0, destination_minutes = 0, refused_sign_ins = 0,
                clock_seconds = 0;
};
Result<AlertMarks> alert_marks(const store::Snapshot& snapshot);

class AlertConditions {
 public:
  explicit AlertConditions(AlertSources sources) : sources_(std::move(sources)), began_(sources_.clock.now().seconds()) {}
  /// Errors: the store cannot be read.
  Result<Observed> look();

  static constexpr std::int64_t kSignInWindow = 600;  // seconds

 private:
  void look_at_certificates(const AlertMarks& marks, Observed& observed) const;
  void look_at_disk(const AlertMarks& marks, Observed& observed) const;
  Result<> look_at_queue(const AlertMarks& marks, const store::Snapshot& snapshot, Observed& observed) const;
  Result<> look_at_destinations(const AlertMarks& marks, const store::Snapshot& snapshot, Observed& observed) const;
  Result<> look_at_holds(const store::Snapshot& snapshot, Observed& observed) const;
  Result<> look_at_limits(const store::Snapshot& snapshot, Observed& observed) const;
  void look_at_blocklists(Observed& observed) const;
  void look_at_sign_ins(const AlertMarks& marks, Observed& observed);
  void look_at_clock(const AlertMarks& marks, Observed& observed) const;
  void look_at_shared_addresses(Observed& observed) const;

  const AlertSources sources_;
  const std::int64_t began_;  // seconds since 1970
  struct Count {
    std::int64_t second;
    std::uint64_t total;
  };
  std::deque<Count> refused_;  // of the last kSignInWindow seconds, oldest first
};

}  // namespace posthus::main
