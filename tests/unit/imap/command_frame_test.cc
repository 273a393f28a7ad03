// Framing: where a command ends, however its bytes are cut.
#include "imap/command_frame.h"

#include <gtest/gtest.h>

#include "imap/limits.h"

namespace posthus::imap {
namespace {

TEST(CommandFrame, a_line_is_a_command) {
  CommandFrame frame;
  EXPECT_EQ(frame.scan("a NOOP\r"), Frame::kIncomplete);
  EXPECT_EQ(frame.scan("a NOOP\r\nb NO"), Frame::kComplete);
  EXPECT_EQ(frame.size(), 8u);
}

TEST(CommandFrame, literals_belong_to_the_command_at_every_cut) {
  const std::string text = "a LOGIN {3}\r\na\nb {2+}\r\n\r\n\r\n";
  for (std::size_t cut = 1; cut <= text.size(); ++cut) {
    CommandFrame frame;
    int literals = 0;
    auto outcome = Frame::kIncomplete;
    for (std::size_t have = cut; outcome != Frame::kComplete; have = std::min(text.size(), have + cut)) {
      outcome = frame.scan(std::string_view(text).substr(0, std::min(have, text.size())));
      while (outcome == Frame::kLiteral) {
        EXPECT_EQ(frame.literal_kind(), literals == 0 ? Synchronizing::kYes : Synchronizing::kNo);
        ++literals;
        frame.literal_accepted();
        outcome = frame.scan(std::string_view(text).substr(0, std::min(have, text.size())));
      }
      ASSERT_NE(outcome, Frame::kTooLong);
      if (have >= text.size()) ASSERT_EQ(outcome, Frame::kComplete) << cut;
    }
    EXPECT_EQ(literals, 2);
    EXPECT_EQ(frame.size(), text.size());
  }
}

TEST(CommandFrame, braces_that_announce_nothing_are_text) {
  for (const auto* line : {"a x {}\r\n", "a x {3\r\n", "a x 3}\r\n", "a x {+}\r\n", "a x {3-}\r\n", "}\r\n"}) {
    CommandFrame frame;
    EXPECT_EQ(frame.scan(line), Frame::kComplete) << line;
  }
}

TEST(CommandFrame, an_enormous_number_is_an_enormous_literal) {
  CommandFrame frame;
  EXPECT_EQ(frame.scan("a x {99999999999999999999999999}\r\n"), Frame::kLiteral);
  EXPECT_EQ(frame.literal_size(), UINT64_MAX);
}

TEST(CommandFrame, a_line_without_end_is_refused) {
  CommandFrame frame;
  std::string text(kMaxCommandLine, 'x');
  EXPECT_EQ(frame.scan(text), Frame::kIncomplete);
  text += "x";
  EXPECT_EQ(frame.scan(text), Frame::kTooLong);
}

}  // namespace
}  // namespace posthus::imap
