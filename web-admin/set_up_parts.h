// What the files of /api/v1/setup share. Thread rule: workers only.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "web-admin/routes.h"

namespace posthus::web_admin {

/// Calls the handler of another route of ours with who called `call`. REQUIRES: there is such a route; whoever may call `call`
/// may do this.
Response relay(const Call& call, std::string_view method, const std::string& target, std::string_view body);

/// Errors: kExists when the server is set up, kUnavailable in a process that serves nobody.
Result<> check_open(const Call& call);

/// What a step noted (first_start_keys); empty: nothing.
Result<std::string> note(const Call& call, std::string_view key);
Result<> put_note(const Call& call, std::string_view key, const std::string& value);

/// The domain that the set-up is about; empty: none yet.
Result<std::string> first_domain(const Call& call);

/// GET /api/v1/setup. To strangers: whether the server is set up, nothing else.
Result<Response> set_up_state(const Call& call);

}  // namespace posthus::web_admin
