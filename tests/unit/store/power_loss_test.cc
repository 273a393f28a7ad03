// Power loss: of all that was written and not synced, the disk may keep anything. Index and segments are put together at
// random from what was synced last and what was written since, page by page; the journal, which is synced, is kept whole.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "store/checkpoint.h"
#include "store/journaling.h"
#include "store/recovery.h"
#include "store/store_state.h"
#include "tests/unit/store/store_fixture.h"

namespace posthus::store {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kPage = 4096;

using Files = std::map<std::string, std::string>;

std::string read_all(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class PowerLoss : public DiskCase {
 protected:
  /// No checkpoint but those a test makes: what is synced must not depend on how long the test takes.
  StoreCase open(std::chrono::milliseconds idle = std::chrono::hours(24)) const {
    StoreCase c = DiskCase::open();
    if (c.store) StoreParts::of(*c.store).journaling->set_idle(idle);
    return c;
  }
  /// Index and segments as they are now.
  Files unsynced_files() const {
    Files files;
    files["index/data.mdb"] = read_all(path("index/data.mdb"));
    for (const auto& entry : fs::directory_iterator(path("segments"))) {
      if (entry.is_regular_file()) files["segments/" + entry.path().filename().string()] = read_all(entry.path());
    }
    return files;
  }
  /// Everything on disk, as a killed process leaves it.
  void keep_everything() {
    fs::remove_all(copy_);
    fs::copy(path(""), copy_, fs::copy_options::recursive);
  }
  /// Puts back what keep_everything() kept, with each page of `synced` and of the newer state as the dice fall.
  void lose_power(const Files& synced, std::mt19937& dice) const {
    fs::remove_all(path(""));
    fs::copy(copy_, path(""), fs::copy_options::recursive);
    for (const auto& [name, newer] : unsynced_files()) {
      const auto found = synced.find(name);
      const std::string older = found == synced.end() ? "" : found->second;
      std::string mixed = newer;
      for (std::size_t at = 0; at < mixed.size(); at += kPage) {
        if (dice() % 2 == 0) continue;
        const std::size_t length = std::min(kPage, mixed.size() - at);
        std::string page = at < older.size() ? older.substr(at, length) : "";
        page.resize(length, '\0');
        mixed.replace(at, length, page);
      }
      std::ofstream(path(name), std::ios::binary | std::ios::trunc) << mixed;
    }
  }
  void TearDown() override { fs::remove_all(copy_); }

  const std::string copy_ = directory_.path() + "-copy";
};

TEST_F(PowerLoss, WhatWasAcknowledgedIsThereWhateverTheDiskKept) {
  std::vector<std::string> texts;
  Files synced;
  MailboxId inbox;
  {
    const StoreCase c = open();
    inbox = c.add_user("user@example.org");
    for (unsigned i = 0; i < 20; ++i) c.add(inbox, texts.emplace_back(text_of(500 + 300 * i, i)));
  }
  {
    const StoreCase c = open();  // opening makes a checkpoint
    synced = unsynced_files();
    for (unsigned i = 20; i < 200; ++i) c.add(inbox, texts.emplace_back(text_of(200 + 700 * (i % 13), i)));
    c.add(inbox, texts.emplace_back(text_of(90'000, 200)));
    // That one is synced in its segment, and with it what the segment has.
    for (auto& [name, bytes] : unsynced_files()) {
      if (name.starts_with("segments/")) synced[name] = bytes;
    }
    c.add(inbox, texts.emplace_back(text_of(1000, 201)));
    c.must(Expunge{.mailbox = inbox, .uids = {{Uid(3), Uid(4)}}, .rule = ExpungeRule::kAllNamed});
    texts.erase(texts.begin() + 2, texts.begin() + 4);
    keep_everything();
  }
  for (unsigned seed = 1; seed <= 12; ++seed) {
    std::mt19937 dice(seed);
    lose_power(synced, dice);
    const StoreCase c = open();
    ASSERT_TRUE(c.store) << "seed " << seed;
    EXPECT_EQ(c.texts(inbox), texts) << "seed " << seed;
    c.expect_consistent();
    c.add(inbox, "Subject: afterwards\r\n\r\n");
    EXPECT_EQ(c.texts(inbox).size(), texts.size() + 1);
  }
}

TEST_F(PowerLoss, TheCheckpointsPagesSurviveManyCommitsAfterIt) {
  MailboxId inbox;
  std::vector<std::string> texts;
  Files synced;
  {
    const StoreCase c = open();
    inbox = c.add_user("user@example.org");
    for (unsigned i = 0; i < 300; ++i) c.add(inbox, texts.emplace_back(text_of(300, i)));
  }
  {
    const StoreCase c = open();
    synced = unsynced_files();
    // Pages are freed and used again many times over.
    for (unsigned i = 0; i < 400; ++i) {
      c.must(ChangeFlags{.mailbox = inbox,
                         .uids = {{Uid(1), Uid(300)}},
                         .change = i % 2 == 0 ? FlagChange::kAdd : FlagChange::kRemove,
                         .flags = flag::kSeen,
                         .keywords = {},
                         .unchanged_since = {}});
    }
    keep_everything();
  }
  std::mt19937 dice(7);
  lose_power(synced, dice);
  const StoreCase c = open();
  EXPECT_EQ(c.texts(inbox), texts);
  c.expect_consistent();
}

TEST_F(PowerLoss, ALossWhileOpeningAgainIsNoWorse) {
  std::vector<std::string> texts;
  Files synced;
  MailboxId inbox;
  {
    const StoreCase c = open();
    inbox = c.add_user("user@example.org");
    synced = unsynced_files();
    for (unsigned i = 0; i < 60; ++i) c.add(inbox, texts.emplace_back(text_of(900, i)));
    keep_everything();
  }
  std::mt19937 dice(3);
  lose_power(synced, dice);
  // Opening got as far as the engine, and the power went again.
  ASSERT_TRUE(restore_checkpoint(path("index")).value());
  {
    ASSERT_TRUE(LmdbEngine::open(path("index"), options_.map_bytes));
  }
  const StoreCase c = open();
  EXPECT_EQ(c.texts(inbox), texts);
  c.expect_consistent();
}

TEST_F(PowerLoss, CheckpointsUnderLoadLoseNothing) {
  MailboxId inbox;
  std::size_t count = 0;
  {
    const StoreCase c = open();
    inbox = c.add_user("user@example.org");
    // Twice what makes a checkpoint due, each message alone below what is synced in its segment.
    for (std::uint64_t bytes = 0; bytes < 3 * kCheckpointBytes; bytes += 60'000) {
      c.add(inbox, text_of(60'000, static_cast<unsigned>(count++)));
    }
    keep_everything();
  }
  fs::remove_all(path(""));
  fs::copy(copy_, path(""), fs::copy_options::recursive);
  const StoreCase c = open();
  EXPECT_EQ(c.texts(inbox).size(), count);
  c.expect_consistent();
}

TEST_F(PowerLoss, AnOlderIndexPutInPlaceIsNotMixedWithTheJournal) {
  MailboxId inbox;
  {
    const StoreCase c = open();
    inbox = c.add_user("user@example.org");
    c.add(inbox, text_of(500, 1));
  }
  const std::string older = read_all(path("index/data.mdb"));
  for (unsigned round = 0; round < 2; ++round) {
    const StoreCase c = open();
    for (unsigned i = 2; i < 30; ++i) c.add(inbox, text_of(500, 100 * round + i));
    keep_everything();
  }
  fs::remove_all(path(""));
  fs::copy(copy_, path(""), fs::copy_options::recursive);
  std::ofstream(path("index/data.mdb"), std::ios::binary | std::ios::trunc) << older;
  const StoreCase c = open();
  ASSERT_TRUE(c.store);
  EXPECT_EQ(c.texts(inbox).size(), 1u);
  c.expect_consistent();
  bool is_aside = false;
  for (const auto& entry : fs::directory_iterator(path("index"))) {
    is_aside = is_aside || entry.path().filename().string().starts_with("checkpoint.foreign-");
  }
  EXPECT_TRUE(is_aside);
}

TEST_F(PowerLoss, AnIdleStoreCatchesUpWithItsJournal) {
  MailboxId inbox;
  {
    const StoreCase c = open(std::chrono::milliseconds(1));
    inbox = c.add_user("user@example.org");
    c.add(inbox, text_of(500, 1));
    // WHY the sequence: a checkpoint made meanwhile may be of the groups before.
    const std::uint64_t last = StoreParts::of(*c.store).journaling->next_sequence() - 1;
    const auto is_caught_up = [&] {
      const auto checkpoint = read_checkpoint(path("index"));
      return checkpoint && *checkpoint && (*checkpoint)->sequence >= last;
    };
    while (!is_caught_up()) std::this_thread::yield();
    keep_everything();
  }
  // The journal is not needed any more.
  fs::remove_all(path(""));
  fs::copy(copy_, path(""), fs::copy_options::recursive);
  fs::resize_file(path("index/journal-0"), 0);
  fs::resize_file(path("index/journal-1"), 0);
  const StoreCase c = open();
  EXPECT_EQ(c.texts(inbox).size(), 1u);
  c.expect_consistent();
}

TEST_F(PowerLoss, AnOrderlyEndNeedsNoRecovery) {
  {
    const StoreCase c = open();
    c.add(c.add_user("user@example.org"), text_of(500, 1));
    EXPECT_TRUE(fs::exists(path("index/checkpoint")));
  }
  EXPECT_FALSE(fs::exists(path("index/checkpoint")));
  EXPECT_EQ(fs::file_size(path("index/journal-0")), 0u);
}

TEST_F(PowerLoss, ADamagedJournalIsRefusedAndNotSkipped) {
  {
    const StoreCase c = open();
    const MailboxId inbox = c.add_user("user@example.org");
    for (unsigned i = 0; i < 5; ++i) c.add(inbox, text_of(500, i));
    keep_everything();
  }
  fs::remove_all(path(""));
  fs::copy(copy_, path(""), fs::copy_options::recursive);
  std::string journal = read_all(path("index/journal-0"));
  const std::size_t magic = journal.find("PSTHJNL1", 1);
  ASSERT_NE(magic, std::string::npos);
  journal[magic + kJournalHeadBytes + 1] ^= 1;  // the second record; later ones stand behind it
  std::ofstream(path("index/journal-0"), std::ios::binary | std::ios::trunc) << journal;
  const auto refused = try_open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace posthus::store
