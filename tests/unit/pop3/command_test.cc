// The grammar of POP3 commands.
#include "pop3/command.h"

#include <gtest/gtest.h>

namespace posthus::pop3 {
namespace {

TEST(Command, HasAKeywordOfThreeOrFourAndKeepsTheArgumentsAsTheyStand) {
  const auto command = parse_command("pass  two words ");
  ASSERT_TRUE(command.has_value());
  EXPECT_EQ(command->keyword, "PASS");
  EXPECT_EQ(command->arguments, " two words ");
  EXPECT_EQ(parse_command("TOP 1 2")->keyword, "TOP");
  EXPECT_EQ(parse_command("QUIT")->arguments, "");
}

TEST(Command, RefusesOtherKeywordsAndControlCharacters) {
  using namespace std::string_view_literals;
  for (const std::string_view bad :
       {""sv, " "sv, "X"sv, "NO"sv, "NOOPS"sv, " NOOP"sv, "USER a\0b"sv, "USER a\tb"sv, "USER a\rb"sv, "USER \x7f"sv}) {
    EXPECT_FALSE(parse_command(bad).has_value()) << bad;
  }
  EXPECT_TRUE(parse_command("USER \xc3\xbc").has_value());
}

TEST(NextParameter, CutsAtSpacesAndForgivesDoubledOnes) {
  std::string_view arguments = "1  22 ";
  EXPECT_EQ(next_parameter(arguments), "1");
  EXPECT_EQ(next_parameter(arguments), "22");
  EXPECT_TRUE(arguments.empty());
  EXPECT_EQ(next_parameter(arguments), "");
}

TEST(MessageNumber, IsAPositiveDecimalThatFits) {
  EXPECT_EQ(message_number("1"), 1u);
  EXPECT_EQ(message_number("4294967295"), 4294967295u);
  EXPECT_EQ(message_number("007"), 7u);
  for (const std::string_view bad : {"", "0", "-1", "+1", "1x", "4294967296", "99999999999999999999", " 1"}) {
    EXPECT_EQ(message_number(bad), std::nullopt) << bad;
  }
}

TEST(NextLine, EndsAtLfWithOrWithoutCr) {
  EXPECT_EQ(next_line("NOOP\r\nQUIT\r\n", 255).text, "NOOP");
  EXPECT_EQ(next_line("NOOP\r\nQUIT\r\n", 255).length, 6u);
  EXPECT_EQ(next_line("NOOP\nQUIT", 255).text, "NOOP");
  EXPECT_EQ(next_line("NOOP\r", 255).state, LineState::kIncomplete);
  EXPECT_EQ(next_line("", 255).state, LineState::kIncomplete);
}

TEST(NextLine, IsTooLongExactlyAboveTheLimit) {
  EXPECT_EQ(next_line(std::string(253, 'x') + "\r\n", 255).state, LineState::kComplete);
  EXPECT_EQ(next_line(std::string(254, 'x') + "\r\n", 255).state, LineState::kTooLong);
  EXPECT_EQ(next_line(std::string(254, 'x'), 255).state, LineState::kIncomplete);
  EXPECT_EQ(next_line(std::string(255, 'x'), 255).state, LineState::kTooLong);
}

}  // namespace
}  // namespace posthus::pop3
