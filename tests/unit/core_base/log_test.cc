// Log lines: what operators and their parsers read.
#include <gtest/gtest.h>

#include <climits>

#include "core/base/log_line.h"

namespace posthus::log {
namespace {

constexpr Timestamp kTime{1795302346'123'456};  // 2026-11-21T23:05:46.123456Z

std::string line(Format format, std::initializer_list<Field> fields) {
  std::string out;
  append_line(out, kTime, Level::kInfo, "smtp.login", fields, format);
  return out;
}

TEST(LogLine, TextHasTimeLevelEventAndFields) {
  EXPECT_EQ(line(Format::kText, {{"user", "anna@example.org"}, {"tries", 3}}),
            "2026-11-21T23:05:46.123Z info smtp.login user=anna@example.org tries=3\n");
}

TEST(LogLine, TextQuotesWhatWouldBreakTheLine) {
  EXPECT_EQ(line(Format::kText, {{"a", ""}, {"b", "x y"}, {"c", "k=v"}, {"d", "q\"\\\r\n\x1b[0m"}}),
            "2026-11-21T23:05:46.123Z info smtp.login a=\"\" b=\"x y\" c=\"k=v\" d=\"q\\\"\\\\\\r\\n\\x1b[0m\"\n");
}

TEST(LogLine, KeepsUtf8AndEscapesBrokenUtf8) {
  EXPECT_EQ(line(Format::kText,
                 {{"a", "b\xc3\xa5t"}, {"b", "\xc3"}, {"c", "\xc2\x9b"}, {"d", "\xed\xa0\x80"}, {"e", "\xf0\x9f\x93\xa7"}}),
            "2026-11-21T23:05:46.123Z info smtp.login a=\"b\xc3\xa5t\" b=\"\\xc3\" c=\"\\xc2\\x9b\" d=\"\\xed\\xa0\\x80\" "
            "e=\"\xf0\x9f\x93\xa7\"\n");
}

TEST(LogLine, JsonIsOneObjectWithNumbersAsNumbers) {
  EXPECT_EQ(line(Format::kJson, {{"user", "a \"b\"\n\x01\xff"}, {"bytes", std::uint64_t{18446744073709551615U}}, {"delta", -4}}),
            "{\"time\":\"2026-11-21T23:05:46.123Z\",\"level\":\"info\",\"event\":\"smtp.login\","
            "\"user\":\"a \\\"b\\\"\\n\\u0001\\ufffd\",\"bytes\":18446744073709551615,\"delta\":-4}\n");
}

TEST(LogLine, NeverExceedsWhatAPipeKeepsWhole) {
  const std::string value(100'000, '\x01');
  for (const Format format : {Format::kText, Format::kJson}) {
    const std::string out = line(format, {{"a", value}, {"b", value}, {"c", value}, {"d", value}});
    EXPECT_LE(out.size(), static_cast<std::size_t>(PIPE_BUF));
    EXPECT_NE(out.find("cut"), std::string::npos);
    EXPECT_EQ(out.back(), '\n');
  }
}

TEST(LogLevel, LowerLevelsAreOff) {
  EXPECT_FALSE(is_enabled(Level::kDebug));
  EXPECT_TRUE(is_enabled(Level::kInfo));
  configure(Level::kError, Format::kText);
  EXPECT_FALSE(is_enabled(Level::kWarning));
  configure(Level::kInfo, Format::kText);
}

TEST(LogWrite, GoesToStandardError) {
  testing::internal::CaptureStderr();
  warning("net.test", {{"n", 1}});
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(out.ends_with("Z warning net.test n=1\n")) << out;
}

}  // namespace
}  // namespace posthus::log
