// A sample a minute. See history.h.
#include "core/main/history.h"

#include "core/base/log.h"
#include "web-admin/figures.h"

namespace posthus::main {
namespace {

std::int64_t minute_of(Timestamp time) { return time.seconds() / 60; }

}  // namespace

History::History(HistoryContext context) : context_(std::move(context)), minute_(minute_of(context_.clock.now())) {}

store::AddHistory History::sample(Timestamp time) {
  const std::lock_guard lock(mutex_);
  const store::HistoryValues now = context_.read();
  store::AddHistory request{.time = time, .values = now};
  for (std::size_t i = 0; i < store::kHistoryFigures; ++i) {
    if (store::rule_of(static_cast<store::HistoryFigure>(i)) == store::HistoryRule::kSum) request.values[i] -= before_[i];
  }
  before_ = now;
  return request;
}

// WHY a minute has ended whenever it is another one: a clock that is put back begins another one as well.
void History::tick() {
  const std::int64_t now = minute_of(context_.clock.now());
  const std::int64_t ended = minute_.load();
  if (now == ended) return;
  const bool is_queued = context_.run_blocking([this, ended] {
    context_.store.submit(sample(Timestamp::from_seconds(ended * 60)), [](const Result<store::WriteOutcome>& outcome) {
      if (!outcome) log::warning("history.not_kept", {{"context", outcome.error().context}});
    });
  });
  if (is_queued) minute_ = now;
}

void History::flush() {
  // A store that is full or has failed says so by itself.
  static_cast<void>(context_.store.apply(sample(Timestamp::from_seconds(minute_.load() * 60))));
}

store::HistoryValues read_figures(const store::Store& store, const std::string& data_directory, std::uint64_t connections) {
  using store::HistoryFigure;
  using web_admin::copies, web_admin::messages, web_admin::messages_from, web_admin::recipients_refused;
  store::HistoryValues values{};
  const auto set = [&values](HistoryFigure figure, std::uint64_t value) { values[static_cast<std::size_t>(figure)] = value; };
  set(HistoryFigure::kReceived, messages_from("servers"));
  set(HistoryFigure::kSubmitted, messages_from("users"));
  set(HistoryFigure::kSent, copies("relayed"));
  set(HistoryFigure::kRefused, messages("5xx") + recipients_refused("5xx"));
  set(HistoryFigure::kPutOff, messages("4xx") + recipients_refused("4xx"));
  set(HistoryFigure::kReturned, copies("failed"));
  set(HistoryFigure::kSignIns, web_admin::sign_ins("accepted"));
  set(HistoryFigure::kFailedSignIns, web_admin::refused_sign_ins());
  set(HistoryFigure::kConnections, connections);
  const store::StoreStatistics statistics = store.statistics();
  set(HistoryFigure::kStoreBytes, statistics.segment_bytes + statistics.engine.used_bytes);
  set(HistoryFigure::kDiskFree, web_admin::disk_room(data_directory).available);
  set(HistoryFigure::kMemory, web_admin::resident_bytes());
  const auto snapshot = store.snapshot();
  const auto due = snapshot ? (*snapshot)->size(store::Table::kQueueDue) : Result<store::TableSize>(store::TableSize{});
  set(HistoryFigure::kQueue, due ? due->rows : 0);
  return values;
}

}  // namespace posthus::main
