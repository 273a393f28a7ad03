// Encoding and key of the last check of a domain's DNS, reading it, and what a new check makes of it. See dns_check_records.h.
// Thread rule: as the snapshot; the rest pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "store/dns_check_records.h"
#include "store/engine.h"

namespace posthus::store {

std::string encode_dns_check(const DnsCheckRecord& record);
Result<DnsCheckRecord> decode_dns_check(std::string_view bytes);
std::string dns_check_key(std::string_view domain);  // base of the long value in kDnsChecks

/// `domain`: normalised.
Result<std::optional<DnsCheckRecord>> read_dns_check(const Snapshot& snapshot, std::string_view domain);

/// The record after a check: a record whose state is another one now is a change. Nothing learned (kUnknown) changes nothing; a
/// record that was not looked for before, or is not any more, is no change.
DnsCheckRecord after_dns_check(DnsCheckRecord before, std::vector<DnsFinding> findings, Timestamp now);

}  // namespace posthus::store
