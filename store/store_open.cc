// Opening a store on disk: see the header, and Store::open at the end.
#include "store/store_open.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "core/base/log.h"
#include "core/base/random.h"
#include "store/blob_record.h"
#include "store/file_segments.h"
#include "store/lmdb_engine.h"
#include "store/queue_rows.h"
#include "store/recovery.h"
#include "store/storage_error.h"
#include "store/store.h"
#include "store/store_state.h"

namespace posthus::store {
namespace {

struct FileSystem {
  std::uint32_t magic;
  const char* name;
};
// statfs(2), linux/magic.h and the file systems' own sources.
constexpr std::array<FileSystem, 11> kRefusedFileSystems = {{{0x6969, "NFS"},
                                                             {0x517B, "SMB"},
                                                             {0xFF534D42, "CIFS"},
                                                             {0xFE534D42, "SMB2"},
                                                             {0x65735546, "FUSE"},
                                                             {0x01021997, "9p"},
                                                             {0x00C36400, "Ceph"},
                                                             {0x5346414F, "AFS"},
                                                             {0x73757245, "Coda"},
                                                             {0x0BD00BD0, "Lustre"},
                                                             {0x786F4256, "vboxsf"}}};

Result<> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return storage_error(path);
}

/// 0: it has none, being new. Errors: kDenied, when a newer program wrote it.
Result<std::uint32_t> format_version(const Snapshot& snapshot) {
  const auto format = POSTHUS_TRY(snapshot.get(Table::kMeta, meta_key::kFormat));
  if (!format) return 0;
  const std::uint32_t version = ByteReader(*format).u32();
  if (version > kFormatVersion) {
    return fail(ErrorKind::kDenied, "the store has format " + std::to_string(version) + ", this program knows up to " +
                                        std::to_string(kFormatVersion) + "; run the version that wrote it, or a newer one");
  }
  return version;
}

Result<> put_format(WriteTransaction& transaction) {
  std::string format;
  append_u32(format, kFormatVersion);
  return transaction.put(Table::kMeta, meta_key::kFormat, format);
}

/// The UUID, made on first opening together with the format row.
Result<std::string> store_uuid(Engine& engine) {
  const auto snapshot = POSTHUS_TRY(engine.snapshot());
  if (POSTHUS_TRY(format_version(*snapshot)) > 0) {
    const auto stored = POSTHUS_TRY(snapshot->get(Table::kMeta, meta_key::kStoreUuid));
    if (!stored || stored->size() != kStoreUuidBytes) return fail(ErrorKind::kCorrupt, "the index has no store UUID; rebuild it");
    return std::string(*stored);
  }
  const std::string uuid = random_bytes(kStoreUuidBytes);
  POSTHUS_TRY_VOID(engine.commit([&uuid](WriteTransaction& transaction) -> Result<> {
    POSTHUS_TRY_VOID(put_format(transaction));
    return transaction.put(Table::kMeta, meta_key::kStoreUuid, uuid);
  }));
  return uuid;
}

/// An older store takes this version's format. REQUIRES: its journal is done again; that knows rows, not what follows from them.
Result<> upgrade_format(Engine& engine) {
  const auto snapshot = POSTHUS_TRY(engine.snapshot());
  const std::uint32_t version = POSTHUS_TRY(format_version(*snapshot));
  if (version == kFormatVersion) return {};
  return engine.commit([version](WriteTransaction& transaction) -> Result<> {
    if (version < 4) POSTHUS_TRY_VOID(put_queue_sizes(transaction));
    return put_format(transaction);
  });
}

Result<> refuse_network_file_system(const std::string& directory) {
  struct statfs info{};
  if (::statfs(directory.c_str(), &info) != 0) return storage_error(directory);
  const char* name = unfit_file_system(static_cast<std::uint32_t>(info.f_type));
  if (name == nullptr) return {};
  return fail(ErrorKind::kDenied, directory + " lies on " + name + "; the store needs a local file system");
}

/// Where rename(2) reaches: the file system and, where the kernel tells (5.8), the mount. WHY both: one file system mounted
/// in two places is two to rename.
struct Mount {
  std::uint32_t major = 0, minor = 0;
  std::uint64_t id = 0;
  friend bool operator==(const Mount&, const Mount&) = default;
};

Result<Mount> mount_of(const std::string& directory) {
  struct statx info{};
  if (::statx(AT_FDCWD, directory.c_str(), 0, STATX_MNT_ID, &info) != 0) return storage_error(directory);
  return Mount{info.stx_dev_major, info.stx_dev_minor, (info.stx_mask & STATX_MNT_ID) != 0 ? info.stx_mnt_id : 0};
}

}  // namespace

std::string index_directory(const std::string& directory) { return directory + "/index"; }
std::string segments_directory(const std::string& directory) { return directory + "/segments"; }
std::string spool_directory(const std::string& directory) { return directory + "/spool"; }

Result<FileSegments::Rows> segment_rows(const Snapshot& snapshot) {
  FileSegments::Rows rows;
  Result<> decoded;
  POSTHUS_TRY_VOID(snapshot.scan(Table::kSegments, "", "", [&](std::string_view key, std::string_view value) {
    const Result<SegmentRecord> record = decode_segment_record(value);
    if (!record) decoded = std::unexpected(record.error());
    if (record) rows[ByteReader(key).u32()] = *record;
    return record ? Visit::kContinue : Visit::kStop;
  }));
  if (!decoded) return std::unexpected(decoded.error());
  return rows;
}

Result<> make_store_directories(const std::string& directory) {
  POSTHUS_TRY_VOID(make_directory(directory));
  POSTHUS_TRY_VOID(make_directory(index_directory(directory)));
  POSTHUS_TRY_VOID(make_directory(segments_directory(directory)));
  POSTHUS_TRY_VOID(make_directory(spool_directory(directory)));
  const Result<> synced = sync_directory(directory);
  if (!synced) return fail(ErrorKind::kIo, synced.error().context);
  return {};
}

const char* unfit_file_system(std::uint32_t magic) {
  for (const FileSystem& refused : kRefusedFileSystems) {
    if (magic == refused.magic) return refused.name;
  }
  return nullptr;
}

Result<> refuse_unfit_file_systems(const std::string& directory) {
  // WHY each of them: an operator may have mounted, or linked to, another disk in any of these places.
  for (const std::string& folder :
       {directory, index_directory(directory), segments_directory(directory), spool_directory(directory)}) {
    POSTHUS_TRY_VOID(refuse_network_file_system(folder));
  }
  if (POSTHUS_TRY(mount_of(spool_directory(directory))) == POSTHUS_TRY(mount_of(segments_directory(directory)))) return {};
  return fail(ErrorKind::kDenied, spool_directory(directory) + " and " + segments_directory(directory) +
                                      " lie on different file systems; they must be on the same one");
}

Result<UniqueFd> lock_store(const std::string& directory) {
  const std::string path = directory + "/lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return storage_error(path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK) return fail(ErrorKind::kBusy, directory + " is in use by another process; stop it first");
  return storage_error(path);
}

Result<> clear_spool(const std::string& spool) {
  DIR* directory = ::opendir(spool.c_str());
  if (!directory) return storage_error(spool);
  std::uint64_t removed = 0;
  while (const dirent* entry = ::readdir(directory)) {
    if (!std::string_view(entry->d_name).ends_with(".msg")) continue;
    if (::unlink((spool + "/" + entry->d_name).c_str()) == 0) ++removed;
  }
  ::closedir(directory);
  if (removed > 0) log::info("store.spool_cleared", {{"files", removed}});
  return {};
}

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options, const Clock& clock) {
  auto state = std::make_unique<State>(options.budget_bytes);
  state->options = options;
  state->spool_directory = store::spool_directory(options.directory);
  POSTHUS_TRY_VOID(make_store_directories(options.directory));
  POSTHUS_TRY_VOID(refuse_unfit_file_systems(options.directory));
  state->lock = POSTHUS_TRY(lock_store(options.directory));
  POSTHUS_TRY_VOID(clear_spool(state->spool_directory));

  const std::string index = index_directory(options.directory);
  POSTHUS_TRY(restore_checkpoint(index));
  auto engine = POSTHUS_TRY(LmdbEngine::open(index, options.map_bytes));
  // WHY: the checkpoint must stay whole until all that follows is on disk.
  auto pin = POSTHUS_TRY(engine->pin());
  std::string uuid = POSTHUS_TRY(store_uuid(*engine));
  POSTHUS_TRY(replay_journal(*engine, index, segments_directory(options.directory), uuid));
  POSTHUS_TRY_VOID(upgrade_format(*engine));
  pin.reset();
  POSTHUS_TRY_VOID(remove_checkpoint(index));
  auto snapshot = POSTHUS_TRY(engine->snapshot());
  const FileSegments::Rows rows = POSTHUS_TRY(segment_rows(*snapshot));
  snapshot.reset();
  auto segments = POSTHUS_TRY(FileSegments::open(segments_directory(options.directory), uuid, rows, options.segment_bytes));
  POSTHUS_TRY_VOID(segments->seal_rows(*engine, rows));
  state->lmdb = engine.get();
  state->engine = std::move(engine);
  state->files = segments.get();
  state->segments = std::move(segments);
  auto journaling = Journaling::create(*state->lmdb, *state->files, index, std::move(uuid));
  // A full disk must not keep the server from starting: only its users can make room.
  if (!journaling && journaling.error().kind != ErrorKind::kUnavailable) return std::unexpected(journaling.error());
  if (!journaling) log::warning("store.no_journal", {{"error", journaling.error().context}});
  if (journaling) state->journaling = *std::move(journaling);
  state->writer =
      std::make_unique<Writer>(*state->engine, *state->segments, state->hub, clock, CommitThread::kOwn, state->journaling.get());
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

}  // namespace posthus::store
