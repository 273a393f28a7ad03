// Looking after a store: consistency check, rebuild of the index from segments, backup, reclaiming space.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/function_ref.h"
#include "core/base/result.h"
#include "store/store.h"

namespace posthus::store {

struct Finding {
  std::string where;  // "mailbox 12 uid 7"
  std::string what;   // "blob 99 is missing"
};
struct CheckReport {
  std::uint64_t domains = 0, users = 0, mailboxes = 0, messages = 0, blobs = 0, bytes = 0;
  std::uint64_t queued_messages = 0, queued_recipients = 0;  // of mail that waits for other servers
  std::vector<Finding> findings;  // empty: consistent. Capped at kMaxFindings, `findings_total` counts on.
  std::uint64_t findings_total = 0;
};
inline constexpr std::size_t kMaxFindings = 1000;

enum class Depth : bool { kIndex, kBytes };  // kBytes also reads every message and compares its checksum

/// Whole-store consistency in one snapshot; never stops at the first bad record.
Result<CheckReport> check(const Store& store, Depth depth);

/// Builds a new index from the segments (and the directory, the queue and the trace of the old index, as far as they can be
/// read); the old index is kept beside it as index.damaged-<time>. REQUIRES: nobody has the store open. Returns how many messages
/// were found.
Result<std::uint64_t> rebuild_index(const StoreOptions& options, const Clock& clock);

/// A consistent copy into `directory` (which must be empty or hold an older backup of this store: then only new
/// segments are copied), while the store works on. The copy is checked before it is reported as good.
Result<CheckReport> backup(const Store& store, const std::string& directory);

/// One round of reclaiming: punches holes for or copies away what is dead, where it pays. Returns bytes given back.
/// The server calls it from a timer on a worker.
Result<std::uint64_t> reclaim(Store& store);
/// Finishes removals of users that were cut short, removes segments long put aside, old tombstones, old
/// traces, and POP3-expired messages of accounts with retention. The server calls it at start and each hour, on a worker.
Result<> expire(Store& store, Timestamp now);

}  // namespace posthus::store
