// Responses: every text in every language fits the wire.
#include "pop3/response.h"

#include <gtest/gtest.h>

namespace posthus::pop3 {
namespace {

TEST(Texts, AreThereInEveryLanguageShortAndNoResponseCodeByAccident) {
  for (std::size_t text = 0; text < static_cast<std::size_t>(Text::kCount); ++text) {
    for (std::size_t language = 0; language < kLanguages; ++language) {
      const std::string_view in = text_of(static_cast<Text>(text), static_cast<Language>(language));
      EXPECT_FALSE(in.empty()) << text;
      EXPECT_FALSE(in.starts_with('[')) << in;
      EXPECT_LT(in.size(), 100u) << in;  // far below the 512 octets of a line (RFC 2449 §3)
      EXPECT_EQ(in.find_first_of("\r\n<"), std::string_view::npos) << in;
      if (language != 0) EXPECT_NE(in, text_of(static_cast<Text>(text), Language::kEnglish)) << "not translated";
    }
  }
}

TEST(Texts, EnglishIsAscii) {
  for (std::size_t text = 0; text < static_cast<std::size_t>(Text::kCount); ++text) {
    for (const char c : text_of(static_cast<Text>(text), Language::kEnglish)) EXPECT_TRUE(c >= ' ' && c < 127);
  }
}

TEST(Responses, AreWrittenAsTheProtocolWantsThem) {
  std::string out;
  append_ok(out, Text::kMaildropHas, Language::kGerman, 2, 320);
  append_error(out, Code::kInUse, Text::kMaildropInUse, Language::kEnglish);
  append_error(out, Code::kNone, Text::kNoSuchMessage, Language::kNorwegian);
  append_octets(out, 8192, Language::kEnglish);
  EXPECT_EQ(out,
            "+OK 2 Nachrichten (320 Oktette)\r\n-ERR [IN-USE] another session has the maildrop open\r\n"
            "-ERR ingen slik melding\r\n+OK 8192 octets\r\n");
}

TEST(MatchLanguage, TakesRangesOfTheLanguagesThereAre) {
  EXPECT_EQ(match_language("DE"), Language::kGerman);
  EXPECT_EQ(match_language("de-Latn-CH"), Language::kGerman);
  EXPECT_EQ(match_language("nb-NO"), Language::kNorwegian);
  EXPECT_EQ(match_language("no"), Language::kNorwegian);
  EXPECT_EQ(match_language("*"), Language::kEnglish);
  EXPECT_EQ(match_language("fr"), std::nullopt);
  EXPECT_EQ(match_language("deu"), std::nullopt);
  EXPECT_EQ(match_language(""), std::nullopt);
}

}  // namespace
}  // namespace posthus::pop3
