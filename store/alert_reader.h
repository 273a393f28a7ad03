// Reads all alerts in one snapshot: kMaxAlerts at most. Thread rule: as the snapshot.
#pragma once

#include <vector>

#include "core/base/result.h"
#include "store/alert_records.h"
#include "store/engine.h"

namespace posthus::store {

/// Oldest first. Rows that cannot be read are passed over: `check` tells.
Result<std::vector<AlertRecord>> read_alerts(const Snapshot& snapshot);

}  // namespace posthus::store
