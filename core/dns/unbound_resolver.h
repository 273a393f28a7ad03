// UnboundResolver: the resolver over libunbound, recursive or forwarding, validating. RFC 1034, 1035, 4033-4035, 6891.
// Nothing is started before the first question: an idle server pays nothing for it. When libunbound cannot start, every
// answer is kTemporary with the reason, and it is tried again a minute later.
// Thread rule: resolve() from any thread; answers come on this resolver's own thread, or from resolve() when it is full.
// Known limits: the root key is read once (no RFC 5011); a new one comes with its package and a restart.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/dns/resolver.h"

namespace posthus::dns {

struct UnboundOptions {
  std::vector<std::string> servers;  // "IP" or "IP@PORT": resolvers that are asked; empty: recursive from the root
  std::string trust_anchor;          // file with the root's key or DS; empty or not there: no validation
  /// Of one question, from when it is asked on the network. A dead name server is given up within it (RFC 5321 §4.5.4 has
  /// days: the caller asks again).
  std::chrono::milliseconds deadline{15'000};
  /// Different questions asked at a time: each costs some KiB while it lasts. Further ones wait their turn.
  std::size_t max_in_flight = 256;
  /// Callers that wait, for whatever: beyond, kTemporary at once.
  std::size_t max_waiting = 20'000;
};

class UnboundResolver final : public Resolver {
 public:
  explicit UnboundResolver(UnboundOptions options);
  /// REQUIRES: resolve() is not called any more.
  ~UnboundResolver() override;
  /// Ends what is in flight with kTemporary and returns when all is told; from now on every answer is kTemporary at once. Not
  /// from an AnswerDone.
  void stop();
  void resolve(std::string name, RecordType type, AnswerDone done) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The configuration libunbound gets, one text (several of its setters fail silently). Errors: kInvalid, a server or path
/// that cannot be written there.
Result<std::string> unbound_configuration(const UnboundOptions& options);

}  // namespace posthus::dns
