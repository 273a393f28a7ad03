// Escaping. See xml_text.h.
#include "web-admin/xml_text.h"

#include <cstdint>

namespace posthus::web_admin {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// How many bytes the character at the front of `text` has; 0: none that is well-formed (RFC 3629 §4) and allowed in XML.
std::size_t character_length(std::string_view text) {
  const auto octet = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0; };
  const auto follows = [&](std::size_t i) { return (octet(i) & 0xC0) == 0x80; };
  const int first = octet(0), second = octet(1);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : (first == '\t' || first == '\n' || first == '\r') ? 1 : 0;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool is_long_or_half = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F);
    const bool is_no_character = first == 0xEF && second == 0xBF && octet(2) >= 0xBE;
    return follows(1) && follows(2) && !is_long_or_half && !is_no_character ? 3 : 0;
  }
  if (first < 0xF0 || first > 0xF4) return 0;
  const bool is_out = (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return follows(1) && follows(2) && follows(3) && !is_out ? 4 : 0;
}

std::string_view reference(char c) {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return {};
  }
}

}  // namespace

std::string xml_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const std::string_view escaped = length == 1 ? reference(text.front()) : std::string_view{};
    out += length == 0 ? kReplacement : !escaped.empty() ? escaped : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace posthus::web_admin
