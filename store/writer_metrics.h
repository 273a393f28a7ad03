// What the Writer counts. Thread rule: any.
#pragma once

#include <array>
#include <variant>

#include "core/base/metrics.h"
#include "store/write_request.h"

namespace posthus::store {

struct WriterMetrics {
  WriterMetrics();
  metrics::Histogram& commit = metrics::histogram("posthus_store_commit_microseconds", "Applying and syncing one group");
  metrics::Histogram& group_size = metrics::histogram("posthus_store_group_requests", "Requests committed together");
  metrics::Histogram& queue_wait =
      metrics::histogram("posthus_store_queue_wait_microseconds", "From submit to the group's begin");
  metrics::Counter& refused = metrics::counter("posthus_store_refused_total", "Requests refused by the store");
  metrics::Counter& rerun =
      metrics::counter("posthus_store_rerun_total", "Groups run again without a request that failed midway");
  metrics::Counter& answered_first =
      metrics::counter("posthus_store_answered_first_total", "Groups answered before the index's commit, which others shared");
  std::array<metrics::Histogram*, std::variant_size_v<WriteRequest>> apply{};  // by the request's index
};

WriterMetrics& writer_metrics();

}  // namespace posthus::store
