// One look at everything alerts are about. See alert_conditions.h.
#include "core/main/alert_conditions.h"

#include <algorithm>

#include "core/mail/date_time.h"
#include "store/directory_reader.h"
#include "store/hold_reason.h"
#include "store/queue_reader.h"
#include "store/sending_reader.h"
#include "web-admin/setting_values.h"

namespace posthus::main {
namespace {

using store::AlertKind;

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::uint64_t kDiskReturn = 2;        // per cent above the mark that must be free before it is over
constexpr std::size_t kMaxDestinations = 1000;  // looked at, each with a few rows: some milliseconds a minute
constexpr std::size_t kRowsOfDestination = 8;
constexpr std::size_t kMaxSingleDestinations = 5;  // that fail at once; more are one alert
constexpr std::size_t kMaxCounts = 700;            // a look a second, in tests, and room

/// Of what waits for a destination: what was accepted first, and the newest words.
struct Waiting {
  std::string domain, last_reply;
  Timestamp since, last_attempt;
};

// WHY reports and what nobody sent do not count: an alert that cannot be delivered is one of them, and would be an alert about
// itself.
bool counts(const store::QueueEntry& entry) { return entry.origin != store::QueueOrigin::kReport && !entry.reverse_path.empty(); }

Result<Waiting> waiting_for(const store::QueueReader& reader, std::uint64_t destination) {
  Waiting waiting{.since = Timestamp{INT64_MAX}};
  auto rows = POSTHUS_TRY(reader.due(destination, {}, Timestamp{INT64_MAX}, kRowsOfDestination));
  if (const auto last = POSTHUS_TRY(reader.last_due(destination))) rows.push_back(*last);
  for (const store::DueRecipient& row : rows) {
    const auto entry = POSTHUS_TRY(reader.entry(row.id));
    if (!entry || !counts(*entry)) continue;
    const auto recipient = POSTHUS_TRY(reader.recipient(row.id, row.number));
    if (!recipient) continue;
    waiting.domain = recipient->domain;
    waiting.since = std::min(waiting.since, entry->accepted);
    if (recipient->last_attempt < waiting.last_attempt || recipient->last_reply.empty()) continue;
    waiting.last_attempt = recipient->last_attempt;
    waiting.last_reply = recipient->last_reply;
  }
  return waiting;
}

}  // namespace

Result<AlertMarks> alert_marks(const store::Snapshot& snapshot) {
  AlertMarks marks;
  marks.certificate_days = POSTHUS_TRY(web_admin::setting_number(snapshot, "alerts.certificate_days"));
  marks.disk_percent = POSTHUS_TRY(web_admin::setting_number(snapshot, "alerts.disk_percent"));
  marks.queue_copies = POSTHUS_TRY(web_admin::setting_number(snapshot, "alerts.queue_copies"));
  marks.destination_minutes = POSTHUS_TRY(web_admin::setting_number(snapshot, "alerts.destination_minutes"));
  marks.refused_sign_ins = POSTHUS_TRY(web_admin::setting_number(snapshot, "alerts.refused_sign_ins"));
  marks.clock_seconds = POSTHUS_TRY(web_admin::setting_number(snapshot, "alerts.clock_seconds"));
  return marks;
}

Result<Observed> AlertConditions::look() {
  Observed observed;
  const auto snapshot = POSTHUS_TRY(sources_.store.snapshot());
  const AlertMarks marks = POSTHUS_TRY(alert_marks(*snapshot));
  look_at_certificates(marks, observed);
  look_at_disk(marks, observed);
  POSTHUS_TRY_VOID(look_at_queue(marks, *snapshot, observed));
  POSTHUS_TRY_VOID(look_at_destinations(marks, *snapshot, observed));
  POSTHUS_TRY_VOID(look_at_holds(*snapshot, observed));
  POSTHUS_TRY_VOID(look_at_limits(*snapshot, observed));
  look_at_blocklists(observed);
  look_at_sign_ins(marks, observed);
  look_at_clock(marks, observed);
  look_at_shared_addresses(observed);
  return observed;
}

// WHY a quarter of its life, if that is less: a certificate of six days is renewed when two are left.
void AlertConditions::look_at_certificates(const AlertMarks& marks, Observed& observed) const {
  const std::int64_t now = sources_.clock.now().seconds();
  for (const auto& [hostname, life] : sources_.certificates()) {
    const std::int64_t mark =
        std::min(static_cast<std::int64_t>(marks.certificate_days) * kDaySeconds, (life.end - life.begin) / 4);
    const bool is_bad = marks.certificate_days > 0 && life.end - now <= mark;
    const std::string end = mail::format_rfc3339(Timestamp::from_seconds(life.end));
    observed.found.push_back({AlertKind::kCertificate, hostname, is_bad ? Level::kBad : Level::kGood, {end.substr(0, 10), end}});
  }
  const auto failure = sources_.certificate_files();
  if (failure && marks.certificate_days > 0) {
    observed.found.push_back({AlertKind::kCertificate, failure->file, Level::kBad, {"", failure->reason}});
  }
}

void AlertConditions::look_at_disk(const AlertMarks& marks, Observed& observed) const {
  const web_admin::DiskRoom room = sources_.disk();
  if (room.total == 0) {
    observed.is_unknown[static_cast<std::size_t>(AlertKind::kDisk)] = true;
    return;
  }
  const std::uint64_t percent = room.available / (room.total / 100 + 1);
  Level level = percent < marks.disk_percent ? Level::kBad : Level::kBetween;
  if (marks.disk_percent == 0 || percent >= marks.disk_percent + kDiskReturn) level = Level::kGood;
  observed.found.push_back({AlertKind::kDisk, "", level, {std::to_string(percent), std::to_string(room.available >> 20)}});
}

Result<> AlertConditions::look_at_queue(const AlertMarks& marks, const store::Snapshot& snapshot, Observed& observed) const {
  const std::uint64_t waiting = POSTHUS_TRY(snapshot.size(store::Table::kQueueDue)).rows;
  Level level = waiting > marks.queue_copies ? Level::kBad : Level::kBetween;
  if (marks.queue_copies == 0 || waiting <= marks.queue_copies - marks.queue_copies / 4) level = Level::kGood;
  observed.found.push_back({AlertKind::kQueue, "", level, {std::to_string(waiting), std::to_string(marks.queue_copies)}});
  return {};
}

Result<> AlertConditions::look_at_destinations(const AlertMarks& marks, const store::Snapshot& snapshot,
                                               Observed& observed) const {
  if (marks.destination_minutes == 0) return {};
  const store::QueueReader reader(snapshot);
  std::vector<std::uint64_t> destinations;
  POSTHUS_TRY(reader.destinations(0, kMaxDestinations,
                                  [&](const store::DueRecipient& first) { destinations.push_back(first.destination); }));
  const Timestamp now = sources_.clock.now();
  std::vector<Observation> failing;
  for (const std::uint64_t destination : destinations) {
    const Waiting waiting = POSTHUS_TRY(waiting_for(reader, destination));
    const std::int64_t minutes = (now.seconds() - waiting.since.seconds()) / 60;
    if (waiting.domain.empty() || minutes < static_cast<std::int64_t>(marks.destination_minutes)) continue;
    const std::string reply = waiting.last_reply.empty() ? "-" : waiting.last_reply;
    failing.push_back({AlertKind::kDestination, waiting.domain, Level::kBad, {std::to_string(minutes), reply}});
  }
  if (failing.size() <= kMaxSingleDestinations) {
    observed.found.insert(observed.found.end(), failing.begin(), failing.end());
    return {};
  }
  // WHY those that fail stay between: what was told of singly is not over because there are more of them.
  observed.found.push_back({AlertKind::kDestination, "*", Level::kBad, {std::to_string(failing.size())}});
  for (Observation& one : failing) {
    one.level = Level::kBetween;
    observed.found.push_back(std::move(one));
  }
  return {};
}

Result<> AlertConditions::look_at_holds(const store::Snapshot& snapshot, Observed& observed) const {
  const store::DirectoryReader directory(snapshot);
  for (const store::SendingRecord& record : POSTHUS_TRY(store::SendingReader(snapshot).held())) {
    const auto user = POSTHUS_TRY(directory.user(record.account));
    if (!user) continue;
    const store::HoldReason why = store::decode_hold_reason(record.hold_reason);
    const std::string code(to_string(why.code));
    observed.found.push_back(
        {AlertKind::kHold, user->address, Level::kBad, {code, std::to_string(why.count), std::to_string(why.limit), why.text}});
  }
  return {};
}

// Until the day (UTC) is over, or somebody has raised the limit.
Result<> AlertConditions::look_at_limits(const store::Snapshot& snapshot, Observed& observed) const {
  const store::SendingReader reader(snapshot);
  for (const store::SentToday& record : POSTHUS_TRY(reader.limits_met(sources_.clock.now()))) {
    const bool is_domain = !record.name.contains('@');
    const auto limits = POSTHUS_TRY(reader.domain_limits(std::string_view(record.name).substr(record.name.rfind('@') + 1)));
    std::uint32_t limit = limits.domain_messages_per_day;
    if (record.met == store::MetLimit::kNewRecipients) limit = limits.domain_new_recipients_per_day;
    if (!is_domain) {
      const auto forwards = POSTHUS_TRY(reader.forward_limits(record.name));
      limit = std::min(forwards.forwards_per_day, forwards.domain_forwards_per_day);
    }
    if (limit > record.met_limit) continue;
    const std::string which(to_string(record.met));
    observed.found.push_back({AlertKind::kLimit, record.name, Level::kBad, {std::to_string(record.met_limit), which}});
  }
  return {};
}

void AlertConditions::look_at_blocklists(Observed& observed) const {
  const auto report = sources_.delivery_report();
  if (!report) {
    observed.is_unknown[static_cast<std::size_t>(AlertKind::kBlocklist)] = true;
    return;
  }
  for (const web_admin::DeliveryItem& item : report->items) {
    if (item.check != "blocklist") continue;
    Level level = Level::kBetween;
    if (item.state == mailauth::RecordState::kOk) level = Level::kGood;
    if (item.state == mailauth::RecordState::kWrong) level = Level::kBad;
    observed.found.push_back({AlertKind::kBlocklist, item.subject, level, {}});
  }
}

void AlertConditions::look_at_sign_ins(const AlertMarks& marks, Observed& observed) {
  const std::int64_t now = sources_.clock.now().seconds();
  const std::uint64_t total = sources_.refused_sign_ins();
  // What the process counted before the first look counts too: it began at nothing.
  if (refused_.empty()) refused_.push_back({now, 0});
  refused_.push_back({now, total});
  // The last one from before the window stays: what came since then is what the window holds.
  while (refused_.size() > 2 && (refused_[1].second <= now - kSignInWindow || refused_.size() > kMaxCounts)) refused_.pop_front();
  const std::uint64_t count = total - refused_.front().total;
  Level level = count >= marks.refused_sign_ins ? Level::kBad : Level::kBetween;
  if (marks.refused_sign_ins == 0 || count <= marks.refused_sign_ins / 2) level = Level::kGood;
  observed.found.push_back({AlertKind::kLogins, "", level, {std::to_string(count), std::to_string(kSignInWindow / 60)}});
}

void AlertConditions::look_at_clock(const AlertMarks& marks, Observed& observed) const {
  using Kind = web_admin::ClockVerdict::Kind;
  if (marks.clock_seconds == 0) return;
  const auto verdict = sources_.clock_verdict(static_cast<std::int64_t>(marks.clock_seconds));
  if (verdict.kind == Kind::kUnknown) {
    observed.is_unknown[static_cast<std::size_t>(AlertKind::kClock)] = true;
    return;
  }
  std::string hosts;
  for (const std::string& host : verdict.hosts) hosts += (hosts.empty() ? "" : ", ") + host;
  const std::string ahead = (verdict.ahead > 0 ? "+" : "") + std::to_string(verdict.ahead);
  observed.found.push_back({AlertKind::kClock, "", verdict.kind == Kind::kWrong ? Level::kBad : Level::kGood, {ahead, hosts}});
}

// WHY a proxy that nobody has named is none of them: through a gateway that hides its clients any of these can send the fields of
// a proxy. WHY unknown for a day: what was found before a restart must be found anew, and is not over before that could be.
void AlertConditions::look_at_shared_addresses(Observed& observed) const {
  for (const SharedAddressWarning& warning : sources_.shared_addresses()) {
    if (warning.kind == SharedAddressWarning::Kind::kUnnamedProxy) continue;
    // WHY: those are programs of this machine, a webmail perhaps: as it should be.
    if (sources_.is_loopback_this_machine && is_loopback(warning.address)) continue;
    observed.found.push_back(
        {AlertKind::kSharedAddress, to_string(warning.address), Level::kBad, {std::string(to_string(warning.kind))}});
  }
  const bool is_early = sources_.clock.now().seconds() - began_ < kEvidenceSeconds;
  observed.is_unknown[static_cast<std::size_t>(AlertKind::kSharedAddress)] = is_early;
}

}  // namespace posthus::main
