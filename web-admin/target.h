// The request target taken apart: path segments and query parameters, percent-decoded (RFC 3986 §2.1, §3.3, §3.4).
// Thread rule: plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace posthus::web_admin {

struct Target {
  std::vector<std::string> segments;  // of "/a/b": {"a", "b"}; of "/": none. Decoded after splitting, so "%2F" stays inside
  std::vector<std::pair<std::string, std::string>> parameters;  // in order; '+' means space (HTML forms)

  const std::string* parameter(std::string_view name) const;
};

/// Errors: kInvalid for broken percent-encoding, NUL, a repeated parameter or an empty segment.
Result<Target> parse_target(std::string_view origin_form);

/// Encodes one path segment or query value: everything but unreserved characters and '@'.
std::string percent_encode(std::string_view text);

}  // namespace posthus::web_admin
