// BODY and BODYSTRUCTURE (RFC 9051 §7.5.2), IMAP strings (§4.3) and section numbers (§6.4.5.1).
// Thread rule: pure functions. Recursion is bounded: parts nest kMaxNesting deep at most.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/base/ascii.h"
#include "core/mail/imap_string.h"
#include "core/mail/summary.h"

namespace posthus::mail {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// WHY: a literal costs the same from a few kilobytes on, and clients with small line buffers survive it.
constexpr std::size_t kMaxQuoted = 4096;

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end);
}

// What the bytes of a text ask of its string: bits, so that a text's are the union of its bytes'.
enum StringNeed : unsigned char { kQuotes = 0, kEscapes = 1, kLiteral = 2 };

constexpr std::array<unsigned char, 256> kNeeds = [] {
  std::array<unsigned char, 256> needs{};
  for (std::size_t c = 128; c < needs.size(); ++c) needs[c] = kLiteral;
  for (const unsigned char c : {'\0', '\r', '\n'}) needs[c] = kLiteral;
  for (const unsigned char c : {'"', '\\'}) needs[c] = kEscapes;
  return needs;
}();

unsigned needs_of(std::string_view text) {
  unsigned needs = kQuotes;
  for (const char c : text) needs |= kNeeds[static_cast<unsigned char>(c)];
  return needs;
}

constexpr std::size_t kBlock = 16;  // bytes the processor looks at together

/// Copies a block; true when quotes are not enough for it.
bool copy_block(char* to, const char* from) {
  std::array<unsigned char, kBlock> block;
  std::memcpy(block.data(), from, kBlock);
  std::memcpy(to, block.data(), kBlock);
  unsigned char odd = 0;
  for (const unsigned char c : block) {
    odd |= static_cast<unsigned char>((c >= 128) | (c == '\0') | (c == '\r') | (c == '\n') | (c == '"') | (c == '\\'));
  }
  return odd != 0;
}

bool copy_text(char* to, std::string_view text) {
  if (text.size() < kBlock) {
    std::ranges::copy(text, to);
    return needs_of(text) != kQuotes;
  }
  const std::size_t last = text.size() - kBlock;
  bool is_odd = copy_block(to + last, text.data() + last);
  for (std::size_t at = 0; at < last; at += kBlock) is_odd |= copy_block(to + at, text.data() + at);
  return is_odd;
}

/// Writes the text in quotes, as it stands; false, and nothing is written, when that is not enough.
/// WHY both at once: a listing of a large mailbox has a million of them.
bool append_plain(std::string& out, std::string_view text) {
  const std::size_t begin = out.size(), end = begin + text.size() + 2;
  // QUIRK(libstdc++ 12): the size it tells is what it has room for.
  out.resize_and_overwrite(end, [&](char* bytes, std::size_t) {
    if (copy_text(bytes + begin + 1, text)) return begin;
    bytes[begin] = '"';
    bytes[end - 1] = '"';
    return end;
  });
  return out.size() > begin;
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

// body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
/// `default_charset`: added when there is no charset parameter (RFC 2045 §5.2); empty for none.
void append_parameter_list(std::string& out, const Parameters& parameters, std::string_view default_charset) {
  const auto is_charset = [](const auto& parameter) { return parameter.first == "charset" || parameter.first == "charset*"; };
  if (std::ranges::any_of(parameters, is_charset)) default_charset = {};
  if (parameters.empty() && default_charset.empty()) {
    out += "NIL";
    return;
  }
  out += '(';
  for (const auto& [name, value] : parameters) {
    append_imap_string(out, name);
    out += ' ';
    append_imap_string(out, value);
    out += ' ';
  }
  if (!default_charset.empty()) {
    out += "\"charset\" ";
    append_imap_string(out, default_charset);
    out += ' ';
  }
  out.back() = ')';
}

// body-fld-dsp = "(" string SP body-fld-param ")" / nil ; body-fld-lang = nstring / "(" string *(SP string) ")"
/// " dsp lang loc", the part of the extension data that multiparts and other parts share.
void append_common_extension(std::string& out, const Part& part) {
  if (part.disposition.empty()) {
    out += " NIL ";
  } else {
    out += " (";
    append_imap_string(out, part.disposition);
    out += ' ';
    append_parameter_list(out, part.disposition_parameters, {});
    out += ") ";
  }
  if (part.languages.empty()) {
    out += "NIL";
  } else {
    out += '(';
    for (const std::string& language : part.languages) {
      append_imap_string(out, language);
      out += ' ';
    }
    out.back() = ')';
  }
  out += ' ';
  append_imap_nstring(out, part.location);
}

void append_body(std::string& out, const std::vector<Part>& parts, std::size_t index, Structure kind);

// body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
void append_multipart(std::string& out, const std::vector<Part>& parts, std::size_t index, Structure kind) {
  const Part& part = parts[index];
  const std::size_t end = std::min(parts.size(), index + part.subtree);
  // WHY: the grammar wants one body at least; an empty text says "nothing here" to every client.
  if (part.subtree == 1)
    out += kind == Structure::kBody ? R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0))"
                                    : R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL))";
  for (std::size_t child = index + 1; child < end; child += std::max<std::size_t>(parts[child].subtree, 1)) {
    append_body(out, parts, child, kind);
  }
  out += ' ';
  append_imap_string(out, part.subtype);
  if (kind == Structure::kBody) return;
  out += ' ';
  append_parameter_list(out, part.parameters, {});
  append_common_extension(out, part);
}

// body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
void append_single_part(std::string& out, const std::vector<Part>& parts, std::size_t index, Structure kind) {
  const Part& part = parts[index];
  const bool is_text = part.type == "text";
  // WHY: after "message" "rfc822" clients expect an envelope; one we did not look into (it is encoded, or too deep) is data.
  const bool is_opaque_message =
      part.type == "message" && !part.is_message && (part.subtype == "rfc822" || part.subtype == "global");
  append_imap_string(out, is_opaque_message ? "application" : part.type);
  out += ' ';
  append_imap_string(out, is_opaque_message ? "octet-stream" : part.subtype);
  out += ' ';
  append_parameter_list(out, part.parameters, is_text ? "us-ascii" : "");
  out += ' ';
  append_imap_nstring(out, part.id);
  out += ' ';
  append_imap_nstring(out, part.description);
  out += ' ';
  append_imap_string(out, part.encoding);
  out += ' ';
  append_number(out, part.body_end - part.body_begin);
  if (part.is_message && index + 1 < parts.size()) {
    out += ' ';
    out += part.envelope;
    out += ' ';
    append_body(out, parts, index + 1, kind);
  }
  if (part.is_message || is_text) {
    out += ' ';
    append_number(out, part.lines);
  }
  if (kind == Structure::kBody) return;
  out += ' ';
  append_imap_nstring(out, part.md5);
  append_common_extension(out, part);
}

// body = "(" (body-type-1part / body-type-mpart) ")"
void append_body(std::string& out, const std::vector<Part>& parts, std::size_t index, Structure kind) {
  out += '(';
  if (parts[index].is_multipart) {
    append_multipart(out, parts, index, kind);
  } else {
    append_single_part(out, parts, index, kind);
  }
  out += ')';
}

/// The `number`th child (from 1) of a multipart.
std::optional<std::size_t> child_of(const std::vector<Part>& parts, std::size_t index, std::uint32_t number) {
  const std::size_t end = std::min(parts.size(), index + parts[index].subtree);
  std::size_t child = index + 1;
  for (; number > 1 && child < end; --number) child += std::max<std::size_t>(parts[child].subtree, 1);
  return number == 1 && child < end ? std::optional(child) : std::nullopt;
}

}  // namespace

// string = quoted / literal ; quoted = DQUOTE *QUOTED-CHAR DQUOTE ; literal = "{" number64 ["+"] "}" CRLF *CHAR8
void append_imap_string(std::string& out, std::string_view text) {
  const bool is_long = text.size() > kMaxQuoted;
  if (!is_long && append_plain(out, text)) return;
  if (!is_long && (needs_of(text) & kLiteral) == 0) {
    out += '"';
    append_escaped(out, text);
    out += '"';
    return;
  }
  out += '{';
  append_number(out, text.size());
  out += "}\r\n";
  const std::size_t begin = out.size();
  out += text;
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), '\0', '?');  // WHY: CHAR8 is %x01-ff, no NUL
}

void append_imap_nstring(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "NIL";
  } else {
    append_imap_string(out, text);
  }
}

void append_structure(std::string& out, const std::vector<Part>& parts, Structure kind) {
  if (!parts.empty()) append_body(out, parts, 0, kind);
}

std::optional<std::size_t> find_part(const std::vector<Part>& parts, const std::vector<std::uint32_t>& path) {
  if (parts.empty()) return std::nullopt;
  std::size_t index = 0;
  bool is_whole_message = true;  // `index` stands for a message, whose only part is itself unless it is a multipart
  for (const std::uint32_t number : path) {
    if (!is_whole_message && parts[index].is_message) {
      if (++index >= parts.size()) return std::nullopt;
      is_whole_message = true;
    }
    if (parts[index].is_multipart) {
      const std::optional<std::size_t> child = child_of(parts, index, number);
      if (!child) return std::nullopt;
      index = *child;
    } else if (!is_whole_message || number != 1) {
      return std::nullopt;
    }
    is_whole_message = false;
  }
  return index;
}

}  // namespace posthus::mail
