// The first start as the process sees it: where to set the server up, and the set-up that the settings describe (setup.*), which
// goes the way of /api/v1/setup like anybody's. Thread rule: the thread that starts the server.
#pragma once

#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/main/settings.h"
#include "store/store.h"
#include "web-admin/api.h"

namespace posthus::main {

/// The name that the set-up was told, when the settings name none. Errors: those of the store.
Result<> take_chosen_hostname(Settings& settings, store::Store& store);

/// Does what setup.* say, as far as they go; ends the set-up when an admin is among it. Doing it again changes nothing that is as
/// they say. Errors: with the name of the setting that could not be followed.
Result<> set_up_by_settings(const Settings& settings, web_admin::Api& api);

/// Tells whoever reads the log, or looks at the terminal, where the server is set up.
void announce_set_up(const Settings& settings, const Secret& token);

}  // namespace posthus::main
