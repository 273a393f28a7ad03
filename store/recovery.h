// Opening after whatever happened: the index goes back to its checkpoint, then the journal is done again. The same after a
// kill, where nothing was lost, as after a power loss, where anything written since the checkpoint may be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/engine.h"

namespace posthus::store {

/// Puts the checkpoint's meta pages back. Before LMDB opens the file. A checkpoint of another index (an older copy was put in
/// this one's place) is moved aside, with its journal. Returns whether there is a checkpoint. Errors: kCorrupt, kIo.
Result<bool> restore_checkpoint(const std::string& index_directory);

/// Does again, in one commit, what the journal holds behind the last group of the index, and the writes to segments; these
/// are synced. Returns the number of groups. Errors: kCorrupt (the journal has a gap: nothing was done), kIo, kUnavailable.
Result<std::uint64_t> replay_journal(Engine& engine, const std::string& index_directory, const std::string& segments_directory,
                                     std::string_view store_uuid);

/// Puts and erases again what changes (journal.h) say of rows. Errors: kCorrupt, the transaction's.
Result<> replay_rows(std::string_view changes, WriteTransaction& transaction);

/// For an index that is lost: writes to segments whatever the journal behind the checkpoint has of them. Errors: as
/// replay_journal.
Result<> replay_segments(const std::string& index_directory, const std::string& segments_directory);

/// REQUIRES: index and segments are synced. From here on the index needs neither checkpoint nor journal.
Result<> remove_checkpoint(const std::string& index_directory);

/// The sequence of the last group the index holds; 0 when it never had a journal.
Result<std::uint64_t> last_sequence(const Snapshot& snapshot);

}  // namespace posthus::store
