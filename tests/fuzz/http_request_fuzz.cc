// LINK: posthus_web_admin posthus_test_support
// The gate over arbitrary bytes from a stranger on the network, cut as the first byte says. Whatever comes: no crash, and
// every answer is a well-formed status line.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"
#include "web-admin/api.h"
#include "web-admin/server_session.h"

namespace {

struct Fixture {
  posthus::testing::World world;
  posthus::web_admin::Api api{{.store = *world.store, .authenticator = world.authenticator.get(), .clock = world.clock, .hostname = "localhost"}};
  posthus::web_admin::HttpServer http{api};
  posthus::web_admin::GateContext gate{http, world.clock};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Fixture fixture;
  if (size == 0) return 0;
  const std::size_t cut = data[0] % 32;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  posthus::testing::LoopbackDriver driver;
  const posthus::session::ConnectionFacts facts{.remote_address = "192.0.2.1"};
  driver.open(posthus::web_admin::make_server_session(fixture.gate, facts, driver.waker()));
  driver.send(bytes, cut);
  const std::string output = driver.take_output();
  CHECK(output.empty() || output.starts_with("HTTP/1.1 "));
  return 0;
}
