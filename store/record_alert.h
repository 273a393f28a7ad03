// Encoding of alerts. Decoding arbitrary bytes gives an alert or kCorrupt. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/alert_records.h"

namespace posthus::store {

std::string encode_alert(const AlertRecord& alert);
Result<AlertRecord> decode_alert(std::string_view bytes);
std::string alert_key(std::uint64_t id);  // kAlerts

}  // namespace posthus::store
