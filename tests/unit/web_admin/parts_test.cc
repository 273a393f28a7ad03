// Targets, JSON, lists, tokens and problem documents.
#include <gtest/gtest.h>

#include "web-admin/authorisation.h"
#include "web-admin/json.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/ranked.h"
#include "web-admin/target.h"

namespace posthus::web_admin {
namespace {

std::string error_of(const auto& result) { return result ? "accepted" : result.error().context; }

TEST(TargetTest, SplitsBeforeDecoding) {
  const auto target = parse_target("/api/v1/users/a%2Fb+c%40d.test?after=x%3D%26&limit=1+0&flag");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (std::vector<std::string>{"api", "v1", "users", "a/b+c@d.test"}));
  EXPECT_EQ(*target->parameter("after"), "x=&");
  EXPECT_EQ(*target->parameter("limit"), "1 0");
  EXPECT_EQ(*target->parameter("flag"), "");
  EXPECT_EQ(target->parameter("none"), nullptr);
  EXPECT_TRUE(parse_target("/")->segments.empty());
}

TEST(TargetTest, RefusesWhatIsAmbiguous) {
  for (const char* text : {"", "x", "//", "/a//b", "/a/", "/%", "/%4", "/%zz", "/%00", "/a?b=1&b=2", "/a?b=%"}) {
    EXPECT_FALSE(parse_target(text)) << text;
  }
  std::string many = "/a?";
  for (int i = 0; i < 20; ++i) many += "p" + std::to_string(i) + "=1&";
  EXPECT_FALSE(parse_target(many));
}

TEST(TargetTest, EncodingIsUndoneByDecoding) {
  std::string all;
  for (int c = 1; c < 256; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(parse_target("/" + percent_encode(all))->segments.at(0), all);
}

TEST(JsonWriterTest, EscapesAndRepairs) {
  EXPECT_EQ(JsonWriter().begin_object().key("a\"b").text("x\\\n\x01\x7f\xc3\xa5\xff").end_object().take(),
            "{\"a\\\"b\":\"x\\\\\\u000a\\u0001\\u007f\xc3\xa5\xef\xbf\xbd\"}");
  EXPECT_EQ(
      JsonWriter().begin_array().number(1).boolean(true).null().texts({"a", "b"}).begin_object().end_object().end_array().take(),
      "[1,true,null,[\"a\",\"b\"],{}]");
  // Overlong, surrogate, beyond U+10FFFF, cut off (RFC 3629 §3): each byte is replaced.
  for (const std::string_view bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    std::string expected = "\"";
    for (std::size_t i = 0; i < bad.size(); ++i) expected += "\xef\xbf\xbd";
    EXPECT_EQ(JsonWriter().text(bad).take(), expected + "\"");
  }
}

TEST(JsonFieldsTest, ReadsEveryKind) {
  auto fields = JsonFields::parse(R"({"t":"x","n":18446744073709551615,"b":false,"l":["a","b"],"z":null})");
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->text("t"), "x");
  EXPECT_EQ(fields->number("n", UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(fields->boolean("b"), false);
  EXPECT_EQ(fields->texts("l"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(fields->is_null("z"));
  EXPECT_FALSE(fields->is_null("absent"));
  EXPECT_EQ(fields->text("absent"), std::nullopt);
  EXPECT_TRUE(fields->finish());
}

TEST(JsonFieldsTest, NamesWhatIsWrong) {
  const auto refusal = [](std::string_view body, auto read) {
    auto fields = JsonFields::parse(body);
    if (!fields) return fields.error().context;
    read(*fields);
    return error_of(fields->finish());
  };
  const auto nothing = [](JsonFields&) {};
  EXPECT_EQ(refusal("{\"x\":1}", nothing), "field 'x' is not known here");
  EXPECT_EQ(refusal("{\"x\":1}", [](JsonFields& f) { f.text("x"); }), "field 'x' must be a string");
  EXPECT_EQ(refusal("{\"x\":-1}", [](JsonFields& f) { f.number("x", 9); }), "field 'x' must be a whole number from 0 to 9");
  EXPECT_EQ(refusal("{\"x\":10}", [](JsonFields& f) { f.number("x", 9); }), "field 'x' must be a whole number from 0 to 9");
  EXPECT_EQ(refusal("{\"x\":1.5}", [](JsonFields& f) { f.number("x", 9); }), "field 'x' must be a whole number from 0 to 9");
  EXPECT_EQ(refusal("{\"x\":1}", [](JsonFields& f) { f.boolean("x"); }), "field 'x' must be true or false");
  EXPECT_EQ(refusal("{\"x\":[1]}", [](JsonFields& f) { f.texts("x"); }), "field 'x' must be a list of strings");
  EXPECT_EQ(refusal("{}", [](JsonFields& f) { f.require("x"); }), "field 'x' is missing");
  EXPECT_EQ(refusal("{\"x\":1,\"x\":2}", nothing), "field 'x' is given twice");
  EXPECT_EQ(refusal("[]", nothing), "the body must be a JSON object");
  for (const char* body : {"", "{", "{} x", "{'a':1}", "\xff", "{\"a\":\"\xff\"}", "nul"}) {
    EXPECT_EQ(refusal(body, nothing), "the body is not valid JSON") << body;
  }
}

TEST(JsonFieldsTest, DeepNestingIsRefused) {
  EXPECT_EQ(error_of(JsonFields::parse(std::string(500'000, '['))), "the body is nested too deeply");
  EXPECT_EQ(error_of(JsonFields::parse("{\"a\":" + std::string(20, '[') + std::string(20, ']') + "}")),
            "the body is nested too deeply");
  EXPECT_TRUE(JsonFields::parse(R"({"a":"[[[[[[[[[[[[\"[[[["})"));
}

TEST(ListsTest, RangesAreChecked) {
  const auto range = [](std::string_view text) { return list_range(*parse_target(text)); };
  EXPECT_EQ(range("/a")->limit, kDefaultPage);
  EXPECT_EQ(range("/a?limit=1000")->limit, 1000u);
  for (const char* text : {"/a?limit=0", "/a?limit=1001", "/a?limit=x", "/a?limit=", "/a?after=%25"})
    EXPECT_FALSE(range(text)) << text;
  EXPECT_EQ(error_of(check_parameters(*parse_target("/a?limt=1"), {"limit"})), "parameter 'limt' is not known here");
}

TEST(ListsTest, CursorsComeBackAsTheyWere) {
  for (const std::string& cursor :
       {std::string("\0\xff\x01", 3), std::string("a"), std::string("ab"), std::string("\xfb\xef\xff\xfe", 4)}) {
    JsonWriter json;
    json.begin_object();
    append_next(json, cursor);
    const std::string text = json.end_object().take();  // {"next":"..."}
    const std::string after = text.substr(9, text.size() - 11);
    EXPECT_EQ(list_range(*parse_target("/a?after=" + after))->after, cursor);
  }
}

Result<store::Page<Ranked>> page_of(const std::vector<Ranked>& all, const ListRange& range) {
  RankedPage page = POSTHUS_TRY(RankedPage::begin(range));
  for (const Ranked& one : all) POSTHUS_TRY_VOID(page.add(one.rank, one.name));
  return std::move(page).end();
}

std::string names_of(const std::vector<Ranked>& items) {
  std::string names;
  for (const Ranked& one : items) names += one.name;
  return names;
}

TEST(RankedTest, PagesAreCutHighestFirstAndByNameAmongEquals) {
  const std::vector<Ranked> people{{3, "c"}, {9, "a"}, {3, "b"}, {0, "e"}, {3, "d"}};
  for (const std::size_t limit : {1, 2, 3, 4, 5, 6}) {
    std::string names, after;
    std::size_t pages = 0;
    do {
      const auto page = page_of(people, {.after = after, .limit = limit});
      ASSERT_TRUE(page);
      EXPECT_LE(page->items.size(), limit);
      names += names_of(page->items);
      after = page->next;
      ++pages;
    } while (!after.empty());
    EXPECT_EQ(names, "abcde");
    EXPECT_EQ(pages, (people.size() + limit - 1) / limit);
  }
}

TEST(RankedTest, PagesOfALongListAreThoseOfTheSortedOne) {
  std::vector<Ranked> all;
  for (std::uint64_t i = 0; i < 1000; ++i) all.push_back({i * 7919 % 251, "n" + std::to_string(i * 613 % 1000)});
  std::vector<Ranked> sorted = all;
  std::ranges::sort(sorted,
                    [](const Ranked& a, const Ranked& b) { return a.rank != b.rank ? a.rank > b.rank : a.name < b.name; });
  std::string names, after;
  do {
    const auto page = page_of(all, {.after = after, .limit = 30});
    ASSERT_TRUE(page);
    names += names_of(page->items);
    after = page->next;
  } while (!after.empty());
  EXPECT_EQ(names, names_of(sorted));
}

TEST(RankedTest, ThePlaceOfAPageHoldsWhenItsLastOneIsGone) {
  const std::string after = page_of({{3, "c"}, {9, "a"}, {3, "b"}}, {.after = {}, .limit = 2})->next;
  const auto later = page_of({{3, "c"}, {9, "a"}, {3, "ba"}}, {.after = after, .limit = 2});  // b went, ba came
  ASSERT_TRUE(later);
  EXPECT_EQ(names_of(later->items), "bac");
}

TEST(RankedTest, StrangeCursorsAndEndlessListsAreRefused) {
  EXPECT_FALSE(RankedPage::begin({.after = "short", .limit = 2}));
  RankedPage page = *RankedPage::begin({.after = {}, .limit = 2});
  for (std::size_t i = 0; i < kMaxRanked; ++i) ASSERT_TRUE(page.add(1, "x"));
  const auto refused = page.add(1, "y");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
}

TEST(TokenTest, SplitsWhatItJoins) {
  const std::string token = join_token("0123456789abcdef", "se_cr-et");
  const auto parts = split_token(token);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->id, "0123456789abcdef");
  EXPECT_EQ(parts->secret, "se_cr-et");
  for (const std::string& bad : {std::string(), std::string("posthus_"), std::string("posthus_0123456789abcdef_"),
                                 std::string("posthus_0123456789abcdefXsecret"), std::string("other_0123456789abcdef_secret"),
                                 token + std::string(300, 'x')}) {
    EXPECT_FALSE(split_token(bad)) << bad;
  }
}

TEST(ProblemTest, KindsHaveTheirStatus) {
  EXPECT_EQ(problem(Error{ErrorKind::kInvalid, "x"}).status, 400);
  EXPECT_EQ(problem(Error{ErrorKind::kNotFound, "x"}).status, 404);
  EXPECT_EQ(problem(Error{ErrorKind::kExists, "x"}).status, 409);
  EXPECT_EQ(problem(Error{ErrorKind::kDenied, "x"}).status, 403);
  EXPECT_EQ(problem(Error{ErrorKind::kTooLarge, "x"}).status, 413);
  EXPECT_EQ(problem(Error{ErrorKind::kOverQuota, "x"}).status, 507);
  EXPECT_EQ(problem(Error{ErrorKind::kBusy, "x"}).status, 503);
  EXPECT_EQ(problem(Error{ErrorKind::kCorrupt, "x"}).status, 500);
  const Response response = problem(409, "there is \"one\"");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,\"detail\":\"there is \\\"one\\\"\"}\n");
}

TEST(ProblemTest, InnerFailuresStayInside) {
  EXPECT_EQ(problem(Error{ErrorKind::kIo, "/secret/path"}).body.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace posthus::web_admin
