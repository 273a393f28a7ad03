// LINK: posthus_pop3 posthus_test_support
// Whole POP3 sessions over a store in memory. Byte 0 chooses TLS, a session that has logged in already, and how the
// input is cut. Every answer ends with CRLF, and what is kept of the input stays bounded (the driver checks).
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "pop3/server_session.h"
#include "tests/support/fuzz_site.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"

using namespace posthus;

namespace {

struct Site {
  Site() {
    world.add_user("anna@example.test", "pencil");
    world.deliver("anna@example.test", "Subject: one\n\n1\n");
    world.deliver("anna@example.test", "Subject: \xc3\xbc\n\n.dot\n");
    world.deliver("anna@example.test", "Subject: three\n\n" + std::string(300'000, 'x'));
  }
  testing::World world{testing::kOneThread};
  pop3::MaildropLocks locks;
  pop3::ServerContext context{*world.store, *world.authenticator, world.clock, locks, "mail.example.test", true};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static testing::FuzzSite<Site> sites;
  if (size == 0) return 0;
  Site& site = sites.fresh();
  const std::uint8_t choice = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  {
    testing::LoopbackDriver driver;
    // An empty address is not throttled, so that every run is alike.
    auto session = pop3::make_server_session(site.context, {}, driver.waker());
    driver.open(std::move(session), choice & 1 ? testing::Tls::kImplicit : testing::Tls::kNo);
    if ((choice & 3) == 3) driver.send("USER anna@example.test\r\nPASS pencil\r\n");
    constexpr std::size_t kCuts[] = {0, 1, 7, 100};
    if (!driver.is_closed()) driver.send(input, kCuts[(choice >> 2) & 3]);
    const std::string output = driver.take_output();
    if (!output.ends_with("\r\n")) std::abort();
  }
  sites.finish();
  return 0;
}
