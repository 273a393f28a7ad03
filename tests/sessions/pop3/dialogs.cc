// Runs tests/sessions/pop3/*.session against pop3/server_session.h. Options of @connect: tls=implicit, plaintext=yes,
// stls=no, delay=SECONDS.
#include <gtest/gtest.h>

#include <deque>

#include "core/base/log.h"
#include "pop3/server_session.h"
#include "tests/support/dialog.h"

namespace posthus::testing {
namespace {

/// What the connections of one script share.
struct Server {
  pop3::MaildropLocks locks;
  std::deque<pop3::ServerContext> contexts;
};

DialogAdapter make_adapter() {
  return [server = std::make_shared<Server>()](World& world, const ConnectionOptions& options,
                                               const session::ConnectionFacts& facts, session::Waker waker) {
    pop3::ServerContext& context = server->contexts.emplace_back(
        pop3::ServerContext{*world.store, *world.authenticator, world.clock, server->locks, "mail.example.test"});
    context.offers_tls = !options.contains("stls");
    context.allow_plaintext_auth = options.contains("plaintext");
    if (options.contains("delay")) context.login_delay = std::chrono::seconds(std::stol(options.at("delay")));
    return pop3::make_server_session(context, facts, std::move(waker));
  };
}

}  // namespace
}  // namespace posthus::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  posthus::log::configure(posthus::log::Level::kError, posthus::log::Format::kText);
  posthus::testing::register_dialogs(POSTHUS_SOURCE_DIR "/tests/sessions/pop3", posthus::testing::make_adapter);
  return RUN_ALL_TESTS();
}
