// LINK: posthus_imap posthus_test_support
// Whole sessions over a store in memory. Byte 0: logged in before, rev2 enabled, a mailbox selected, and the cut; the rest
// is what the client sends. Every byte the server says must belong to a well-formed response, literals counted.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ascii.h"
#include "imap/server_session.h"
#include "tests/support/fuzz_site.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"

using namespace posthus;
using namespace posthus::imap;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::string_view kMessage =
    "From: Bert <bert@example.org>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nMIME-Version: 1.0\n"
    "Content-Type: multipart/mixed; boundary=b1\n\n--b1\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe\n"
    "--b1\nContent-Type: message/rfc822\n\nSubject: inner\n\ntext\n--b1\nContent-Type: a/b\nContent-Transfer-Encoding: base64\n\n"
    "AAEC\n--b1--\n";

struct Site {
  Site() {
    world.add_user("anna@example.test", "secret");
    for (int i = 0; i < 3; ++i) world.deliver("anna@example.test", kMessage);
  }
  testing::World world{testing::kOneThread};
  ServerContext context{*world.store, *world.authenticator, world.clock, "mail.example.test"};
};

/// The size of the literal that a line announces.
std::optional<std::size_t> literal_of(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  const auto open = line.rfind('{');
  if (open == std::string_view::npos) return std::nullopt;
  return ascii::parse_decimal<std::size_t>(line.substr(open + 1, line.size() - open - 2));
}

void check_responses(std::string_view output) {
  while (!output.empty()) {
    require(output.starts_with("* ") || output.starts_with("+ ") || output.find(' ') != std::string_view::npos);
    require(output[0] != ' ' && output[0] != '\r');
    for (bool goes_on = true; goes_on;) {
      const auto end = output.find("\r\n");
      require(end != std::string_view::npos);
      const auto line = output.substr(0, end);
      require(line.find('\n') == std::string_view::npos && line.find('\0') == std::string_view::npos);
      output.remove_prefix(end + 2);
      const auto literal = literal_of(line);
      goes_on = literal.has_value();
      if (!goes_on) break;
      require(*literal <= output.size());
      output.remove_prefix(*literal);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static testing::FuzzSite<Site> sites;
  Site& site = sites.fresh();
  const std::uint8_t choice = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  site.context.allow_plaintext_login = true;
  site.context.offers_tls = (choice & 8) != 0;
  {
    testing::LoopbackDriver driver;
    auto session = make_server_session(site.context, {}, driver.waker());
    driver.open(std::move(session));
    if (choice & 1) driver.send("a LOGIN anna@example.test secret\r\n");
    if (choice & 2) driver.send("b ENABLE IMAP4rev2\r\n");
    if (choice & 4) driver.send("c SELECT INBOX\r\n");
    const std::size_t cuts[] = {0, 1, 2, 7};
    if (!driver.is_closed()) driver.send(input, cuts[choice >> 4 & 3]);
    if (!driver.is_closed()) driver.deliver_wake();
    if (!driver.is_closed() && (choice & 64)) driver.time_out();
    check_responses(driver.output());
  }
  sites.finish();
  return 0;
}
