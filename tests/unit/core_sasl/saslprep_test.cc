// SASLprep: the examples of RFC 4013 §3, and the limits.
#include "core/sasl/saslprep.h"

#include <gtest/gtest.h>

namespace posthus::sasl {
namespace {

TEST(Saslprep, FollowsTheExamplesOfTheRfc) {
  EXPECT_EQ(saslprep("I\u00ADX"), "IX");  // soft hyphen mapped to nothing
  EXPECT_EQ(saslprep("user"), "user");
  EXPECT_EQ(saslprep("USER"), "USER");  // case preserved
  EXPECT_EQ(saslprep("\u00AA"), "a");   // NFKC
  EXPECT_EQ(saslprep("\u2168"), "IX");
  EXPECT_EQ(saslprep("\x07"), std::nullopt);          // prohibited
  EXPECT_EQ(saslprep("\u0627\u0031"), std::nullopt);  // bidirectional check
}

TEST(Saslprep, MapsNonAsciiSpacesToSpace) { EXPECT_EQ(saslprep("a\u00A0b"), "a b"); }

TEST(Saslprep, RefusesInvalidUtf8AndControls) {
  EXPECT_EQ(saslprep("\xff\xfe"), std::nullopt);
  EXPECT_EQ(saslprep("\xc3"), std::nullopt);
  EXPECT_EQ(saslprep(std::string_view("a\0b", 3)), std::nullopt);
  EXPECT_EQ(saslprep("a\x7f"), std::nullopt);
}

TEST(Saslprep, RefusesEveryKindOfProhibitedCharacter) {
  for (const std::string_view bad : {"\u0085", "\u06DD", "\u200E", "\u2028", "\u202E", "\uE000", "\uFDD0", "\uFFFD", "\uFFFF",
                                     "\U0001D173", "\U0001FFFE", "\U000E0001", "\U000F0000", "\U0010FFFD", "\u2FF0", "\u0341"}) {
    const auto prepared = saslprep(bad);
    if (bad == "\u0341")
      EXPECT_EQ(prepared, "\u0301");  // NFKC takes it away before the check
    else
      EXPECT_EQ(prepared, std::nullopt) << bad;
  }
}

TEST(Saslprep, MapsToNothingBeforeItNormalises) { EXPECT_EQ(saslprep("u\u200D\u0308"), "\u00FC"); }

TEST(Saslprep, AllowsRightToLeftTextThatIsAllSo) {
  EXPECT_EQ(saslprep("\u0627\u0031\u0628"), "\u0627\u0031\u0628");
  EXPECT_EQ(saslprep("\u0627a\u0628"), std::nullopt);
  EXPECT_EQ(saslprep("a\u0627"), std::nullopt);
}

TEST(Saslprep, RefusesWhatIsTooLongAndKeepsWhatIsJustNot) {
  EXPECT_EQ(saslprep(std::string(kMaxPreparedText + 1, 'a')), std::nullopt);
  EXPECT_EQ(saslprep(std::string(kMaxPreparedText, 'a')), std::string(kMaxPreparedText, 'a'));
}

TEST(Saslprep, HoldsTheLargestExpansion) {
  std::string text;
  while (text.size() + 3 <= kMaxPreparedText) text += "\uFDFA";  // 3 bytes become 18 characters
  const auto prepared = saslprep(text);
  ASSERT_TRUE(prepared.has_value());
  EXPECT_GT(prepared->size(), text.size() * 10);
}

TEST(PreparePassword, KeepsTheBytesOfWhatSaslprepRefuses) {
  EXPECT_EQ(prepare_password("\xff!"), "\xff!");
  EXPECT_EQ(prepare_password("\u2168"), "IX");
}

}  // namespace
}  // namespace posthus::sasl
