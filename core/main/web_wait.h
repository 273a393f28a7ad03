// One request to somebody else that a worker waits for. Thread rule: workers; blocks until the answer, the deadline or the stop.
#pragma once

#include <chrono>
#include <stop_token>

#include "core/base/result.h"
#include "core/main/http_response.h"
#include "core/main/web_client.h"

namespace posthus::main {

/// Errors: those of WebClient::call; kUnavailable when it did not come within `patience`, or the server stops.
Result<HttpResponse> call_and_wait(WebClient& client, WebCall call, std::chrono::milliseconds patience,
                                   const std::stop_token& stop);

}  // namespace posthus::main
