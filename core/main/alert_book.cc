// Opening and closing of alerts. See alert_book.h.
#include "core/main/alert_book.h"

#include <algorithm>
#include <set>

namespace posthus::main {
namespace {

using store::AlertKind;
using store::AlertRecord;

struct Patience {
  int to_open, to_close;  // looks in a row
};
// WHY some at once: what an admin or a certificate authority does is either done or not; it does not go up and down.
Patience patience_of(AlertKind kind) {
  switch (kind) {
    case AlertKind::kCertificate:
    case AlertKind::kHold:
    case AlertKind::kSharedAddress:
    case AlertKind::kLimit:
    case AlertKind::kBlocklist: return {1, 1};
    case AlertKind::kDestination: return {1, 3};
    default: return {2, 5};
  }
}

std::string cut(std::string text, std::size_t most) {
  if (text.size() > most) text.resize(most);
  return text;
}

AlertRecord opened(const Observation& observation, std::uint64_t id, Timestamp now) {
  AlertRecord alert{.id = id, .kind = observation.kind, .subject = observation.subject};
  for (const std::string& fact : observation.facts) alert.facts.push_back(cut(fact, store::kMaxAlertFact));
  alert.opened = now;
  return alert;
}

}  // namespace

int AlertBook::count(const Key& key, Level level) {
  Streak& streak = streaks_[key];
  if (streak.level != level) streak = {level, 0};
  return ++streak.length;
}

std::vector<AlertRecord> AlertBook::judge(const std::vector<AlertRecord>& alerts, const Observed& observed, Timestamp now) {
  std::map<Key, const AlertRecord*> open;
  std::uint64_t last_id = 0;
  for (const AlertRecord& alert : alerts) {
    last_id = std::max(last_id, alert.id);
    if (alert.is_open()) open[{alert.kind, alert.subject}] = &alert;
  }
  std::vector<AlertRecord> changed;
  std::set<Key> seen;
  std::size_t open_count = open.size();
  for (const Observation& observation : observed.found) {
    if (observation.subject.size() > store::kMaxAlertSubject) continue;
    const Key key(observation.kind, observation.subject);
    const auto found = open.find(key);
    if (!seen.insert(key).second) continue;
    if (observation.level == Level::kGood && found == open.end()) {
      streaks_.erase(key);
      continue;
    }
    const int length = count(key, observation.level);
    const Patience patience = patience_of(observation.kind);
    if (found == open.end() && observation.level == Level::kBad && length >= patience.to_open && open_count < kMaxOpen) {
      changed.push_back(opened(observation, ++last_id, now));
      ++open_count;
    }
    if (found != open.end() && observation.level == Level::kGood && length >= patience.to_close) {
      changed.push_back(*found->second);
      changed.back().closed = now;
      streaks_.erase(key);
    }
  }
  for (const auto& [key, alert] : open) {
    if (seen.contains(key) || observed.is_unknown[static_cast<std::size_t>(key.first)]) continue;
    if (count(key, Level::kGood) < patience_of(key.first).to_close) continue;
    changed.push_back(*alert);
    changed.back().closed = now;
    streaks_.erase(key);
  }
  // What is no longer spoken of, and not open, is forgotten: the map has an entry for each of both at most.
  std::erase_if(streaks_, [&](const auto& entry) { return !seen.contains(entry.first) && !open.contains(entry.first); });
  return changed;
}

}  // namespace posthus::main
