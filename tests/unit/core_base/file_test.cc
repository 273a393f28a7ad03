// Durable replacement and limited reading of files.
#include "core/base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace posthus {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string pattern = testing::TempDir() + "posthus-file-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~FileTest() override { std::filesystem::remove_all(directory_); }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::string directory_;
};

TEST_F(FileTest, WritesReadsAndReplaces) {
  ASSERT_TRUE(write_file_durably(path("a"), "one"));
  ASSERT_TRUE(write_file_durably(path("a"), std::string(200'000, 'x')));
  EXPECT_EQ(read_file(path("a"), 200'000).value(), std::string(200'000, 'x'));
  EXPECT_EQ(read_file(path("a"), 199'999).error().kind, ErrorKind::kTooLarge);
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_)) ++entries;
  EXPECT_EQ(entries, 1);
}

TEST_F(FileTest, ModeHoldsWhateverTheUmask) {
  const mode_t before = ::umask(077);
  ASSERT_TRUE(write_file_durably(path("open"), "", 0644));
  ::umask(0);
  ASSERT_TRUE(write_file_durably(path("closed"), "", 0600));
  ::umask(before);
  struct stat info{};
  ::stat(path("open").c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777U, 0644U);
  ::stat(path("closed").c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(FileTest, ErrorsSayWhatKind) {
  EXPECT_EQ(read_file(path("missing"), 10).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(read_file(directory_, 10).error().kind, ErrorKind::kIo);
  EXPECT_EQ(write_file_durably(path("no/such/directory"), "").error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(std::filesystem::create_directories(path("d/full")));
  EXPECT_FALSE(write_file_durably(path("d"), "x"));
  EXPECT_FALSE(std::filesystem::is_regular_file(path("d")));
}

TEST_F(FileTest, ReadsFilesThatClaimToBeEmpty) { EXPECT_FALSE(read_file("/proc/self/status", 100'000).value().empty()); }

TEST_F(FileTest, DescriptorClosesOnceAndMoves) {
  UniqueFd first(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY));
  const int number = first.get();
  UniqueFd second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): the point of the test
  EXPECT_EQ(second.get(), number);
  second.reset();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace posthus
