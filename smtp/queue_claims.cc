// What a visit takes: rows that are due, claimed so that nobody else delivers to them at the same time.
// Thread rule: queue_runner_state.h; take() on workers.
#include <algorithm>

#include "core/base/log.h"
#include "core/base/queue_id.h"
#include "smtp/queue_runner_state.h"
#include "store/route_url.h"

namespace posthus::smtp {
namespace {

constexpr std::size_t kMaxTakes = 1000;  // messages found held, removed or to be returned in one take(): then a pause

// Destinations looked at for one whose mail goes the same route. WHY so few: where most mail goes by routes the first will do.
constexpr std::size_t kMaxAlong = 4;

std::string claim_domain(const std::string& reverse_path) {
  const std::size_t at = reverse_path.rfind('@');
  return at == std::string::npos ? std::string() : reverse_path.substr(at + 1);
}

// Most special first (store/queue_records.h): the recipient's own, its domain's, the sender's, everybody's.
Result<> choose_route(const store::QueueReader& reader, Batch& batch) {
  const store::QueuedRecipient& recipient = batch.recipients.front();
  if (!recipient.route.empty()) {
    const auto hop = store::parse_route_url(recipient.route);
    if (hop) {
      batch.way = recipient.route;
      batch.route = store::RouteRecord{.name = recipient.route, .hops = {*hop}, .login = {}, .password = {}, .created = {}};
      return {};
    }
    log::warning("queue.bad_route", {{"route", recipient.route}, {"context", hop.error().context}});
  }
  batch.route = POSTHUS_TRY(reader.route(recipient.domain));
  if (batch.route) return {};
  const std::string sender = claim_domain(batch.reverse_path());
  if (!sender.empty()) batch.route = POSTHUS_TRY(reader.route("from:" + sender));
  if (batch.route) {
    batch.way = batch.route->name;
    return {};
  }
  batch.route = POSTHUS_TRY(reader.route("*"));
  return {};
}

// RFC 8689 §4.2: what has a demand of its own goes over connections of its own.
Result<> choose_way(const store::QueueReader& reader, Batch& batch) {
  POSTHUS_TRY_VOID(choose_route(reader, batch));
  switch (batch.tls_demand()) {
    case TlsDemand::kUsual: break;
    case TlsDemand::kProven: batch.way += " requiretls"; break;
    case TlsDemand::kOptional: batch.way += " tls-required-no"; break;
  }
  return {};
}

std::vector<std::uint16_t> numbers_of(const std::vector<store::QueuedRecipient>& recipients) {
  std::vector<std::uint16_t> numbers;
  numbers.reserve(recipients.size());
  for (const store::QueuedRecipient& recipient : recipients) numbers.push_back(recipient.number);
  return numbers;
}

}  // namespace

// A share of a second at once, so that a rate finer than the tick is kept.
bool QueueRunner::State::is_pacing(Destination& d, Timestamp now) {
  if (d.messages_per_minute == 0) return false;
  if (d.paced_until.microseconds > now.microseconds + 1'000'000) {
    d.pause_until = {d.paced_until.microseconds - 1'000'000};
    return true;
  }
  d.paced_until = {std::max(d.paced_until, now).microseconds + 60'000'000 / d.messages_per_minute};
  return false;
}

std::vector<store::DueRecipient> QueueRunner::State::claim(std::uint64_t hash) {
  std::vector<store::DueRecipient> rows;
  const std::lock_guard lock(mutex_);
  Destination& d = destination(hash);
  if (!d.ahead.empty() && is_pacing(d, context.clock.now())) return rows;
  while (!d.ahead.empty() && rows.size() < kMaxRecipientsPerTransaction) {
    const store::DueRecipient& next = d.ahead.back();
    if (!rows.empty() && next.id != rows.front().id) break;
    if (claims_.insert({next.id, next.number}).second) {
      ++d.claims;
      rows.push_back(next);
    }
    d.ahead.pop_back();
  }
  if (d.ahead.empty()) std::vector<store::DueRecipient>().swap(d.ahead);
  return rows;
}

Result<> QueueRunner::State::read_ahead(std::uint64_t hash) {
  std::size_t limit = kReadAhead;
  std::uint32_t orders = 0;
  {
    const std::lock_guard lock(mutex_);
    Destination& d = destination(hash);
    d.is_changed = false;
    orders = d.orders;
    limit += d.claims + strays_.size();
  }
  const Timestamp now = context.clock.now();
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  const std::vector<store::DueRecipient> rows = POSTHUS_TRY(store::QueueReader(*snapshot).due(hash, {}, kNever, limit));
  const std::lock_guard lock(mutex_);
  Destination& d = destination(hash);
  d.next_due = rows.size() == limit ? now : kNever;
  std::vector<store::DueRecipient> due;
  for (const store::DueRecipient& row : rows) {
    if (row.next_attempt > now) {
      d.next_due = row.next_attempt;
      break;
    }
    if (!claims_.contains({row.id, row.number}) && !strays_.contains({row.id, row.number})) due.push_back(row);
  }
  // WHY: what is asked for meanwhile comes before what was read.
  const bool is_outdated = d.orders != orders;
  if (d.is_changed || is_outdated) d.next_due = std::min(d.next_due, now);
  std::reverse(due.begin(), due.end());
  if (d.ahead.empty() && !is_outdated) d.ahead = std::move(due);
  schedule(hash);
  return {};
}

void QueueRunner::State::release(std::uint64_t hash, QueueId id, const std::vector<std::uint16_t>& numbers, Timestamp next_due) {
  const std::lock_guard lock(mutex_);
  Destination& d = destination(hash);
  for (const std::uint16_t number : numbers) d.claims -= static_cast<std::uint32_t>(claims_.erase({id, number}));
  d.next_due = std::min(d.next_due, next_due);
  schedule(hash);
}

void QueueRunner::State::put_back(std::uint64_t hash, const Batch& batch) {
  release(hash, batch.entry.id, numbers_of(batch.recipients), context.clock.now());
}

// An admin wants these returned: no host is asked.
void QueueRunner::State::return_by_order(std::uint64_t hash, const store::QueueEntry& entry,
                                         std::vector<store::QueuedRecipient> recipients) {
  Settlement settlement;
  settlement.entry = entry;
  settlement.domain = recipients.front().domain;
  for (store::QueuedRecipient& recipient : recipients) {
    settlement.recipients.push_back({.recipient = std::move(recipient),
                                     .verdict = SettledRecipient::Verdict::kFailed,
                                     .reply = {},
                                     .status = "5.0.0",
                                     .explanation = "The administrator of this server returned the message."});
  }
  settle(hash, std::move(settlement));
}

// The claimed rows as they are in the store now. WHY a snapshot of its own, begun after the claim: the rows were read
// before it, and who had them may have delivered them since.
Result<std::optional<Batch>> QueueRunner::State::load(std::uint64_t hash, const std::vector<store::DueRecipient>& rows) {
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  const store::QueueReader reader(*snapshot);
  const Timestamp now = context.clock.now();
  const QueueId id = rows.front().id;
  std::optional<store::QueueEntry> entry = POSTHUS_TRY(reader.entry(id));
  Batch batch;
  batch.destination = hash;
  std::vector<store::QueuedRecipient> returned;
  std::vector<std::uint16_t> gone, others;
  for (const store::DueRecipient& row : rows) {
    std::optional<store::QueuedRecipient> recipient = entry ? POSTHUS_TRY(reader.recipient(id, row.number)) : std::nullopt;
    const bool is_due = recipient && recipient->next_attempt <= now;
    if (is_due && recipient->must_bounce) {
      returned.push_back(*std::move(recipient));
    } else if (!is_due || entry->is_held) {
      gone.push_back(row.number);
      POSTHUS_TRY_VOID(note_stray(reader, row));
    } else if (batch.recipients.empty() || (recipient->reverse_path == batch.recipients.front().reverse_path &&
                                            recipient->route == batch.recipients.front().route)) {
      batch.recipients.push_back(*std::move(recipient));
    } else {
      others.push_back(row.number);
    }
  }
  if (!batch.recipients.empty()) {
    batch.entry = *entry;
    POSTHUS_TRY_VOID(choose_way(reader, batch));
  }
  release(hash, id, gone, kNever);
  if (!others.empty()) release(hash, id, others, now);
  if (!returned.empty()) return_by_order(hash, *entry, std::move(returned));
  if (batch.recipients.empty()) return std::nullopt;
  return batch;
}

// WHY: what was read ahead may be gone since; but a due row that is still there and belongs to no recipient who is due would be
// read, claimed and let go again without end.
Result<> QueueRunner::State::note_stray(const store::QueueReader& reader, const store::DueRecipient& row) {
  if (!POSTHUS_TRY(reader.has_due(row))) return {};
  log::error("queue.stray_row", {{"id", to_text(row.id)}, {"recipient", static_cast<std::uint32_t>(row.number)}});
  const std::lock_guard lock(mutex_);
  if (strays_.size() >= kMaxStrays) return fail(ErrorKind::kCorrupt, "due rows that belong to nothing");
  strays_.insert({row.id, row.number});
  return {};
}

// Nothing is taken though there may be something: looked at again at `when`.
std::nullopt_t QueueRunner::State::none_before(std::uint64_t hash, Timestamp when) {
  release(hash, {}, {}, when);
  return std::nullopt;
}

std::optional<Batch> QueueRunner::State::take(std::uint64_t hash, const std::string* way) {
  const Timestamp now = context.clock.now();
  const Timestamp after_trouble{now.microseconds + kTroublePause};
  bool has_read = false;
  for (std::size_t i = 0; i < kMaxTakes; ++i) {
    if (!may_take()) return none_before(hash, now);
    const std::vector<store::DueRecipient> rows = claim(hash);
    if (rows.empty()) {
      if (std::exchange(has_read, true) || has_read_on(hash)) return std::nullopt;
      const Result<> read = read_ahead(hash);
      if (read) continue;
      log::warning("queue.unreadable", {{"context", read.error().context}});
      return none_before(hash, after_trouble);
    }
    has_read = false;
    Result<std::optional<Batch>> batch = load(hash, rows);
    if (!batch) {
      log::warning("queue.unreadable", {{"context", batch.error().context}});
      std::vector<std::uint16_t> numbers;
      for (const store::DueRecipient& row : rows) numbers.push_back(row.number);
      release(hash, rows.front().id, numbers, after_trouble);
      return std::nullopt;
    }
    if (!*batch) continue;
    if (!way || (*batch)->way == *way) return *std::move(batch);
    forget_lane(hash);
    put_back(hash, **batch);
    return std::nullopt;
  }
  return none_before(hash, now);
}

Result<> QueueRunner::State::read_settings(Batch& batch) const {
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  batch.settings = POSTHUS_TRY(read_destination_settings(store::QueueReader(*snapshot), batch.recipients.front().domain));
  return {};
}

std::optional<Batch> QueueRunner::State::take_along(std::uint64_t number, const std::string& way, const std::string& route) {
  std::optional<Batch> found;
  for (std::size_t i = 0; i < kMaxAlong && !found; ++i) {
    const std::optional<std::uint64_t> hash = next_along(number);
    if (!hash) break;
    std::optional<Batch> batch = take(*hash, &way);
    {
      const std::lock_guard lock(mutex_);
      schedule(*hash);  // what is left of it
    }
    if (!batch) continue;
    if (batch->route && batch->route->name == route && read_settings(*batch)) {
      found = std::move(batch);
    } else {
      forget_lane(*hash);
      put_back(*hash, *batch);
    }
  }
  if (!found) start_visits();  // of those whose mail goes another way
  return found;
}

// WHY: a connection asks after each message, and mostly nothing has come.
bool QueueRunner::State::has_read_on(std::uint64_t hash) {
  const std::lock_guard lock(mutex_);
  const auto found = destinations_.find(hash);
  if (found == destinations_.end()) return false;
  const Destination& d = found->second;
  if (d.is_changed || !d.ahead.empty() || d.next_due <= context.clock.now()) return false;
  schedule(hash);
  return true;
}

bool QueueRunner::State::may_take() {
  const std::lock_guard lock(mutex_);
  return !is_stopping_ && recording_ < kMaxRecording;
}

}  // namespace posthus::smtp
