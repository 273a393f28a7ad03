// The command line as data: every command with its operands and options, and what is refused as wrong usage.
#include "core/main/command_line.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

namespace posthus::main {
namespace {

std::expected<CommandLine, Usage> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "posthus");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLine, NamesEveryCommand) {
  const std::vector<std::pair<std::string, std::vector<const char*>>> commands{
      {"serve", {"serve"}},
      {"domain add", {"domain", "add", "x"}},
      {"domain list", {"domain", "list"}},
      {"domain remove", {"domain", "remove", "x"}},
      {"domain rename", {"domain", "rename", "x", "y"}},
      {"domain own-aliases", {"domain", "own-aliases", "x", "5"}},
      {"domain retention", {"domain", "retention", "x", "30"}},
      {"user retention", {"user", "retention", "x", "default"}},
      {"user add", {"user", "add", "x"}},
      {"user list", {"user", "list"}},
      {"user remove", {"user", "remove", "x"}},
      {"user rename", {"user", "rename", "x", "y"}},
      {"user password", {"user", "password", "x"}},
      {"user quota", {"user", "quota", "x", "5M"}},
      {"user disable", {"user", "disable", "x"}},
      {"user enable", {"user", "enable", "x"}},
      {"user role", {"user", "role", "x", "user"}},
      {"user reset-second-factor", {"user", "reset-second-factor", "x"}},
      {"audit", {"audit"}},
      {"sign-in list", {"sign-in", "list"}},
      {"block list", {"block", "list"}},
      {"block remove", {"block", "remove", "x"}},
      {"alias add", {"alias", "add", "x", "y"}},
      {"alias list", {"alias", "list"}},
      {"alias remove", {"alias", "remove", "x"}},
      {"token create", {"token", "create", "x", "--scope", "read"}},
      {"token list", {"token", "list"}},
      {"token revoke", {"token", "revoke", "x"}},
      {"queue list", {"queue", "list"}},
      {"queue show", {"queue", "show", "x"}},
      {"queue destinations", {"queue", "destinations"}},
      {"queue hold", {"queue", "hold", "x"}},
      {"queue release", {"queue", "release", "x"}},
      {"queue retry", {"queue", "retry", "x"}},
      {"queue remove", {"queue", "remove", "x"}},
      {"queue bounce", {"queue", "bounce", "x"}},
      {"queue reroute", {"queue", "reroute", "x"}},
      {"trace", {"trace", "x"}},
      {"route list", {"route", "list"}},
      {"route set", {"route", "set", "x", "smtp://y"}},
      {"route remove", {"route", "remove", "x"}},
      {"deliver", {"deliver", "x"}},
      {"check", {"check"}},
      {"backup", {"backup", "x"}},
      {"config show", {"config", "show"}},
      {"health", {"health"}},
      {"version", {"version"}},
  };
  for (const auto& [name, arguments] : commands) {
    const auto line = parse(arguments);
    ASSERT_TRUE(line) << name << ": " << line.error().text;
    EXPECT_EQ(line->command, name);
    EXPECT_FALSE(line->is_json);
    EXPECT_EQ(line->name, arguments.back() == std::string("x") || line->name == "x" ? "x" : "") << name;
    auto with_common = arguments;
    with_common.insert(with_common.end(), {"--json", "--data", "/d"});
    const auto common = parse(with_common);
    ASSERT_TRUE(common) << name << ": " << common.error().text;
    EXPECT_EQ(common->command, name);
    EXPECT_TRUE(common->is_json);
    EXPECT_EQ(common->options, (std::vector<std::pair<std::string, std::string>>{{"data", "/d"}})) << name;
  }
}

// The names under "Subcommands:" of a help text: one at the beginning of each line, two blanks before it.
std::vector<std::string> subcommands(std::vector<const char*> arguments) {
  arguments.push_back("--help");
  const auto line = parse(arguments);
  std::vector<std::string> names;
  if (line) return names;
  std::istringstream text(line.error().text);
  std::string row;
  while (std::getline(text, row) && !row.starts_with("Subcommands:")) {
  }
  while (std::getline(text, row) && row.starts_with("  ")) names.push_back(row.substr(2, row.find(' ', 2) - 2));
  return names;
}

TEST(CommandLine, TheReadmeNamesEveryCommand) {
  std::ifstream file(std::string(POSTHUS_SOURCE_DIR) + "/core/main/README.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  const auto all = subcommands({});
  ASSERT_GT(all.size(), 20U);
  for (const std::string& name : all) {
    std::string row;
    for (const std::string& below : subcommands({name.c_str()})) {
      if (subcommands({name.c_str(), below.c_str()}).empty()) row += (row.empty() ? " " : "\\|") + below;
    }
    EXPECT_NE(page.find("`" + name + row), std::string::npos) << "the README lacks `" << name << row;
  }
}

TEST(CommandLine, RolesHaveDomains) {
  const auto line = parse({"user", "role", "anna@a.test", "domain_admin", "--domain", "a.test", "--domain", "b.test"});
  ASSERT_TRUE(line) << line.error().text;
  EXPECT_EQ(line->role, "domain_admin");
  EXPECT_EQ(line->domains, (std::vector<std::string>{"a.test", "b.test"}));
  EXPECT_FALSE(parse({"user", "role", "anna@a.test", "emperor"}));
}

TEST(CommandLine, CommonOptionsMayStandBeforeTheCommandToo) {
  const auto line = parse({"--data", "/d", "--json", "--config", "/c", "user", "list", "--domain", "a.test"});
  ASSERT_TRUE(line) << line.error().text;
  EXPECT_EQ(line->command, "user list");
  EXPECT_TRUE(line->is_json);
  EXPECT_EQ(line->config, "/c");
  EXPECT_EQ(line->domain, "a.test");
}

TEST(CommandLine, SettingsMayBeGivenSeveralTimes) {
  const auto line = parse({"serve", "--set", "ports.smtp=25", "--set", "hostname=a=b"});
  ASSERT_TRUE(line) << line.error().text;
  EXPECT_EQ(line->options, (std::vector<std::pair<std::string, std::string>>{{"ports.smtp", "25"}, {"hostname", "a=b"}}));
  const auto wrong = parse({"serve", "--set", "hostname"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().exit_code, 2);
}

TEST(CommandLine, PasswordsComeFromTheTerminalInputOrTheGenerator) {
  EXPECT_EQ(parse({"user", "add", "x"})->password, PasswordSource::kPrompt);
  EXPECT_EQ(parse({"user", "password", "x", "--password-stdin"})->password, PasswordSource::kStandardInput);
  EXPECT_EQ(parse({"user", "add", "x", "--generate"})->password, PasswordSource::kGenerate);
  const auto both = parse({"user", "add", "x", "--generate", "--password-stdin"});
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().exit_code, 2);
  EXPECT_FALSE(parse({"user", "add", "x", "--password", "secret"}));  // an argument can be read by everybody
}

TEST(CommandLine, OperandsAndOptionsOfCommands) {
  const auto alias = parse({"alias", "add", "info@a.test", "b@a.test", "c@a.test"});
  ASSERT_TRUE(alias) << alias.error().text;
  EXPECT_EQ(alias->name, "info@a.test");
  EXPECT_EQ(alias->operands, (std::vector<std::string>{"b@a.test", "c@a.test"}));
  const auto token =
      parse({"token", "create", "t", "--scope", "read", "--scope", "metrics", "--expires", "2030-01-31T12:00:00Z"});
  ASSERT_TRUE(token) << token.error().text;
  EXPECT_EQ(token->scopes, (std::vector<std::string>{"read", "metrics"}));
  EXPECT_EQ(token->expires, "2030-01-31T12:00:00Z");
  const auto user = parse({"user", "add", "x", "--admin", "--quota", "10M"});
  ASSERT_TRUE(user) << user.error().text;
  EXPECT_TRUE(user->is_admin);
  EXPECT_EQ(user->quota, "10M");
  const auto check = parse({"check", "--bytes", "--rebuild"});
  ASSERT_TRUE(check) << check.error().text;
  EXPECT_TRUE(check->reads_bytes);
  EXPECT_TRUE(check->rebuilds);
  EXPECT_EQ(parse({"deliver", "x", "--from", "s@b.test"})->from, "s@b.test");
  const auto held = parse({"queue", "hold", "--domain", "a.test", "--sender", "<>", "--account", "u@b.test", "--reason", "why"});
  ASSERT_TRUE(held) << held.error().text;
  EXPECT_EQ(held->domain, "a.test");
  EXPECT_EQ(held->sender, "<>");
  EXPECT_EQ(held->account, "u@b.test");
  EXPECT_EQ(held->reason, "why");
  EXPECT_TRUE(parse({"queue", "remove", "--all"})->is_everything);
  EXPECT_EQ(parse({"queue", "retry", "x", "--recipient", "7"})->recipient, 7);
  EXPECT_FALSE(parse({"queue", "retry", "x", "--recipient", "70000"}));
  EXPECT_FALSE(parse({"queue", "hold", "x", "--recipient", "7"})) << "no message is half held";
  EXPECT_FALSE(parse({"queue", "release", "x", "--recipient", "7"}));
  EXPECT_EQ(parse({"queue", "reroute", "x", "--route", "smtp://h:25"})->route, "smtp://h:25");
  const auto route = parse({"route", "set", "*", "smtp://a", "smtps://b", "--login", "me", "--password-stdin"});
  ASSERT_TRUE(route) << route.error().text;
  EXPECT_EQ(route->operands, (std::vector<std::string>{"smtp://a", "smtps://b"}));
  EXPECT_EQ(route->login, "me");
  EXPECT_EQ(route->password, PasswordSource::kStandardInput);
  EXPECT_FALSE(parse({"route", "set", "*", "smtp://a", "--password-stdin"}));
}

TEST(CommandLine, HelpIsNoError) {
  for (const std::vector<const char*>& arguments : {std::vector<const char*>{"--help"}, {"user", "add", "--help"}}) {
    const auto help = parse(arguments);
    ASSERT_FALSE(help);
    EXPECT_EQ(help.error().exit_code, 0);
    EXPECT_NE(help.error().text.find("--json"), std::string::npos) << help.error().text;
  }
}

TEST(CommandLine, WrongUsageIsRefused) {
  for (const std::vector<const char*>& arguments : {std::vector<const char*>{},
                                                    {"nonsense"},
                                                    {"user"},
                                                    {"user", "nonsense"},
                                                    {"user", "add"},
                                                    {"user", "list", "--bogus"},
                                                    {"alias", "add", "x"},
                                                    {"token", "create", "t"},
                                                    {"backup"},
                                                    {"domain", "list", "extra"},
                                                    {"user", "list", "--data"}}) {
    const auto refused = parse(arguments);
    ASSERT_FALSE(refused) << (arguments.empty() ? "" : arguments.back());
    EXPECT_EQ(refused.error().exit_code, 2);
    EXPECT_FALSE(refused.error().text.empty());
  }
  EXPECT_NE(parse({"nonsense"}).error().text.find("nonsense"), std::string::npos) << "the wrong word is named";
}

}  // namespace
}  // namespace posthus::main
