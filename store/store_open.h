// The steps of opening a store on disk: folders, lock, file system, spool. Used by the facade and by maintenance.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/file.h"
#include "core/base/result.h"
#include "store/engine.h"
#include "store/file_segments.h"

namespace posthus::store {

/// Makes the folder of a store and those in it.
Result<> make_store_directories(const std::string& directory);
/// The name of the network or FUSE file system whose statfs(2) type this is; null for all others.
const char* unfit_file_system(std::uint32_t magic);
/// kDenied when one of the folders is on a network or FUSE file system (their locks, maps and syncs do not hold what LMDB
/// and a 250 promise), or when spool and segments are on different ones (a large message goes from one to the other by
/// its name alone).
Result<> refuse_unfit_file_systems(const std::string& directory);
/// kBusy when another process has the store. Held until the descriptor is closed.
Result<UniqueFd> lock_store(const std::string& directory);
/// Removes what was arriving when the process ended: none of it was acknowledged.
Result<> clear_spool(const std::string& spool_directory);

/// kSegments as a snapshot has it.
Result<FileSegments::Rows> segment_rows(const Snapshot& snapshot);

std::string index_directory(const std::string& directory);
std::string segments_directory(const std::string& directory);
std::string spool_directory(const std::string& directory);

}  // namespace posthus::store
