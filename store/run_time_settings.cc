// The table of run-time settings. Thread rule: pure functions over constants.
#include "store/run_time_settings.h"

#include <algorithm>
#include <array>

#include "core/base/ascii.h"
#include "core/base/ip_address.h"
#include "core/mail/address.h"

namespace posthus::store {
namespace {

using Kind = RunTimeSetting::Kind;

constexpr std::array kSettings{
    RunTimeSetting{"queue.first_retry_seconds", "300", "the first retry; then the delay doubles", Kind::kNumber, true},
    RunTimeSetting{"queue.max_retry_seconds", "14400", "the longest delay between attempts", Kind::kNumber, true},
    RunTimeSetting{"queue.warn_seconds", "14400", "when the sender is told of a delay; 0: never", Kind::kNumber, true},
    RunTimeSetting{"queue.expire_seconds", "432000", "when a message is given up", Kind::kNumber, true},
    RunTimeSetting{"queue.connections", "5", "connections to one destination at a time", Kind::kNumber, true},
    RunTimeSetting{"queue.messages_per_minute", "0", "messages to one destination; 0: no limit", Kind::kNumber, true},
    RunTimeSetting{"queue.total_connections", "100", "connections to all destinations at a time"},
    RunTimeSetting{"queue.connect_seconds", "30", "patience for a connection to one address"},
    RunTimeSetting{"queue.allow_loopback", "0", "1: MX records may lead to this machine's loopback addresses; for tests"},
    RunTimeSetting{"queue.bind_addresses", "", "source addresses of connections, with commas; one of each family is used",
                   Kind::kAddresses},
    RunTimeSetting{"limits.messages_per_day", "1000", "copies one account may send to other servers in a day"},
    RunTimeSetting{"limits.new_recipients_per_day", "200", "recipients it has not written to lately, in a day"},
    RunTimeSetting{"limits.burst", "100", "copies within ten minutes that put no account on hold"},
    RunTimeSetting{"trace.subject", "1", "0: the trace does not keep the subjects of messages"},
    RunTimeSetting{"trace.days", "30", "how long is kept what happened to a message; at most 3650"},
};
constexpr std::size_t kMaxAddresses = 16;

const RunTimeSetting* find(std::string_view name) {
  const auto it = std::find_if(kSettings.begin(), kSettings.end(), [name](const RunTimeSetting& s) { return s.name == name; });
  return it == kSettings.end() ? nullptr : it;
}

Result<> check_addresses(std::string_view value) {
  std::size_t count = 0;
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view text = ascii::trim(value.substr(0, comma));
    if (!parse_ip_address(text)) return fail(ErrorKind::kInvalid, "'" + std::string(text.substr(0, 100)) + "' is no IP address");
    if (++count > kMaxAddresses) return fail(ErrorKind::kInvalid, "too many addresses");
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return {};
}

}  // namespace

std::span<const RunTimeSetting> run_time_settings() { return kSettings; }

Result<std::string> normalise_setting_name(std::string_view name) {
  const std::size_t at = name.find('@');
  const RunTimeSetting* const setting = find(name.substr(0, at));
  if (!setting) return fail(ErrorKind::kNotFound, "there is no setting '" + std::string(name.substr(0, 100)) + "'");
  if (at == std::string_view::npos) return std::string(name);
  if (!setting->is_per_destination) return fail(ErrorKind::kInvalid, std::string(setting->name) + " holds for all destinations");
  const std::string_view domain = name.substr(at + 1);
  if (mail::is_domain_literal(domain)) return std::string(name);
  const auto normalised = mail::normalise_domain(domain);
  if (!normalised) return fail(ErrorKind::kInvalid, "'" + std::string(domain.substr(0, 300)) + "' is no domain");
  return std::string(setting->name) + "@" + *normalised;
}

Result<> check_setting(std::string_view name, std::string_view value) {
  const RunTimeSetting* const setting = find(name.substr(0, name.find('@')));
  if (!setting) return fail(ErrorKind::kNotFound, std::string(name.substr(0, 100)));
  if (value.empty()) return {};
  if (setting->kind == Kind::kAddresses) return check_addresses(value);
  constexpr std::uint64_t kMost = 1'000'000'000;
  const auto number = ascii::parse_decimal<std::uint64_t>(value);
  if (number && *number <= kMost) return {};
  return fail(ErrorKind::kInvalid, std::string(setting->name) + " must be a number from 0 to " + std::to_string(kMost));
}

}  // namespace posthus::store
