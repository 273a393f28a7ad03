// LINK: posthus_smtp posthus_test_support
// Whole sessions over a store in memory: byte 0 chooses role, TLS and cut, the rest is what the client sends. The server
// must answer in lines of at most 512 bytes, never hold more than it may, and store only what it acknowledged.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "smtp/server_session.h"
#include "store/queue_reader.h"
#include "tests/support/fuzz_site.h"
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
    world.add_user("anna@example.test", "secret");
    world.add_alias("info@example.test", {"anna@example.test"});
    world.add_alias("away@example.test", {"anna@example.test", "anna@example.org"});
    require(world.store->apply(store::PutDomain{{.name = "relay.test", .kind = store::DomainKind::kRelay}}).has_value());
    require(world.store->apply(store::PutSetting{"secret.forward", "c2VjcmV0"}).has_value());
    inbox = world.mailbox("anna@example.test");
  }
  std::size_t queued() {
    const auto snapshot = world.store->snapshot();
    return store::QueueReader(**snapshot).messages(QueueId{}, 1000, 1)->size();
  }
  std::size_t messages() {
    const auto snapshot = world.store->snapshot();
    const auto reader = store::MailboxReader::open(**snapshot, inbox);
    return reader->record().messages;
  }
  testing::World world{testing::kOneThread};
  MailboxId inbox;
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
  static testing::FuzzSite<Site> sites;
  Site& site = sites.fresh();
  const std::uint8_t choice = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t before = site.messages(), queued_before = site.queued();
  std::string output;
  {
    testing::LoopbackDriver driver;
    session::ConnectionFacts facts;
    facts.remote_address = "192.0.2.1";
    const ListenerRole role = choice & 1 ? ListenerRole::kSubmission : ListenerRole::kMx;
    driver.open(make_server_session(site.context, role, facts, driver.waker()),
                choice & 2 ? testing::Tls::kImplicit : testing::Tls::kNo);
    constexpr std::size_t kCuts[] = {0, 1, 2, 7};
    driver.send(input, kCuts[choice >> 2 & 3]);
    output = driver.take_output();
  }
  check_replies(output);
  // A message goes into the inbox, the queue or both; reports and notices of our own come on top.
  const std::size_t accepted = count_accepted(output);
  require((site.messages() - before) + (site.queued() - queued_before) >= accepted);
  require(accepted > 0 || !sites.is_changed());
  if (output.contains("\r\n535 ")) sites.spoil();
  sites.finish();
  return 0;
}
