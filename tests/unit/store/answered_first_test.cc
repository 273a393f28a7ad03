// Deliveries that are answered before the index's commit, which others share: seen by who looks, and lost by no failure.
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/metrics.h"
#include "store/blob_record.h"
#include "store/store_open.h"
#include "store/store_state.h"
#include "store/wrapped_engine.h"
#include "tests/unit/store/store_fixture.h"

namespace posthus::store {
namespace {

constexpr std::size_t kBurst = 2 * kMaxGroupRequests;  // the groups that follow each other in one transaction

/// A step of maintenance that keeps the Writer until it goes.
class Hold {
 public:
  explicit Hold(const Store& store) {
    Writer& writer = *StoreParts::of(store).writer;
    std::promise<void> held;
    thread_ = std::thread([this, &writer, &held] {
      EXPECT_TRUE(writer.maintain([this, &held](MaintenanceContext&) -> Result<> {
        held.set_value();
        gate_.get_future().wait();
        return {};
      }));
    });
    held.get_future().wait();
  }
  void let_go() {
    gate_.set_value();
    thread_.join();
  }

 private:
  std::promise<void> gate_;
  std::thread thread_;
};

class AnsweredFirst : public DiskCase {
 protected:
  void SetUp() override {
    {
      const StoreCase c = open();
      inbox_ = c.add_user("user@example.org");
    }
    open_failing();
  }
  void TearDown() override { c_.reset(); }

  /// As Store::open does, but with an engine that fails when it is told to.
  void open_failing() {
    auto state = std::make_unique<Store::State>(options_.budget_bytes);
    state->options = options_;
    auto engine = LmdbEngine::open(path("index"), options_.map_bytes).value();
    state->lmdb = engine.get();
    const auto rows = segment_rows(**engine->snapshot()).value();
    std::string uuid((*engine->snapshot())->get(Table::kMeta, meta_key::kStoreUuid).value().value());
    auto segments = FileSegments::open(path("segments"), uuid, rows, options_.segment_bytes).value();
    state->files = segments.get();
    state->segments = std::move(segments);
    state->journaling = Journaling::create(*state->lmdb, *state->files, path("index"), uuid).value();
    state->journaling->set_idle(std::chrono::hours(24));
    auto failing = std::make_unique<FailingEngine>(std::move(engine));
    failing_ = failing.get();
    state->engine = std::move(failing);
    state->writer = std::make_unique<Writer>(*state->engine, *state->segments, state->hub, clock_, CommitThread::kOwn,
                                             state->journaling.get());
    c_ = std::make_unique<StoreCase>(StoreParts::make(std::move(state)));
  }
  AddMessage delivery(std::size_t number) {
    AddMessage add = c_->add_request(inbox_, text(number));
    add.is_indexed_when_read = true;
    return add;
  }
  static std::string text(std::size_t number) { return "Subject: " + std::to_string(number) + "\r\n\r\n"; }

  /// Submits kBurst, which make two groups; `first` runs when the first group is answered. Returns the outcomes.
  std::vector<Result<WriteOutcome>> deliver(std::function<void()> first) {
    for (unsigned i = 0; i <= kUnreadGroups; ++i) c_->must(delivery(1000 + i));  // nobody has looked for so long
    std::vector<std::promise<Result<WriteOutcome>>> promises(kBurst);
    Hold hold(*c_->store);
    for (std::size_t i = 0; i < kBurst; ++i) {
      c_->store->submit(delivery(i), [&promises, &first, i](Result<WriteOutcome> outcome) {
        if (i == 0) first();
        promises[i].set_value(std::move(outcome));
      });
    }
    hold.let_go();
    std::vector<Result<WriteOutcome>> outcomes;
    for (auto& promise : promises) outcomes.push_back(promise.get_future().get());
    return outcomes;
  }
  std::vector<std::string> expected() const {
    std::vector<std::string> texts;
    for (unsigned i = 0; i <= kUnreadGroups; ++i) texts.push_back(text(1000 + i));
    for (std::size_t i = 0; i < kBurst; ++i) texts.push_back(text(i));
    return texts;
  }
  static std::uint64_t answered_first() { return metrics::counter("posthus_store_answered_first_total", "").value(); }

  MailboxId inbox_;
  FailingEngine* failing_ = nullptr;
  std::unique_ptr<StoreCase> c_;
};

TEST_F(AnsweredFirst, WhoHasAnAnswerFindsTheMessage) {
  const std::uint64_t before = answered_first();
  std::promise<void> answered;
  std::promise<std::size_t> seen;
  std::thread reader([&] {
    answered.get_future().wait();
    const auto snapshot = std::move(c_->store->snapshot()).value();
    seen.set_value(MailboxReader::open(*snapshot, inbox_)->record().messages);
  });
  const auto outcomes = deliver([&] { answered.set_value(); });
  reader.join();
  EXPECT_GE(seen.get_future().get(), kUnreadGroups + 2) << "the first of the group was answered";
  EXPECT_GT(answered_first(), before);
  for (const auto& outcome : outcomes) EXPECT_TRUE(outcome);
  EXPECT_EQ(c_->texts(inbox_), expected());
  c_->expect_consistent();
}

TEST_F(AnsweredFirst, AReaderEndsIt) {
  c_->texts(inbox_);
  const std::uint64_t before = answered_first();
  for (unsigned i = 0; i < kUnreadGroups; ++i) {
    c_->must(delivery(i));
    c_->texts(inbox_);
  }
  Hold hold(*c_->store);
  std::vector<std::future<Result<WriteOutcome>>> outcomes;
  for (std::size_t i = 0; i < kBurst; ++i) {
    auto promise = std::make_shared<std::promise<Result<WriteOutcome>>>();
    outcomes.push_back(promise->get_future());
    c_->store->submit(delivery(i), [promise](Result<WriteOutcome> outcome) { promise->set_value(std::move(outcome)); });
  }
  hold.let_go();
  for (auto& outcome : outcomes) EXPECT_TRUE(outcome.get());
  EXPECT_EQ(answered_first(), before);
}

TEST_F(AnsweredFirst, AGroupThatFailsTakesNothingAnsweredAlong) {
  const std::uint64_t before = answered_first();
  const auto outcomes = deliver([&] { failing_->fail_put(3, ErrorKind::kUnavailable); });
  EXPECT_GT(answered_first(), before);
  for (const auto& outcome : outcomes) EXPECT_TRUE(outcome) << "tried one by one, when the group did not fit";
  EXPECT_EQ(c_->texts(inbox_), expected());
  c_->expect_consistent();
}

TEST_F(AnsweredFirst, ACommitThatFailsTakesNothingAnsweredAlong) {
  const auto outcomes = deliver([&] { failing_->fail_commit(1, ErrorKind::kUnavailable); });
  for (const auto& outcome : outcomes) EXPECT_TRUE(outcome);
  EXPECT_EQ(c_->texts(inbox_), expected());
  c_->expect_consistent();
}

TEST_F(AnsweredFirst, NoRoomForWhatWasAnsweredRefusesTheRestUntilThereIs) {
  const auto outcomes = deliver([&] { failing_->fail_commits(ErrorKind::kUnavailable); });
  for (std::size_t i = 0; i < kBurst; ++i) {
    ASSERT_EQ(outcomes[i].has_value(), i < kMaxGroupRequests) << i;
    if (!outcomes[i]) EXPECT_EQ(outcomes[i].error().kind, ErrorKind::kUnavailable);
  }
  EXPECT_EQ(c_->texts(inbox_).size(), kUnreadGroups + 1) << "readers see the index as it is";
  EXPECT_FALSE(StoreParts::of(*c_->store).writer->bring_index_up());
  EXPECT_EQ(c_->store->apply(delivery(1)).error().kind, ErrorKind::kUnavailable);
  failing_->fail_commit(0, ErrorKind::kUnavailable);
  EXPECT_TRUE(c_->store->apply(delivery(kMaxGroupRequests))) << "room again";
  std::vector<std::string> wanted = expected();
  wanted.resize(kUnreadGroups + 2 + kMaxGroupRequests);
  EXPECT_EQ(c_->texts(inbox_), wanted);
  c_->expect_consistent();
}

TEST_F(AnsweredFirst, RoomAgainIsFoundWithoutANewRequest) {
  StoreParts::of(*c_->store).journaling->set_idle(std::chrono::milliseconds(1));
  deliver([&] { failing_->fail_commits(ErrorKind::kUnavailable); });
  failing_->fail_commit(0, ErrorKind::kUnavailable);
  while (!StoreParts::of(*c_->store).writer->bring_index_up()) std::this_thread::yield();
  EXPECT_EQ(c_->texts(inbox_).size(), kUnreadGroups + 1 + kMaxGroupRequests);
}

TEST_F(AnsweredFirst, WhatFoundNoRoomUntilTheEndIsThereAfterTheNextOpening) {
  deliver([&] { failing_->fail_commits(ErrorKind::kUnavailable); });
  c_.reset();
  const StoreCase c = open();
  std::vector<std::string> wanted = expected();
  wanted.resize(kUnreadGroups + 1 + kMaxGroupRequests);
  EXPECT_EQ(c.texts(inbox_), wanted);
  c.expect_consistent();
}

TEST_F(AnsweredFirst, WhatWasAnsweredIsThereAfterAFatalFailure) {
  const auto outcomes = deliver([&] {
    failing_->fail_put(3, ErrorKind::kUnavailable);
    failing_->fail_commit(1, ErrorKind::kIo);  // of the commit that makes good for the first
  });
  std::size_t answered = 0;
  for (const auto& outcome : outcomes) answered += outcome ? 1 : 0;
  EXPECT_EQ(answered, kMaxGroupRequests);
  EXPECT_FALSE(c_->store->apply(delivery(1))) << "the store has failed";
  c_.reset();
  const StoreCase c = open();
  std::vector<std::string> texts = c.texts(inbox_);
  ASSERT_GE(texts.size(), kUnreadGroups + 1 + answered);
  texts.resize(kUnreadGroups + 1 + answered);
  std::vector<std::string> wanted = expected();
  wanted.resize(texts.size());
  EXPECT_EQ(texts, wanted);
  c.expect_consistent();
}

}  // namespace
}  // namespace posthus::store
