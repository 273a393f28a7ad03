// Runs tests/sessions/imap/*.session against imap/server_session.h. Options of @connect: tls=implicit, plaintext=no
// (login needs TLS), starttls=no, max=BYTES (the largest message).
#include <gtest/gtest.h>

#include <deque>

#include "core/base/ascii.h"
#include "core/base/log.h"
#include "imap/server_session.h"
#include "tests/support/dialog.h"

namespace posthus::testing {
namespace {

/// What the connections of one script share; each has a context of its own, with options of its own.
struct Server {
  std::deque<imap::ServerContext> contexts;
};

DialogAdapter make_adapter() {
  return [server = std::make_shared<Server>()](World& world, const ConnectionOptions& options,
                                               const session::ConnectionFacts& facts, session::Waker waker) {
    imap::ServerContext& context =
        server->contexts.emplace_back(*world.store, *world.authenticator, world.clock, "mail.example.test");
    context.offers_tls = !options.contains("starttls");
    context.allow_plaintext_login = !options.contains("plaintext");
    if (options.contains("max")) context.max_message_bytes = ascii::parse_decimal<std::uint64_t>(options.at("max")).value_or(0);
    return imap::make_server_session(context, facts, std::move(waker));
  };
}

}  // namespace
}  // namespace posthus::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  posthus::log::configure(posthus::log::Level::kError, posthus::log::Format::kText);
  posthus::testing::register_dialogs(POSTHUS_SOURCE_DIR "/tests/sessions/imap", posthus::testing::make_adapter);
  return RUN_ALL_TESTS();
}
