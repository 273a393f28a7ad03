// LINK: posthus_core_sasl
// Login exchanges with arbitrary responses: byte 0 chooses the mechanism, lines are the client's responses. SASLprep gets
// the whole input as well. Nobody knows the password here: an accepted login is a bug.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/sasl/authenticator.h"
#include "core/sasl/memory_credentials.h"
#include "core/sasl/saslprep.h"
#include "core/sasl/scram.h"

using namespace posthus;
using namespace posthus::sasl;

namespace {

struct World {
  World() {
    log::configure(log::Level::kError, log::Format::kText);
    Credentials anna{AccountId(1), "anna", "", {}, false};
    anna.scram = make_scram_keys("not to be guessed", "0123456789abcdef", 4096);
    credentials.put(anna);
  }
  ManualClock clock{Timestamp::from_seconds(1)};
  MemoryCredentials credentials;
  Authenticator authenticator{credentials, clock, {}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  constexpr std::string_view kNames[] = {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "PLAIN", "LOGIN"};
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view name = kNames[data[0] % 4];
  input.remove_prefix(1);
  saslprep(input);
  LoginFacts facts{.protocol = "imap", .remote_address = "", .is_tls = true, .tls_exporter = "binding"};
  auto exchange = world.authenticator.begin(name, std::nullopt, facts);
  while (exchange->state() == LoginExchange::State::kChallenge && !input.empty()) {
    const std::size_t end = input.find('\n');
    std::string line(input.substr(0, end));
    input = end == std::string_view::npos ? std::string_view{} : input.substr(end + 1);
    // '@' stands for the challenge's nonce, so that second messages get past the comparison.
    if (const auto at = line.find('@'); at != std::string::npos && exchange->challenge().starts_with("r=")) {
      line.replace(at, 1, exchange->challenge().substr(2, exchange->challenge().find(',') - 2));
    }
    exchange->respond(line);
  }
  if (exchange->state() == LoginExchange::State::kDone && exchange->verdict() == LoginVerdict::kAccepted) std::abort();
  return 0;
}
