// Store: puts engine, segments, Writer and change hub together.
#include "store/store.h"

#include <future>
#include <utility>

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "store/blob_record.h"
#include "store/memory_engine.h"
#include "store/memory_segments.h"
#include "store/segments.h"
#include "store/store_state.h"
#include "store/writer.h"

namespace posthus::store {

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

std::unique_ptr<Store> Store::create_in_memory(const Clock& clock) {
  return create_over(std::make_unique<MemoryEngine>(), clock);
}

std::unique_ptr<Store> Store::create_over(std::unique_ptr<Engine> engine, const Clock& clock) {
  auto state = std::make_unique<State>();
  state->engine = std::move(engine);
  state->segments = std::make_unique<MemorySegments>();
  state->writer = std::make_unique<Writer>(*state->engine, *state->segments, state->hub, clock, CommitThread::kOwn);
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

Result<std::unique_ptr<Snapshot>> Store::snapshot() const {
  if (state_->writer) state_->writer->bring_index_up();
  return state_->engine->snapshot();
}

Result<std::unique_ptr<Snapshot>> Store::recent_snapshot() const { return state_->engine->snapshot(); }

Result<> Store::read_message(const Snapshot& snapshot, BlobId blob, std::uint64_t offset, std::uint64_t length,
                             std::string& out) const {
  const auto bytes = POSTHUS_TRY(snapshot.get(Table::kBlobs, blob_key(blob)));
  if (!bytes) return fail(ErrorKind::kNotFound, "blob " + std::to_string(blob.value));
  const BlobRecord record = POSTHUS_TRY(decode_blob_record(*bytes));
  if (offset >= record.length) return {};
  return state_->segments->read(record.segment, record.offset + offset, std::min(length, record.length - offset), out);
}

IncomingMessage Store::begin_message() { return IncomingMessage(state_->spool_directory, &state_->budget); }

void Store::submit(WriteRequest request, Completion done) { state_->writer->submit(std::move(request), std::move(done)); }

Result<WriteOutcome> Store::apply(WriteRequest request) {
  std::promise<Result<WriteOutcome>> promise;
  submit(std::move(request), [&promise](Result<WriteOutcome> outcome) { promise.set_value(std::move(outcome)); });
  return promise.get_future().get();
}

ChangeHub& Store::changes() { return state_->hub; }
ByteBudget& Store::budget() { return state_->budget; }

StoreStatistics Store::statistics() const {
  StoreStatistics out;
  out.engine = state_->engine->statistics();
  out.queued_requests = state_->writer->queued();
  const Result<std::unique_ptr<Snapshot>> now = snapshot();
  if (!now) return out;
  const Result<> scanned = (*now)->scan(Table::kSegments, "", "", [&](std::string_view, std::string_view value) {
    const Result<SegmentRecord> record = decode_segment_record(value);
    if (!record) return Visit::kContinue;
    ++out.segments;
    out.segment_bytes += record->written;
    out.live_bytes += record->live;
    return Visit::kContinue;
  });
  static metrics::Gauge& written = metrics::gauge("posthus_store_segment_bytes", "Bytes written to segments");
  static metrics::Gauge& live = metrics::gauge("posthus_store_live_bytes", "Bytes of segments that messages name");
  written.set(static_cast<std::int64_t>(out.segment_bytes));
  live.set(static_cast<std::int64_t>(out.live_bytes));
  if (!scanned) log::warning("store.statistics", {{"error", scanned.error().context}});
  return out;
}

void Store::close_within(std::chrono::milliseconds patience) {
  state_->is_closing = true;
  state_->writer->close_by(std::chrono::steady_clock::now() + patience);
}

void Store::on_fatal(std::function<void(const Error&)> handler) { state_->writer->on_fatal(std::move(handler)); }

}  // namespace posthus::store
