// Encodings of outgoing mail's records: queue entry, queued recipient, route, DKIM key. Each begins with a version byte;
// decoding arbitrary bytes gives a record or kCorrupt. What the key says (queue id, recipient number) is not repeated.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/queue_records.h"

namespace posthus::store {

std::string encode_queue_entry(const QueueEntry& entry);
Result<QueueEntry> decode_queue_entry(std::string_view bytes);  // without its id

std::string encode_queued_recipient(const QueuedRecipient& recipient);
Result<QueuedRecipient> decode_queued_recipient(std::string_view bytes);  // without its number

std::string encode_route_record(const RouteRecord& route);
Result<RouteRecord> decode_route_record(std::string_view bytes);

std::string encode_dkim_key_record(const DkimKeyRecord& key);
Result<DkimKeyRecord> decode_dkim_key_record(std::string_view bytes);

}  // namespace posthus::store
