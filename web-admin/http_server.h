// HttpServer: cpp-httplib as formatter of answers. It never owns a socket and never sees what a client wrote: the gate
// has checked the request and hands over a head rebuilt from what it understood. httplib.h is included in
// http_server.cc only. Thread rule: any thread; respond() runs on workers.
#pragma once

#include <memory>
#include <string>

#include "web-admin/request.h"

namespace posthus::web_admin {

class Api;

enum class Connection : bool { kClose, kKeepAlive };

class HttpServer {
 public:
  explicit HttpServer(Api& api);
  ~HttpServer();

  Api& api() { return api_; }

  /// Runs the request through the API and appends the whole HTTP response to `output`.
  void respond(const Request& request, Connection connection, std::string& output);

 private:
  struct State;
  Api& api_;
  std::unique_ptr<State> state_;
};

/// Appends a response without httplib: for refusals of the gate itself, after which the connection closes.
void append_refusal(const Response& response, std::string& output);

}  // namespace posthus::web_admin
