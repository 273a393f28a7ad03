// Surrogate headers are ASCII, well-formed and keep what was ASCII.
#include "pop3/surrogate.h"

#include <gtest/gtest.h>

namespace posthus::pop3 {
namespace {

TEST(Surrogate, LeavesAsciiFieldsAloneAndEndsWithABlankLine) {
  EXPECT_EQ(make_surrogate_header("A: b\r\n c\r\nSubject: \xc3\xbc\r\n\r\n"), "A: b\r\n c\r\nSubject: =?utf-8?B?w7w=?=\r\n\r\n");
}

TEST(Surrogate, LabelsWhatIsNotUtf8AsUnknown) {
  EXPECT_EQ(make_surrogate_header("Subject: gr\xfc\xdf\r\n\r\n"), "Subject: =?unknown-8bit?B?Z3L83w==?=\r\n\r\n");
}

TEST(Surrogate, NeverWritesAnEncodedWordAbove75CharactersOrCutsACharacter) {
  std::string subject;
  for (int i = 0; i < 200; ++i) subject += "\xe2\x82\xac";  // euro signs, one word
  const std::string header = make_surrogate_header("Subject: " + subject + "\r\n\r\n");
  EXPECT_FALSE(has_8bit(header));
  for (std::size_t at = 0; (at = header.find("=?utf-8?B?", at)) != std::string::npos; ++at) {
    const std::size_t end = header.find("?=", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end + 2 - at, 75u);
    EXPECT_EQ((end - at - 10) % 4, 0u);  // 36 bytes, twelve whole euro signs: no padding
  }
  EXPECT_NE(header.find("?=\r\n =?"), std::string::npos);
}

TEST(Surrogate, ReplacesAddressesAndKeepsTheOthers) {
  EXPECT_EQ(make_surrogate_header("To: a@b.c, \"\xc3\xbc, \xc3\xbc\" <x@y.z>, <\xc3\xbc@y.z>, \xc3\xbc@y.z (\xc3\xbc)\r\n\r\n"),
            "To: a@b.c, =?utf-8?B?w7wsIMO8?= <x@y.z>, <invalid@internationalized-address-removed.invalid>, "
            "invalid@internationalized-address-removed.invalid (?)\r\n\r\n");
}

TEST(Surrogate, QuestionsWhatIsStructuredOrHasAnImpossibleName) {
  EXPECT_EQ(make_surrogate_header("Content-Type: text/plain; name=\"\xc3\xbc.txt\"\r\n\r\n"),
            "Content-Type: text/plain; name=\"?.txt\"\r\n\r\n");
}

TEST(Surrogate, SurvivesUnclosedQuotesBracketsAndComments) {
  for (const char* value : {"\"\xc3\xbc", "<\xc3\xbc", "(\xc3\xbc", "\"\xc3\xbc\\", "\"", "\xc3", "\xc3\xbc@", "@\xc3\xbc"}) {
    const std::string header = make_surrogate_header(std::string("From: ") + value + "\xc3\xbc\r\n\r\n");
    EXPECT_FALSE(has_8bit(header)) << value;
    EXPECT_TRUE(header.starts_with("From: ")) << value;
    EXPECT_TRUE(header.ends_with("\r\n\r\n")) << value;
  }
}

}  // namespace
}  // namespace posthus::pop3
