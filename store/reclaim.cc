// Reclaiming: gives back the room of message texts that nothing names any more. Per sealed segment: nothing live, the
// file goes; less than half live, the live texts move to the open segment (and the file goes in a later round); else
// holes are punched for large dead texts. Bytes are touched only when no living snapshot is older than the moment they
// were seen to be dead.
#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "store/key.h"
#include "store/maintenance.h"
#include "store/rows.h"
#include "store/segment_walk.h"
#include "store/store_state.h"

namespace posthus::store {
namespace {

constexpr std::uint64_t kMoveBatch = 4 * 1024 * 1024;  // bytes moved in one commit: a delivery waits no longer for it
constexpr std::uint64_t kBlock = 4096;                 // what file systems punch in
constexpr std::uint64_t kSmallestHole = 16 * 1024;     // smaller ones cost an extent each and give little
constexpr std::uint64_t kWorthPunching = 1024 * 1024;  // dead bytes on disk before a segment is looked at

struct Survey {
  std::vector<WalkedRecord> live, dead;
};

/// Which records of the segment the index names now. kCorrupt when the segment does not walk to its end: then hands off.
Result<Survey> survey(const Snapshot& snapshot, const FileSegments& files, std::uint32_t segment, std::uint64_t written) {
  Survey out;
  Result<> looked_up;
  const auto walked =
      walk_segment(files.path_of(segment), files.store_uuid(), written, WalkRule::kStrict, [&](const WalkedRecord& record) {
        const auto blob = get_blob(snapshot, record.head.blob);
        if (!blob) {
          looked_up = std::unexpected(blob.error());
          return Visit::kStop;
        }
        const bool is_live = *blob && (*blob)->segment == segment && (*blob)->offset == record.text_offset;
        (is_live ? out.live : out.dead).push_back(record);
        return Visit::kContinue;
      });
  if (!walked) return std::unexpected(walked.error());
  if (!looked_up) return std::unexpected(looked_up.error());
  return out;
}

class Reclaimer {
 public:
  explicit Reclaimer(Store::State& state) : state_(state), files_(*state.files) {}

  Result<std::uint64_t> round();

 private:
  Result<> look_at(std::uint32_t segment, const SegmentRecord& record);
  bool is_past(std::uint64_t commit) const { return state_.engine->statistics().oldest_snapshot >= commit; }
  Result<> remove_file(std::uint32_t segment);
  Result<> move_away(std::uint32_t segment, const std::vector<WalkedRecord>& live);
  Result<> move_batch(std::uint32_t segment, const std::vector<WalkedRecord>& batch);
  Result<> punch(std::uint32_t segment, const SegmentRecord& record, const std::vector<WalkedRecord>& dead);

  Store::State& state_;
  FileSegments& files_;
  std::uint64_t given_back_ = 0;
};

Result<std::uint64_t> Reclaimer::round() {
  std::map<std::uint32_t, SegmentRecord> rows;
  {
    const auto snapshot = POSTHUS_TRY(state_.engine->snapshot());
    POSTHUS_TRY_VOID(snapshot->scan(Table::kSegments, "", "", [&rows](std::string_view key, std::string_view value) {
      const auto record = decode_segment_record(value);
      if (record && record->is_sealed) rows[ByteReader(key).u32()] = *record;
      return Visit::kContinue;
    }));
  }
  for (const auto& [segment, record] : rows) {
    if (state_.is_closing) break;
    // One segment that cannot be reclaimed does not keep the others.
    if (const Result<> done = look_at(segment, record); !done) {
      log::warning("store.reclaim", {{"segment", segment}, {"error", done.error().context}});
    }
  }
  static metrics::Counter& reclaimed =
      metrics::counter("posthus_store_reclaimed_bytes_total", "Bytes of dead messages given back");
  reclaimed.add(given_back_);
  return given_back_;
}

Result<> Reclaimer::look_at(std::uint32_t segment, const SegmentRecord& record) {
  const std::uint64_t on_disk = POSTHUS_TRY(files_.allocated_bytes(segment));
  const bool is_mostly_dead = record.live * 2 < record.written;
  const auto punched = state_.punched_at.find(segment);
  const bool is_worth_punching =
      on_disk > record.live + kWorthPunching && (punched == state_.punched_at.end() || punched->second != record.live);
  if (!is_mostly_dead && !is_worth_punching) return {};
  // What this snapshot shows as dead may still be named by snapshots of earlier commits, never by later ones.
  Survey found;
  std::uint64_t seen_at = 0;
  {
    const auto snapshot = POSTHUS_TRY(state_.engine->snapshot());
    snapshot->begin_walk();
    seen_at = state_.engine->statistics().last_commit;
    found = POSTHUS_TRY(survey(*snapshot, files_, segment, record.written));
  }
  if (is_mostly_dead && !found.live.empty()) return move_away(segment, found.live);
  if (!is_past(seen_at)) return {};  // next round
  return found.live.empty() ? remove_file(segment) : punch(segment, record, found.dead);
}

/// Nothing names a text in it, in any living snapshot: a dead text never comes back to life.
Result<> Reclaimer::remove_file(std::uint32_t segment) {
  const std::uint64_t on_disk = POSTHUS_TRY(files_.allocated_bytes(segment));
  POSTHUS_TRY_VOID(state_.writer->maintain(
      [segment](MaintenanceContext& context) { return context.transaction.erase(Table::kSegments, segment_key(segment)); }));
  POSTHUS_TRY_VOID(files_.remove(segment));
  state_.punched_at.erase(segment);
  given_back_ += on_disk;
  return {};
}

Result<> Reclaimer::move_away(std::uint32_t segment, const std::vector<WalkedRecord>& live) {
  std::vector<WalkedRecord> batch;
  std::uint64_t bytes = 0;
  for (const WalkedRecord& record : live) {
    if (!batch.empty() && bytes + record.head.text_length > kMoveBatch) {
      POSTHUS_TRY_VOID(move_batch(segment, batch));
      batch.clear();
      bytes = 0;
    }
    batch.push_back(record);
    bytes += record.head.text_length;
  }
  return batch.empty() ? Result<>() : move_batch(segment, batch);
}

Result<> Reclaimer::move_batch(std::uint32_t segment, const std::vector<WalkedRecord>& batch) {
  std::vector<std::string> texts, origins;
  for (const WalkedRecord& record : batch) {
    const RecordHead& head = record.head;
    texts.push_back(POSTHUS_TRY(read_range(files_.path_of(segment), record.text_offset, head.text_length)));
    origins.push_back(
        POSTHUS_TRY(read_range(files_.path_of(segment), record.text_offset + head.text_length, head.origin_length)));
    if (crc32c(texts.back()) != head.text_checksum)
      return fail(ErrorKind::kCorrupt, "blob " + std::to_string(head.blob.value) + " is damaged");
  }
  return state_.writer->maintain([&](MaintenanceContext& context) -> Result<> {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const RecordHead& head = batch[i].head;
      auto blob = POSTHUS_TRY(get_blob(context.transaction, head.blob));
      if (!blob || blob->segment != segment || blob->offset != batch[i].text_offset) continue;  // gone meanwhile
      context.released.push_back(*blob);
      const BlobPlacement placement = context.segments.place({.blob = head.blob,
                                                              .internal_date = head.internal_date,
                                                              .length = head.text_length,
                                                              .checksum = head.text_checksum,
                                                              .text = texts[i],
                                                              .spool_path = {},
                                                              .origin = origins[i]});
      blob->segment = placement.segment;
      blob->offset = placement.offset;
      POSTHUS_TRY_VOID(context.transaction.put(Table::kBlobs, blob_key(head.blob), encode_blob_record(*blob)));
    }
    return {};
  });
}

Result<> Reclaimer::punch(std::uint32_t segment, const SegmentRecord& record, const std::vector<WalkedRecord>& dead) {
  const std::uint64_t before = POSTHUS_TRY(files_.allocated_bytes(segment));
  for (const WalkedRecord& gone : dead) {
    // Whole blocks inside the text only: the head stays, so that the segment still walks.
    const std::uint64_t begin = (gone.text_offset + kBlock - 1) / kBlock * kBlock;
    const std::uint64_t end = (gone.text_offset + gone.head.text_length) / kBlock * kBlock;
    if (end < begin + kSmallestHole) continue;
    POSTHUS_TRY_VOID(files_.punch(segment, begin, end - begin));
  }
  state_.punched_at[segment] = record.live;
  const std::uint64_t after = POSTHUS_TRY(files_.allocated_bytes(segment));
  given_back_ += before - std::min(before, after);
  return {};
}

}  // namespace

Result<std::uint64_t> reclaim(Store& store) {
  Store::State& state = StoreParts::of(store);
  if (!state.files) return 0;  // in memory
  const std::lock_guard lock(state.reclaim_mutex);
  const auto given_back = Reclaimer(state).round();
  (void)store.statistics();  // brings the gauges up to date
  return given_back;
}

}  // namespace posthus::store
