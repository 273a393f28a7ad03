// DATA and BDAT bytes: dots, the end, bare CR and LF; the same in every cut. RFC 5321 §2.3.8, §4.5.2.
#include "smtp/data_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace posthus::smtp {
namespace {

struct Read {
  std::string text, rest;
  bool is_done = false, is_bare = false;
};

Read read_in_cuts(const std::string& wire, std::size_t cut) {
  DataReader reader;
  Read result;
  std::size_t at = 0;
  while (at < wire.size() && !reader.is_done()) {
    const auto piece = std::string_view(wire).substr(at, cut);
    const std::size_t read = reader.read(piece, [&](std::string_view text) { result.text.append(text); });
    EXPECT_TRUE(read == piece.size() || reader.is_done());
    at += read;
  }
  result.rest = wire.substr(at);
  result.is_done = reader.is_done();
  result.is_bare = reader.has_bare_line_end();
  return result;
}

constexpr std::size_t kCuts[] = {1, 2, 3, 7, 100'000};

void expect_text(const std::string& wire, const std::string& text, const std::string& rest = "") {
  for (const std::size_t cut : kCuts) {
    const Read read = read_in_cuts(wire, cut);
    EXPECT_TRUE(read.is_done) << wire << " cut " << cut;
    EXPECT_FALSE(read.is_bare) << wire << " cut " << cut;
    EXPECT_EQ(read.text, text) << "cut " << cut;
    EXPECT_EQ(read.rest, rest) << "cut " << cut;
  }
}

TEST(DataReader, RemovesDotsAndFindsTheEnd) {
  expect_text("a\r\n.\r\n", "a\r\n");
  expect_text(".\r\n", "");
  expect_text("..\r\n.\r\n", ".\r\n");
  expect_text("..a\r\n...\r\n.b\r\n.\r\n", ".a\r\n..\r\nb\r\n");
  expect_text("a.\r\n.\r\n", "a.\r\n");
  expect_text("a\r\n\r\n.\r\nMAIL FROM:<>\r\n", "a\r\n\r\n", "MAIL FROM:<>\r\n");
  expect_text(std::string("a\0b\xff\r\n.\r\n", 9), std::string("a\0b\xff\r\n", 6));
  const std::string line(100'000, 'x');
  expect_text(line + "\r\n.\r\n", line + "\r\n");
}

TEST(DataReader, NeverEndsAtABareLineEnd) {
  for (const char* wire : {"a\n.\n", "a\n.\r\n", "a\r.\r", "a\r.\r\n", "a\r\n.\n", "a\r\n.\r", "\r\n.\rb\r\n", "a\n\n.\r\n",
                           "a\r\r.\r\n", "a\n.\n\r\n", ".\n", "\n.\r\n", "\r.\r\n"}) {
    for (const std::size_t cut : kCuts) {
      const Read read = read_in_cuts(wire, cut);
      EXPECT_FALSE(read.is_done) << wire << " cut " << cut;
      const Read ended = read_in_cuts(std::string(wire) + "x\r\n.\r\nQUIT\r\n", cut);
      EXPECT_TRUE(ended.is_done) << wire << " cut " << cut;
      EXPECT_TRUE(ended.is_bare) << wire << " cut " << cut;
      EXPECT_EQ(ended.rest, "QUIT\r\n") << wire << " cut " << cut;
    }
  }
}

TEST(DataReader, EndsAfterARefusedLineOnlyAtTheRealEnd) {
  for (const std::size_t cut : kCuts) {
    const Read read = read_in_cuts("a\r\r\n.\r\nrest", cut);
    EXPECT_TRUE(read.is_done);
    EXPECT_TRUE(read.is_bare);
    EXPECT_EQ(read.rest, "rest");
  }
}

// The same automaton written the plain way, one byte at a time over the whole text.
TEST(DataReader, AgreesWithAPlainReadingOfAllShortInputs) {
  const std::string alphabet = "\r\n.a";
  for (int length = 1; length <= 7; ++length) {
    std::vector<int> digits(length, 0);
    while (true) {
      std::string wire;
      for (const int d : digits) wire.push_back(alphabet[d]);
      const std::string ended = "\r\n" + wire;
      const std::size_t end = ended.find("\r\n.\r\n");
      const Read whole = read_in_cuts(wire, 100);
      EXPECT_EQ(whole.is_done, end != std::string::npos) << ::testing::PrintToString(wire);
      if (whole.is_done) EXPECT_EQ(whole.rest, ended.substr(end + 5));
      for (const std::size_t cut : {1, 2, 3}) {
        const Read pieces = read_in_cuts(wire, cut);
        EXPECT_EQ(pieces.is_done, whole.is_done);
        EXPECT_EQ(pieces.is_bare, whole.is_bare);
        EXPECT_EQ(pieces.rest, whole.rest);
        if (!whole.is_bare) EXPECT_EQ(pieces.text, whole.text) << ::testing::PrintToString(wire);
      }
      int i = 0;
      while (i < length && ++digits[i] == static_cast<int>(alphabet.size())) digits[i++] = 0;
      if (i == length) break;
    }
  }
}

TEST(LineEndCheck, SeesBareCrAndLfInEveryCut) {
  const auto is_bare = [](const std::string& text, std::size_t cut) {
    LineEndCheck check;
    for (std::size_t at = 0; at < text.size(); at += cut) check.read(std::string_view(text).substr(at, cut));
    return check.has_bare_line_end();
  };
  for (const std::size_t cut : kCuts) {
    for (const char* good : {"", "a", "a\r\n", "\r\n\r\n", "a\r\nb", ".\r\n"}) EXPECT_FALSE(is_bare(good, cut)) << good;
    for (const char* bad : {"\n", "\r", "a\nb\r\n", "a\rb\r\n", "a\r\n\n", "a\r\r\n", "a\r\n\r", "ab\r", "a\r\nb\n"})
      EXPECT_TRUE(is_bare(bad, cut)) << bad;
  }
}

}  // namespace
}  // namespace posthus::smtp
