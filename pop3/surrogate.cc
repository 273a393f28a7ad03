// See surrogate.h.
#include "pop3/surrogate.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/mail/header.h"

namespace posthus::pop3 {
namespace {

// RFC 6858 §3.1.2 wants an address that is syntactically valid and cannot be replied to by accident.
constexpr std::string_view kRemovedAddress = "invalid@internationalized-address-removed.invalid";
// RFC 2047 §2: an encoded-word has at most 75 characters; 45 bytes are 60 of base64.
constexpr std::size_t kBytesPerWord = 45;

constexpr std::array<std::string_view, 13> kAddressFields = {"from",
                                                             "sender",
                                                             "reply-to",
                                                             "to",
                                                             "cc",
                                                             "bcc",
                                                             "resent-from",
                                                             "resent-sender",
                                                             "resent-to",
                                                             "resent-cc",
                                                             "resent-bcc",
                                                             "return-path",
                                                             "disposition-notification-to"};
constexpr std::array<std::string_view, 13> kStructuredFields = {"received",
                                                                "message-id",
                                                                "in-reply-to",
                                                                "references",
                                                                "date",
                                                                "content-type",
                                                                "content-disposition",
                                                                "content-transfer-encoding",
                                                                "content-id",
                                                                "mime-version",
                                                                "dkim-signature",
                                                                "authentication-results",
                                                                "list-unsubscribe"};

template <std::size_t kCount>
bool is_one_of(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](std::string_view known) { return ascii::equal_ignoring_case(known, name); });
}

bool is_8bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }
bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// UTF-8 as far as the label needs it: lead bytes followed by as many continuations as they announce.
bool looks_like_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                               : (lead & 0xf0) == 0xe0       ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if (!is_continuation(text[i + k])) return false;
    }
    i += length;
  }
  return true;
}

/// One or more encoded-words for `text`, cut between characters, joined by folds.
void append_encoded_words(std::string& out, std::string_view text) {
  const std::string_view charset = looks_like_utf8(text) ? "=?utf-8?B?" : "=?unknown-8bit?B?";
  for (bool is_first = true; !text.empty(); is_first = false) {
    std::size_t length = std::min(text.size(), kBytesPerWord - 9);  // room for the longer label
    while (length < text.size() && length > 1 && is_continuation(text[length])) --length;
    if (!is_first) out.append("\r\n ");
    out.append(charset).append(base64_encode(text.substr(0, length))).append("?=");
    text.remove_prefix(length);
  }
}

void append_questioned(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (!is_8bit(c))
      out.push_back(c);
    else if (!is_continuation(c))
      out.push_back('?');
  }
}

std::size_t find_white(std::string_view text, std::size_t from) {
  while (from < text.size() && !is_white(text[from])) ++from;
  return from;
}

/// Unstructured text: runs of words with non-ASCII bytes become encoded-words, the rest stays.
void append_unstructured(std::string& out, std::string_view value) {
  for (std::size_t at = 0; at < value.size();) {
    if (is_white(value[at])) {
      out.push_back(value[at++]);
      continue;
    }
    std::size_t end = find_white(value, at);
    if (!has_8bit(value.substr(at, end - at))) {
      out.append(value.substr(at, end - at));
      at = end;
      continue;
    }
    // WHY: white space between two encoded-words is not shown (RFC 2047 §6.2), so neighbours are encoded together.
    while (end + 1 < value.size() && value[end] == ' ') {
      const std::size_t next = find_white(value, end + 1);
      if (!has_8bit(value.substr(end + 1, next - end - 1))) break;
      end = next;
    }
    append_encoded_words(out, value.substr(at, end - at));
    at = end;
  }
}

/// The end of the token of an address list that begins at `at`: quoted string, <address>, comment, special or word.
std::size_t token_end(std::string_view value, std::size_t at) {
  const char first = value[at];
  const char closing = first == '"' ? '"' : first == '<' ? '>' : first == '(' ? ')' : '\0';
  if (closing != '\0') {
    for (std::size_t i = at + 1; i < value.size(); ++i) {
      if (value[i] == '\\')
        ++i;
      else if (value[i] == closing)
        return i + 1;
    }
    return value.size();
  }
  std::size_t end = at + 1;
  if (std::strchr(",;:", first)) return end;
  while (end < value.size() && !is_white(value[end]) && !std::strchr(",;:<(\"", value[end])) ++end;
  return end;
}

void append_address_token(std::string& out, std::string_view token) {
  if (!has_8bit(token)) {
    out.append(token);
  } else if (token.front() == '<') {
    out.append("<").append(kRemovedAddress).append(">");
  } else if (token.front() == '(') {
    append_questioned(out, token);
  } else if (token.front() == '"') {
    const std::size_t end = token.size() > 1 && token.back() == '"' ? token.size() - 2 : token.size() - 1;
    append_encoded_words(out, token.substr(1, end));
  } else if (token.find('@') != std::string_view::npos) {
    out.append(kRemovedAddress);
  } else {
    append_encoded_words(out, token);
  }
}

void append_addresses(std::string& out, std::string_view value) {
  for (std::size_t at = 0; at < value.size();) {
    if (is_white(value[at])) {
      out.push_back(value[at++]);
      continue;
    }
    const std::size_t end = token_end(value, at);
    append_address_token(out, value.substr(at, end - at));
    at = end;
  }
}

}  // namespace

bool has_8bit(std::string_view bytes) {
  unsigned char all = 0;
  for (const char c : bytes) all |= static_cast<unsigned char>(c);
  return all >= 0x80;
}

std::string make_surrogate_header(std::string_view header) {
  std::string out;
  out.reserve(header.size() + header.size() / 4);
  mail::for_each_field(header, [&](const mail::HeaderField& field) {
    if (!has_8bit(field.raw)) {
      out.append(field.raw);
    } else if (has_8bit(field.name)) {
      append_questioned(out, field.raw);
    } else {
      out.append(field.raw.substr(0, static_cast<std::size_t>(field.value.data() - field.raw.data())));
      if (is_one_of(kAddressFields, field.name))
        append_addresses(out, field.value);
      else if (is_one_of(kStructuredFields, field.name))
        append_questioned(out, field.value);
      else
        append_unstructured(out, field.value);
      if (!out.ends_with("\n")) out.append("\r\n");
    }
    return true;
  });
  out.append("\r\n");
  return out;
}

}  // namespace posthus::pop3
