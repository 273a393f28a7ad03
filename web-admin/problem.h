// Refusals as RFC 9457 problem details, and the one table from ErrorKind to HTTP status.
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "web-admin/request.h"

namespace posthus::web_admin {

/// The reason phrase of a status we send (RFC 9110 §15).
std::string_view reason_phrase(int status);
/// ARCHITECTURE.md, "Errors": the HTTP column.
int status_of(ErrorKind kind);

/// application/problem+json with type, title, status and detail. `type` is "about:blank": the status says it all.
/// `code`: what programs know the refusal by, so that the panel says it in its own language; empty: the status says it all.
Response problem(int status, std::string_view detail, std::string_view code = {});
/// The same for a failed Result. The context of kIo and kCorrupt goes to the log, not to the client.
Response problem(const Error& error);

/// 404 to who asks for what belongs to a browser's session and has none.
Response no_session();

}  // namespace posthus::web_admin
