// ClockWatch. See the header.
#include "core/main/clock_watch.h"

#include <time.h>

#include <algorithm>

#include "core/mail/date_time.h"

namespace posthus::main {
namespace {

constexpr std::size_t kMaxHosts = 16;  // the one heard of least lately goes
constexpr std::int64_t kMicroseconds = 1'000'000;
constexpr std::int64_t kStale = 7 * 86'400 * kMicroseconds;  // a steady clock drifts by some seconds a day at most

}  // namespace

std::int64_t steady_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kMicroseconds + now.tv_nsec / 1000;
}

void ClockWatch::heard(const std::string& host, std::string_view date, std::int64_t asked, std::int64_t answered) {
  const auto parsed = mail::parse_rfc5322_date(date);  // IMF-fixdate is one, with the zone written in the old way
  if (!parsed) return;
  // The second it said began at most one second before it was said, and it was said between `asked` and `answered`.
  const std::int64_t half = (answered - asked) / 2;
  Sample sample{.host = host};
  sample.difference = parsed->time.microseconds + kMicroseconds / 2 - (asked + half);
  sample.uncertainty = half + kMicroseconds / 2;
  sample.heard = answered;
  const std::lock_guard lock(mutex_);
  std::erase_if(samples_, [&host](const Sample& s) { return s.host == host; });
  if (samples_.size() >= kMaxHosts) samples_.erase(samples_.begin());
  samples_.push_back(std::move(sample));
}

void ClockWatch::believe(const std::string& host) {
  const std::lock_guard lock(mutex_);
  believed_ = host;
}

web_admin::ClockVerdict ClockWatch::verdict(std::int64_t mark) const {
  using Kind = web_admin::ClockVerdict::Kind;
  const std::int64_t now = clock_.now().microseconds, steady = steady_();
  struct Camp {
    std::vector<std::pair<std::int64_t, std::string>> members;  // seconds ahead, host
    std::size_t weight = 0;
  };
  Camp right, ahead, behind;
  const std::lock_guard lock(mutex_);
  for (const Sample& sample : samples_) {
    if (steady - sample.heard > kStale) continue;
    const std::int64_t off = now - (steady + sample.difference);
    const std::int64_t least = std::max<std::int64_t>(0, (off < 0 ? -off : off) - sample.uncertainty);
    Camp& camp = least <= mark * kMicroseconds ? right : off > 0 ? ahead : behind;
    camp.members.emplace_back(off / kMicroseconds, sample.host);
    camp.weight += sample.host == believed_ ? 2 : 1;
  }
  Camp& wrong = ahead.weight > behind.weight ? ahead : behind;
  const std::size_t others = right.weight + ahead.weight + behind.weight;
  Camp& winner = wrong.weight > right.weight ? wrong : right;
  web_admin::ClockVerdict verdict;
  if (winner.members.empty()) return verdict;
  std::ranges::sort(winner.members);
  verdict.ahead = winner.members[winner.members.size() / 2].first;
  for (const auto& [seconds, host] : winner.members) verdict.hosts.push_back(host);
  const bool is_majority = winner.weight * 2 > others;
  if (&winner == &right && is_majority) verdict.kind = Kind::kRight;
  if (&winner != &right && is_majority && winner.weight >= 2) verdict.kind = Kind::kWrong;
  return verdict;
}

}  // namespace posthus::main
