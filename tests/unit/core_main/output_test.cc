// What commands print, from the API's JSON.
#include "core/main/output.h"

#include <gtest/gtest.h>

namespace posthus::main {
namespace {

TEST(Output, ColumnsAreAlignedByCodePoints) {
  EXPECT_EQ(table({"NAME", "N"}, {{"bj\xc3\xb8rn", "1"}, {"x", "22"}}), "NAME   N\nbj\xc3\xb8rn  1\nx      22\n");
  EXPECT_EQ(table({"NAME", "N"}, {}), "NAME  N\n");
}

TEST(Output, ValuesAreWrittenAsPeopleWriteThem) {
  const std::string json = R"({"a":{"b":"text"},"n":17,"yes":true,"no":false,"nothing":null,"list":["x","y"],"empty":[]})";
  EXPECT_EQ(json_value(json, "/a/b"), "text");
  EXPECT_EQ(json_value(json, "/n"), "17");
  EXPECT_EQ(json_value(json, "/yes"), "yes");
  EXPECT_EQ(json_value(json, "/no"), "no");
  EXPECT_EQ(json_value(json, "/nothing"), "-");
  EXPECT_EQ(json_value(json, "/list"), "x, y");
  EXPECT_EQ(json_value(json, "/missing"), "-");
  EXPECT_EQ(json_value(R"({"to":[{"address":"a@b.test","n":1},{"recipient":"c@d.test"}]})", "/to"), "a@b.test, c@d.test");
  EXPECT_EQ(json_value("not json", "/a"), "-");
}

TEST(Output, APageHasRowsItemsAndTheNextCursor) {
  const auto page = read_page(R"({"items":[{"name":"a","n":1},{"name":"b"}],"next":"Yg"})", {"/name", "/n"});
  ASSERT_TRUE(page) << page.error().context;
  EXPECT_EQ(page->rows, (std::vector<Row>{{"a", "1"}, {"b", "-"}}));
  EXPECT_EQ(page->items.size(), 2u);
  EXPECT_EQ(page->next, "Yg");
  const auto last = read_page(R"({"items":[],"next":null})", {"/name"});
  ASSERT_TRUE(last);
  EXPECT_EQ(last->next, "");
}

TEST(Output, AnAnswerThatIsNoListIsAnError) {
  for (const char* wrong : {"", "[]", "{}", R"({"items":[]})", R"({"next":null})", "{\"items\":[{}", "not json"}) {
    EXPECT_FALSE(read_page(wrong, {"/name"})) << wrong;
  }
}

}  // namespace
}  // namespace posthus::main
