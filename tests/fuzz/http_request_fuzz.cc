// LINK: posthus_web_admin posthus_test_support
// The gate over arbitrary bytes, cut as the first byte says; its highest bit tells who sends them: a stranger on the
// network, or whoever may open the admin socket and so reaches every handler. Whatever comes: no crash, every answer is
// a well-formed status line, and the store is consistent after a change.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "tests/support/fuzz_site.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"
#include "web-admin/api.h"
#include "web-admin/server_session.h"

namespace {

struct Site {
  Site() {
    world.add_user("anna@example.test", "secret");
    world.add_alias("info@example.test", {"anna@example.test"});
    world.deliver("anna@example.test", "Subject: one\n\n1\n");
  }
  posthus::testing::World world{posthus::testing::kOneThread};
  posthus::web_admin::Api api{{.store = *world.store,
                               .authenticator = world.authenticator.get(),
                               .clock = world.clock,
                               .hostname = "localhost",
                               .password_cost = posthus::testing::kCheapCost,
                               .make_signing_key = posthus::testing::key_made_once}};
  posthus::web_admin::HttpServer http{api};
  posthus::web_admin::GateContext gate{http, world.clock};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static posthus::testing::FuzzSite<Site> sites;
  if (size == 0) return 0;
  Site& site = sites.fresh();
  const std::size_t cut = data[0] % 32;
  const bool is_local = (data[0] & 0x80) != 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  {
    posthus::testing::LoopbackDriver driver;
    const posthus::session::ConnectionFacts facts{.remote_address = is_local ? "" : "192.0.2.1", .is_unix_socket = is_local};
    driver.open(posthus::web_admin::make_server_session(site.gate, facts, driver.waker()));
    driver.send(bytes, cut);
    const std::string output = driver.take_output();
    CHECK(output.empty() || output.starts_with("HTTP/1.1 "));
  }
  CHECK(is_local || !sites.is_changed());
  sites.finish();
  return 0;
}
