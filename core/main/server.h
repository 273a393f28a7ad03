// Server: everything wired together: store, authenticator, the contexts of the protocols, listeners, periodic work.
// Thread rule: one thread makes, runs and destroys it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/main/settings.h"

namespace posthus::main {

class Server {
 public:
  /// What the server asks of the process; from any thread, must not block.
  struct Requests {
    std::function<void()> end;      // once, when the store cannot go on: stop and end the process
    std::function<void()> restart;  // the set-up has given us another name: stop and start again
  };
  /// Opens the store, binds every listener and begins to serve. `set_up_token`: what whoever sets the server up must show, if it
  /// is not set up yet. `configuration`: the settings as people read them, for the support bundle. The clock must outlive the
  /// server.
  static Result<std::unique_ptr<Server>> start(Settings settings, const Clock& clock, Requests requests, Secret set_up_token,
                                               std::string configuration);
  /// Stops if stop() was not called.
  ~Server();

  const std::string& hostname() const;

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
