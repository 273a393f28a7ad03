// Run-time settings as those who use them want them: the value of a domain, else of all, else the default.
// Thread rule: as the snapshot.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "store/engine.h"

namespace posthus::web_admin {

/// REQUIRES: there is such a setting (store/run_time_settings.cc). `domain`: normalised, or empty.
Result<std::string> setting_value(const store::Snapshot& snapshot, std::string_view name, std::string_view domain = {});
Result<std::uint64_t> setting_number(const store::Snapshot& snapshot, std::string_view name, std::string_view domain = {});
/// Of a list with commas.
Result<std::vector<std::string>> setting_items(const store::Snapshot& snapshot, std::string_view name,
                                               std::string_view domain = {});

}  // namespace posthus::web_admin
