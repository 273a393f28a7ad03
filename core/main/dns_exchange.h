// One DNS message and its reply over TCP. RFC 1035 §4.2.2, RFC 7766. Blocks for at most kDnsExchangePatience: workers only.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "core/base/result.h"

namespace posthus::main {

inline constexpr std::chrono::seconds kDnsExchangePatience{8};  // with connecting; a name server answers in milliseconds

/// `server`: "IP" or "IP@PORT". Errors: kInvalid, kTimeout, kUnavailable (also when `stop` is requested).
Result<std::string> exchange_dns(const std::string& server, const std::string& message, std::stop_token stop);

}  // namespace posthus::main
