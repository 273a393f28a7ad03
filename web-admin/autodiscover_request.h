// What Outlook posts to autodiscover.xml: [MS-OXDSCLI] §2.2.3. A small reader of just enough XML: elements, text, references;
// no DTD, no entities of its own, nothing fetched. Hostile input: bounded size and depth, one pass. Pure function.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace posthus::web_admin {

inline constexpr std::size_t kMaxAutodiscover = 16 * 1024;  // Outlook's has some 400 bytes
inline constexpr int kMaxXmlDepth = 16;                     // Outlook's has three

struct AutodiscoverRequest {
  std::string address;  // <EMailAddress>, as it was sent
  std::string schema;   // <AcceptableResponseSchema>
};
/// Errors: kInvalid.
Result<AutodiscoverRequest> parse_autodiscover_request(std::string_view body);

}  // namespace posthus::web_admin
