// Fields between semicolons: RFC 8461 §3.1, RFC 8460 §3.
#include "core/mailauth/tag_list.h"

#include <algorithm>

#include "core/base/ascii.h"

namespace posthus::mailauth {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && ascii::is_space_or_tab(text.front())) text.remove_prefix(1);
  while (!text.empty() && ascii::is_space_or_tab(text.back())) text.remove_suffix(1);
  return text;
}

// sts-ext-name = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / "."); tlsrpt-ext-name is the same
bool is_tag_name(std::string_view text) {
  const auto is_alphanumeric = [](char c) { return ascii::is_alpha(c) || ascii::is_digit(c); };
  return !text.empty() && text.size() <= 32 && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; });
}

// Values are printable US-ASCII. WHY: '=' and blanks are let through though the grammar has none: rua may list URIs with
// both, and each field that counts has its own check.
bool is_value(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::optional<Tags> parse_fields(std::string_view text) {
  Tags tags;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view field = trim(text.substr(0, end));
    const bool is_last = end == text.size();
    text.remove_prefix(is_last ? end : end + 1);
    if (field.empty() && trim(text).empty()) break;  // the delimiter at the end
    const std::size_t equals = field.find('=');
    const std::string_view name = field.substr(0, equals);
    if (equals == std::string_view::npos || !is_tag_name(name) || !is_value(field.substr(equals + 1))) return std::nullopt;
    if (tags.size() < kMaxTags) tags.emplace_back(name, field.substr(equals + 1));
  }
  return tags;
}

}  // namespace

std::optional<Tags> find_only_record(const std::vector<std::string>& texts, std::string_view version) {
  std::string_view found;
  for (const std::string_view text : texts) {
    if (!text.starts_with(version)) continue;
    const std::string_view rest = trim(text.substr(version.size()));
    if (!rest.starts_with(';')) continue;
    if (!found.empty()) return std::nullopt;
    found = rest;
  }
  if (found.empty()) return std::nullopt;
  return parse_fields(found.substr(1));
}

}  // namespace posthus::mailauth
