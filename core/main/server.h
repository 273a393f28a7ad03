// Server: everything wired together: store, authenticator, the contexts of the protocols, listeners, periodic work.
// Thread rule: one thread makes, runs and destroys it.
#pragma once

#include <functional>
#include <memory>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/main/settings.h"

namespace posthus::main {

class Server {
 public:
  /// Opens the store, binds every listener and begins to serve. `on_fatal` is called once, from any thread, when the
  /// store cannot go on: stop and end the process. The clock must outlive the server.
  static Result<std::unique_ptr<Server>> start(Settings settings, const Clock& clock, std::function<void()> on_fatal);
  /// Stops if stop() was not called.
  ~Server();

  /// Reads the certificate again; connections made from now on get it. After an error nothing has changed.
  Result<> reload_certificate();

  /// Ordered: no new connections, farewell to those there are, what has begun is finished, the store is closed.
  void stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace posthus::main
