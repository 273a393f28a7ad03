// FuzzSite: the World a session fuzzer runs in, as good as new for every input: made again when the run before wrote into
// the store, so that an input does the same alone and among millions, and nothing grows. Most inputs write nothing. Whoever
// wrote must have left a consistent store.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/check.h"
#include "core/base/log.h"
#include "store/maintenance.h"
#include "store/one_thread.h"

namespace posthus::testing {

/// For World's constructor: everything happens on the fuzzer's thread.
inline constexpr auto kOneThread = &store::create_for_one_thread;

/// Site: default-constructible, with a member `world` (World).
template <class Site>
class FuzzSite {
 public:
  FuzzSite() { log::configure(log::Level::kError, log::Format::kText); }

  /// REQUIRES: sessions of the runs before are gone. The reference is valid until the next call.
  Site& fresh() {
    if (site_ && !is_spoilt_ && site_->world.commits() == commits_) return *site_;
    site_.reset();
    site_ = std::make_unique<Site>();
    commits_ = site_->world.commits();
    is_spoilt_ = false;
    return *site_;
  }
  /// Ends the run. REQUIRES: its sessions are gone.
  void finish() {
    if (!is_changed()) return;
    const auto report = store::check(*site_->world.store, store::Depth::kBytes);
    CHECK(report.has_value() && report->findings_total == 0);
  }
  bool is_changed() const { return site_->world.commits() != commits_; }
  /// What this run left outside the store (a login throttle) must not meet the next.
  void spoil() { is_spoilt_ = true; }

 private:
  std::unique_ptr<Site> site_;
  std::uint64_t commits_ = 0;
  bool is_spoilt_ = false;
};

}  // namespace posthus::testing
