// Values of run-time settings.
#include "web-admin/setting_values.h"

#include "core/base/ascii.h"
#include "core/base/check.h"
#include "store/queue_reader.h"
#include "store/run_time_settings.h"

namespace posthus::web_admin {

Result<std::string> setting_value(const store::Snapshot& snapshot, std::string_view name, std::string_view domain) {
  const store::QueueReader reader(snapshot);
  if (!domain.empty()) {
    auto own = POSTHUS_TRY(reader.setting(std::string(name) + "@" + std::string(domain)));
    if (own) return std::move(*own);
  }
  auto value = POSTHUS_TRY(reader.setting(name));
  if (value) return std::move(*value);
  for (const store::RunTimeSetting& setting : store::run_time_settings()) {
    if (setting.name == name) return std::string(setting.default_value);
  }
  CHECK(false);
}

Result<std::uint64_t> setting_number(const store::Snapshot& snapshot, std::string_view name, std::string_view domain) {
  const std::string text = POSTHUS_TRY(setting_value(snapshot, name, domain));
  const auto number = ascii::parse_decimal<std::uint64_t>(text);
  if (!number) return fail(ErrorKind::kCorrupt, "setting " + std::string(name));
  return *number;
}

Result<std::vector<std::string>> setting_items(const store::Snapshot& snapshot, std::string_view name, std::string_view domain) {
  const std::string text = POSTHUS_TRY(setting_value(snapshot, name, domain));
  std::vector<std::string> items;
  for (std::string_view left = text; !left.empty();) {
    const std::size_t comma = std::min(left.find(','), left.size());
    const std::string_view item = ascii::trim(left.substr(0, comma));
    if (!item.empty()) items.emplace_back(item);
    left.remove_prefix(std::min(comma + 1, left.size()));
  }
  return items;
}

}  // namespace posthus::web_admin
