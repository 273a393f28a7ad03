// Dot transparency (RFC 5321 §4.5.2): the same answer however the text is cut.
#include "core/mail/dot_stuffing.h"

#include <gtest/gtest.h>

namespace posthus::mail {
namespace {

std::string stuffed(std::string_view text, std::size_t cut) {
  DotStuffer stuffer;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += cut) stuffer.append(out, text.substr(i, cut));
  stuffer.finish(out);
  return out;
}

TEST(DotStuffing, LinesThatBeginWithADotGetAnother) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ".\r\n"},
      {"a\r\n", "a\r\n.\r\n"},
      {"a", "a\r\n.\r\n"},
      {".\r\n", "..\r\n.\r\n"},
      {"a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n"},
      {"a.b\r\n", "a.b\r\n.\r\n"},
      {"a\n.b\n", "a\n..b\n\r\n.\r\n"},  // a bare LF is no line end to the receiver, but stuffed
      {"a\r", "a\r\r\n.\r\n"},
      {"\r\n.", "\r\n..\r\n.\r\n"},
  };
  for (const auto& [text, expected] : cases) {
    for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{100}}) {
      EXPECT_EQ(stuffed(text, cut), expected) << text << " cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace posthus::mail
