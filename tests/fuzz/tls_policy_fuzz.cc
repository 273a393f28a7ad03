// LINK: posthus_core_mailauth
// TXT records of MTA-STS and TLSRPT, and MTA-STS policies. Lines are records; the whole is a policy.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/mailauth/tls_policy.h"
#include "core/mailauth/tls_report.h"

using namespace posthus::mailauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> texts;
  for (std::size_t begin = 0; begin < input.size() && texts.size() < 16;) {
    const std::size_t end = std::min(input.find('\n', begin), input.size());
    texts.emplace_back(input.substr(begin, end - begin));
    begin = end + 1;
  }
  if (const auto id = find_sts_id(texts); id && (id->empty() || id->size() > 32)) std::abort();
  for (const auto& endpoint : find_report_endpoints(texts)) {
    if (endpoint.target.find_first_of("\r\n") != std::string::npos) std::abort();
  }
  const auto policy = parse_sts_policy(input);
  if (!policy) return 0;
  if (policy->max_age > kMaxStsAge || policy->mx.size() > kMaxStsPatterns) std::abort();
  for (const std::string& pattern : policy->mx) {
    const std::string host = pattern.starts_with("*.") ? "a" + pattern.substr(1) : pattern;
    if (!sts_allows(*policy, host)) std::abort();
  }
  return 0;
}
