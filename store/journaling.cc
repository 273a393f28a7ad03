// Journaling: see the header.
#include "store/journaling.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "store/lmdb_file.h"
#include "store/recovery.h"
#include "store/storage_error.h"

namespace posthus::store {
namespace {

Result<> sync_segment(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd && errno == ENOENT) return {};  // reclaimed since
  if (!fd) return storage_error(path);
  // WHY kIo whatever it was: after a failed sync the kernel may have dropped the bytes, and the journal's turn is over.
  if (::fdatasync(fd.get()) != 0) return fail(ErrorKind::kIo, "sync of " + error_from_errno(errno, path).context);
  return {};
}

}  // namespace

Journaling::Journaling(LmdbEngine& engine, FileSegments& segments, std::string index_directory, std::string store_uuid)
    : engine_(engine), segments_(segments), index_directory_(std::move(index_directory)), store_uuid_(std::move(store_uuid)) {}

Journaling::~Journaling() {
  if (worker_.joinable()) worker_.join();
  segments_.journal_into(nullptr);
}

Result<std::unique_ptr<Journaling>> Journaling::create(LmdbEngine& engine, FileSegments& segments,
                                                       const std::string& index_directory, std::string store_uuid) {
  std::uint64_t sequence = 0;
  {
    const auto snapshot = POSTHUS_TRY(engine.snapshot());
    sequence = POSTHUS_TRY(last_sequence(*snapshot));
  }
  std::unique_ptr<Journaling> journaling(new Journaling(engine, segments, index_directory, store_uuid));
  journaling->journal_ = POSTHUS_TRY(Journal::open(index_directory, std::move(store_uuid), sequence));
  POSTHUS_TRY_VOID(journaling->begin());
  POSTHUS_TRY_VOID(write_checkpoint(index_directory, journaling->work_.checkpoint));
  POSTHUS_TRY_VOID(journaling->settle({}));
  engine.sync_on_demand();
  segments.journal_into(&journaling->changes_);
  return journaling;
}

Result<> Journaling::append() {
  // Only when checkpoints find no room for long: they are tried again with every group until one is made.
  if (journal_->bytes() > kMaxJournalBytes / 2) return fail(ErrorKind::kUnavailable, "the journal is full");
  return journal_->append(changes_.bytes());
}

/// What the work needs, taken between two commits.
Result<> Journaling::begin() {
  work_.pin = POSTHUS_TRY(engine_.pin());
  work_.checkpoint = {store_uuid_, journal_->sequence(), POSTHUS_TRY(read_meta_pages(engine_.data_path()))};
  work_.segments = segments_.take_unsynced();
  if (std::exchange(is_other_free_, false)) journal_->switch_files();
  return {};
}

/// Texts and index first, then the file that says so.
Result<> Journaling::carry_out() const {
  for (const std::uint32_t segment : work_.segments) POSTHUS_TRY_VOID(sync_segment(segments_.path_of(segment)));
  POSTHUS_TRY_VOID(engine_.sync());
  return write_checkpoint(index_directory_, work_.checkpoint);
}

Result<> Journaling::settle(const Result<>& carried_out) {
  if (carried_out) {
    pin_ = std::move(work_.pin);
    is_other_free_ = true;
    is_failing_ = false;
    next_at_ = kCheckpointBytes;
    return {};
  }
  if (carried_out.error().kind == ErrorKind::kIo) return carried_out;
  if (!std::exchange(is_failing_, true)) log::error("store.no_checkpoint", {{"error", carried_out.error().context}});
  work_.pin.reset();
  segments_.add_unsynced(work_.segments);
  next_at_ = journal_->bytes() + kCheckpointBytes;
  return {};
}

Result<> Journaling::make_checkpoint() {
  POSTHUS_TRY_VOID(finish());
  POSTHUS_TRY_VOID(begin());
  return settle(carry_out());
}

Result<> Journaling::close() {
  POSTHUS_TRY_VOID(finish());
  for (const std::uint32_t segment : segments_.take_unsynced()) POSTHUS_TRY_VOID(sync_segment(segments_.path_of(segment)));
  POSTHUS_TRY_VOID(engine_.sync());
  return remove_checkpoint(index_directory_);
}

Result<> Journaling::after_group() {
  if (worker_.joinable() && is_done_) POSTHUS_TRY_VOID(finish());
  if (journal_->bytes() < next_at_ || worker_.joinable()) return {};
  static metrics::Counter& checkpoints = metrics::counter("posthus_store_checkpoints_total", "Checkpoints begun under load");
  checkpoints.add();
  POSTHUS_TRY_VOID(begin());
  is_done_ = false;
  worker_ = std::thread([this] {
    worked_ = carry_out();
    is_done_ = true;
  });
  return {};
}

/// Waits for the checkpoint under way, if any.
Result<> Journaling::finish() {
  if (!worker_.joinable()) return {};
  worker_.join();
  return settle(std::exchange(worked_, {}));
}

}  // namespace posthus::store
