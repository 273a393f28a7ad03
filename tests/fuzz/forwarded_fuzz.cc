// LINK: posthus_web_admin
// The fields with which reverse proxies name a client. The first byte says which field is meant, the rest are its bytes. Whatever
// a client writes: what our own proxy appends behind it decides; and nobody becomes a client by being this machine.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "web-admin/forwarded.h"

namespace {

using namespace posthus::web_admin;

const TrustedProxies kForwarded{.networks = {*posthus::parse_ip_network("10.0.0.0/8")}, .fields = ProxyFields::kForwarded};
const TrustedProxies kXForwarded{.networks = {*posthus::parse_ip_network("10.0.0.0/8")}, .fields = ProxyFields::kXForwarded};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool is_forwarded = (data[0] & 1) != 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const TrustedProxies& proxies = is_forwarded ? kForwarded : kXForwarded;
  const Origin proxy{.remote_address = "10.0.0.2"}, stranger{.remote_address = "203.0.113.66"};
  HttpHead head;
  (is_forwarded ? head.forwarded : head.x_forwarded_for) = bytes;
  const auto alone = forwarded_facts(proxy, head, proxies);
  if (alone) {
    const auto address = posthus::parse_ip_address(alone->origin.remote_address);
    CHECK(address && !posthus::is_loopback(*address));
  }
  const auto ignored = forwarded_facts(stranger, head, proxies);
  CHECK(ignored && ignored->origin.remote_address == stranger.remote_address && !ignored->origin.is_tls && ignored->host.empty());
  (is_forwarded ? head.forwarded : head.x_forwarded_for) += is_forwarded ? ", for=203.0.113.9;proto=https" : ", 203.0.113.9";
  if (!is_forwarded) head.x_forwarded_proto = "https";
  const auto appended = forwarded_facts(proxy, head, proxies);
  CHECK(appended && appended->origin.remote_address == "203.0.113.9" && appended->origin.is_tls);
  return 0;
}
