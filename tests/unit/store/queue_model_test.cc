// Random sequences of queue requests against a simple model: after them entries, recipients, due rows and references must say
// the same as maps do. Fixed seeds: a failure can be run again.
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "store/queue_reader.h"
#include "store/queue_rows.h"
#include "tests/unit/store/queue_fixture.h"
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

struct ModelRecipient {
  std::string domain, route;
  std::int64_t next = 0;
  std::uint32_t attempts = 0;
  bool must_bounce = false;
  std::string forwarder;
};
struct ModelEntry {
  bool is_held = false;
  std::string sender;
  std::map<std::uint16_t, ModelRecipient> recipients;
  std::size_t events = 0;
};
using DueRow = std::tuple<std::uint64_t, std::int64_t, std::uint64_t, std::uint16_t>;

class QueueModelTest : public RequestTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  std::string any_domain() { return "d" + std::to_string(below(5)) + ".test"; }
  std::string any_sender() { return below(3) == 0 ? "" : "s" + std::to_string(below(3)) + "@example.org"; }
  std::int64_t now() { return clock.now().microseconds; }
  static std::int64_t made_due(std::int64_t before) { return before < 1000 ? (before + 1) % 1000 : 0; }
  std::uint64_t any_id() { return 1 + below(last_id_ + 1); }

  void add();
  void record();
  void act();
  bool act_on(ModelEntry& entry, const ChangeQueue& request, std::uint64_t& touched);
  void compare();

  std::map<std::uint64_t, ModelEntry> model_;
  std::map<std::uint64_t, std::size_t> events_;
  std::uint64_t last_id_ = 0, stored_ = 0;
  std::mt19937 random_{GetParam()};
};

void QueueModelTest::add() {
  AddMessage request{.message = text_of(100), .targets = {}, .internal_date = clock.now()};
  ModelEntry entry{.is_held = chance(10), .sender = any_sender()};
  std::vector<QueuedRecipient> recipients;
  for (std::size_t i = 0; i <= below(6); ++i) {
    recipients.push_back(recipient_at("r@" + any_domain()));
    if (chance(30)) recipients.back().forwarder = "f" + std::to_string(below(2)) + "@example.org";
    if (chance(30)) recipients.back().next_attempt = {now() + static_cast<std::int64_t>(below(1000))};
    entry.recipients[static_cast<std::uint16_t>(i + 1)] = {.domain = recipients.back().domain,
                                                           .next = recipients.back().next_attempt.microseconds,
                                                           .forwarder = recipients.back().forwarder};
  }
  request = queued(std::move(request), ++last_id_, std::move(recipients));
  request.queue->reverse_path = entry.sender;
  request.queue->is_held = entry.is_held;
  request.trace = "{}";
  must(std::move(request));
  ++stored_;
  ++events_[last_id_];
  model_[last_id_] = std::move(entry);
}

void QueueModelTest::record() {
  const std::uint64_t id = any_id();
  RecordAttempt request = attempt(id, {}, {"{}"});
  const auto found = model_.find(id);
  for (std::uint16_t number = 1; number <= 7; ++number) {
    if (chance(50)) continue;
    RecipientOutcome outcome = chance(40) ? done(number) : deferred(number, {now() + static_cast<std::int64_t>(below(5000))});
    outcome.was_attempted = chance(80);
    request.outcomes.push_back(outcome);
    if (found == model_.end() || !found->second.recipients.contains(number)) continue;
    if (outcome.kind == RecipientOutcome::Kind::kDone) {
      found->second.recipients.erase(number);
      continue;
    }
    ModelRecipient& recipient = found->second.recipients[number];
    if (chance(50)) outcome.was_due_at = Timestamp{chance(50) ? recipient.next : recipient.next + 1};
    request.outcomes.back() = outcome;
    const bool is_ordered = recipient.must_bounce || (outcome.was_due_at && outcome.was_due_at->microseconds != recipient.next);
    if (!is_ordered || !outcome.was_attempted) recipient.next = outcome.next_attempt.microseconds;
    if (outcome.was_attempted) ++recipient.attempts;
  }
  if (found != model_.end() && found->second.recipients.empty()) model_.erase(found);
  must(std::move(request));
  ++events_[id];
}

/// True when the message is gone.
bool QueueModelTest::act_on(ModelEntry& entry, const ChangeQueue& request, std::uint64_t& touched) {
  const QueueFilter& filter = request.filter;
  const std::string sender = filter.reverse_path == "<>" ? "" : filter.reverse_path;
  if (!filter.reverse_path.empty() && sender != entry.sender) return false;
  std::set<std::uint16_t> matching;
  for (const auto& [number, recipient] : entry.recipients) {
    if (filter.recipient_domain.empty() || filter.recipient_domain == recipient.domain) matching.insert(number);
  }
  if (matching.empty()) return false;
  if (request.action == QueueAction::kHold || request.action == QueueAction::kRelease) {
    const bool holds = request.action == QueueAction::kHold;
    if (entry.is_held == holds) return false;
    entry.is_held = holds;
    touched += entry.recipients.size();
    for (auto& [number, recipient] : entry.recipients) {
      if (!holds) recipient.next = made_due(recipient.next);
    }
    return false;
  }
  for (const std::uint16_t number : matching) {
    ModelRecipient& recipient = entry.recipients[number];
    if (request.action == QueueAction::kRetryNow && entry.is_held && !recipient.must_bounce) continue;
    ++touched;
    if (request.action == QueueAction::kRemove) {
      entry.recipients.erase(number);
      continue;
    }
    if (request.action == QueueAction::kBounce) recipient.must_bounce = true;
    if (request.action == QueueAction::kReroute) recipient.route = request.text;
    if (!entry.is_held || recipient.must_bounce) recipient.next = made_due(recipient.next);
  }
  return entry.recipients.empty();
}

void QueueModelTest::act() {
  constexpr QueueAction kActions[] = {QueueAction::kHold,   QueueAction::kRelease, QueueAction::kRetryNow,
                                      QueueAction::kBounce, QueueAction::kReroute, QueueAction::kRemove};
  ChangeQueue request;
  request.action = kActions[below(std::size(kActions))];
  if (request.action == QueueAction::kReroute && chance(70)) request.text = "smtp://127.0.0.1:25";
  request.trace = "{}";
  switch (below(4)) {
    case 0: request.filter.recipient_domain = any_domain(); break;
    case 1: {
      const std::string sender = any_sender();
      request.filter.reverse_path = sender.empty() ? "<>" : sender;
      break;
    }
    case 2: request.filter.everything = request.action != QueueAction::kRemove || chance(10); break;
    default: request.filter.id = QueueId(any_id());
  }
  const QueueFilter& filter = request.filter;
  if (filter.id.value == 0 && filter.recipient_domain.empty() && filter.reverse_path.empty() && !filter.everything) return;
  if (filter.id.value != 0 && !model_.contains(filter.id.value)) {
    EXPECT_EQ(refusal(request), ErrorKind::kNotFound);
    return;
  }
  std::uint64_t touched = 0;
  for (auto entry = model_.begin(); entry != model_.end();) {
    const std::uint64_t before = touched;
    const bool is_gone = (filter.id.value == 0 || filter.id.value == entry->first) && act_on(entry->second, request, touched);
    if (touched != before) ++events_[entry->first];
    entry = is_gone ? model_.erase(entry) : std::next(entry);
  }
  EXPECT_EQ(must(request).messages, touched);
}

void QueueModelTest::compare() {
  const auto snapshot_now = snapshot();
  const QueueReader reader(*snapshot_now);
  const auto stored = reader.messages(QueueId(0), 10'000, 100).value();
  ASSERT_EQ(stored.size(), model_.size());
  std::set<DueRow> expected_due, due;
  for (const QueuedMessage& message : stored) {
    const auto found = model_.find(message.entry.id.value);
    ASSERT_NE(found, model_.end());
    const ModelEntry& entry = found->second;
    EXPECT_EQ(message.entry.is_held, entry.is_held);
    ASSERT_EQ(message.recipients.size(), entry.recipients.size());
    for (const QueuedRecipient& recipient : message.recipients) {
      ASSERT_TRUE(entry.recipients.contains(recipient.number));
      const ModelRecipient& model = entry.recipients.at(recipient.number);
      EXPECT_EQ(std::tie(recipient.domain, recipient.route, recipient.next_attempt.microseconds, recipient.attempts,
                         recipient.must_bounce),
                std::tie(model.domain, model.route, model.next, model.attempts, model.must_bounce));
      if (entry.is_held && !model.must_bounce) continue;
      expected_due.insert({destination_hash(model.domain), model.next, found->first, recipient.number});
    }
    EXPECT_EQ(decode_blob_record(*snapshot_now->get(Table::kBlobs, blob_key(message.entry.blob)).value())->references, 1u);
  }
  std::set<std::uint64_t> destinations, expected_destinations;
  ASSERT_TRUE(reader.destinations(0, 1000, [&](const DueRecipient& first) { destinations.insert(first.destination); }));
  for (const DueRow& row : expected_due) expected_destinations.insert(std::get<0>(row));
  EXPECT_EQ(destinations, expected_destinations);
  std::map<std::uint64_t, std::size_t> counted, expected_counted;
  constexpr std::size_t kMost = 3;
  for (std::optional<std::uint64_t> from = 0; from;) {
    from = reader
               .counted_destinations(*from, 2, kMost,
                                     [&](const DueRecipient& first, std::size_t count) { counted[first.destination] = count; })
               .value();
  }
  for (const DueRow& row : expected_due) {
    std::size_t& count = expected_counted[std::get<0>(row)];
    count = std::min(count + 1, kMost);
  }
  EXPECT_EQ(counted, expected_counted);
  for (const std::uint64_t destination : destinations) {
    for (const DueRecipient& row : reader.due(destination, {}, {INT64_MAX}, 10'000).value()) {
      due.insert({row.destination, row.next_attempt.microseconds, row.id.value, row.number});
    }
  }
  EXPECT_EQ(due, expected_due);
  EXPECT_EQ(rows(Table::kQueueDue), expected_due.size());
  std::map<std::string, std::uint32_t> waiting, forwarded;
  for (const auto& [id, entry] : model_) {
    for (const auto& [number, recipient] : entry.recipients) {
      if (!recipient.forwarder.empty()) {
        ++forwarded[recipient.forwarder];
      } else if (!entry.sender.empty()) {
        ++waiting[entry.sender];
      }
    }
  }
  for (const auto& [sender, count] : waiting) EXPECT_EQ(reader.waiting_of(AccountId(), sender).value(), count) << sender;
  for (const auto& [address, count] : forwarded) EXPECT_EQ(reader.waiting_forwards_of(address).value(), count) << address;
  EXPECT_EQ(rows(Table::kQueueSenders), waiting.size() + forwarded.size());
  EXPECT_EQ(rows(Table::kBlobs), model_.size());
  EXPECT_EQ(released.size() + model_.size(), stored_);
  for (const auto& [id, count] : events_) EXPECT_EQ(reader.trace(QueueId(id)).value().size(), count) << id;
}

TEST_P(QueueModelTest, AgreesWithTheModel) {
  for (int step = 0; step < 500 && !HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    clock.advance(static_cast<std::int64_t>(below(1000)));
    const std::size_t what = below(10);
    if (what < 4) {
      add();
    } else if (what < 7) {
      record();
    } else {
      act();
    }
    if (step % 10 == 0) compare();
  }
  compare();
}

INSTANTIATE_TEST_SUITE_P(Seeds, QueueModelTest, ::testing::Values(1u, 2u, 3u, 4u));

}  // namespace
}  // namespace posthus::store
