// MemoryDialer: connections between sessions of ours without sockets, for tests of delivery. Hosts are registered by address
// and port; dial() queues, run() performs. Everything happens in run(), on the thread that calls it, one connection after
// the other: tests are the same every time.
// Thread rule: dial() from any thread, everything else from one.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/session/dialer.h"
#include "tests/support/loopback_driver.h"

namespace posthus::testing {

/// A host as those see it who connect to it.
struct MemoryHost {
  session::SessionFactory make_session;         // the server's; empty: `script` speaks
  std::string script;                           // all a host without a session says, at once
  std::string connect_failure;                  // not empty: no connection comes about, and why
  std::string tls_failure;                      // not empty: handshakes fail, and why
  bool is_verified = true;                      // its certificate holds (TlsFacts::is_peer_verified)
  std::size_t close_after = std::string::npos;  // bytes from the host, then it closes
  bool is_silent = false;                       // it accepts the connection and says nothing
};

class MemoryDialer final : public session::Dialer {
 public:
  ~MemoryDialer() override;

  /// Takes the place of what was there.
  void set_host(const std::string& address, std::uint16_t port, MemoryHost host);
  void dial(session::DialOptions options, session::SessionFactory make_session, session::DialDone done) override;

  /// Performs what was dialled, and what that leads to, until nothing moves any more. Returns how many connections ended.
  /// An address without a host is refused.
  std::size_t run();
  /// The time-outs of all connections that are stuck (the host says nothing) pass. Returns how many there were.
  std::size_t time_out();
  std::size_t open_connections() const { return stuck_.size(); }
  std::size_t waiting_dials() const;
  /// Whether a connection that idles was woken; run() sees to it.
  bool has_wakes() const;
  /// The host ends all connections that are open.
  void close_all();
  /// Every dial so far, in order.
  std::vector<session::DialOptions> dialled() const;

 private:
  struct Call {
    session::DialOptions options;
    session::SessionFactory make_session;
    session::DialDone done;
  };
  struct Connection {
    LoopbackDriver client, server;
    MemoryHost host;
    session::DialDone done;
    std::size_t heard = 0;  // bytes from the host so far
  };

  bool perform(Call call);
  /// Lets the next one that was woken go on.
  bool wake_one(std::size_t& ended);
  static void converse(Connection& connection);
  static bool hear(Connection& connection);
  static void end(Connection& connection);

  mutable std::mutex mutex_;
  std::list<Call> calls_;
  std::vector<session::DialOptions> dialled_;
  std::map<std::pair<std::string, std::uint16_t>, MemoryHost> hosts_;
  std::list<std::unique_ptr<Connection>> stuck_;
};

}  // namespace posthus::testing
