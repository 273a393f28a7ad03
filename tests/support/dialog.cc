// See dialog.h.
#include "tests/support/dialog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <vector>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "tests/support/queue_directives.h"

namespace posthus::testing {

namespace {

constexpr std::chrono::milliseconds kWakeLimit{10'000};  // only reached when a test fails

struct Line {
  int number = 0;
  std::string text;
};

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    const char c = text[++i];
    if (c == 'x' && i + 2 < text.size()) {
      out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c);
    }
  }
  return out;
}

class Runner {
 public:
  Runner(std::string path, const DialogAdapter& adapter, std::size_t cut)
      : path_(std::move(path)), adapter_(adapter), cut_(cut) {}

  std::string run() {
    std::ifstream file(path_);
    if (!file) return path_ + ": cannot be read";
    int number = 0;
    for (std::string text; std::getline(file, text);) lines_.push_back({++number, text});
    for (position_ = 0; position_ < lines_.size(); ++position_) {
      const std::string problem = perform(lines_[position_].text);
      if (!problem.empty()) return path_ + ":" + std::to_string(lines_[position_].number) + ": " + problem;
    }
    return {};
  }

 private:
  struct Connection {
    LoopbackDriver driver;
    std::string unread;
  };

  std::string perform(const std::string& line) {
    if (ascii::trim(line).empty() || line[0] == '#') return {};
    if (line[0] == '@') return directive(line);
    if (line[0] != 'C' && line[0] != 'S') return "unknown line: " + line;
    std::size_t at = 1;
    int connection = 1;
    if (at < line.size() && std::isdigit(static_cast<unsigned char>(line[at]))) connection = line[at++] - '0';
    return line[0] == 'C' ? client(connection, line.substr(at)) : server(connection, line.substr(at));
  }

  static std::string argument(const std::string& rest, std::size_t from) {
    return rest.size() > from && rest[from] == ' ' ? rest.substr(from + 1) : rest.substr(std::min(from, rest.size()));
  }

  Connection& connection(int number, const ConnectionOptions& options = {}) {
    auto& slot = connections_[number];
    if (slot) return *slot;
    slot = std::make_unique<Connection>();
    session::ConnectionFacts facts;
    facts.remote_address = options.contains("from") ? options.at("from") : "192.0.2." + std::to_string(number);
    facts.remote_port = static_cast<std::uint16_t>(40'000 + number);
    facts.local_address = "192.0.2.100";
    const bool tls = options.contains("tls") && options.at("tls") == "implicit";
    slot->driver.open(adapter_(world_, options, facts, slot->driver.waker()), tls ? Tls::kImplicit : Tls::kNo);
    return *slot;
  }

  std::string substitute(const std::string& text) const {
    std::string out;
    for (std::size_t at = 0;;) {
      const std::size_t open = text.find("${", at);
      const std::size_t close = open == std::string::npos ? open : text.find('}', open);
      if (close == std::string::npos) return out + text.substr(at);
      out += text.substr(at, open - at);
      out += value_of(text.substr(open + 2, close - open - 2));
      at = close + 1;
    }
  }

  std::string value_of(const std::string& name) const {
    if (name.starts_with("base64:")) return base64_encode(unescape(name.substr(7)));
    if (name.starts_with("plain:")) {
      const std::size_t colon = name.find(':', 6);
      return base64_encode(std::string(1, '\0') + name.substr(6, colon - 6) + std::string(1, '\0') + name.substr(colon + 1));
    }
    const auto found = captured_.find(name);
    return found == captured_.end() ? "${" + name + "}" : found->second;
  }

  std::string client(int number, const std::string& rest) {
    Connection& c = connection(number);
    if (rest.starts_with(":")) {
      c.driver.send(substitute(argument(rest, 1)) + "\r\n", cut_);
    } else if (rest.starts_with("=")) {
      c.driver.send(unescape(substitute(argument(rest, 1))), cut_);
    } else if (rest.starts_with("*")) {
      const std::size_t space = rest.find(' ');
      const auto times = ascii::parse_decimal<std::uint32_t>(rest.substr(1, space - 1));
      if (!times || space == std::string::npos) return "C*N text wants a number";
      const std::string text = unescape(rest.substr(space + 1));
      std::string all;
      for (std::uint32_t i = 0; i < *times; ++i) all += text;
      c.driver.send(all, cut_);
    } else {
      return "unknown client line";
    }
    return {};
  }

  std::optional<std::string> next_line(Connection& c) {
    c.unread += c.driver.take_output();
    const std::size_t end = c.unread.find("\r\n");
    if (end == std::string::npos) return std::nullopt;
    std::string line = c.unread.substr(0, end);
    c.unread.erase(0, end + 2);
    return line;
  }

  bool matches(const std::string& line, const std::string& expected, bool is_regex) {
    if (!is_regex) return line == expected;
    std::smatch match;
    if (!std::regex_match(line, match, std::regex(expected))) return false;
    for (std::size_t i = 1; i < match.size(); ++i) captured_[std::to_string(i)] = match[i].str();
    return true;
  }

  std::string server(int number, const std::string& rest) {
    Connection& c = connection(number);
    if (rest.starts_with("$")) return c.driver.is_closed() ? "" : "expected the server to close";
    if (rest.starts_with("-")) {
      c.unread += c.driver.take_output();
      return c.unread.empty() ? "" : "expected nothing more, got: " + c.unread.substr(0, 200);
    }
    const bool skip = rest.starts_with("*");
    const bool is_regex = rest.substr(skip ? 1 : 0).starts_with("~");
    const std::string expected = substitute(argument(rest, skip && is_regex ? 2 : 1));
    for (;;) {
      const auto line = next_line(c);
      if (!line) return "expected: " + expected + "\n  got nothing more";
      if (matches(*line, expected, is_regex)) return {};
      if (!skip) return "expected: " + expected + "\n  got:      " + *line;
    }
  }

  std::string directive(const std::string& line) {
    std::vector<std::string> words = words_of(substitute(line));
    const std::string name = words[0];
    words.erase(words.begin());
    ConnectionOptions options;
    for (const std::string& word : words) {
      if (const std::size_t equals = word.find('='); equals != std::string::npos)
        options[word.substr(0, equals)] = word.substr(equals + 1);
    }
    const auto number_of = [&](const std::string& key) -> std::uint64_t {
      return options.contains(key) ? ascii::parse_decimal<std::uint64_t>(options.at(key)).value_or(0) : 0;
    };
    if (name == "@deliver" && !words.empty()) return deliver(words, Came::kPlain);
    if (name == "@deliver-utf8" && !words.empty()) return deliver(words, Came::kInternationalized);
    if (name == "@domain" && words.size() == 1) return world_.add_domain(words[0]), "";
    if (name == "@user" && words.size() >= 2) {
      world_.add_user(words[0], words[1], number_of("quota"));
      if (options.contains("retention")) world_.set_pop3_retention(words[0], static_cast<std::uint32_t>(number_of("retention")));
      return {};
    }
    if (name == "@disable" && words.size() == 1) return world_.disable_user(words[0]), "";
    if (name == "@grant" && words.size() >= 3) return add_grant(words);
    if (name == "@revoke" && words.size() == 2) return world_.remove_grant(words[0], words[1]), "";
    if (name == "@group" && words.size() >= 3) return add_group(words);
    if (name == "@alias" && words.size() >= 2) return world_.add_alias(words[0], {words.begin() + 1, words.end()}), "";
    if (name == "@connect" && !words.empty()) return connection(words[0][0] - '0', options), "";
    if (name == "@clock" && words.size() == 1) {
      world_.clock.advance(std::stoll(words[0]) * 1'000'000);
      return {};
    }
    if (name == "@timeout" && words.size() == 1) return connection(words[0][0] - '0').driver.time_out(), "";
    if (name == "@wake" && words.size() == 1) {
      return connection(words[0][0] - '0').driver.wait_for_wake(kWakeLimit) ? "" : "it was not woken, or does not idle";
    }
    if (name == "@store-has" && words.size() == 3) {
      const std::size_t count = world_.messages(words[0], words[1]).size();
      return std::to_string(count) == words[2] ? "" : "the mailbox has " + std::to_string(count) + " messages";
    }
    if (name == "@store-text" && words.size() >= 4) {
      const auto texts = world_.messages(words[0], words[1]);
      const std::size_t index = ascii::parse_decimal<std::uint32_t>(words[2]).value_or(0);
      const std::string wanted = unescape(line.substr(line.find(' ', line.find(words[1]) + words[1].size() + 1) + 1));
      if (index >= texts.size()) return "no such message";
      return texts[index].find(wanted) != std::string::npos ? "" : "not in the stored text:\n" + texts[index];
    }
    if (const auto outcome = queue_directive(world_, name, words)) return *outcome;
    return "unknown directive: " + line;
  }

  std::string add_grant(const std::vector<std::string>& words) {
    using enum store::MailboxAccess;
    if (words[2] != "none" && words[2] != "read" && words[2] != "full") return "@grant OWNER DELEGATE none|read|full [send]";
    const auto access = words[2] == "none" ? kNone : words[2] == "read" ? kRead : kFull;
    return world_.add_grant(words[0], words[1], access, words.size() > 3 && words[3] == "send"), "";
  }

  std::string add_group(const std::vector<std::string>& words) {
    using enum store::GroupWriters;
    if (words[1] != "anyone" && words[1] != "members" && words[1] != "domain") return "@group ADDRESS anyone|members|domain ...";
    const auto writers = words[1] == "anyone" ? kAnyone : words[1] == "members" ? kMembers : kDomain;
    return world_.add_group(words[0], writers, {words.begin() + 2, words.end()}), "";
  }

  std::string deliver(const std::vector<std::string>& words, Came came) {
    const std::string mailbox = words.size() > 2 ? words[1] : "INBOX";
    if (words.back() != "<<END") return "@deliver ADDRESS [MAILBOX] <<END";
    std::string text;
    while (++position_ < lines_.size() && lines_[position_].text != "END") text += lines_[position_].text + "\n";
    world_.deliver(words[0], text, mailbox, 0, came);
    return {};
  }

  const std::string path_;
  const DialogAdapter& adapter_;
  const std::size_t cut_;
  std::vector<Line> lines_;
  std::size_t position_ = 0;
  std::map<std::string, std::string> captured_;
  World world_;
  std::map<int, std::unique_ptr<Connection>> connections_;
};

class DialogTest : public ::testing::Test {
 public:
  DialogTest(std::string path, std::function<DialogAdapter()> make_adapter, std::size_t cut)
      : path_(std::move(path)), make_adapter_(std::move(make_adapter)), cut_(cut) {}
  void TestBody() override {
    const DialogAdapter adapter = make_adapter_();
    const std::string problem = run_dialog(path_, adapter, cut_);
    if (!problem.empty()) FAIL() << problem;
  }

 private:
  std::string path_;
  std::function<DialogAdapter()> make_adapter_;
  std::size_t cut_;
};

}  // namespace

std::string run_dialog(const std::string& path, const DialogAdapter& adapter, std::size_t cut) {
  return Runner(path, adapter, cut).run();
}

void register_dialogs(const std::string& folder, const std::function<DialogAdapter()>& make_adapter) {
  std::vector<std::filesystem::path> scripts;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".session") scripts.push_back(entry.path());
  }
  std::sort(scripts.begin(), scripts.end());
  for (const auto& script : scripts) {
    for (const std::size_t cut : {std::size_t{0}, std::size_t{7}, std::size_t{2}, std::size_t{1}}) {
      const std::string name = script.stem().string() + (cut == 0 ? "/whole" : "/cut_" + std::to_string(cut));
      ::testing::RegisterTest(
          "Dialog", name.c_str(), nullptr, nullptr, script.c_str(), 1,
          [path = script.string(), make_adapter, cut]() -> DialogTest* { return new DialogTest(path, make_adapter, cut); });
    }
  }
}

}  // namespace posthus::testing
