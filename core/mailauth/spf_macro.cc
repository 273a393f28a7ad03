// Macro expansion. RFC 7208 §7.1 (syntax), §7.3 (expansion), §7.4 (examples).
#include "core/mailauth/spf_macro.h"

#include <algorithm>
#include <vector>

#include "core/base/ascii.h"

namespace posthus::mailauth {
namespace {

constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxExpanded = 4096;  // before it is cut: macros of a name of 253 octets stay below
constexpr std::string_view kDelimiters = ".-+,/_=";

std::string dotted_nibbles(const IpAddress& address) {
  if (!address.is_v6) return to_string(address);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t octet : address.bytes) {
    if (!out.empty()) out.push_back('.');
    out.append({kHex[octet >> 4], '.', kHex[octet & 15]});
  }
  return out;
}

std::optional<std::string> letter_value(char letter, const SpfMacroValues& values) {
  const std::size_t at = values.sender.rfind('@');
  const bool has_at = at != std::string::npos;
  switch (ascii::to_lower(letter)) {
    case 's': return values.sender;
    case 'l': return has_at && at > 0 ? values.sender.substr(0, at) : std::string("postmaster");
    case 'o': return has_at ? values.sender.substr(at + 1) : values.sender;
    case 'd': return values.domain;
    case 'i': return dotted_nibbles(values.address);
    case 'p': return "unknown";
    case 'v': return values.address.is_v6 ? "ip6" : "in-addr";
    case 'h': return values.helo;
    default: return std::nullopt;
  }
}

std::string join_last(std::vector<std::string> parts, std::size_t keep) {
  std::string out;
  for (std::size_t i = keep == 0 || keep >= parts.size() ? 0 : parts.size() - keep; i < parts.size(); ++i) {
    if (!out.empty()) out.push_back('.');
    out += parts[i];
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool is_plain = ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
    const auto octet = static_cast<unsigned char>(c);
    if (is_plain) {
      out.push_back(c);
    } else {
      out.append({'%', kHex[octet >> 4], kHex[octet & 15]});
    }
  }
  return out;
}

// macro-letter transformers *delimiter (RFC 7208 §7.1), without the braces
std::optional<std::string> expand_macro(std::string_view macro, const SpfMacroValues& values) {
  if (macro.empty()) return std::nullopt;
  const char letter = macro.front();
  const auto value = letter_value(letter, values);
  macro.remove_prefix(1);
  std::size_t digits = 0, keep = 0;
  while (digits < macro.size() && ascii::is_digit(macro[digits])) ++digits;
  if (digits > 0) {
    const auto number = ascii::parse_decimal<std::uint8_t>(macro.substr(0, digits));
    if (!number || *number == 0) return std::nullopt;
    keep = *number;
    macro.remove_prefix(digits);
  }
  const bool is_reversed = !macro.empty() && ascii::to_lower(macro.front()) == 'r';
  if (is_reversed) macro.remove_prefix(1);
  if (!value || macro.find_first_not_of(kDelimiters) != std::string_view::npos) return std::nullopt;
  std::string out = *value;
  if (keep > 0 || is_reversed || !macro.empty()) {
    const std::string_view delimiters = macro.empty() ? std::string_view(".") : macro;
    std::vector<std::string> parts(1);
    for (const char c : *value) {
      if (delimiters.find(c) != std::string_view::npos) {
        parts.emplace_back();
      } else {
        parts.back().push_back(c);
      }
    }
    if (is_reversed) std::ranges::reverse(parts);
    out = join_last(std::move(parts), keep);
  }
  const bool is_upper = letter >= 'A' && letter <= 'Z';
  return is_upper ? percent_encoded(out) : out;
}

}  // namespace

std::optional<std::string> expand_spf_macros(std::string_view text, const SpfMacroValues& values) {
  std::string out;
  while (!text.empty() && out.size() <= kMaxExpanded) {
    if (text.front() != '%') {
      const std::size_t end = std::min(text.find('%'), text.size());
      out += text.substr(0, end);
      text.remove_prefix(end);
      continue;
    }
    const char next = text.size() > 1 ? text[1] : '\0';
    if (next == '%' || next == '_' || next == '-') {
      out += next == '%' ? "%" : next == '_' ? " " : "%20";
      text.remove_prefix(2);
      continue;
    }
    const std::size_t end = next == '{' ? text.find('}') : std::string_view::npos;
    const auto value = end == std::string_view::npos ? std::nullopt : expand_macro(text.substr(2, end - 2), values);
    if (!value) return std::nullopt;
    out += *value;
    text.remove_prefix(end + 1);
  }
  if (out.ends_with('.')) out.pop_back();
  while (out.size() > kMaxName) {
    const std::size_t dot = out.find('.');
    if (dot == std::string::npos) return std::nullopt;
    out.erase(0, dot + 1);
  }
  return out;
}

}  // namespace posthus::mailauth
