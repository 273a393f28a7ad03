// An HTTP/1.x response read whole from a connection that was asked to close (RFC 9112). Bounded; hostile input.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace posthus::main {

struct HttpResponse {
  std::uint16_t status = 0;
  std::string content_type;  // without parameters, lower case; empty: none
  std::string body;
};
inline constexpr std::size_t kMaxResponseHead = 16 * 1024;  // status line and fields

/// Is `bytes` a whole response already, so that nothing need be waited for? False also when that cannot be told.
bool is_complete_response(std::string_view bytes);
/// `bytes`: all that came before the end. Errors: kInvalid (no response, or cut off), kTooLarge (body above `limit`).
Result<HttpResponse> parse_response(std::string_view bytes, std::size_t limit);

}  // namespace posthus::main
