// The Writer: groups, order, refusals, slices, failures; over the memory engine and its failing and slow wrappers.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "store/memory_engine.h"
#include "store/wrapped_engine.h"
#include "tests/unit/store/store_fixture.h"

namespace posthus::store {
namespace {

/// Collects completions in the order they come.
class Completions {
 public:
  Completion next(int number) {
    return [this, number](Result<WriteOutcome> outcome) {
      const std::lock_guard lock(mutex_);
      order_.push_back(number);
      outcomes_.push_back(std::move(outcome));
      changed_.notify_all();
    };
  }
  std::vector<int> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return order_.size() >= count; });
    return order_;
  }
  const Result<WriteOutcome>& outcome(int number) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (order_[i] == number) return outcomes_[i];
    }
    static const Result<WriteOutcome> missing = fail(ErrorKind::kNotFound, "no completion yet");
    return missing;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> order_;
  std::vector<Result<WriteOutcome>> outcomes_;
};

class WriterTest : public testing::Test {
 protected:
  WriterTest() {
    auto failing = std::make_unique<FailingEngine>(std::make_unique<MemoryEngine>());
    failing_ = failing.get();
    auto slow = std::make_unique<SlowEngine>(std::move(failing));
    slow_ = slow.get();
    c_ = std::make_unique<StoreCase>(Store::create_over(std::move(slow), clock_));
    inbox_ = c_->add_user("user@example.org");
  }
  ~WriterTest() override {
    if (slow_) slow_->let_go();
  }

  /// Holds the Writer in a commit of its own, so that what is submitted next becomes one group.
  void block(Completions& completions) {
    slow_->hold();
    c_->store->submit(ClaimRecent{inbox_}, completions.next(-1));
    slow_->wait_until_held();
  }

  ManualClock clock_{kNow};
  FailingEngine* failing_ = nullptr;
  SlowEngine* slow_ = nullptr;
  std::unique_ptr<StoreCase> c_;
  MailboxId inbox_;
};

TEST_F(WriterTest, StoresAndReadsBack) {
  const std::string text = text_of(5000);
  EXPECT_EQ(c_->add(inbox_, text), Uid(1));
  EXPECT_EQ(c_->texts(inbox_), std::vector<std::string>{text});
  c_->expect_consistent();
}

TEST_F(WriterTest, ReadsPiecesOfAMessage) {
  const std::string text = text_of(5000);
  c_->add(inbox_, text);
  const auto snapshot = std::move(c_->store->snapshot()).value();
  const BlobId blob = MailboxReader::open(*snapshot, inbox_)->message(Uid(1)).value()->blob;
  std::string piece = "before ";
  ASSERT_TRUE(c_->store->read_message(*snapshot, blob, 100, 50, piece));
  EXPECT_EQ(piece, "before " + text.substr(100, 50));
  piece.clear();
  ASSERT_TRUE(c_->store->read_message(*snapshot, blob, text.size() - 10, 50, piece));
  EXPECT_EQ(piece, text.substr(text.size() - 10));
  piece.clear();
  ASSERT_TRUE(c_->store->read_message(*snapshot, blob, text.size() + 1, 50, piece));
  EXPECT_EQ(piece, "");
  EXPECT_EQ(c_->store->read_message(*snapshot, BlobId(999), 0, 1, piece).error().kind, ErrorKind::kNotFound);
}

TEST_F(WriterTest, CompletesInOrderOfSubmission) {
  Completions completions;
  block(completions);
  std::vector<int> expected = {-1};
  for (int i = 0; i < 20; ++i) {
    c_->store->submit(c_->add_request(inbox_, text_of(100, static_cast<unsigned>(i))), completions.next(i));
    expected.push_back(i);
  }
  slow_->let_go();
  EXPECT_EQ(completions.wait_for(21), expected);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(completions.outcome(i)->added[0].uid, Uid(static_cast<std::uint32_t>(i + 1)));
  c_->expect_consistent();
}

TEST_F(WriterTest, ARefusedRequestFailsAlone) {
  Completions completions;
  block(completions);
  c_->store->submit(c_->add_request(inbox_, text_of(100, 1)), completions.next(1));
  c_->store->submit(c_->add_request(MailboxId(999), text_of(100, 2)), completions.next(2));
  c_->store->submit(c_->add_request(inbox_, text_of(100, 3)), completions.next(3));
  slow_->let_go();
  completions.wait_for(4);
  EXPECT_TRUE(completions.outcome(1));
  EXPECT_EQ(completions.outcome(2).error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(completions.outcome(3));
  EXPECT_EQ(c_->texts(inbox_), (std::vector<std::string>{text_of(100, 1), text_of(100, 3)}));
  c_->expect_consistent();
}

TEST_F(WriterTest, ARequestThatFailsMidwayLeavesNothingAndTheOthersStay) {
  for (std::uint64_t nth = 1; nth <= 30; ++nth) {
    Completions completions;
    block(completions);
    const auto seed = static_cast<unsigned>(nth * 10);
    c_->store->submit(c_->add_request(inbox_, text_of(100, seed)), completions.next(1));
    c_->store->submit(c_->add_request(inbox_, text_of(100, seed + 1)), completions.next(2));
    slow_->let_pass(1);
    completions.wait_for(1);
    failing_->fail_put(nth, ErrorKind::kIo);
    slow_->let_go();
    completions.wait_for(3);
    failing_->fail_put(0, ErrorKind::kIo);
    const auto texts = c_->texts(inbox_);
    const auto has = [&](unsigned which) { return std::ranges::find(texts, text_of(100, which)) != texts.end(); };
    EXPECT_EQ(has(seed), completions.outcome(1).has_value()) << nth;
    EXPECT_EQ(has(seed + 1), completions.outcome(2).has_value()) << nth;
    c_->expect_consistent();
  }
}

TEST_F(WriterTest, NoRoomRefusesAndGoesOn) {
  failing_->fail_commit(1, ErrorKind::kUnavailable);
  EXPECT_EQ(c_->refused(c_->add_request(inbox_, text_of(100))), ErrorKind::kUnavailable);
  EXPECT_TRUE(c_->texts(inbox_).empty());
  c_->add(inbox_, text_of(100));
  EXPECT_EQ(c_->texts(inbox_).size(), 1u);
  c_->expect_consistent();
}

TEST_F(WriterTest, NoRoomForAGroupLetsItsRequestsInOneByOne) {
  Completions completions;
  block(completions);
  for (int i = 1; i <= 3; ++i)
    c_->store->submit(c_->add_request(inbox_, text_of(100, static_cast<unsigned>(i))), completions.next(i));
  slow_->let_pass(1);
  completions.wait_for(1);
  failing_->fail_commit(1, ErrorKind::kUnavailable);
  slow_->let_go();
  completions.wait_for(4);
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(completions.outcome(i)) << i;
  EXPECT_EQ(c_->texts(inbox_).size(), 3u);
  c_->expect_consistent();
}

TEST_F(WriterTest, AFailedCommitIsFatal) {
  std::promise<ErrorKind> fatal;
  c_->store->on_fatal([&fatal](const Error& error) { fatal.set_value(error.kind); });
  failing_->fail_commit(1, ErrorKind::kIo);
  EXPECT_EQ(c_->refused(c_->add_request(inbox_, text_of(100))), ErrorKind::kIo);
  EXPECT_EQ(fatal.get_future().get(), ErrorKind::kIo);
  EXPECT_EQ(c_->refused(ClaimRecent{inbox_}), ErrorKind::kUnavailable);
}

TEST_F(WriterTest, NothingOfAGroupIsTriedAfterAFatalFailure) {
  Completions completions;
  block(completions);
  for (int i = 0; i < 3; ++i) c_->store->submit(c_->add_request(inbox_, text_of(100)), completions.next(i));
  failing_->fail_commit(1, ErrorKind::kUnavailable);
  slow_->let_pass(2);  // what blocks, and the group
  completions.wait_for(1);
  slow_->wait_until_held();  // the first of the group, alone now
  failing_->fail_commit(1, ErrorKind::kIo);
  slow_->let_go();
  completions.wait_for(4);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(completions.outcome(i));
  EXPECT_TRUE(c_->texts(inbox_).empty());
}

TEST_F(WriterTest, AFullQueueRefusesAtOnce) {
  Completions completions;
  block(completions);
  for (std::size_t i = 0; i < kMaxQueuedRequests; ++i) c_->store->submit(ClaimRecent{inbox_}, completions.next(1));
  EXPECT_EQ(c_->store->statistics().queued_requests, kMaxQueuedRequests);
  std::optional<ErrorKind> kind;
  c_->store->submit(ClaimRecent{inbox_}, [&kind](Result<WriteOutcome> outcome) { kind = outcome.error().kind; });
  EXPECT_EQ(kind, ErrorKind::kBusy);
  slow_->let_go();
  completions.wait_for(kMaxQueuedRequests + 1);
}

TEST_F(WriterTest, BulkWorkStepsAsideForOthers) {
  constexpr std::uint32_t kMessages = 3 * kSliceMessages;
  for (std::uint32_t i = 0; i < kMessages; ++i) {
    c_->store->submit(c_->add_request(inbox_, "a\r\n"), [](Result<WriteOutcome> outcome) { EXPECT_TRUE(outcome); });
  }
  Completions completions;
  const MailboxId other = c_->add_user("other@example.org");
  block(completions);
  c_->store->submit(Expunge{.mailbox = inbox_, .uids = {{Uid(1), Uid(kMessages)}}, .rule = ExpungeRule::kAllNamed},
                    completions.next(1));
  slow_->let_pass(2);  // what blocks, and the first slice
  completions.wait_for(1);
  slow_->wait_until_held();
  c_->store->submit(c_->add_request(other, text_of(100)), completions.next(2));
  slow_->let_go();
  EXPECT_EQ(completions.wait_for(3), (std::vector<int>{-1, 2, 1}));
  EXPECT_EQ(completions.outcome(1)->uids, (UidSet{{Uid(1), Uid(kMessages)}}));
  EXPECT_TRUE(c_->texts(inbox_).empty());
  c_->expect_consistent();
}

TEST_F(WriterTest, WatchersWakeAfterTheCommit) {
  std::promise<std::size_t> seen;
  std::atomic<int> wakes = 0;
  const auto watch = c_->store->changes().watch(inbox_, [&] {
    if (wakes++ == 0) seen.set_value(c_->texts(inbox_).size());
  });
  c_->add(inbox_, text_of(100));
  EXPECT_EQ(seen.get_future().get(), 1u);
}

TEST_F(WriterTest, AWatchThatDiedIsNotCalled) {
  std::atomic<int> wakes = 0;
  {
    auto watch = c_->store->changes().watch(inbox_, [&wakes] { ++wakes; });
    auto moved = std::move(watch);
    c_->store->changes().announce(inbox_);
    EXPECT_EQ(wakes, 1);
    moved = ChangeHub::Watch();
    c_->store->changes().announce(inbox_);
  }
  c_->store->changes().announce(inbox_);
  EXPECT_EQ(wakes, 1);
}

TEST_F(WriterTest, ClosingCommitsWhatIsQueued) {
  Completions completions;
  block(completions);
  for (int i = 0; i < 5; ++i) c_->store->submit(c_->add_request(inbox_, text_of(100)), completions.next(i));
  slow_->let_go();
  c_->store.reset();
  EXPECT_EQ(completions.wait_for(6).size(), 6u);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(completions.outcome(i));
  slow_ = nullptr;
}

TEST_F(WriterTest, ClosingWithoutPatienceRefusesWhatWaits) {
  constexpr std::uint32_t kMessages = 4 * kSliceMessages - 1000;
  for (std::uint32_t i = 0; i < kMessages; ++i) {
    c_->store->submit(c_->add_request(inbox_, "a\r\n"), [](Result<WriteOutcome> outcome) { EXPECT_TRUE(outcome); });
  }
  Completions completions;
  c_->add_user("other@example.org");  // comes after all of them
  block(completions);
  c_->store->submit(Expunge{.mailbox = inbox_, .uids = {{Uid(1), Uid(kMessages)}}, .rule = ExpungeRule::kAllNamed},
                    completions.next(1));
  slow_->let_pass(2);  // what blocks, and the first slice
  completions.wait_for(1);
  slow_->wait_until_held();
  c_->store->submit(c_->add_request(inbox_, text_of(100)), completions.next(2));
  c_->store->close_within(std::chrono::milliseconds(0));
  EXPECT_EQ(c_->refused(ClaimRecent{inbox_}), ErrorKind::kUnavailable);
  slow_->let_go();
  completions.wait_for(3);
  EXPECT_FALSE(completions.outcome(1));
  EXPECT_FALSE(completions.outcome(2));
  const std::size_t left = c_->texts(inbox_).size();
  EXPECT_GT(left, 0u);
  EXPECT_LT(left, kMessages);
  c_->expect_consistent();
}

TEST_F(WriterTest, ManyThreadsSubmit) {
  std::atomic<int> stored = 0;
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (unsigned i = 0; i < 100; ++i)
          stored += c_->store->apply(c_->add_request(inbox_, text_of(200, t * 1000 + i))).has_value();
      });
    }
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) (void)c_->texts(inbox_);
    });
  }
  EXPECT_EQ(stored, 400);
  EXPECT_EQ(c_->texts(inbox_).size(), 400u);
  c_->expect_consistent();
}

}  // namespace
}  // namespace posthus::store
