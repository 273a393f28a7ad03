// IncomingMessage: see the header. A spool file begins with room for the heads of a segment of its own.
#include "store/incoming_message.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "core/base/check.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/random.h"
#include "store/segment_format.h"
#include "store/storage_error.h"

namespace posthus::store {
namespace {

constexpr std::size_t kBudgetStep = 4096;        // what a small message takes from the budget
constexpr std::size_t kSpoolBuffer = 64 * 1024;  // bytes gathered before a write to the spool file

}  // namespace

struct IncomingMessage::State {
  std::string spool_directory;
  ByteReservation reservation;
  std::optional<mail::SummaryBuilder> builder{std::in_place};  // until finish()
  std::uint32_t checksum = 0;
  std::uint64_t size = 0;
  std::string bytes;  // the text; once spooled: what is not written yet
  UniqueFd spool;
  std::string spool_path;  // empty until spooled
  bool is_released = false, is_finished = false;
  mail::Summary summary;
  std::string encoded_summary;
  bool is_internationalized = false;

  ~State() {
    if (!spool_path.empty() && !is_released) ::unlink(spool_path.c_str());
  }
  Result<> gather(std::string_view more);
  Result<> begin_spooling();
  Result<> write_out();
};

/// Takes memory from the budget before it is used, doubling, so that growing stays linear.
Result<> IncomingMessage::State::gather(std::string_view more) {
  const std::size_t needed = bytes.size() + more.size();
  if (needed > bytes.capacity() || needed > reservation.bytes()) {
    const std::size_t wanted =
        (std::max(needed, std::min(bytes.size() * 2, needed + kSpoolThreshold)) + kBudgetStep - 1) / kBudgetStep * kBudgetStep;
    if (wanted > reservation.bytes() && !reservation.try_grow(wanted - reservation.bytes())) {
      return fail(ErrorKind::kUnavailable, "memory for arriving messages is used up");
    }
    bytes.reserve(wanted);
  }
  bytes.append(more);
  return {};
}

Result<> IncomingMessage::State::begin_spooling() {
  std::string path = spool_directory + "/" + to_hex(random_bytes(12)) + ".msg";
  spool.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!spool) return storage_error(path);
  spool_path = std::move(path);
  if (::lseek(spool.get(), static_cast<off_t>(kFirstTextOffset), SEEK_SET) < 0) return storage_error(spool_path);
  POSTHUS_TRY_VOID(write_out());
  std::string().swap(bytes);
  reservation.shrink_to(0);
  return {};
}

Result<> IncomingMessage::State::write_out() {
  std::string_view left = bytes;
  while (!left.empty()) {
    const ssize_t written = ::write(spool.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return storage_error(spool_path);
    if (written == 0) return fail(ErrorKind::kUnavailable, spool_path + " takes no bytes");
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  bytes.clear();
  return {};
}

IncomingMessage::IncomingMessage(std::string spool_directory, ByteBudget* budget) : state_(std::make_unique<State>()) {
  state_->spool_directory = std::move(spool_directory);
  if (budget) state_->reservation = ByteReservation(*budget);
}
IncomingMessage::IncomingMessage(IncomingMessage&&) noexcept = default;
IncomingMessage& IncomingMessage::operator=(IncomingMessage&&) noexcept = default;
IncomingMessage::~IncomingMessage() = default;

Result<> IncomingMessage::append(std::string_view more) {
  CHECK(!state_->is_finished);
  state_->checksum = crc32c(more, state_->checksum);
  state_->builder->append(more);
  state_->size += more.size();
  const bool may_spool = !state_->spool_directory.empty();
  while (!more.empty()) {
    const bool is_spooling = static_cast<bool>(state_->spool);
    const std::size_t limit = !may_spool ? SIZE_MAX : is_spooling ? kSpoolBuffer : kSpoolThreshold;
    const std::size_t piece = std::min(more.size(), limit - state_->bytes.size());
    POSTHUS_TRY_VOID(state_->gather(more.substr(0, piece)));
    more.remove_prefix(piece);
    if (more.empty()) break;
    POSTHUS_TRY_VOID(is_spooling ? state_->write_out() : state_->begin_spooling());
  }
  return {};
}

void IncomingMessage::declare_internationalized() { state_->is_internationalized = true; }

Result<> IncomingMessage::finish() {
  CHECK(!state_->is_finished);
  state_->is_finished = true;
  state_->summary = state_->builder->finish();
  // WHY now: here it is the session's thread that gives its memory back; at the end it would be the Writer's.
  state_->builder.reset();
  state_->summary.is_internationalized = state_->is_internationalized;
  state_->encoded_summary = mail::encode_summary(state_->summary);
  if (!state_->spool) return {};
  POSTHUS_TRY_VOID(state_->write_out());
  if (::fdatasync(state_->spool.get()) != 0) return storage_error(state_->spool_path);
  state_->spool.reset();
  std::string().swap(state_->bytes);
  state_->reservation.shrink_to(0);
  return {};
}

std::uint64_t IncomingMessage::size() const { return state_->size; }
const mail::Summary& IncomingMessage::summary() const { return state_->summary; }
const std::string& IncomingMessage::encoded_summary() const { return state_->encoded_summary; }
std::uint32_t IncomingMessage::checksum() const { return state_->checksum; }
bool IncomingMessage::is_spooled() const { return !state_->spool_path.empty(); }
std::string_view IncomingMessage::bytes() const { return state_->bytes; }
const std::string& IncomingMessage::spool_path() const { return state_->spool_path; }
void IncomingMessage::release_spool_file() { state_->is_released = true; }

}  // namespace posthus::store
