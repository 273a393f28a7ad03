// The run-time settings people may change (PutSetting; what else is kept under a name is the program's own).
// Thread rule: pure functions over constants.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace posthus::store {

struct RunTimeSetting {
  std::string_view name, default_value, meaning;
  /// kChoice: one of the words in `choices`. kNames: domain names with commas (in A-labels). kEndpoint: "IP" or "IP@PORT".
  /// kSecret: a text that the API takes and never shows. kHttps: an https URL. kText: printable, without spaces.
  enum class Kind : std::uint8_t {
    kNumber,
    kAddresses,
    kChoice,
    kNames,
    kEndpoint,
    kSecret,
    kHttps,
    kMailAddress,
    kText,
    kMailAddresses,  // with commas
    kWebhook         // an https URL, or http to this machine itself
  } kind = Kind::kNumber;
  bool is_per_destination = false;        // may be given as "name@domain" as well
  std::string_view choices = {};          // with spaces between them
  std::uint64_t maximum = 1'000'000'000;  // of numbers
};

std::span<const RunTimeSetting> run_time_settings();

/// The setting's name as it is stored, a domain normalised. Errors: kNotFound, kInvalid (a domain where none may be).
Result<std::string> normalise_setting_name(std::string_view name);
/// Is `value` one for the setting with this normalised name? Empty: takes it back. Errors: kInvalid, for people.
Result<> check_setting(std::string_view name, std::string_view value);

}  // namespace posthus::store
