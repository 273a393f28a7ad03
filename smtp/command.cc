// Parsing of SMTP command lines. RFC 5321 §4.1.1 and §4.1.2. Thread rule: pure functions.
#include "smtp/command.h"

#include <algorithm>

#include "core/base/ascii.h"

namespace posthus::smtp {
namespace {

struct VerbName {
  std::string_view name;
  Verb verb;
};

// In the order of their frequency.
constexpr VerbName kVerbs[] = {
    // clang-format off
    {"RCPT", Verb::kRcpt},         {"MAIL", Verb::kMail}, {"DATA", Verb::kData}, {"BDAT", Verb::kBdat},    {"EHLO", Verb::kEhlo},
    {"HELO", Verb::kHelo},         {"QUIT", Verb::kQuit}, {"RSET", Verb::kRset}, {"NOOP", Verb::kNoop},    {"AUTH", Verb::kAuth},
    {"STARTTLS", Verb::kStartTls}, {"VRFY", Verb::kVrfy}, {"EXPN", Verb::kExpn}, {"HELP", Verb::kHelp},    {"GET", Verb::kHttp},
    {"POST", Verb::kHttp},         {"PUT", Verb::kHttp},  {"HEAD", Verb::kHttp}, {"CONNECT", Verb::kHttp},
    // clang-format on
};

constexpr std::size_t kMaxHello = 255;  // RFC 5321 §4.5.3.1.2: a domain name

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && ascii::is_space_or_tab(text.front())) text.remove_prefix(1);
  while (!text.empty() && ascii::is_space_or_tab(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the first word off `text`, and the blanks after it.
std::string_view take_word(std::string_view& text) {
  const std::size_t length = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, length);
  text = trim_blanks(text.substr(length));
  return word;
}

// The path after "FROM:" or "TO:"; nothing when that is missing.
std::optional<PathText> path_after(std::string_view argument, std::string_view prefix) {
  if (!ascii::equal_ignoring_case(argument.substr(0, prefix.size()), prefix)) return std::nullopt;
  argument.remove_prefix(prefix.size());
  // QUIRK(many scripts and devices): a blank after the colon, which RFC 5321 §3.3 forbids, is harmless.
  return split_path(trim_blanks(argument));
}

bool is_mechanism_name(std::string_view text) {
  if (text.empty() || text.size() > 20) return false;  // RFC 4422 §3.1: 1*20mech-char
  for (const char c : text) {
    if (!ascii::is_alpha(c) && !ascii::is_digit(c) && c != '-' && c != '_') return false;
  }
  return true;
}

}  // namespace

CommandLine parse_command(std::string_view line) {
  // RFC 5321 §4.1.1: trailing white space is tolerated.
  std::string_view argument = trim_blanks(line);
  const std::string_view word = take_word(argument);
  for (const VerbName& known : kVerbs) {
    if (ascii::equal_ignoring_case(word, known.name)) return {known.verb, argument};
  }
  return {Verb::kUnknown, argument};
}

// ehlo = "EHLO" SP ( Domain / address-literal ) CRLF
std::optional<std::string_view> parse_hello(std::string_view argument) {
  // QUIRK(old clients): words after the name are ignored (RFC 5321 §4.1.1.1 advises to be prepared for them).
  const std::string_view name = take_word(argument);
  if (name.empty() || name.size() > kMaxHello) return std::nullopt;
  for (const char c : name) {
    const bool is_name_byte = ascii::is_alpha(c) || ascii::is_digit(c) || c == '.' || c == '-';
    // QUIRK(Windows and home devices): "_" in host names, bare IPv6 addresses.
    const bool is_tolerated = c == '_' || c == ':' || c == '[' || c == ']';
    if (!is_name_byte && !is_tolerated) return std::nullopt;
  }
  return name;
}

// mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
Parsed<MailCommand> parse_mail(std::string_view argument) {
  const auto path = path_after(argument, "FROM:");
  if (!path) return std::unexpected(reply::kBadSender);
  auto parameters = parse_mail_parameters(path->rest);
  if (!parameters) return std::unexpected(parameters.error());
  const auto utf8 = parameters->is_utf8 ? mail::Utf8::kAllow : mail::Utf8::kRefuse;
  auto reverse_path = parse_reverse_path(path->mailbox, utf8);
  if (!reverse_path) return std::unexpected(reverse_path.error());
  return MailCommand{*std::move(reverse_path), *std::move(parameters)};
}

// rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF
Parsed<RcptCommand> parse_rcpt(std::string_view argument, mail::Utf8 utf8) {
  const auto path = path_after(argument, "TO:");
  if (!path) return std::unexpected(reply::kBadRecipient);
  auto parameters = parse_rcpt_parameters(path->rest);
  if (!parameters) return std::unexpected(parameters.error());
  auto recipient = parse_forward_path(path->mailbox, utf8);
  if (!recipient) return std::unexpected(recipient.error());
  return RcptCommand{*std::move(recipient), *std::move(parameters)};
}

// bdat-cmd ::= "BDAT" SP chunk-size [ SP end-marker ] CR LF
Parsed<BdatCommand> parse_bdat(std::string_view argument) {
  const auto size = ascii::parse_decimal<std::uint64_t>(take_word(argument));
  if (!size) return std::unexpected(reply::kBadChunk);
  const bool is_last = ascii::equal_ignoring_case(argument, "LAST");
  if (!argument.empty() && !is_last) return std::unexpected(reply::kBadChunk);
  return BdatCommand{*size, is_last};
}

// AUTH mechanism [initial-response]
Parsed<AuthCommand> parse_auth(std::string_view argument) {
  AuthCommand command;
  command.mechanism = take_word(argument);
  if (!is_mechanism_name(command.mechanism)) return std::unexpected(reply::kBadArgument);
  if (argument.empty()) return command;
  if (argument.find_first_of(" \t") != std::string_view::npos) return std::unexpected(reply::kBadArgument);
  command.initial_response = argument == "=" ? std::string_view{} : argument;
  return command;
}

}  // namespace posthus::smtp
