// Applies write requests to a memory engine without Writer or segments, slice by slice, and holds every refusal to the
// rule that it puts nothing.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "store/apply.h"
#include "store/directory_reader.h"
#include "store/mailbox_reader.h"
#include "store/memory_engine.h"

namespace posthus::store {

/// Forwards and counts changes.
class CountingTransaction final : public WriteTransaction {
 public:
  explicit CountingTransaction(WriteTransaction& inner) : inner_(inner) {}
  Result<std::optional<std::string_view>> get(Table table, std::string_view key) const override { return inner_.get(table, key); }
  Result<> scan(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    return inner_.scan(table, from, to, visit);
  }
  Result<> scan_backward(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    return inner_.scan_backward(table, from, to, visit);
  }
  Result<TableSize> size(Table table) const override { return inner_.size(table); }
  Result<> put(Table table, std::string_view key, std::string_view value) override {
    ++changes;
    return inner_.put(table, key, value);
  }
  Result<> erase(Table table, std::string_view key) override {
    ++changes;
    return inner_.erase(table, key);
  }
  std::size_t changes = 0;

 private:
  WriteTransaction& inner_;
};

class RequestTest : public ::testing::Test {
 protected:
  /// One slice; `progress` is where it begins, and then where the next one does.
  Result<WriteOutcome> run_slice(const WriteRequest& request, std::optional<SliceProgress>& progress) {
    Result<WriteOutcome> outcome = fail(ErrorKind::kIo, "not run");
    const bool is_first = !progress.has_value();
    const auto committed = engine.commit([&](WriteTransaction& inner) -> Result<> {
      CountingTransaction transaction(inner);
      ApplyContext context{.transaction = transaction, .now = clock.now(), .placement = {}, .progress = progress};
      if (const AddMessage* message = message_of(request)) {
        context.placement = BlobPlacement{BlobId(next_blob), 1, next_blob * 1000, message->message.size()};
      }
      outcome = apply(context, request);
      changes += transaction.changes;
      if (!outcome) {
        if (is_first) EXPECT_EQ(transaction.changes, 0u) << "a refusal has put something: " << outcome.error().context;
        return std::unexpected(outcome.error());
      }
      if (context.placement) ++next_blob;
      progress = context.next;
      for (const BlobRecord& blob : context.released) released.push_back(blob);
      changed = context.changed;
      return {};
    });
    if (outcome) EXPECT_TRUE(committed.has_value());
    return outcome;
  }

  /// All slices, joined as the Writer joins them.
  Result<WriteOutcome> run(const WriteRequest& request) {
    WriteOutcome joined;
    std::optional<SliceProgress> progress;
    slices = 0;
    do {
      auto outcome = run_slice(request, progress);
      if (!outcome) return outcome;
      ++slices;
      if (outcome->account.value != 0) joined.account = outcome->account;
      if (outcome->mailbox.value != 0) joined.mailbox = outcome->mailbox;
      if (outcome->uid_validity != 0) joined.uid_validity = outcome->uid_validity;
      joined.has_begun_hold = joined.has_begun_hold || outcome->has_begun_hold;
      if (outcome->modseq.value != 0) joined.modseq = outcome->modseq;
      joined.uids.insert(joined.uids.end(), outcome->uids.begin(), outcome->uids.end());
      joined.added.insert(joined.added.end(), outcome->added.begin(), outcome->added.end());
      joined.messages += outcome->messages;
      joined.destinations.merge(outcome->destinations);
      joined.has_more_destinations = joined.has_more_destinations || outcome->has_more_destinations;
    } while (progress);
    return joined;
  }
  /// The kind of error `request` is refused with; fails the test when it is not.
  ErrorKind refusal(const WriteRequest& request) {
    const auto outcome = run(request);
    if (!outcome) return outcome.error().kind;
    ADD_FAILURE() << "was not refused";
    return ErrorKind::kIo;
  }
  WriteOutcome must(const WriteRequest& request) {
    auto outcome = run(request);
    if (!outcome) {
      ADD_FAILURE() << to_string(outcome.error().kind) << ": " << outcome.error().context;
      return {};
    }
    return *std::move(outcome);
  }

  AccountId add_user(std::string_view address, std::uint64_t quota = 0, Role role = Role::kUser) {
    UserRecord user;
    user.address = address;
    user.quota_bytes = quota;
    user.role = role;
    return must(PutUser{user, PutRule::kCreate}).account;
  }
  IncomingMessage text_of(std::size_t size) {
    IncomingMessage message({}, nullptr);
    std::string text = "Subject: test\r\n\r\n";
    text.resize(std::max(size, text.size()), 'x');
    EXPECT_TRUE(message.append(text));
    EXPECT_TRUE(message.finish());
    return message;
  }
  AddMessage message_request(MailboxId mailbox, std::size_t size = 100, std::uint8_t flags = 0,
                             std::vector<std::string> keywords = {}) {
    AddMessage request{.message = text_of(size), .internal_date = Timestamp::from_seconds(1'000'000'000)};
    request.targets.push_back({mailbox, flags, std::move(keywords)});
    return request;
  }
  Uid add(MailboxId mailbox, std::size_t size = 100, std::uint8_t flags = 0, std::vector<std::string> keywords = {}) {
    const WriteOutcome outcome = must(message_request(mailbox, size, flags, std::move(keywords)));
    return outcome.added.empty() ? Uid(0) : outcome.added[0].uid;
  }

  std::unique_ptr<Snapshot> snapshot() { return std::move(engine.snapshot()).value(); }
  MailboxId mailbox(AccountId account, std::string_view name) {
    return find_mailbox(*snapshot(), account, name).value().value_or(MailboxId(0));
  }
  MailboxRecord record(MailboxId id) {
    const auto now = snapshot();
    const auto reader = MailboxReader::open(*now, id);
    EXPECT_TRUE(reader.has_value());
    return reader ? reader->record() : MailboxRecord{};
  }
  std::vector<MessageRecord> messages(MailboxId id) {
    std::vector<MessageRecord> all;
    const auto now = snapshot();
    const auto reader = MailboxReader::open(*now, id);
    if (!reader) return all;
    EXPECT_TRUE(reader->for_each(Uid(1), Uid(UINT32_MAX), [&all](const MessageRecord& message) {
      all.push_back(message);
      return Visit::kContinue;
    }));
    return all;
  }
  std::size_t rows(Table table) {
    std::size_t count = 0;
    EXPECT_TRUE(snapshot()->scan(table, {}, {}, [&count](std::string_view, std::string_view) {
      ++count;
      return Visit::kContinue;
    }));
    return count;
  }
  /// Every row of every table, to see that something is as before.
  std::string dump() {
    std::string all;
    const auto now = snapshot();
    for (int table = 0; table < static_cast<int>(Table::kCount); ++table) {
      EXPECT_TRUE(now->scan(static_cast<Table>(table), {}, {}, [&](std::string_view key, std::string_view value) {
        all.append(std::to_string(table)).append(key).append("=").append(value).append("\n");
        return Visit::kContinue;
      }));
    }
    return all;
  }

  MemoryEngine engine;
  ManualClock clock{Timestamp::from_seconds(1'790'000'000)};
  std::uint64_t next_blob = 1;
  std::size_t slices = 0, changes = 0;
  std::vector<BlobRecord> released;
  std::vector<MailboxId> changed;
};

inline UidSet uids(std::initializer_list<std::pair<std::uint32_t, std::uint32_t>> ranges) {
  UidSet set;
  for (const auto& [first, last] : ranges) set.push_back({Uid(first), Uid(last)});
  return set;
}
inline UidSet every_uid() { return uids({{1, UINT32_MAX}}); }

}  // namespace posthus::store
