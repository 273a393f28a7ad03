// LINK: posthus_smtp posthus_test_support
// Whole sessions over a store in memory: byte 0 chooses role, TLS and cut, the rest is what the client sends. The server
// must answer in lines of at most 512 bytes, never hold more than it may, and store only what it acknowledged.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/log.h"
#include "smtp/server_session.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"

using namespace posthus;
using namespace posthus::smtp;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

struct Site {
  Site() {
    log::configure(log::Level::kError, log::Format::kText);
    world.add_user("anna@example.test", "a");
  }
  testing::World world;
  ServerContext context{*world.store, *world.authenticator, world.clock, "mx.example.test", true};
};

std::size_t count_accepted(std::string_view output) {
  std::size_t count = 0;
  for (std::size_t at = output.find(" accepted\r\n"); at != std::string_view::npos; at = output.find(" accepted\r\n", at + 1))
    ++count;
  return count;
}

void check_replies(std::string_view output) {
  while (!output.empty()) {
    const std::size_t end = output.find("\r\n");
    require(end != std::string_view::npos && end >= 4 && end <= 510);
    const std::string_view line = output.substr(0, end);
    require(line[0] >= '2' && line[0] <= '5' && (line[3] == ' ' || line[3] == '-'));
    require(line.find('\n') == std::string_view::npos);
    output.remove_prefix(end + 2);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static std::unique_ptr<Site> site;
  static int runs = 0;
  // WHY: a site for a few runs: making one hashes a password, keeping one for ever fills the memory.
  if (!site || ++runs % 500 == 0) site = std::make_unique<Site>();
  const std::uint8_t choice = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t before = site->world.messages("anna@example.test").size();
  std::string output;
  {
    testing::LoopbackDriver driver;
    session::ConnectionFacts facts;
    facts.remote_address = "192.0.2.1";
    const ListenerRole role = choice & 1 ? ListenerRole::kSubmission : ListenerRole::kMx;
    driver.open(make_server_session(site->context, role, facts, driver.waker()),
                choice & 2 ? testing::Tls::kImplicit : testing::Tls::kNo);
    constexpr std::size_t kCuts[] = {0, 1, 2, 7};
    driver.send(input, kCuts[choice >> 2 & 3]);
    output = driver.take_output();
  }
  check_replies(output);
  const std::size_t after = site->world.messages("anna@example.test").size();
  require(after - before == count_accepted(output));
  return 0;
}
