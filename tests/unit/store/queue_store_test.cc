// The queue in whole stores, in memory and on disk: texts, reports, check, rebuild, reclaim, backup, expiry, and what reading
// costs when much is queued.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <set>

#include "core/base/bytes.h"
#include "store/blob_record.h"
#include "store/queue_reader.h"
#include "store/queue_rows.h"
#include "store/store_state.h"
#include "tests/unit/store/queue_fixture.h"
#include "tests/unit/store/store_fixture.h"

namespace posthus::store {
namespace {

namespace fs = std::filesystem;

/// An id as the server makes them: of the moment it was accepted.
std::uint64_t id_at(Timestamp time, std::uint64_t counter = 0) {
  return (static_cast<std::uint64_t>(time.microseconds) << 12) + counter;
}

AddMessage remote(const StoreCase& c, std::uint64_t id, std::string_view text, std::vector<QueuedRecipient> recipients) {
  AddMessage message{.message = c.message(text), .targets = {}, .internal_date = kNow};
  message = queued(std::move(message), id, std::move(recipients));
  message.trace = R"({"event":"accepted"})";
  return message;
}

std::optional<QueueEntry> entry(const StoreCase& c, std::uint64_t id) {
  const auto snapshot = std::move(c.store->snapshot()).value();
  return QueueReader(*snapshot).entry(QueueId(id)).value();
}

std::string queued_text(const StoreCase& c, std::uint64_t id) {
  const auto snapshot = std::move(c.store->snapshot()).value();
  const auto found = QueueReader(*snapshot).entry(QueueId(id)).value();
  std::string text;
  EXPECT_TRUE(found && c.store->read_message(*snapshot, found->blob, 0, UINT64_MAX, text));
  return text;
}

std::size_t rows(const StoreCase& c, Table table) {
  std::size_t count = 0;
  const auto snapshot = std::move(c.store->snapshot()).value();
  EXPECT_TRUE(snapshot->scan(table, "", "", [&count](std::string_view, std::string_view) {
    ++count;
    return Visit::kContinue;
  }));
  return count;
}

/// Both engines, by parameter.
class QueueStore : public DiskCase, public testing::WithParamInterface<bool> {
 protected:
  StoreCase make() const { return GetParam() ? open() : StoreCase(Store::create_in_memory(clock_)); }
};
INSTANTIATE_TEST_SUITE_P(Engines, QueueStore, testing::Bool(),
                         [](const auto& info) { return std::string(info.param ? "Lmdb" : "Memory"); });

TEST_P(QueueStore, TextsOfQueuedMailAndOfReportsArePlaced) {
  const StoreCase c = make();
  const MailboxId inbox = c.add_user("anna@example.org");
  const std::string small = text_of(3000, 1), large = text_of(2'000'000, 2), report = text_of(4000, 3);
  c.must(remote(c, 1, small, recipients_at({"ben@elsewhere.test"})));
  c.must(remote(c, 2, large, recipients_at({"eva@other.test", "ben@elsewhere.test"})));
  EXPECT_EQ(queued_text(c, 1), small);
  EXPECT_EQ(queued_text(c, 2), large);
  RecordAttempt failed = attempt(1, {done(1)}, {R"({"event":"failed"})"});
  failed.report = std::make_unique<AddMessage>(c.add_request(inbox, report));
  const WriteOutcome outcome = c.must(std::move(failed));
  EXPECT_EQ(outcome.added.size(), 1u);
  EXPECT_EQ(c.texts(inbox), std::vector<std::string>{report});
  RecordAttempt returned = attempt(2, {done(1)});
  returned.report = std::make_unique<AddMessage>(remote(c, 3, large, recipients_at({"carl@far.test"})));
  c.must(std::move(returned));
  EXPECT_EQ(queued_text(c, 3), large);
  EXPECT_FALSE(entry(c, 1));
  c.expect_consistent();
  c.must(change(QueueAction::kRemove, {.everything = true}));
  EXPECT_EQ(rows(c, Table::kQueue) + rows(c, Table::kQueueDue), 0u);
  EXPECT_EQ(rows(c, Table::kBlobs), 1u);
  c.expect_consistent();
}

TEST_P(QueueStore, ARefusedReportLeavesNoTextBehind) {
  const StoreCase c = make();
  const MailboxId inbox = c.add_user("anna@example.org");
  c.must(remote(c, 1, text_of(3000), recipients_at({"ben@elsewhere.test"})));
  RecordAttempt failed = attempt(1, {done(1)});
  failed.report = std::make_unique<AddMessage>(c.add_request(MailboxId(999), text_of(4000)));
  EXPECT_EQ(c.refused(std::move(failed)), ErrorKind::kNotFound);
  EXPECT_TRUE(entry(c, 1));
  c.add(inbox, text_of(500, 7));
  EXPECT_EQ(c.texts(inbox), std::vector<std::string>{text_of(500, 7)});
  c.expect_consistent();
}

TEST_P(QueueStore, EveryActionLeavesAConsistentStore) {
  const StoreCase c = make();
  for (std::uint64_t id = 1; id <= 20; ++id) {
    c.must(remote(c, id, text_of(300, static_cast<unsigned>(id)), recipients_at({"a@x.test", "b@y.test", "c@x.test"})));
  }
  const std::pair<QueueAction, QueueFilter> steps[] = {{QueueAction::kHold, {.recipient_domain = "x.test"}},
                                                       {QueueAction::kBounce, {.id = QueueId(3), .number = 2}},
                                                       {QueueAction::kReroute, {.recipient_domain = "y.test"}},
                                                       {QueueAction::kRelease, {.id = QueueId(4)}},
                                                       {QueueAction::kRetryNow, {.everything = true}},
                                                       {QueueAction::kRemove, {.recipient_domain = "x.test"}},
                                                       {QueueAction::kRelease, {.everything = true}}};
  for (const auto& [action, filter] : steps) {
    c.must(change(action, filter, action == QueueAction::kReroute ? "smtp://127.0.0.1:25" : "why"));
    c.expect_consistent();
  }
  for (std::uint64_t id = 1; id <= 10; ++id) c.must(attempt(id, {deferred(2, kNow)}));
  for (std::uint64_t id = 5; id <= 15; ++id) c.must(attempt(id, {done(2)}));
  c.expect_consistent();
  EXPECT_EQ(check(*c.store, Depth::kIndex)->queued_messages, 9u);
}

TEST_P(QueueStore, ReadingDestinationsCostsByDestinations) {
  constexpr int kDestinations = 1000, kMessages = 100, kRecipientsEach = 1000;
  const StoreCase c = make();
  c.must(PutSetting{"queue.copies_per_sender", "0"});
  for (int message = 0; message < kMessages; ++message) {
    std::vector<QueuedRecipient> recipients;
    for (int i = 0; i < kRecipientsEach; ++i) {
      recipients.push_back(recipient_at("user" + std::to_string(i) + "@dead" + std::to_string(i % kDestinations) + ".test"));
    }
    c.must(remote(c, static_cast<std::uint64_t>(message) + 1, text_of(200), std::move(recipients)));
  }
  EXPECT_EQ(rows(c, Table::kQueueDue), static_cast<std::size_t>(kMessages) * kRecipientsEach);

  /// Counts the rows it hands out.
  class CountingSnapshot final : public Snapshot {
   public:
    explicit CountingSnapshot(const Snapshot& inner) : inner_(inner) {}
    Result<std::optional<std::string_view>> get(Table table, std::string_view key) const override {
      ++read;
      return inner_.get(table, key);
    }
    Result<> scan(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
      return inner_.scan(table, from, to, [&](std::string_view key, std::string_view value) {
        ++read;
        return visit(key, value);
      });
    }
    Result<> scan_backward(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
      return inner_.scan_backward(table, from, to, visit);
    }
    Result<TableSize> size(Table table) const override { return inner_.size(table); }
    mutable std::size_t read = 0;

   private:
    const Snapshot& inner_;
  };
  const auto snapshot = std::move(c.store->snapshot()).value();
  const CountingSnapshot counting(*snapshot);
  const QueueReader reader(counting);
  std::set<std::uint64_t> seen;
  std::optional<std::uint64_t> from = 0;
  while (from) {
    from = reader.destinations(*from, 300, [&seen](const DueRecipient& first) { seen.insert(first.destination); }).value();
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kDestinations));
  EXPECT_LE(counting.read, static_cast<std::size_t>(kDestinations) + 10);
  counting.read = 0;
  EXPECT_EQ(reader.messages(QueueId(50), 10, 5).value().size(), 10u);
  EXPECT_LE(counting.read, 100u);
}

TEST_F(DiskCase, CheckFindsDamageOfTheQueue) {
  using Damage = Result<> (*)(WriteTransaction&, const QueueEntry&);
  const std::pair<const char*, Damage> cases[] = {
      {"belongs to no entry",
       [](WriteTransaction& t, const QueueEntry& e) {
         return t.erase(Table::kQueue, queue_key(e.id, 0) + std::string(2, '\0'));
       }},
      {"has no recipient", [](WriteTransaction& t,
                              const QueueEntry& e) { return t.erase(Table::kQueue, queue_key(e.id, 1) + std::string(2, '\0')); }},
      {"is due, and not in the queue",
       [](WriteTransaction& t, const QueueEntry& e) {
         return t.erase(Table::kQueue, queue_key(e.id, 1) + std::string(2, '\0'));
       }},
      {"its text is missing", [](WriteTransaction& t, const QueueEntry& e) { return t.erase(Table::kBlobs, blob_key(e.blob)); }},
      {"its due row is missing",
       [](WriteTransaction& t, const QueueEntry& e) {
         return t.erase(Table::kQueueDue, due_key(due_of(e.id, *get_queued_recipient(t, e.id, 1).value())));
       }},
      {"is due at another time",
       [](WriteTransaction& t, const QueueEntry& e) {
         DueRecipient due = due_of(e.id, *get_queued_recipient(t, e.id, 1).value());
         due.next_attempt = kNow;
         return t.put(Table::kQueueDue, due_key(due), "");
       }},
      {"references: 2 stored, 1 found",
       [](WriteTransaction& t, const QueueEntry& e) -> Result<> {
         auto blob = decode_blob_record(*t.get(Table::kBlobs, blob_key(e.blob)).value()).value();
         blob.references = 2;
         return t.put(Table::kBlobs, blob_key(e.blob), encode_blob_record(blob));
       }},
      {"1 rows for 0 recipients",
       [](WriteTransaction& t, const QueueEntry& e) {
         QueueEntry held = e;
         held.is_held = true;
         return put_queue_entry(t, held);
       }},
      {"stands in no order by size",
       [](WriteTransaction& t, const QueueEntry& e) { return t.erase(Table::kQueueSizes, queue_size_key(e.size, e.id)); }},
      {"is not in the queue with the size it is ordered by",
       [](WriteTransaction& t, const QueueEntry& e) { return t.put(Table::kQueueSizes, queue_size_key(e.size + 1, e.id), ""); }},
      {"2 are counted, 1 wait",
       [](WriteTransaction& t, const QueueEntry& e) {
         return count_waiting(t, e, recipients_at({"dan@elsewhere.test"}), Waits::kMore);
       }},
      {"version", [](WriteTransaction& t, const QueueEntry& e) {
         return t.put(Table::kQueue, queue_key(e.id, 1) + std::string(2, '\0'), std::string("\0\1x", 3));
       }}};
  for (const auto& [expected, damage] : cases) {
    SCOPED_TRACE(expected);
    const StoreCase c(Store::create_in_memory(clock_));
    c.must(remote(c, 5, text_of(300), recipients_at({"ben@elsewhere.test"})));
    const QueueEntry before = *entry(c, 5);
    ASSERT_TRUE(StoreParts::of(*c.store).writer->maintain(
        [&](MaintenanceContext& context) { return damage(context.transaction, before); }));
    std::string all;
    for (const Finding& finding : check(*c.store, Depth::kIndex)->findings) all += finding.where + ": " + finding.what + "\n";
    EXPECT_NE(all.find(expected), std::string::npos) << all;
  }
}

/// As an older version left it: no row by size.
Result<> make_older(WriteTransaction& transaction, std::initializer_list<std::uint64_t> ids) {
  for (const std::uint64_t id : ids) {
    const QueueEntry entry = *get_queue_entry(transaction, QueueId(id)).value();
    POSTHUS_TRY_VOID(transaction.erase(Table::kQueueSizes, queue_size_key(entry.size, entry.id)));
  }
  std::string format;
  append_u32(format, 3);
  return transaction.put(Table::kMeta, meta_key::kFormat, format);
}

TEST_F(DiskCase, ADamagedRowOfAnOlderQueueDoesNotKeepTheStoreShut) {
  {
    const StoreCase c = open();
    c.must(remote(c, 5, text_of(300), recipients_at({"ben@elsewhere.test"})));
    c.must(remote(c, 6, text_of(700), recipients_at({"ben@elsewhere.test"})));
    ASSERT_TRUE(StoreParts::of(*c.store).writer->maintain([](MaintenanceContext& context) -> Result<> {
      POSTHUS_TRY_VOID(make_older(context.transaction, {5, 6}));
      // A row whose first one is missing, and one that is cut short.
      POSTHUS_TRY_VOID(context.transaction.put(Table::kQueue, queue_key(QueueId(4), 1) + std::string("\0\1", 2), "x"));
      return context.transaction.put(Table::kQueue, queue_key(QueueId(5), kEntryNumber) + std::string(2, '\0'), "");
    }));
  }
  const StoreCase c = open();
  EXPECT_EQ(rows(c, Table::kQueueSizes), 1u);
  EXPECT_FALSE(check(*c.store, Depth::kIndex)->findings.empty());
}

TEST_F(DiskCase, AQueueOfAnOlderFormatIsOrderedBySizeWhenItIsOpened) {
  {
    const StoreCase c = open();
    StoreParts::of(*c.store).journaling->set_idle(std::chrono::hours(24));  // no checkpoint while it is copied
    c.must(remote(c, 5, text_of(300), recipients_at({"ben@elsewhere.test", "eva@other.test"})));
    c.must(remote(c, 6, text_of(700), recipients_at({"ben@elsewhere.test"})));
    ASSERT_TRUE(StoreParts::of(*c.store).writer->maintain(
        [](MaintenanceContext& context) { return make_older(context.transaction, {5, 6}); }));
    // As it lies there when the machine stops now: what was done last is in the journal only.
    std::filesystem::copy(path(""), directory_.path() + "/copy", std::filesystem::copy_options::recursive);
  }
  for (const char* folder : {"mail", "copy"}) {
    SCOPED_TRACE(folder);
    const StoreCase c = open(folder);
    EXPECT_EQ(rows(c, Table::kQueueSizes), 2u);
    EXPECT_TRUE(check(*c.store, Depth::kIndex)->findings.empty());
    const auto snapshot = std::move(c.store->snapshot()).value();
    const QueueReader reader(*snapshot);
    const auto largest = reader.message_smaller(UINT64_MAX, {}, 1).value();
    ASSERT_TRUE(largest);
    EXPECT_EQ(largest->entry.id, QueueId(6));
    const auto next = reader.message_smaller(largest->entry.size, largest->entry.id, 1).value();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->entry.id, QueueId(5));
    EXPECT_EQ(next->recipients.size(), 1u);
    EXPECT_FALSE(reader.message_smaller(next->entry.size, next->entry.id, 1).value());
  }
}

TEST_F(DiskCase, TheQueueSurvivesClosingBackupAndRebuild) {
  const std::string text = text_of(3000, 5), copy = directory_.path() + "/copy";
  MailboxId inbox;
  {
    const StoreCase c = open();
    inbox = c.add_user("anna@example.org");
    c.must(remote(c, 7, text, recipients_at({"ben@elsewhere.test", "eva@other.test", "carl@far.test"})));
    c.must(attempt(7, {done(1), deferred(3, kNow)}, {R"({"event":"relayed"})"}));
    AddMessage both = queued(c.add_request(inbox, text_of(1000, 6)), 8, recipients_at({"ben@elsewhere.test"}));
    c.must(std::move(both));
    c.must(Expunge{.mailbox = inbox, .uids = {{Uid(1), Uid(1)}}, .rule = ExpungeRule::kAllNamed});  // the local copy is gone
    c.must(remote(c, 9, text_of(1000, 7), recipients_at({"ben@elsewhere.test"})));
    c.must(attempt(9, {done(1)}));  // delivered: stays away
    c.must(PutRoute{{.name = "*", .hops = {{"127.0.0.1", 25, RouteRecord::Tls::kNever}}}});
    c.must(PutSetting{"queue.copies_per_sender", "1"});  // what was accepted is not refused by a rebuild
    const auto report = backup(*c.store, copy);
    ASSERT_TRUE(report) << report.error().context;
    EXPECT_TRUE(report->findings.empty());
    EXPECT_EQ(report->queued_messages, 2u);
  }
  const auto expect_queue = [&](const StoreCase& c) {
    c.expect_consistent();
    EXPECT_EQ(queued_text(c, 7), text);
    EXPECT_EQ(queued_text(c, 8), text_of(1000, 6));
    EXPECT_FALSE(entry(c, 9));
    EXPECT_TRUE(c.texts(c.inbox("anna@example.org")).empty());
    const auto snapshot = std::move(c.store->snapshot()).value();
    const QueueReader reader(*snapshot);
    const auto recipients = reader.recipients(QueueId(7), 1, 10).value();
    ASSERT_EQ(recipients.size(), 2u);
    EXPECT_EQ(recipients[1].address, "carl@far.test");
    EXPECT_EQ(recipients[1].attempts, 1u);
    EXPECT_EQ(recipients[1].next_attempt, kNow);
    EXPECT_EQ(reader.trace(QueueId(7)).value().size(), 2u);
    EXPECT_TRUE(reader.route("*").value());
    EXPECT_EQ(reader.waiting_of(AccountId(), "anna@example.org").value(), 3u);
  };
  {
    SCOPED_TRACE("backup");
    StoreOptions options = options_;
    options.directory = copy;
    expect_queue(StoreCase(std::move(Store::open(options, clock_)).value()));
  }
  StoreOptions options = options_;
  options.directory = path("");
  ASSERT_TRUE(rebuild_index(options, clock_));
  {
    SCOPED_TRACE("rebuild");
    expect_queue(open());
  }
  fs::remove_all(path("index"));
  // Only who has it in his mailbox can be told from the segments: nothing here.
  const auto rebuilt = rebuild_index(options, clock_);
  ASSERT_TRUE(rebuilt) << rebuilt.error().context;
  const StoreCase c = open();
  EXPECT_EQ(rows(c, Table::kQueue), 0u);
  c.expect_consistent();
}

TEST_F(DiskCase, ReclaimMovesWhatOnlyTheQueueNames) {
  options_.segment_bytes = 200'000;
  const StoreCase c = open();
  for (unsigned i = 1; i <= 60; ++i) c.must(remote(c, i, text_of(9000, i), recipients_at({"ben@elsewhere.test"})));
  for (unsigned i = 1; i <= 60; ++i) {
    if (i % 5 != 0) c.must(attempt(i, {done(1)}));
  }
  const auto before = c.store->statistics();
  ASSERT_TRUE(reclaim(*c.store));
  ASSERT_TRUE(reclaim(*c.store));
  EXPECT_LT(c.store->statistics().segment_bytes, before.segment_bytes * 2 / 3);
  for (unsigned i = 5; i <= 60; i += 5) EXPECT_EQ(queued_text(c, i), text_of(9000, i));
  c.expect_consistent();
}

Timestamp day(std::int64_t days) { return Timestamp::from_seconds(kNow.seconds() + days * 24 * 3600); }

std::set<std::uint64_t> traced(const StoreCase& c) {
  std::set<std::uint64_t> found;
  const auto snapshot = std::move(c.store->snapshot()).value();
  EXPECT_TRUE(QueueReader(*snapshot).traces(QueueId(0), [&found](QueueId id, const std::vector<TraceEvent>&) {
    found.insert(id.value);
    return Visit::kContinue;
  }));
  return found;
}

TEST_P(QueueStore, OldTracesGoButThoseOfMailThatWaits) {
  const StoreCase c = make();
  const auto ids = [&] { return traced(c); };
  const std::uint64_t gone = id_at(day(0)), waits = id_at(day(0), 1), young = id_at(day(8));
  for (const std::uint64_t id : {gone, waits, young}) c.must(remote(c, id, text_of(300), recipients_at({"ben@elsewhere.test"})));
  c.must(attempt(gone, {done(1)}, {std::string(5000, ' ')}));
  ASSERT_TRUE(expire(*c.store, day(30)));
  EXPECT_EQ(ids(), (std::set{gone, waits, young}));
  ASSERT_TRUE(expire(*c.store, day(31)));
  EXPECT_EQ(ids(), (std::set{waits, young}));
  c.must(PutSetting{"trace.days", "2"});
  c.must(change(QueueAction::kRemove, {.everything = true}));
  ASSERT_TRUE(expire(*c.store, day(9)));
  EXPECT_EQ(ids(), (std::set{young}));
  ASSERT_TRUE(expire(*c.store, day(11)));
  EXPECT_EQ(rows(c, Table::kTrace), 0u);
}

TEST_P(QueueStore, TheTraceTakesNoMoreRoomThanItMay) {
  const StoreCase c = make();
  std::vector<std::uint64_t> all;
  for (unsigned i = 0; i < 40; ++i) {
    all.push_back(id_at(day(0), i + 1));
    c.must(remote(c, all.back(), text_of(300), recipients_at({"ben@elsewhere.test"})));
    std::vector<std::string> events(2, std::string(60'000, ' '));
    c.must(attempt(all.back(), i == 0 ? std::vector<RecipientOutcome>{} : std::vector{done(1)}, std::move(events)));
  }
  ASSERT_TRUE(expire(*c.store, day(1)));
  EXPECT_EQ(traced(c).size(), 40u);
  c.must(PutSetting{"trace.megabytes", "1"});
  ASSERT_TRUE(expire(*c.store, day(1)));
  const auto left = traced(c);
  EXPECT_LE(std::move(c.store->snapshot()).value()->size(Table::kTrace)->bytes, 1024u * 1024);
  EXPECT_GT(left.size(), 2u);
  EXPECT_TRUE(left.contains(all.front()));  // it waits
  EXPECT_FALSE(left.contains(all[1]));
  EXPECT_TRUE(left.contains(all.back()));  // the oldest went first
}

}  // namespace
}  // namespace posthus::store
