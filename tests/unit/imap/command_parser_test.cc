// The command grammar: what is accepted, what it means, what is refused.
#include "imap/command_parser.h"

#include <gtest/gtest.h>

namespace posthus::imap {
namespace {

template <class T>
T parse(std::string_view text, Grammar grammar) {
  Scanner scanner(text);
  auto parsed = arguments(scanner, grammar, NameForm::kModifiedUtf7);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << (parsed ? "" : parsed.error().context);
  return parsed ? std::get<T>(std::move(*parsed)) : T{};
}

bool is_refused(std::string_view text, Grammar grammar) {
  Scanner scanner(text);
  return !arguments(scanner, grammar, NameForm::kModifiedUtf7);
}

TEST(CommandParser, takes_strings_in_every_form) {
  const auto login = parse<LoginArguments>(" {4}\r\nanna \"pa\\\"ss\\\\\"", Grammar::kLogin);
  EXPECT_EQ(login.user, "anna");
  EXPECT_EQ(login.password.reveal(), "pa\"ss\\");
  EXPECT_EQ(parse<LoginArguments>(" a]b {2+}\r\nxy", Grammar::kLogin).user, "a]b");
}

TEST(CommandParser, refuses_malformed_strings) {
  for (const auto* text :
       {" anna", "anna pw", " \"anna pw", " anna {5}\r\nabc", " anna  pw", " anna pw x", " (a) b", " {0}\n\r {1}"}) {
    EXPECT_TRUE(is_refused(text, Grammar::kLogin)) << text;
  }
}

TEST(CommandParser, passes_over_spaces_before_the_line_end) {
  EXPECT_EQ(parse<MailboxArgument>(" inbox  ", Grammar::kMailbox).name, "INBOX");
}

TEST(CommandParser, keeps_how_a_mailbox_was_written) {
  const auto mailbox = parse<MailboxArgument>(" inBox/Sub", Grammar::kMailbox);
  EXPECT_EQ(mailbox.name, "INBOX/Sub");
  EXPECT_EQ(mailbox.written, "inBox/Sub");
}

TEST(CommandParser, reads_store) {
  const auto store = parse<StoreArguments>(" 2:4,* +FLAGS.SILENT (\\Seen $Junk)", Grammar::kStore);
  EXPECT_EQ(store.change, store::FlagChange::kAdd);
  EXPECT_TRUE(store.is_silent);
  EXPECT_EQ(store.flags.flags, store::flag::kSeen);
  EXPECT_EQ(store.flags.keywords, std::vector<std::string>{"$Junk"});
  EXPECT_EQ(store.set.ranges, (std::vector<SequenceSet::Range>{{2, 4}, {0, 0}}));
  EXPECT_EQ(parse<StoreArguments>(" 1 -flags \\Deleted \\Draft", Grammar::kStore).flags.flags,
            store::flag::kDeleted | store::flag::kDraft);
  EXPECT_TRUE(is_refused(" 1 FLAGS (\\Nonsense)", Grammar::kStore));
  EXPECT_TRUE(is_refused(" 0 FLAGS ()", Grammar::kStore));
  EXPECT_TRUE(is_refused(" 1 FLAG ()", Grammar::kStore));
}

TEST(CommandParser, keywords_that_differ_in_case_are_one) {
  EXPECT_EQ(parse<StoreArguments>(" 1 FLAGS (Work WORK work)", Grammar::kStore).flags.keywords.size(), 1u);
}

TEST(CommandParser, names_fetch_items_as_the_response_will) {
  const auto fetch = parse<FetchArguments>(
      " 1 (body.peek[1.2.header.fields.not (\"To\" {2}\r\ncc)]<5.10> BINARY.SIZE[3] RFC822 BODY)", Grammar::kFetch);
  ASSERT_EQ(fetch.items.size(), 4u);
  EXPECT_EQ(fetch.items[0].label, "BODY[1.2.HEADER.FIELDS.NOT (To cc)]<5>");
  EXPECT_FALSE(fetch.items[0].sets_seen);
  EXPECT_EQ(fetch.items[1].label, "BINARY.SIZE[3]");
  EXPECT_TRUE(fetch.items[2].sets_seen);
  EXPECT_EQ(fetch.items[3].kind, FetchKind::kBody);
  EXPECT_EQ(parse<FetchArguments>(" 1 FULL", Grammar::kFetch).items.size(), 5u);
}

TEST(CommandParser, refuses_malformed_fetch_items) {
  for (const auto* text : {" 1 BODY[", " 1 BODY[1.]", " 1 BODY[0]", " 1 BODY[TEXT.1]", " 1 BODY[]<1>", " 1 BODY[]<1.0>", " 1 ()",
                           " 1 BODYX", " 1 (FLAGS", " 1 BODY[HEADER.FIELDS ()]", " FLAGS", " 1,FLAGS", " 1 BODY[MIME]"}) {
    EXPECT_TRUE(is_refused(text, Grammar::kFetch)) << text;
  }
}

TEST(CommandParser, sections_may_not_be_deeper_than_the_limit) {
  std::string deep = " 1 BODY[1";
  for (int i = 0; i < 100; ++i) deep += ".1";
  EXPECT_TRUE(is_refused(deep + "]", Grammar::kFetch));
}

TEST(CommandParser, search_keys_may_not_nest_deeper_than_the_limit) {
  const auto nested = [](int depth) { return " " + std::string(depth, '(') + "ALL" + std::string(depth, ')'); };
  EXPECT_FALSE(is_refused(nested(40), Grammar::kSearch));
  EXPECT_TRUE(is_refused(nested(60), Grammar::kSearch));
  std::string negations;
  for (int i = 0; i < 60; ++i) negations += " NOT";
  EXPECT_TRUE(is_refused(negations + " ALL", Grammar::kSearch));
}

TEST(CommandParser, cheap_search_keys_are_asked_first) {
  const auto program = parse<SearchProgram>(" BODY x FLAGGED FROM y", Grammar::kSearch);
  ASSERT_EQ(program.root.children.size(), 3u);
  EXPECT_EQ(program.root.children[0].kind, SearchKeyKind::kFlagsSet);
  EXPECT_EQ(program.root.children[1].kind, SearchKeyKind::kHeader);
  EXPECT_EQ(program.root.children[2].kind, SearchKeyKind::kBody);
}

TEST(CommandParser, reads_search_return_options) {
  EXPECT_TRUE(parse<SearchProgram>(" RETURN () ALL", Grammar::kSearch).options.all);
  const auto saved = parse<SearchProgram>(" return (save min) CHARSET utf-8 ALL", Grammar::kSearch);
  EXPECT_TRUE(saved.options.save && saved.options.min && !saved.options.all);
  EXPECT_TRUE(parse<SearchProgram>(" CHARSET latin1 ALL", Grammar::kSearch).has_unknown_charset);
}

TEST(CommandParser, refuses_malformed_search_keys) {
  for (const auto* text : {" ", " NOT", " OR ALL", " ON 32-Jan-2026", " LARGER x", " LARGER 99999999999999999999", " (ALL",
                           " HEADER x", " UID", " FROM", " SINCE 2026"}) {
    EXPECT_TRUE(is_refused(text, Grammar::kSearch)) << text;
  }
}

TEST(CommandParser, reads_extended_list) {
  const auto list = parse<ListArguments>(
      " (SUBSCRIBED RECURSIVEMATCH REMOTE) \"ref/\" (\"a%\" b*) RETURN (CHILDREN STATUS (MESSAGES SIZE))", Grammar::kList);
  EXPECT_TRUE(list.is_extended && list.select_subscribed && list.return_subscribed && list.is_recursive_match &&
              list.return_children);
  ASSERT_TRUE(list.return_status);
  EXPECT_TRUE(list.return_status->size);
  EXPECT_EQ(list.patterns, (std::vector<std::string>{"ref/a%", "ref/b*"}));
  EXPECT_TRUE(parse<ListArguments>(" \"\" \"\"", Grammar::kList).asks_separator);
  EXPECT_FALSE(parse<ListArguments>(" () \"\" \"\"", Grammar::kList).asks_separator);
  EXPECT_TRUE(is_refused(" (NOSUCH) \"\" *", Grammar::kList));
  EXPECT_TRUE(is_refused(" \"\" * RETURN (NOSUCH)", Grammar::kList));
}

TEST(CommandParser, a_pattern_that_can_match_nothing_is_no_error) {
  EXPECT_TRUE(parse<ListArguments>(" \"\" \"&bad\"", Grammar::kList).patterns.empty());
}

TEST(AppendHead, knows_the_message_from_the_mailbox_name) {
  const auto head =
      append_head("a APPEND {5}\r\nINBOX (\\Seen) \" 1-Feb-2026 00:00:00 +0100\" {10}\r\n", NameForm::kModifiedUtf7);
  ASSERT_EQ(head.outcome, AppendOutcome::kHead);
  EXPECT_EQ(head.tag, "a");
  EXPECT_EQ(head.arguments.mailbox.name, "INBOX");
  EXPECT_TRUE(head.arguments.internal_date);
  EXPECT_EQ(append_head("a APPEND {5}\r\n", NameForm::kModifiedUtf7).outcome, AppendOutcome::kIncomplete);
  EXPECT_EQ(append_head("a APPEND INBOX (\\Seen {5}\r\n", NameForm::kModifiedUtf7).outcome, AppendOutcome::kError);
  EXPECT_EQ(append_head("a APPEND INBOX \"yesterday\" {5}\r\n", NameForm::kModifiedUtf7).outcome, AppendOutcome::kError);
}

}  // namespace
}  // namespace posthus::imap
