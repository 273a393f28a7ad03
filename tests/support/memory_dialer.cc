// See memory_dialer.h.
#include "tests/support/memory_dialer.h"

#include <algorithm>
#include <utility>

namespace posthus::testing {

MemoryDialer::~MemoryDialer() {
  for (const auto& connection : stuck_) end(*connection);
}

void MemoryDialer::set_host(const std::string& address, std::uint16_t port, MemoryHost host) {
  hosts_[{address, port}] = std::move(host);
}

void MemoryDialer::dial(session::DialOptions options, session::SessionFactory make_session, session::DialDone done) {
  const std::lock_guard lock(mutex_);
  dialled_.push_back(options);
  calls_.push_back({std::move(options), std::move(make_session), std::move(done)});
}

std::size_t MemoryDialer::waiting_dials() const {
  const std::lock_guard lock(mutex_);
  return calls_.size();
}

std::vector<session::DialOptions> MemoryDialer::dialled() const {
  const std::lock_guard lock(mutex_);
  return dialled_;
}

std::size_t MemoryDialer::run() {
  std::size_t ended = 0;
  while (true) {
    while (wake_one(ended)) {
    }
    std::unique_lock lock(mutex_);
    if (calls_.empty()) return ended;
    Call call = std::move(calls_.front());
    calls_.pop_front();
    lock.unlock();
    if (perform(std::move(call))) ++ended;
  }
}

bool MemoryDialer::has_wakes() const {
  return std::ranges::any_of(stuck_, [](const auto& connection) { return connection->client.has_wake(); });
}

bool MemoryDialer::wake_one(std::size_t& ended) {
  const auto woken = std::ranges::find_if(stuck_, [](const auto& connection) { return connection->client.has_wake(); });
  if (woken == stuck_.end()) return false;
  std::unique_ptr<Connection> connection = std::move(*woken);
  stuck_.erase(woken);
  connection->client.deliver_wake();
  converse(*connection);
  if (!connection->client.is_closed()) {
    stuck_.push_back(std::move(connection));
    return true;
  }
  end(*connection);
  ++ended;
  return true;
}

void MemoryDialer::close_all() {
  const std::list<std::unique_ptr<Connection>> open = std::exchange(stuck_, {});
  for (const auto& connection : open) end(*connection);
}

bool MemoryDialer::perform(Call call) {
  const auto found = hosts_.find({call.options.address, call.options.port});
  const std::string failure = found == hosts_.end() ? "Connection refused" : found->second.connect_failure;
  if (!failure.empty()) {
    call.done(failure);
    return true;
  }
  auto connection = std::make_unique<Connection>();
  connection->host = found->second;
  connection->done = std::move(call.done);
  const MemoryHost& host = connection->host;
  session::ConnectionFacts facts{call.options.address, call.options.port, "127.0.0.1", 40'000};
  session::ConnectionFacts opposite{facts.local_address, facts.local_port, facts.remote_address, facts.remote_port};
  const Tls tls = call.options.tls == session::DialTls::kImplicit ? Tls::kImplicit : Tls::kNo;

  session::TlsFacts tls_facts = LoopbackDriver::tls_facts();
  tls_facts.is_peer_verified = host.is_verified;
  if (!host.is_verified) tls_facts.peer_error = "self-signed certificate";
  connection->client.set_tls_facts(tls_facts);
  // A certificate that does not hold is a failed handshake where one is asked for.
  const bool must_hold = call.options.verification.kind != session::PeerVerification::Kind::kNone;
  connection->client.set_tls_failure(must_hold && !host.is_verified ? "self-signed certificate" : host.tls_failure);

  connection->client.open(call.make_session(facts, connection->client.waker()), tls);
  if (host.make_session) {
    connection->server.open(host.make_session(opposite, connection->server.waker()), tls);
  }
  converse(*connection);
  if (!connection->client.is_closed()) {
    stuck_.push_back(std::move(connection));
    return false;
  }
  end(*connection);
  return true;
}

// Lets the client hear what the host has said; false when there was nothing.
bool MemoryDialer::hear(Connection& connection) {
  const MemoryHost& host = connection.host;
  std::string said = host.make_session ? connection.server.take_output() : std::exchange(connection.host.script, {});
  if (host.is_silent) said.clear();
  const std::size_t most = host.close_after - std::min(host.close_after, connection.heard);
  said.resize(std::min(said.size(), most));
  connection.heard += said.size();
  connection.client.send(said);
  const bool is_at_end = connection.heard >= host.close_after || (host.make_session && connection.server.is_closed());
  if (is_at_end && !connection.client.is_closed()) connection.client.close_by_peer();
  return !said.empty();
}

void MemoryDialer::converse(Connection& connection) {
  while (true) {
    const std::string asked = connection.client.take_output();
    if (connection.host.make_session && !connection.server.is_closed()) connection.server.send(asked);
    const bool has_heard = !connection.client.is_closed() && hear(connection);
    if (connection.client.is_closed() || (!has_heard && connection.client.output().empty())) break;
  }
  // What a client says last (QUIT) is still heard.
  if (connection.host.make_session && !connection.server.is_closed()) connection.server.send(connection.client.take_output());
}

void MemoryDialer::end(Connection& connection) {
  connection.client.close_by_peer();
  connection.done({});
}

std::size_t MemoryDialer::time_out() {
  std::list<std::unique_ptr<Connection>> stuck = std::move(stuck_);
  stuck_.clear();
  for (const auto& connection : stuck) {
    connection->client.time_out();
    end(*connection);
  }
  return stuck.size();
}

}  // namespace posthus::testing
