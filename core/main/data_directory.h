// What lies where in the data directory.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/main/settings.h"
#include "store/store.h"

namespace posthus::main {

/// The store itself is in <data>/index, <data>/segments and <data>/spool.
inline std::string socket_path(const Settings& settings) { return settings.data + "/admin.sock"; }
inline std::string process_id_path(const Settings& settings) { return settings.data + "/posthus.pid"; }
inline std::string tls_directory(const Settings& settings) { return settings.data + "/tls"; }

/// Whether a server or `domain add` has ever made a store there.
bool has_store(const Settings& settings);

/// Makes the directory, readable by its owner only, if it is not there. Errors: kDenied when it cannot be written, with what to
/// do.
Result<> make_data_directory(const Settings& settings);

store::StoreOptions store_options(const Settings& settings);

}  // namespace posthus::main
