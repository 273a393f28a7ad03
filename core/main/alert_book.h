// AlertBook: turns what is observed into alerts that open and close. A bad state must be seen some times in a row before it opens
// an alert, and a good one before it closes it; between the two marks nothing changes. So nothing flaps. What is open stands in
// the store; how often something was seen in a row does not, so a restart only delays. Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "store/alert_records.h"

namespace posthus::main {

enum class Level : std::uint8_t { kGood, kBetween, kBad };

struct Observation {
  store::AlertKind kind = store::AlertKind::kDisk;
  std::string subject;
  Level level = Level::kGood;
  std::vector<std::string> facts = {};
};
/// One look at everything.
struct Observed {
  std::vector<Observation> found;
  /// Kinds of which nothing could be learnt this time: their alerts stay as they are.
  std::array<bool, static_cast<std::size_t>(store::AlertKind::kCount)> is_unknown{};
};

class AlertBook {
 public:
  /// Alerts that open or close by this look, to be put into the store; `alerts` are those of the store.
  std::vector<store::AlertRecord> judge(const std::vector<store::AlertRecord>& alerts, const Observed& observed, Timestamp now);

  static constexpr std::size_t kMaxOpen = 100;  // more open ones would be noise

 private:
  using Key = std::pair<store::AlertKind, std::string>;
  struct Streak {
    Level level = Level::kGood;
    int length = 0;
  };
  int count(const Key& key, Level level);

  std::map<Key, Streak> streaks_;  // of what is not simply good, or has an open alert
};

}  // namespace posthus::main
