// LINK: posthus_core_main
// Responses of web servers, and https URIs. A body is never above its limit; what is complete is parsed or refused for good.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/main/http_response.h"
#include "core/main/web_client.h"

using namespace posthus::main;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLimit = 64;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static_cast<void>(is_complete_response(input));
  const auto response = parse_response(input, kLimit);
  if (response && response->body.size() > kLimit) std::abort();
  const auto uri = parse_https_uri(input, 443);
  if (uri && (uri->host.empty() || uri->target.find_first_of("\r\n ") != std::string::npos)) std::abort();
  return 0;
}
