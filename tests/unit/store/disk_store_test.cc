// The store on disk: what survives, what is refused at opening, spooled messages, a full disk.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "store/blob_record.h"
#include "store/file_segments.h"
#include "store/lmdb_engine.h"
#include "store/store_open.h"
#include "store/store_state.h"
#include "store/wrapped_engine.h"
#include "tests/unit/store/store_fixture.h"

namespace posthus::store {
namespace {

namespace fs = std::filesystem;

class DiskStore : public DiskCase {
 protected:
  std::size_t files_in(const std::string& folder) const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(path(folder))) count += entry.is_regular_file();
    return count;
  }
};

TEST_F(DiskStore, WhatWasStoredIsThereAfterReopening) {
  std::vector<std::string> texts;
  MailboxId inbox;
  for (unsigned round = 0; round < 3; ++round) {
    const StoreCase c = open();
    if (round == 0) inbox = c.add_user("user@example.org");
    for (unsigned i = 0; i < 5; ++i) {
      texts.push_back(text_of(300 + 2000 * i, round * 10 + i));
      c.add(inbox, texts.back());
    }
    EXPECT_EQ(c.texts(inbox), texts);
    c.expect_consistent();
  }
  const StoreCase c = open();
  EXPECT_EQ(c.texts(inbox), texts);
  EXPECT_EQ(files_in("segments"), 1u);
}

TEST_F(DiskStore, MessagesOfEverySizeComeBack) {
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  std::vector<std::string> texts;
  for (const std::size_t size : {0uz, 1uz, 4000uz, kSpoolThreshold - 1, kSpoolThreshold, kSpoolThreshold + 1, 1'000'000uz,
                                 std::size_t{kMaxCopiedText}, std::size_t{kMaxCopiedText} + 1, 5'000'000uz}) {
    std::string text = text_of(size);
    text.resize(size, 'x');
    texts.push_back(text);
    c.add(inbox, text);
  }
  EXPECT_EQ(c.texts(inbox), texts);
  EXPECT_EQ(files_in("spool"), 0u);
  c.expect_consistent();
}

TEST_F(DiskStore, AReadAppendsExactlyWhatWasAskedFor) {
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  const std::string text = text_of(3000);
  c.add(inbox, text);
  c.add(inbox, text_of(9000));
  const auto snapshot = c.store->snapshot();
  ASSERT_TRUE(snapshot);
  const auto reader = MailboxReader::open(**snapshot, inbox);
  ASSERT_TRUE(reader);
  const auto message = reader->message(Uid{1});
  ASSERT_TRUE(message && *message);
  for (const std::size_t before : {0uz, 20uz, 120uz, 900uz, 2000uz}) {  // growing to less than double rounds the capacity up
    std::string out(before, '-');
    ASSERT_TRUE(c.store->read_message(**snapshot, (*message)->blob, 0, 1000, out));
    EXPECT_EQ(out, std::string(before, '-') + text.substr(0, 1000));
  }
}

TEST_F(DiskStore, ADroppedMessageLeavesNoFileAndNoReservation) {
  const StoreCase c = open();
  {
    IncomingMessage message = c.store->begin_message();
    ASSERT_TRUE(message.append(text_of(3'000'000)));
    EXPECT_EQ(files_in("spool"), 1u);
    EXPECT_LE(c.store->budget().used(), 128u * 1024);
  }
  EXPECT_EQ(files_in("spool"), 0u);
  EXPECT_EQ(c.store->budget().used(), 0u);
}

TEST_F(DiskStore, AMessageWhoseSpoolFileIsGoneIsRefusedAlone) {
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  for (const std::size_t size : {500'000uz, 2'000'000uz}) {
    AddMessage request = c.add_request(inbox, text_of(size));
    fs::remove(request.message.spool_path());
    EXPECT_EQ(c.refused(std::move(request)), ErrorKind::kUnavailable);
  }
  c.add(inbox, text_of(100));
  EXPECT_EQ(c.texts(inbox).size(), 1u);
  c.expect_consistent();
}

TEST_F(DiskStore, ABudgetSpentRefusesMoreBytes) {
  options_.budget_bytes = 100'000;
  const StoreCase c = open();
  IncomingMessage first = c.store->begin_message(), second = c.store->begin_message();
  ASSERT_TRUE(first.append(text_of(70'000)));
  const auto refused = second.append(text_of(70'000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
}

TEST_F(DiskStore, LeftoverSpoolFilesAreRemovedAtOpening) {
  {
    open();
  }
  std::ofstream(path("spool/abc.msg")) << "half a message";
  const StoreCase c = open();
  EXPECT_EQ(files_in("spool"), 0u);
}

TEST_F(DiskStore, SegmentsRollWhenFull) {
  options_.segment_bytes = 100'000;
  std::vector<std::string> texts;
  MailboxId inbox;
  {
    const StoreCase c = open();
    inbox = c.add_user("user@example.org");
    for (unsigned i = 0; i < 20; ++i) {
      texts.push_back(text_of(20'000, i));
      c.add(inbox, texts.back());
    }
    EXPECT_EQ(c.texts(inbox), texts);
    c.expect_consistent();
  }
  EXPECT_GE(files_in("segments"), 5u);
  const StoreCase c = open();
  EXPECT_EQ(c.texts(inbox), texts);
}

TEST_F(DiskStore, OneGroupMaySpanSegments) {
  options_.segment_bytes = 50'000;
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  std::vector<std::future<bool>> done;
  for (unsigned i = 0; i < 100; ++i) {
    auto promise = std::make_shared<std::promise<bool>>();
    done.push_back(promise->get_future());
    c.store->submit(c.add_request(inbox, text_of(i % 7 == 0 ? 1'200'000 : 9'000, i)),
                    [promise](Result<WriteOutcome> outcome) { promise->set_value(outcome.has_value()); });
  }
  for (auto& one : done) EXPECT_TRUE(one.get());
  EXPECT_EQ(c.texts(inbox).size(), 100u);
  c.expect_consistent();
}

TEST_F(DiskStore, BytesAfterWhatTheIndexNamesAreNotOverwritten) {
  MailboxId inbox;
  {
    const StoreCase c = open();
    inbox = c.add_user("user@example.org");
    c.add(inbox, text_of(2'000'000, 1));
    c.add(inbox, text_of(1000, 2));
  }
  // A group that was cut off after its texts were written: the file goes on, the index does not know.
  const std::string segment = path("segments/" + segment_file_name(2));
  ASSERT_TRUE(fs::exists(segment));
  std::ofstream(segment, std::ios::app) << "a record nobody was told about";
  const auto length = fs::file_size(segment);
  {
    const StoreCase c = open();
    c.add(inbox, text_of(1000, 3));
    EXPECT_EQ(c.texts(inbox), (std::vector<std::string>{text_of(2'000'000, 1), text_of(1000, 2), text_of(1000, 3)}));
    c.expect_consistent();
  }
  EXPECT_EQ(fs::file_size(segment), length);
}

TEST_F(DiskStore, SegmentsTheIndexDoesNotNameAreKeptAside) {
  {
    open().add_user("user@example.org");
  }
  {
    const StoreCase c = open();
    c.add(c.inbox("user@example.org"), text_of(1000));
  }
  std::ofstream(path("segments/" + segment_file_name(77))) << "from a newer index";
  const StoreCase c = open();
  EXPECT_FALSE(fs::exists(path("segments/" + segment_file_name(77))));
  EXPECT_EQ(files_in("segments/orphaned"), 1u);
}

TEST_F(DiskStore, ACommitInDoubtLosesNoText) {
  const std::string first = text_of(1000, 1), in_doubt = text_of(2000, 2), spooled = text_of(2'000'000, 3);
  for (const std::string& text : {in_doubt, spooled}) {
    fs::remove_all(path(""));
    {
      const StoreCase c = open();
      const MailboxId inbox = c.add_user("user@example.org");
      c.add(inbox, first);
      Store::State& state = StoreParts::of(*c.store);
      state.writer.reset();
      auto failing = std::make_unique<FailingEngine>(std::move(state.engine));
      failing->fail_after_commit(1, ErrorKind::kIo);
      state.engine = std::move(failing);
      state.journaling =
          std::move(Journaling::create(*state.lmdb, *state.files, path("index"), state.files->store_uuid())).value();
      state.writer =
          std::make_unique<Writer>(*state.engine, *state.segments, state.hub, clock_, CommitThread::kOwn, state.journaling.get());
      EXPECT_EQ(c.refused(c.add_request(inbox, text)), ErrorKind::kIo);
    }
    auto reopened = try_open();
    ASSERT_TRUE(reopened) << reopened.error().context;
    const StoreCase c(*std::move(reopened));
    EXPECT_EQ(c.texts(c.inbox("user@example.org")), (std::vector{first, text}));
    c.expect_consistent();
  }
}

TEST_F(DiskStore, SecondProcessIsRefused) {
  const StoreCase c = open();
  const auto second = try_open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kBusy);
}

TEST_F(DiskStore, ANewerFormatIsRefused) {
  {
    open();
  }
  {
    const auto engine = std::move(LmdbEngine::open(path("index"), 1 << 30)).value();
    ASSERT_TRUE(engine->commit([](WriteTransaction& transaction) {
      std::string format;
      append_u32(format, kFormatVersion + 1);
      return transaction.put(Table::kMeta, meta_key::kFormat, format);
    }));
  }
  const auto opened = try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kDenied);
}

TEST_F(DiskStore, ASpoolOnAnotherFileSystemIsRefused) {
  const fs::path elsewhere = fs::path("/dev/shm") / directory_.path().substr(directory_.path().rfind('/') + 1);
  struct stat here{}, there{};
  if (::stat(directory_.path().c_str(), &here) != 0 || ::stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev) {
    GTEST_SKIP() << "there is no second file system here";
  }
  fs::create_directories(path(""));
  fs::create_directories(elsewhere);
  fs::create_directory_symlink(elsewhere, path("spool"));
  const auto opened = try_open();
  fs::remove_all(elsewhere);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kDenied);
  EXPECT_NE(opened.error().context.find("spool"), std::string::npos) << opened.error().context;
  EXPECT_NE(opened.error().context.find("different file systems"), std::string::npos) << opened.error().context;
}

TEST(StoreOpen, NetworkFileSystemsAreUnfitAndLocalOnesAreNot) {
  // Types of statfs(2).
  for (const std::uint32_t magic : {0x6969u, 0x517Bu, 0xFF534D42u, 0xFE534D42u, 0x65735546u, 0x01021997u, 0x00C36400u}) {
    EXPECT_NE(unfit_file_system(magic), nullptr) << std::hex << magic;
  }
  for (const std::uint32_t magic :
       {0xEF53u /* ext4 */, 0x58465342u /* XFS */, 0x9123683Eu /* btrfs */, 0x01021994u /* tmpfs */, 0x2FC12FC1u /* ZFS */}) {
    EXPECT_EQ(unfit_file_system(magic), nullptr) << std::hex << magic;
  }
}

TEST_F(DiskStore, ATruncatedIndexIsReportedAndNotMapped) {
  {
    const StoreCase c = open();
    const MailboxId inbox = c.add_user("user@example.org");
    for (unsigned i = 0; i < 400; ++i) c.store->submit(c.add_request(inbox, text_of(500, i)), [](const auto&) {});
  }
  fs::resize_file(path("index/data.mdb"), 64 * 1024);
  const auto opened = try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kCorrupt);
  EXPECT_NE(opened.error().context.find("truncated"), std::string::npos);
}

TEST_F(DiskStore, AnIndexOfGarbageIsReported) {
  {
    open();
  }
  std::ofstream(path("index/data.mdb"), std::ios::trunc) << std::string(100'000, 'x');
  const auto opened = try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kCorrupt);
}

TEST_F(DiskStore, MailWithoutItsIndexIsReportedAndKept) {
  {
    const StoreCase c = open();
    c.add(c.add_user("user@example.org"), text_of(1000));
  }
  fs::remove_all(path("index"));
  const auto opened = try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(files_in("segments"), 1u);
}

TEST_F(DiskStore, MissingSegmentsAreReported) {
  {
    const StoreCase c = open();
    c.add(c.add_user("user@example.org"), text_of(1000));
  }
  fs::remove(path("segments/" + segment_file_name(1)));
  const auto opened = try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kCorrupt);
}

TEST_F(DiskStore, WhatWasAcknowledgedSurvivesAKill) {
  MailboxId inbox;
  {
    inbox = open().add_user("user@example.org");
  }
  for (unsigned round = 0; round < 3; ++round) {
    int ledger[2];
    ASSERT_EQ(::pipe(ledger), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      // Dies in the middle of its work, as soon as 30 messages are acknowledged.
      const StoreCase c = open();
      std::atomic<unsigned> acknowledged = 0;
      for (unsigned i = 0;; ++i) {
        c.store->submit(c.add_request(inbox, text_of(3000, round * 100'000 + i)), [&, i](const Result<WriteOutcome>& outcome) {
          if (!outcome) return;
          const unsigned seed = round * 100'000 + i;
          if (::write(ledger[1], &seed, sizeof seed) < 0) _exit(1);
          if (++acknowledged == 30) ::kill(::getpid(), SIGKILL);
        });
      }
    }
    ::close(ledger[1]);
    ASSERT_GT(child, 0);
    ::waitpid(child, nullptr, 0);
    const StoreCase c = open();
    const auto texts = c.texts(inbox);
    unsigned seed = 0;
    while (::read(ledger[0], &seed, sizeof seed) == sizeof seed) {
      EXPECT_EQ(std::ranges::count(texts, text_of(3000, seed)), 1) << seed;
    }
    ::close(ledger[0]);
    c.expect_consistent();
  }
}

/// A file system of a few megabytes; needs the right to mount.
class FullDisk : public DiskStore {
 protected:
  void SetUp() override {
    fs::create_directory(directory_.path() + "/mail");
    is_mounted_ = ::mount("tmpfs", (directory_.path() + "/mail").c_str(), "tmpfs", 0, "size=24m") == 0;
    if (!is_mounted_) GTEST_SKIP() << "cannot mount a tmpfs here";
  }
  void TearDown() override {
    if (is_mounted_) ::umount2((directory_.path() + "/mail").c_str(), MNT_DETACH);
  }
  bool is_mounted_ = false;
};

TEST_F(FullDisk, RefusesStaysUpAndWorksAgain) {
  {
    const StoreCase c = open();
    std::atomic<bool> is_fatal = false;
    c.store->on_fatal([&is_fatal](const Error&) { is_fatal = true; });
    const MailboxId inbox = c.add_user("user@example.org");
    unsigned stored = 0;
    Result<WriteOutcome> outcome;
    while ((outcome = c.store->apply(c.add_request(inbox, text_of(200'000, stored)))).has_value()) ++stored;
    EXPECT_EQ(outcome.error().kind, ErrorKind::kUnavailable) << outcome.error().context;
    EXPECT_EQ(c.refused(c.add_request(inbox, text_of(200'000))), ErrorKind::kUnavailable);
    EXPECT_FALSE(is_fatal);
    EXPECT_EQ(c.texts(inbox).size(), stored);
    c.expect_consistent();
    ASSERT_EQ(::mount("tmpfs", (directory_.path() + "/mail").c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
    c.add(inbox, text_of(200'000, 9999));
    EXPECT_EQ(c.texts(inbox).size(), stored + 1);
    c.expect_consistent();
  }
}

TEST_F(FullDisk, MailCanBeDeletedToMakeRoom) {
  options_.segment_bytes = 1 << 20;
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  std::uint32_t stored = 0;
  while (c.store->apply(c.add_request(inbox, text_of(20'000, stored)))) ++stored;
  c.must(Expunge{.mailbox = inbox, .uids = {{Uid(1), Uid(stored / 2)}}, .rule = ExpungeRule::kAllNamed});
  EXPECT_GT(*reclaim(*c.store), 1u << 20);
  c.add(inbox, text_of(20'000, 9999));
  c.expect_consistent();
}

TEST_F(FullDisk, ManySmallMessagesFillItWithoutHarm) {
  const StoreCase c = open();
  std::atomic<bool> is_fatal = false;
  c.store->on_fatal([&is_fatal](const Error&) { is_fatal = true; });
  const MailboxId inbox = c.add_user("user@example.org");
  std::atomic<std::size_t> stored = 0, refused = 0;
  for (unsigned batch = 0; refused == 0; ++batch) {
    std::vector<std::future<void>> done;
    for (unsigned i = 0; i < 500; ++i) {
      auto promise = std::make_shared<std::promise<void>>();
      done.push_back(promise->get_future());
      c.store->submit(c.add_request(inbox, text_of(1500, batch * 500 + i)), [&, promise](const Result<WriteOutcome>& outcome) {
        ++(outcome ? stored : refused);
        if (!outcome) EXPECT_EQ(outcome.error().kind, ErrorKind::kUnavailable) << outcome.error().context;
        promise->set_value();
      });
    }
    for (auto& one : done) one.get();
  }
  EXPECT_FALSE(is_fatal);
  EXPECT_EQ(c.texts(inbox).size(), stored);
  c.expect_consistent();
}

}  // namespace
}  // namespace posthus::store
