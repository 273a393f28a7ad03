// LINK: posthus_web_admin
// What anybody may post to autodiscover.xml, and what we write around it: the answer is well-formed whatever the address was.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "web-admin/autodiscover_request.h"
#include "web-admin/client_settings.h"
#include "web-admin/host_name.h"

using namespace posthus::web_admin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static_cast<void>(host_name(input));
  const auto request = parse_autodiscover_request(input);
  if (!request) return 0;
  if (request->address.empty() || request->address.size() > 1000) std::abort();
  // As many tags as without the hostile address: it cannot have brought any.
  const ClientSettings settings{
      .domain = "a.test", .hostname = "mx.a.test", .servers = {{MailProtocol::kImap, Encryption::kTls, 993}}};
  const auto tags = [](const std::string& text) { return std::count(text.begin(), text.end(), '<'); };
  if (tags(autodiscover_xml(settings, request->address)) != tags(autodiscover_xml(settings, "x"))) std::abort();
  return 0;
}
