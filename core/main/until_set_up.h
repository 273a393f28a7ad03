// What a mail listener says while the server is not set up: one line, then the connection ends. RFC 5321 §3.1 (421), RFC 3206 §4,
// RFC 9051 §7.1.5 (BYE). Thread rule: any thread.
#pragma once

#include <string>

#include "core/session/session.h"
#include "web-admin/first_start.h"

namespace posthus::main {

/// Sessions of `make_session` once the server is set up; until then those that only say `farewell`. `first_start` outlives it.
session::SessionFactory until_set_up(const web_admin::FirstStart& first_start, std::string farewell,
                                     session::SessionFactory make_session);

}  // namespace posthus::main
