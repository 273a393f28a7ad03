// Waiting for an answer. See web_wait.h.
#include "core/main/web_wait.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace posthus::main {

Result<HttpResponse> call_and_wait(WebClient& client, WebCall call, std::chrono::milliseconds patience,
                                   const std::stop_token& stop) {
  struct Place {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::optional<Result<HttpResponse>> answer;
  };
  // WHY shared: the answer may come when nobody waits any more.
  const auto place = std::make_shared<Place>();
  client.call(std::move(call), [place](Result<HttpResponse> response) {
    const std::lock_guard lock(place->mutex);
    place->answer = std::move(response);
    place->changed.notify_all();
  });
  std::unique_lock lock(place->mutex);
  place->changed.wait_for(lock, stop, patience, [&] { return place->answer.has_value(); });
  if (place->answer) return std::move(*place->answer);
  return fail(ErrorKind::kUnavailable, "no answer in time");
}

}  // namespace posthus::main
