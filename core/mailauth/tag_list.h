// TXT records of key=value fields between semicolons, as MTA-STS (RFC 8461 §3.1) and TLSRPT (RFC 8460 §3) have them.
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthus::mailauth {

using Tags = std::vector<std::pair<std::string, std::string>>;

/// The fields after `version` ("v=STSv1") of the only record that begins with it and a semicolon. Nothing when there is none,
/// more than one, or it is not of this form. Values keep their case; at most kMaxTags fields.
std::optional<Tags> find_only_record(const std::vector<std::string>& texts, std::string_view version);

inline constexpr std::size_t kMaxTags = 64;  // both records have one field that counts

}  // namespace posthus::mailauth
