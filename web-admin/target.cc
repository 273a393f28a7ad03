// Request targets. RFC 3986 §2.1 (percent-encoding), §3.3 (path), §3.4 (query).
#include "web-admin/target.h"

#include "core/base/ascii.h"

namespace posthus::web_admin {
namespace {

int hex_digit(char c) {
  if (ascii::is_digit(c)) return c - '0';
  const char lower = ascii::to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

enum class Plus : bool { kLiteral, kSpace };

// pct-encoded = "%" HEXDIG HEXDIG (RFC 3986 §2.1)
Result<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus == Plus::kSpace) c = ' ';
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = high < 0 ? -1 : hex_digit(text[i + 2]);
      if (low < 0) return fail(ErrorKind::kInvalid, "broken percent-encoding in the request target");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return fail(ErrorKind::kInvalid, "NUL in the request target");
    out.push_back(c);
  }
  return out;
}

Result<> parse_query(std::string_view query, Target& target) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    std::string name = POSTHUS_TRY(percent_decode(pair.substr(0, equals), Plus::kSpace));
    std::string value;
    if (equals != std::string_view::npos) value = POSTHUS_TRY(percent_decode(pair.substr(equals + 1), Plus::kSpace));
    if (target.parameter(name)) return fail(ErrorKind::kInvalid, "parameter '" + name + "' is given twice");
    if (target.parameters.size() >= 16) return fail(ErrorKind::kInvalid, "too many parameters");
    target.parameters.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

}  // namespace

const std::string* Target::parameter(std::string_view name) const {
  for (const auto& [known, value] : parameters) {
    if (known == name) return &value;
  }
  return nullptr;
}

Result<Target> parse_target(std::string_view text) {
  Target target;
  const std::size_t question = text.find('?');
  std::string_view path = text.substr(0, question);
  if (!path.starts_with('/')) return fail(ErrorKind::kInvalid, "the request target must begin with '/'");
  path.remove_prefix(1);
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    std::string segment = POSTHUS_TRY(percent_decode(path.substr(0, slash), Plus::kLiteral));
    if (segment.empty() || slash == path.size() - 1) return fail(ErrorKind::kInvalid, "empty segment in the path");
    target.segments.push_back(std::move(segment));
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  if (question != std::string_view::npos) POSTHUS_TRY_VOID(parse_query(text.substr(question + 1), target));
  return target;
}

std::string percent_encode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~' || c == '@') {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

}  // namespace posthus::web_admin
