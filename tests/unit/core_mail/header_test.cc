// Header fields: RFC 5322 §2.2, folds of §2.2.3, obsolete white space of §4.5.8, and input that is broken.
#include "core/mail/header.h"

#include <gtest/gtest.h>

namespace posthus::mail {
namespace {

std::vector<std::string> fields_of(std::string_view header) {
  std::vector<std::string> fields;
  for_each_field(header, [&](const HeaderField& field) {
    fields.push_back(std::string(field.name) + "|" + std::string(field.value) + "|" + std::to_string(field.raw.size()));
    return true;
  });
  return fields;
}

TEST(Header, FieldsAreFoundWithTheirFolds) {
  EXPECT_EQ(fields_of("A: 1\r\nB:\r\n\t2\r\n 3\r\nC :4\r\n\r\nD: body\r\n"),
            (std::vector<std::string>{"A| 1|6", "B|\r\n\t2\r\n 3|12", "C|4|6"}));
}

TEST(Header, LinesThatAreNoFieldsArePassedOver) {
  EXPECT_EQ(fields_of("From x@y Sat Nov 21\nA: 1\nno colon\n folded on\n: empty name\nB b: 2\nC:3"),
            (std::vector<std::string>{"A| 1|5", "C|3|3"}));
  EXPECT_TRUE(fields_of("").empty());
  EXPECT_TRUE(fields_of("\r\nA: 1\r\n").empty());
}

TEST(Header, FirstFieldOfANameIsFoundInAnyCase) {
  const std::string_view header = "to: a\r\nTO: b\r\nX: c\r\n";
  EXPECT_EQ(find_field(header, "To")->value, " a");
  EXPECT_EQ(count_fields(header, "tO"), 2U);
  EXPECT_FALSE(find_field(header, "T").has_value());
}

TEST(Header, UnfoldingRemovesLineEndsOnly) {
  EXPECT_EQ(unfold(" a\r\n b\n\tc \r\n"), "a b\tc");
  EXPECT_EQ(unfold("\r\n x"), "x");
  EXPECT_EQ(unfold_to_spaces(" a\r\n\t b\n \r\n\tc\td \r\n"), "a b c\td");
  EXPECT_EQ(unfold_to_spaces(" \r\n "), "");
}

TEST(Header, EndIsBehindTheBlankLine) {
  EXPECT_EQ(header_end("A: 1\r\n\r\nbody"), 8U);
  EXPECT_EQ(header_end("A: 1\n\nbody"), 6U);
  EXPECT_EQ(header_end("\r\nbody"), 2U);
  EXPECT_FALSE(header_end("A: 1\r\n").has_value());
  EXPECT_FALSE(header_end("").has_value());
  EXPECT_FALSE(header_end("A: 1\r\n\rbody").has_value());
}

}  // namespace
}  // namespace posthus::mail
