// The registry behind the metrics, and its text form (Prometheus text exposition format 0.0.4). Lookups lock; updates
// are relaxed atomics on objects that never move. Any thread.
#include "core/base/metrics.h"

#include <algorithm>
#include <bit>
#include <map>
#include <memory>
#include <mutex>
#include <variant>

#include "core/base/check.h"

namespace posthus::metrics {
namespace {

using Metric = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;

struct Family {
  std::string help;
  std::map<std::string, Metric, std::less<>> by_labels;
};

struct Registry {
  std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;
};

Registry& registry() {
  // WHY: never destroyed, because statics elsewhere hold references and may count while the process ends.
  static Registry* const instance = new Registry;
  return *instance;
}

template <class T>
T& find_or_make(std::string_view name, std::string_view help, std::string_view labels) {
  Registry& all = registry();
  const std::lock_guard guard(all.mutex);
  auto family = all.families.find(name);
  if (family == all.families.end()) family = all.families.emplace(std::string(name), Family{std::string(help), {}}).first;
  auto& metrics = family->second.by_labels;
  auto metric = metrics.find(labels);
  if (metric == metrics.end()) metric = metrics.emplace(std::string(labels), std::make_unique<T>()).first;
  const auto* held = std::get_if<std::unique_ptr<T>>(&metric->second);
  CHECK(held != nullptr);  // one name, one type
  return **held;
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, std::string_view value) {
  out += name;
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(value).append("\n");
}

void append_histogram(std::string& out, const std::string& name, const std::string& labels, const Histogram& histogram) {
  const std::string lead = labels.empty() ? "" : labels + ",";
  std::uint64_t cumulative = 0;
  for (int i = 0; i < Histogram::kBuckets - 1; ++i) {
    cumulative += histogram.bucket(i);
    const std::string bound = std::to_string((std::uint64_t{1} << i) - 1);
    append_sample(out, name + "_bucket", lead + "le=\"" + bound + "\"", std::to_string(cumulative));
  }
  cumulative += histogram.bucket(Histogram::kBuckets - 1);
  append_sample(out, name + "_bucket", lead + "le=\"+Inf\"", std::to_string(cumulative));
  append_sample(out, name + "_sum", labels, std::to_string(histogram.sum()));
  append_sample(out, name + "_count", labels, std::to_string(cumulative));
}

std::string_view type_name(const Metric& metric) {
  constexpr std::string_view kNames[] = {"counter", "gauge", "histogram"};
  return kNames[metric.index()];
}

}  // namespace

void Histogram::observe(std::uint64_t value) {
  const int index = std::min<int>(static_cast<int>(std::bit_width(value)), kBuckets - 1);
  buckets_[index].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Counter& counter(std::string_view name, std::string_view help, std::string_view labels) {
  return find_or_make<Counter>(name, help, labels);
}
Gauge& gauge(std::string_view name, std::string_view help, std::string_view labels) {
  return find_or_make<Gauge>(name, help, labels);
}
Histogram& histogram(std::string_view name, std::string_view help, std::string_view labels) {
  return find_or_make<Histogram>(name, help, labels);
}

std::string render() {
  Registry& all = registry();
  const std::lock_guard guard(all.mutex);
  std::string out;
  for (const auto& [name, family] : all.families) {
    if (family.by_labels.empty()) continue;
    out.append("# HELP ").append(name).append(" ").append(family.help).append("\n");
    out.append("# TYPE ").append(name).append(" ").append(type_name(family.by_labels.begin()->second)).append("\n");
    for (const auto& [labels, metric] : family.by_labels) {
      if (const auto* c = std::get_if<std::unique_ptr<Counter>>(&metric)) {
        append_sample(out, name, labels, std::to_string((*c)->value()));
      } else if (const auto* g = std::get_if<std::unique_ptr<Gauge>>(&metric)) {
        append_sample(out, name, labels, std::to_string((*g)->value()));
      } else {
        append_histogram(out, name, labels, *std::get<std::unique_ptr<Histogram>>(metric));
      }
    }
  }
  return out;
}

}  // namespace posthus::metrics
