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
  std::string content_type;                               // without parameters, lower case; empty: none
  std::string location, retry_after, replay_nonce, date;  // values of the fields; empty: none
  std::string body;
};
inline constexpr std::size_t kMaxResponseHead = 16 * 1024;  // status line and fields

/// A response to HEAD has the length of a body, and none (RFC 9110 §9.3.2).
enum class BodyRule : std::uint8_t { kAsSaid, kNone };

/// Is `bytes` a whole response already, so that nothing need be waited for? False also when that cannot be told.
bool is_complete_response(std::string_view bytes, BodyRule rule = BodyRule::kAsSaid);
/// `bytes`: all that came before the end. Errors: kInvalid (no response, or cut off), kTooLarge (body above `limit`).
Result<HttpResponse> parse_response(std::string_view bytes, std::size_t limit, BodyRule rule = BodyRule::kAsSaid);

}  // namespace posthus::main
