// What a walk over a large index leaves resident, and what is left alone.
#include "store/mapped_pages.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>

#include "store/lmdb_engine.h"
#include "temporary_directory.h"

namespace posthus::store {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

/// Bytes of files that are resident in this process.
std::uint64_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, all = 0, files = 0;
  statm >> size >> all >> files;
  EXPECT_GT(files, 0u);
  return files * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t more_than(std::uint64_t before) { return resident() - std::min(resident(), before); }

/// A file of 48 MiB, in the page cache and mapped.
class MappedPagesTest : public testing::Test {
 protected:
  static constexpr std::size_t kSize = 48 * kMiB;

  void SetUp() override {
    const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(fd, 0);
    const std::string piece(MappedPages::kPageWindow, 'x');
    for (std::size_t at = 0; at < kSize; at += piece.size())
      ASSERT_EQ(::write(fd, piece.data(), piece.size()), ssize_t(piece.size()));
    map_ = static_cast<const volatile char*>(::mmap(nullptr, kSize, PROT_READ, MAP_SHARED, fd, 0));
    ::close(fd);
    ASSERT_NE(map_, MAP_FAILED);
  }
  void TearDown() override { ::munmap(const_cast<char*>(map_), kSize); }

  /// Reads it to `end` and tells by `tell`; the most that was resident beyond what was before.
  template <class Tell>
  std::uint64_t read(std::size_t end, Tell tell) {
    const std::uint64_t before = resident();
    std::uint64_t most = 0;
    for (std::size_t at = 0; at < end; at += MappedPages::kPageWindow) {
      EXPECT_EQ(map_[at], 'x');
      tell(MappedPages::kPageWindow);
      most = std::max(most, more_than(before));
    }
    return most;
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/file";
  const volatile char* map_ = nullptr;
  ManualClock clock_{Timestamp::from_seconds(1)};
};

TEST_F(MappedPagesTest, AWalkKeepsFewPages) {
  MappedPages pages(clock_);
  pages.watch(path_);
  EXPECT_LT(read(kSize, [&](std::uint64_t bytes) { pages.touched(MapReader::kWalk, bytes); }), 3 * MappedPages::kMostWalkBytes);
}

TEST_F(MappedPagesTest, WhatIsReadIsTheSameAfterwards) {
  MappedPages pages(clock_);
  pages.watch(path_);
  for (int i = 0; i < 3; ++i)
    read(kSize, [&](std::uint64_t bytes) { pages.touched(MapReader::kWalk, bytes); });  // EXPECTs every byte
}

TEST_F(MappedPagesTest, NobodyToldNothingIsGivenBack) {
  MappedPages pages(clock_);
  pages.watch(path_);
  EXPECT_GT(read(kSize, [](std::uint64_t) {}), kSize - 4 * kMiB);
}

TEST_F(MappedPagesTest, AWriterAtWorkMayKeepMoreButNotAll) {
  MappedPages pages(clock_);
  pages.watch(path_);
  const std::uint64_t most = read(kSize, [&](std::uint64_t bytes) { pages.touched(MapReader::kWriterAndQueue, bytes); });
  EXPECT_GT(most, MappedPages::kMostWriterBytes - 2 * kMiB);
  EXPECT_LT(most, MappedPages::kMostWriterBytes + 4 * kMiB);
}

TEST_F(MappedPagesTest, AWriterThatHasLittleToDoKeepsFewPages) {
  MappedPages pages(clock_);
  pages.watch(path_);
  const std::uint64_t most = read(kSize, [&](std::uint64_t bytes) {
    clock_.advance(MappedPages::kWorksFor);
    pages.touched(MapReader::kWriterAndQueue, bytes);
  });
  EXPECT_LT(most, 3 * MappedPages::kMostWalkBytes);
}

TEST_F(MappedPagesTest, AWalkBesideTheWriterHasItsOwnShare) {
  MappedPages pages(clock_);
  pages.watch(path_);
  int reads = 0;
  const std::uint64_t most = read(kSize, [&](std::uint64_t bytes) {
    pages.touched(++reads % 2 == 0 ? MapReader::kWriterAndQueue : MapReader::kWalk, bytes);
  });
  EXPECT_GT(most, MappedPages::kMostWalkBytes);
  EXPECT_LT(most, 3 * MappedPages::kMostWalkBytes + 2 * kMiB);
}

TEST_F(MappedPagesTest, MailMayKeepMore) {
  MappedPages pages(clock_);
  pages.watch(path_);
  EXPECT_GT(read(MappedPages::kMostMailBytes - 2 * kMiB, [&](std::uint64_t bytes) { pages.touched(MapReader::kMail, bytes); }),
            MappedPages::kMostMailBytes - 4 * kMiB);
}

TEST_F(MappedPagesTest, ALargeFileMayKeepAPartOfIt) {
  MappedPages pages(clock_);
  pages.watch(path_);
  pages.file_has(64 * MappedPages::kPartOfFile * kMiB);
  EXPECT_GT(read(kSize, [&](std::uint64_t bytes) { pages.touched(MapReader::kWalk, bytes); }), kSize - 4 * kMiB);
}

TEST_F(MappedPagesTest, AFileThatIsNotMappedIsLeftAlone) {
  MappedPages pages(clock_);
  pages.watch(directory_.path() + "/another");
  EXPECT_GT(read(kSize, [&](std::uint64_t bytes) { pages.touched(MapReader::kWalk, bytes); }), kSize - 4 * kMiB);
}

class MappedIndex : public testing::TestWithParam<Table> {};

TEST_P(MappedIndex, WalksOverALargeTableAndReadsAllOverItStaySmall) {
  constexpr int kCommits = 24, kRows = 1000;  // 48 MB
  const TemporaryDirectory directory;
  auto engine = std::move(LmdbEngine::open(directory.path(), 1 << 30)).value();
  const auto key = [](int i) { return "row " + std::to_string(1'000'000 + i); };
  for (int commit = 0; commit < kCommits; ++commit) {
    ASSERT_TRUE(engine->commit([&](WriteTransaction& transaction) -> Result<> {
      for (int i = 0; i < kRows; ++i) {
        POSTHUS_TRY_VOID(
            transaction.put(GetParam(), key(commit * kRows + i), std::string(1900, static_cast<char>('a' + commit))));
      }
      return {};
    }));
  }
  const auto snapshot = std::move(engine->snapshot()).value();
  snapshot->begin_walk();
  const std::uint64_t before = resident();
  std::uint64_t most = 0;
  int rows = 0;
  const auto visit = [&](std::string_view, std::string_view value) {
    EXPECT_EQ(value.size(), 1900u);
    if (++rows % 100 == 0) most = std::max(most, more_than(before));
    return Visit::kContinue;
  };
  ASSERT_TRUE(snapshot->scan(GetParam(), {}, {}, visit));
  ASSERT_TRUE(snapshot->scan_backward(GetParam(), {}, {}, visit));
  EXPECT_EQ(rows, 2 * kCommits * kRows);
  for (int i = 0; i < 5000; ++i) {
    const int row = i * 7919 % (kCommits * kRows);
    const auto value = snapshot->get(GetParam(), key(row));
    ASSERT_TRUE(value && *value);
    EXPECT_EQ((*value)->front(), static_cast<char>('a' + row / kRows));
    if (i % 20 == 0) most = std::max(most, more_than(before));
  }
  EXPECT_LT(most, 4 * MappedPages::kMostWalkBytes);
}

INSTANTIATE_TEST_SUITE_P(Tables, MappedIndex, testing::Values(Table::kTrace, Table::kBlobs),
                         [](const auto& info) { return info.param == Table::kTrace ? "Trace" : "OfMailboxes"; });

}  // namespace
}  // namespace posthus::store
