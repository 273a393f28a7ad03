// LINK: posthus_core_net
// The header of the PROXY protocol: whatever comes, the same verdict however it is cut, within the limit, and nothing behind it
// counts.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/net/proxy_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using posthus::net::parse_proxy_header;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = parse_proxy_header(bytes);
  if (!whole) {
    CHECK(!whole.error().context.empty());
    return 0;
  }
  if (!*whole) {
    CHECK(size < posthus::net::kMaxProxyHeader);
    return 0;
  }
  const std::size_t end = (*whole)->size;
  CHECK(end > 0 && end <= size && end <= posthus::net::kMaxProxyHeader);
  for (std::size_t cut = 0; cut < end; ++cut) {
    const auto part = parse_proxy_header(bytes.substr(0, cut));
    CHECK(part && !*part);
  }
  const auto exact = parse_proxy_header(bytes.substr(0, end));
  CHECK(exact && *exact && (*exact)->kind == (*whole)->kind && (*exact)->client.address == (*whole)->client.address);
  return 0;
}
