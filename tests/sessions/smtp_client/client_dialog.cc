// See client_dialog.h.
#include "tests/sessions/smtp_client/client_dialog.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <regex>
#include <sstream>
#include <vector>

#include "core/base/ascii.h"
#include "core/mail/dot_stuffing.h"
#include "smtp/client_session.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/outgoing_source.h"

namespace posthus::testing {
namespace {

using smtp::RecipientResult;

struct Line {
  int number = 0;
  std::string text;
};

using Words = std::vector<std::pair<std::string, std::string>>;

Words words_of(const std::string& line) {
  std::istringstream stream(line);
  Words words;
  for (std::string word; stream >> word;) {
    const std::size_t equals = word.find('=');
    words.emplace_back(word.substr(0, equals), equals == std::string::npos ? "" : word.substr(equals + 1));
  }
  return words;
}

std::string value_of(const Words& words, std::string_view key) {
  for (const auto& [name, value] : words) {
    if (name == key) return value;
  }
  return {};
}

bool has(const Words& words, std::string_view key) {
  return std::any_of(words.begin(), words.end(), [&](const auto& word) { return word.first == key; });
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

std::string dashed(std::string_view text) {
  std::string out(text.empty() ? "-" : text);
  std::replace(out.begin(), out.end(), ' ', '-');
  return out;
}

std::string described(const smtp::RemoteReply& reply) {
  return std::to_string(reply.code) + " " + (reply.enhanced.empty() ? "-" : reply.enhanced) + " " +
         (reply.text.empty() ? "-" : reply.text);
}

std::string described(QueueId id, const RecipientResult& result) {
  constexpr std::string_view kVerdicts[] = {"delivered", "deferred", "failed"};
  return std::to_string(id.value) + "." + std::to_string(result.number) + " " +
         std::string(kVerdicts[static_cast<int>(result.verdict)]) + (result.is_host_fault ? " host " : " ") +
         dashed(result.stage) + " " + described(result.reply);
}

std::string described(const smtp::ConnectionResult& result) {
  return std::string(result.was_ready ? "ready" : "failed") + (result.is_tls_failure ? " tls " : " ") + dashed(result.stage) +
         " " + described(result.failure);
}

/// One connection: the session, its source, and what it has reported so far.
struct Connection {
  OutgoingSource source;
  std::vector<std::string> texts;
  std::unique_ptr<LoopbackDriver> driver;
  std::string unread;
  std::size_t reported = 0;  // results that were compared
  std::vector<std::string> results;

  // Everything reported so far, one line a recipient.
  const std::vector<std::string>& all_results() {
    results.clear();
    for (const auto& message : source.results) {
      for (const auto& recipient : message.recipients) results.push_back(described(message.id, recipient));
    }
    return results;
  }
};

class Player {
 public:
  Player(const std::string& path, std::size_t cut) : path_(path), cut_(cut) {
    std::ifstream file(path);
    int number = 0;
    for (std::string text; std::getline(file, text);) lines_.push_back({++number, text});
  }

  std::string run() {
    if (lines_.empty()) return path_ + ": cannot be read";
    for (position_ = 0; position_ < lines_.size(); ++position_) {
      const int number = lines_[position_].number;
      const std::string problem = perform(lines_[position_].text);
      if (!problem.empty()) return path_ + ":" + std::to_string(number) + ": " + problem;
    }
    return {};
  }

  /// Only connection `wanted`, whose host closes after `bytes`; nothing is compared. False when there is no such
  /// connection, or it ends before.
  bool run_until_close(std::size_t wanted, std::size_t bytes) {
    is_compared_ = false;
    wanted_connection_ = wanted;
    bytes_left_ = bytes;
    run();
    const bool was_cut = is_cut_;
    if (connection_ && connection_->driver) {
      connection_->driver->close_by_peer();
      CHECK(connection_->source.connection.has_value());
    }
    return was_cut;
  }
  std::size_t connections() const {
    return static_cast<std::size_t>(
        std::count_if(lines_.begin(), lines_.end(), [](const Line& line) { return line.text.starts_with("@connect"); }));
  }

 private:
  std::string perform(const std::string& line) {
    if (ascii::trim(line).empty() || line[0] == '#') return {};
    if (line.starts_with("@message")) return message(line);
    if (line.starts_with("@connect")) return connect(line);
    if (!connection_ || !connection_->driver) return is_compared_ ? "no connection" : "";
    if (is_cut_ || (!is_compared_ && current_ != wanted_connection_)) return {};
    if (line == "@timeout") return connection_->driver->time_out(), "";
    if (line == "@shutdown") return connection_->driver->shut_down(), "";
    if (line[0] == 'S') return host(line.substr(1));
    if (!is_compared_) return {};
    switch (line[0]) {
      case 'C': return client(line.substr(1));
      case 'R': return result(line.substr(1));
      case 'E': return end(line.substr(1));
      default: return "unknown line: " + line;
    }
  }

  static std::string argument(const std::string& rest, std::size_t from) {
    return rest.size() > from && rest[from] == ' ' ? rest.substr(from + 1) : rest.substr(std::min(from, rest.size()));
  }

  std::string message(const std::string& line) {
    const Words words = words_of(line);
    smtp::OutgoingMessage message;
    pending_texts_.emplace_back();
    std::string& text = pending_texts_.back();
    while (++position_ < lines_.size() && lines_[position_].text != "END") text += unescape(lines_[position_].text) + "\r\n";
    const auto number = [&](std::string_view key) {
      return ascii::parse_decimal<std::uint64_t>(value_of(words, key)).value_or(0);
    };
    while (text.size() < number("fill")) text += "..dots, and a line to fill the text with\r\n";
    message.id = QueueId{pending_texts_.size()};
    message.reverse_path = has(words, "from") ? unescape(value_of(words, "from")) : "sender@example.org";
    message.body = value_of(words, "body") == "8bit"     ? store::BodyKind::k8BitMime
                   : value_of(words, "body") == "binary" ? store::BodyKind::kBinaryMime
                                                         : store::BodyKind::k7Bit;
    message.is_utf8 = has(words, "utf8");
    message.requires_tls = has(words, "requiretls");
    message.is_trial = has(words, "trial");
    message.envelope_id = unescape(value_of(words, "envid"));
    message.return_content = value_of(words, "ret") == "full"   ? store::ReturnContent::kFull
                             : value_of(words, "ret") == "hdrs" ? store::ReturnContent::kHeaders
                                                                : store::ReturnContent::kUnset;
    std::istringstream addresses(has(words, "to") ? value_of(words, "to") : "anna@example.test");
    for (std::string address; std::getline(addresses, address, ',');) {
      smtp::OutgoingRecipient recipient;
      recipient.number = static_cast<std::uint16_t>(message.recipients.size() + 1);
      recipient.address = unescape(address);
      recipient.original_recipient = unescape(value_of(words, "orcpt"));
      recipient.notify = notify_of(value_of(words, "notify"));
      message.recipients.push_back(std::move(recipient));
    }
    pending_.push_back({std::move(message), has(words, "readable") ? number("readable") : UINT64_MAX});
    return {};
  }

  static std::uint8_t notify_of(const std::string& words) {
    std::uint8_t bits = 0;
    if (words.contains("never")) bits |= store::notify::kNever;
    if (words.contains("success")) bits |= store::notify::kSuccess;
    if (words.contains("failure")) bits |= store::notify::kFailure;
    if (words.contains("delay")) bits |= store::notify::kDelay;
    return bits;
  }

  std::string connect(const std::string& line) {
    const Words words = words_of(line);
    ++current_;
    is_cut_ = false;
    const bool is_wanted = is_compared_ || current_ == wanted_connection_;
    if (!is_wanted) {
      pending_.clear();
      pending_texts_.clear();
      return {};
    }
    if (connection_) connection_->driver.reset();  // before its source
    connection_ = std::make_unique<Connection>();
    connection_->texts = std::move(pending_texts_);
    pending_texts_.clear();
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      connection_->source.readable = std::min(connection_->source.readable, pending_[i].readable);
      connection_->source.add(std::move(pending_[i].message), connection_->texts[i]);
    }
    pending_.clear();
    smtp::ClientOptions options{.hostname = "mail.example.org"};
    const std::string tls = value_of(words, "tls");
    options.tls = tls == "never"      ? smtp::TlsUse::kNever
                  : tls == "required" ? smtp::TlsUse::kRequired
                  : tls == "implicit" ? smtp::TlsUse::kImplicit
                                      : smtp::TlsUse::kOpportunistic;
    options.login = value_of(words, "login");
    options.password = value_of(words, "password");
    options.may_login_without_tls = has(words, "loopback");
    options.is_name_proven = !has(words, "unproven");
    options.needs_requiretls = has(words, "needs-requiretls");
    if (has(words, "max")) options.max_messages = ascii::parse_decimal<std::uint32_t>(value_of(words, "max")).value_or(1);
    connection_->driver = std::make_unique<LoopbackDriver>();
    session::TlsFacts facts = LoopbackDriver::tls_facts();
    facts.is_peer_verified = has(words, "verified");
    connection_->driver->set_tls_facts(facts);
    std::string failure = value_of(words, "handshake");
    std::replace(failure.begin(), failure.end(), '-', ' ');
    connection_->driver->set_tls_failure(failure);
    connection_->driver->open(smtp::make_client_session(options, connection_->source),
                              tls == "implicit" ? Tls::kImplicit : Tls::kNo);
    return {};
  }

  std::string host(const std::string& rest) {
    LoopbackDriver& driver = *connection_->driver;
    if (rest.starts_with("$")) {
      if (!driver.is_closed()) driver.close_by_peer();
      return {};
    }
    std::string said;
    if (rest.starts_with(":")) {
      said = argument(rest, 1) + "\r\n";
    } else if (rest.starts_with("=") || rest.starts_with("+")) {
      said = unescape(argument(rest, 1));
    } else if (rest.starts_with("*")) {
      const std::size_t space = rest.find(' ');
      const auto times = ascii::parse_decimal<std::uint32_t>(rest.substr(1, space - 1));
      if (!times || space == std::string::npos) return "S*N text wants a number";
      const std::string text = unescape(rest.substr(space + 1));
      for (std::uint32_t i = 0; i < *times; ++i) said += text;
    } else {
      return "unknown host line";
    }
    if (!is_compared_ && said.size() >= bytes_left_) {
      said.resize(bytes_left_);
      is_cut_ = true;
    }
    bytes_left_ -= is_compared_ ? 0 : said.size();
    driver.send(said, rest.starts_with("+") ? 0 : cut_);
    if (is_cut_ && !driver.is_closed()) driver.close_by_peer();
    return {};
  }

  static bool matches(const std::string& line, const std::string& expected, bool is_regex) {
    return is_regex ? std::regex_match(line, std::regex(expected)) : line == expected;
  }

  std::optional<std::string> next_line() {
    connection_->unread += connection_->driver->take_output();
    const std::size_t end = connection_->unread.find("\r\n");
    if (end == std::string::npos) return std::nullopt;
    std::string line = connection_->unread.substr(0, end);
    connection_->unread.erase(0, end + 2);
    return line;
  }

  std::string client(const std::string& rest) {
    if (rest.starts_with("$")) return connection_->driver->is_closed() ? "" : "expected the client to close";
    if (rest.starts_with("-")) {
      connection_->unread += connection_->driver->take_output();
      return connection_->unread.empty() ? "" : "expected nothing more, got: " + connection_->unread.substr(0, 200);
    }
    if (rest.starts_with("@") || rest.starts_with("=")) return text_of(rest);
    const bool skip = rest.starts_with("*");
    const bool is_regex = rest.substr(skip ? 1 : 0).starts_with("~");
    const std::string expected = argument(rest, skip && is_regex ? 2 : 1);
    for (;;) {
      const auto line = next_line();
      if (!line) return "expected: " + expected + "\n  got nothing more";
      if (matches(*line, expected, is_regex)) return {};
      if (!skip) return "expected: " + expected + "\n  got:      " + *line;
    }
  }

  std::string text_of(const std::string& rest) {
    const auto number = ascii::parse_decimal<std::size_t>(ascii::trim(rest.substr(1))).value_or(0);
    if (number == 0 || number > connection_->texts.size()) return "no such message";
    std::string expected = connection_->texts[number - 1];
    if (rest[0] == '@') {
      mail::DotStuffer stuffer;
      std::string stuffed;
      stuffer.append(stuffed, expected);
      stuffer.finish(stuffed);
      expected = std::move(stuffed);
    }
    connection_->unread += connection_->driver->take_output();
    if (!connection_->unread.starts_with(expected)) return "not the text: " + connection_->unread.substr(0, 500);
    connection_->unread.erase(0, expected.size());
    return {};
  }

  std::string result(const std::string& rest) {
    const auto& results = connection_->all_results();
    const bool is_at_end = connection_->reported == results.size();
    if (rest.starts_with("-")) return is_at_end ? "" : "expected no result, got: " + results[connection_->reported];
    if (is_at_end) return "expected a result, got none: " + rest;
    const std::string& line = results[connection_->reported++];
    const std::string expected = argument(rest, 1);
    return matches(line, expected, rest.starts_with("~")) ? "" : "expected: " + expected + "\n  got:      " + line;
  }

  std::string end(const std::string& rest) {
    const auto& ended = connection_->source.connection;
    if (rest.starts_with("-")) return ended ? "expected no end yet: " + described(*ended) : "";
    if (!ended) return "the session has not reported its end";
    const std::string line = described(*ended);
    const std::string expected = argument(rest, 1);
    return matches(line, expected, rest.starts_with("~")) ? "" : "expected: " + expected + "\n  got:      " + line;
  }

  struct Pending {
    smtp::OutgoingMessage message;
    std::uint64_t readable = UINT64_MAX;
  };

  const std::string path_;
  const std::size_t cut_;
  std::vector<Line> lines_;
  std::size_t position_ = 0;
  std::vector<Pending> pending_;
  std::vector<std::string> pending_texts_;
  std::unique_ptr<Connection> connection_;
  std::size_t current_ = 0;  // connections begun

  bool is_compared_ = true;
  std::size_t wanted_connection_ = 0;
  std::size_t bytes_left_ = 0;
  bool is_cut_ = false;
};

}  // namespace

std::string run_client_dialog(const std::string& path, std::size_t cut) { return Player(path, cut).run(); }

std::size_t close_everywhere(const std::string& path, std::size_t most) {
  std::size_t played = 0;
  const std::size_t connections = Player(path, 0).connections();
  for (std::size_t connection = 1; connection <= connections; ++connection) {
    std::size_t step = 1;
    std::size_t tried = 0;
    for (std::size_t bytes = 0;; bytes += step) {
      ++played;
      if (!Player(path, 0).run_until_close(connection, bytes)) break;
      if (++tried == most) step = 997;  // the rest of a long one in strides
    }
  }
  return played;
}

}  // namespace posthus::testing
