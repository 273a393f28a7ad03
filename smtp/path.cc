// Parsing of envelope paths. RFC 5321 §4.1.2, Appendix C. Thread rule: pure functions.
#include "smtp/path.h"

#include "core/base/ascii.h"

namespace posthus::smtp {
namespace {

// A-d-l     = At-domain *( "," At-domain )
// At-domain = "@" Domain
// WHY: only its shape is looked at; the route is ignored (RFC 5321 Appendix C).
bool is_source_route(std::string_view text) {
  bool expects_at = true;
  for (const char c : text) {
    if (expects_at) {
      if (c != '@') return false;
      expects_at = false;
    } else if (c == ',') {
      expects_at = true;
    } else if (c == '@' || c == '"' || static_cast<unsigned char>(c) <= ' ') {
      return false;
    }
  }
  return !expects_at;
}

// The position of the ">" that ends the path; npos when there is none.
std::size_t path_end(std::string_view text) {
  bool is_quoted = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (is_quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == '>' && !is_quoted) {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

// Path = "<" [ A-d-l ":" ] Mailbox ">"
std::optional<PathText> split_path(std::string_view text) {
  if (text.empty() || text.front() != '<') return std::nullopt;
  const std::size_t end = path_end(text);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view inside = text.substr(1, end - 1);
  if (!inside.empty() && inside.front() == '@') {
    const std::size_t colon = inside.find(':');
    if (colon == std::string_view::npos || !is_source_route(inside.substr(0, colon))) return std::nullopt;
    inside.remove_prefix(colon + 1);
    if (inside.empty()) return std::nullopt;
  }
  return PathText{inside, text.substr(end + 1)};
}

// Reverse-path = Path / "<>"
Parsed<ReversePath> parse_reverse_path(std::string_view mailbox, mail::Utf8 utf8) {
  if (mailbox.empty()) return ReversePath{};
  if (utf8 == mail::Utf8::kRefuse && ascii::has_high_bit(mailbox)) return std::unexpected(reply::kNeedsUtf8);
  auto address = mail::parse_mailbox(mailbox, utf8);
  if (!address) return std::unexpected(reply::kBadSender);
  return ReversePath(*std::move(address));
}

// Forward-path = Path
// rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) ...
Parsed<mail::Address> parse_forward_path(std::string_view mailbox, mail::Utf8 utf8) {
  if (ascii::equal_ignoring_case(mailbox, "postmaster")) return mail::Address{"postmaster", ""};
  if (utf8 == mail::Utf8::kRefuse && ascii::has_high_bit(mailbox)) return std::unexpected(reply::kNeedsUtf8);
  auto address = mail::parse_mailbox(mailbox, utf8);
  if (!address) return std::unexpected(reply::kBadRecipient);
  return *std::move(address);
}

}  // namespace posthus::smtp
