// The gate: a Session that frames one HTTP/1.1 request at a time with hard limits, then has it answered on a worker.
// RFC 9112. Nothing reaches a handler before head, length and credentials have been checked; the time a request may take
// counts from its first byte, however its bytes trickle.
// Known limits: no chunked request bodies (411), no upgrade, requests of one connection are answered one after another.
#pragma once

#include <chrono>
#include <memory>

#include "core/base/clock.h"
#include "core/session/session.h"
#include "web-admin/forwarded.h"
#include "web-admin/http_server.h"

namespace posthus::web_admin {

/// What sessions need; must outlive them.
struct GateContext {
  HttpServer& http;
  const Clock& clock;
  TrustedProxies proxies = {};
};

// Timeouts; RFC 9110 §15.5.9 leaves them to the server.
inline constexpr std::chrono::seconds kIdleTimeout{60};     // between requests: a browser's polls come every few seconds
inline constexpr std::chrono::seconds kRequestTimeout{30};  // head and JSON body, from the first byte
inline constexpr std::chrono::seconds kUploadTimeout{600};  // head and message: 50 MiB over a slow line
inline constexpr int kMaxRequestsPerConnection = 1000;      // nobody holds one connection for ever

std::unique_ptr<session::Session> make_server_session(const GateContext& context, const session::ConnectionFacts& facts,
                                                      session::Waker waker);

}  // namespace posthus::web_admin
