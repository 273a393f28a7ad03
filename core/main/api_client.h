// ApiClient: the admin API for the command line: through the socket of the running server, or, when none runs, in this
// process over the store itself. The same handlers answer either way.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/main/settings.h"
#include "store/store.h"
#include "web-admin/api.h"

namespace posthus::main {

// kOpenStore: a store that is there already. WHY: a mistyped --data must not answer from a store made empty on the spot.
enum class WithoutServer : std::uint8_t { kRefuse, kOpenStore, kMakeStore };

class ApiClient {
 public:
  /// Errors: kUnavailable when no server runs and `without` refuses; kNotFound when there is no store to open; else those of
  /// Store::open.
  static Result<std::unique_ptr<ApiClient>> open(const Settings& settings, WithoutServer without);

  /// `json` is the body; empty for none. Problem answers are responses like others.
  Result<web_admin::Response> call(std::string_view method, const std::string& target, std::string_view json = {});
  /// Posts the message on descriptor `fd`, of unknown length, to `target`.
  Result<web_admin::Response> post_message(const std::string& target, int fd);

 private:
  explicit ApiClient(const Settings& settings) : settings_(settings) {}
  Result<web_admin::Response> post_here(const std::string& target, int fd);

  Settings settings_;
  SystemClock clock_;
  std::unique_ptr<store::Store> store_;  // nullptr: the server has it
  std::unique_ptr<web_admin::Api> api_;
};

}  // namespace posthus::main
