// The last lines of the log in memory: in order, numbered without gaps, bounded.
#include "core/base/log_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace posthus::log {
namespace {

// The ring is one for the process, so each test begins where the one before ended.
std::uint64_t last() {
  return kept_lines(UINT64_MAX - 1, [](std::uint64_t, Level, std::string_view) { return true; });
}
std::vector<std::string> lines_after(std::uint64_t after) {
  std::vector<std::string> lines;
  std::uint64_t expected = 0;
  kept_lines(after, [&](std::uint64_t number, Level, std::string_view line) {
    if (expected != 0) EXPECT_EQ(number, expected);
    expected = number + 1;
    lines.emplace_back(line);
    return true;
  });
  return lines;
}

TEST(LogRing, KeepsLinesInOrderAndGoesOnFromACursor) {
  const std::uint64_t before = last();
  keep_line(Level::kInfo, "{\"n\":1}");
  keep_line(Level::kWarning, "{\"n\":2}");
  EXPECT_EQ(lines_after(before), (std::vector<std::string>{"{\"n\":1}", "{\"n\":2}"}));
  EXPECT_EQ(lines_after(before + 1), std::vector<std::string>{"{\"n\":2}"});
  EXPECT_TRUE(lines_after(before + 2).empty());
  EXPECT_EQ(last(), before + 2);
  std::vector<Level> levels;
  kept_lines(before, [&](std::uint64_t, Level level, std::string_view) {
    levels.push_back(level);
    return levels.size() < 1;
  });
  EXPECT_EQ(levels, std::vector<Level>{Level::kInfo}) << "who has enough is left alone";
}

TEST(LogRing, ForgetsTheOldestAndKeepsAHalfAtLeast) {
  const std::string line(1000, 'x');
  for (int i = 0; i < 2000; ++i) keep_line(Level::kInfo, line + std::to_string(i));
  const auto lines = lines_after(0);
  std::size_t bytes = 0;
  for (const std::string& one : lines) bytes += one.size();
  EXPECT_GE(bytes, kHalf - 2000);
  EXPECT_LE(bytes, 2 * kHalf);
  EXPECT_TRUE(lines.back().ends_with("x1999"));
}

TEST(LogRing, WriteKeepsWhatItWritesAsJson) {
  keep_lines();
  const std::uint64_t before = last();
  ::testing::internal::CaptureStderr();
  configure(Level::kInfo, Format::kText);
  info("smtp.accepted", {{"id", "7"}, {"text", "a \"b\""}, {"size", 5}});
  debug("smtp.noise");
  configure(Level::kInfo, Format::kJson);
  warning("smtp.refused");
  configure(Level::kInfo, Format::kText);
  ::testing::internal::GetCapturedStderr();
  const auto lines = lines_after(before);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[0].starts_with("{\"time\":\"")) << lines[0];
  EXPECT_TRUE(lines[0].ends_with(R"("level":"info","event":"smtp.accepted","id":"7","text":"a \"b\"","size":5})")) << lines[0];
  EXPECT_TRUE(lines[1].ends_with(R"("event":"smtp.refused"})")) << lines[1];
}

TEST(LogRing, ManyThreadsLoseNothing) {
  const std::uint64_t before = last();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 500; ++i) {
          keep_line(Level::kInfo, "{}");
          kept_lines(0, [](std::uint64_t, Level, std::string_view) { return true; });
        }
      });
    }
  }
  EXPECT_EQ(last(), before + 2000);
  EXPECT_EQ(lines_after(before).size(), 2000u);
}

}  // namespace
}  // namespace posthus::log
