// Command lines of SMTP: verb and argument, and the grammar of each verb's argument. RFC 5321 §4.1.1, RFC 3030 §2,
// RFC 4954 §4. Thread rule: pure functions; views are into the line.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "smtp/parameters.h"
#include "smtp/path.h"
#include "smtp/reply.h"

namespace posthus::smtp {

enum class Verb : std::uint8_t {
  kUnknown,
  kEhlo,
  kHelo,
  kMail,
  kRcpt,
  kData,
  kBdat,
  kRset,
  kNoop,
  kQuit,
  kVrfy,
  kExpn,
  kHelp,
  kStartTls,
  kAuth,
  kHttp,  // GET, POST, PUT, HEAD, CONNECT: a web browser was tricked into talking to us
};

struct CommandLine {
  Verb verb = Verb::kUnknown;
  std::string_view argument;  // without white space around it
};

// RFC 5321 §4.5.3.1.4: 512 bytes with CRLF, and what the extensions add to MAIL and RCPT: SIZE 26, BODY 17, SMTPUTF8 10,
// AUTH 500, DSN 500 and 140; UTF-8 domains are longer than A-labels.
inline constexpr std::size_t kMaxCommandLine = 2048;
inline constexpr std::size_t kMaxAuthLine = 12'288;  // RFC 4954 §4: with CRLF

/// REQUIRES: `line` without its CRLF.
CommandLine parse_command(std::string_view line);

/// What the client calls itself: tolerant of host names that are no domains (RFC 5321 §4.1.4), not of other bytes.
std::optional<std::string_view> parse_hello(std::string_view argument);

struct MailCommand {
  ReversePath reverse_path;
  MailParameters parameters;
};
Parsed<MailCommand> parse_mail(std::string_view argument);

struct RcptCommand {
  mail::Address recipient;
  RcptParameters parameters;
};
/// `utf8`: whether MAIL had SMTPUTF8.
Parsed<RcptCommand> parse_rcpt(std::string_view argument, mail::Utf8 utf8);

struct BdatCommand {
  std::uint64_t size = 0;
  bool is_last = false;
};
Parsed<BdatCommand> parse_bdat(std::string_view argument);

struct AuthCommand {
  std::string_view mechanism;
  std::optional<std::string_view> initial_response;  // base64; "=" is an empty one
};
Parsed<AuthCommand> parse_auth(std::string_view argument);

}  // namespace posthus::smtp
