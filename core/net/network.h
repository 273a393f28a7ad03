// Network: every socket of the program. io threads (one event loop each), their listeners and connections, the pool of
// workers, periodic timers. Starts once, stops once, in order.
// Thread rule: one thread owns it (the main thread); workers() and timers() may be used from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "core/base/result.h"
#include "core/net/listener.h"
#include "core/net/outbound.h"
#include "core/net/timers.h"
#include "core/net/workers.h"

namespace posthus::net {

struct NetworkOptions {
  int io_threads = 0;  // 0: one per processor
  int workers = 0;     // 0: two more than processors, because workers wait for disks
};

class Network {
 public:
  explicit Network(NetworkOptions options = {});
  /// Stops without patience if stop() was not called.
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Binds at once, so that errors show before anything runs; accepts from start() on. Before or after start(); not after
  /// stop(). Returns the bound port (0 for a Unix socket).
  /// Errors: kExists when the port or path is in use, kDenied, kInvalid for a bad address.
  Result<std::uint16_t> add_listener(ListenerOptions options);

  /// Starts the io threads. Call once.
  void start();

  /// Opens a connection and runs a session on it, on one of the io threads. `done` is called there once, after the
  /// session's end or instead of it. Any thread, between start() and the end of stop(). See outbound.h.
  void connect(OutboundOptions options, session::SessionFactory make_session, OutboundDone done);

  /// Ordered: timers stop, listeners close, every session is told shutting_down() at its next client wait; connections
  /// that still talk after `drain` are cut. Runs and waits are let finish, however long they take. Then threads are joined.
  void stop(std::chrono::milliseconds drain);

  Workers& workers();
  Timers& timers();
  std::size_t open_connections() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace posthus::net
