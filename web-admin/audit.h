// What admins do, written down: who, from where, when, what, and what was different before and after. It looks at resources as
// GET shows them, which is never a secret, so that nothing secret gets in, and new routes are in without doing anything. Thread
// rule: one request.
#pragma once

#include <string>

#include "web-admin/routes.h"

namespace posthus::web_admin {

/// A signed-in person wanted what is not his: somebody else's domain, or what only server admins may. Written down, but not
/// often: whoever tries every name fills no log.
void note_refusal(const ServerContext& context, const Request& request, const Principal& principal, BrowserSessions& sessions,
                  int status);

class AuditedRequest {
 public:
  /// Before the handler runs. Does nothing for requests that change nothing, and for what users do to their own accounts
  /// (addresses of their own are written down).
  AuditedRequest(const Call& call, const Route& route);
  /// After it.
  void write(const Response& response) const;

 private:
  std::string look(const std::vector<std::string>& segments) const;
  std::string resource() const;
  std::string made(const Response& response) const;

  const Call& call_;
  const Route& route_;
  bool is_audited_;
  std::string before_;  // the resource as GET shows it; empty: none
};

}  // namespace posthus::web_admin
