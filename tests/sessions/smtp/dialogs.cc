// The SMTP dialogs: tests/sessions/smtp/*.session against the server session. Options of @connect: role=submission,
// size=BYTES, rcptmax=N, mailmax=N, starttls=no.
#include <gtest/gtest.h>

#include <memory>

#include "core/base/ascii.h"
#include "smtp/server_session.h"
#include "tests/support/dialog.h"

namespace posthus::smtp {
namespace {

template <class T>
void set_limit(T& limit, const testing::ConnectionOptions& options, const std::string& name) {
  const auto found = options.find(name);
  if (found != options.end()) limit = ascii::parse_decimal<T>(found->second).value();
}

testing::DialogAdapter make_adapter() {
  auto contexts = std::make_shared<std::vector<std::unique_ptr<ServerContext>>>();
  return [contexts](testing::World& world, const testing::ConnectionOptions& options, const session::ConnectionFacts& facts,
                    session::Waker waker) {
    auto context =
        std::make_unique<ServerContext>(ServerContext{*world.store, *world.authenticator, world.clock, "mx.example.test"});
    context->offers_tls = !options.contains("starttls");
    context->address_literals = {"[192.0.2.100]"};
    set_limit(context->limits.max_message_bytes, options, "size");
    set_limit(context->limits.max_recipients, options, "rcptmax");
    set_limit(context->limits.max_transactions, options, "mailmax");
    const bool is_submission = options.contains("role") && options.at("role") == "submission";
    contexts->push_back(std::move(context));
    return make_server_session(*contexts->back(), is_submission ? ListenerRole::kSubmission : ListenerRole::kMx, facts, waker);
  };
}

}  // namespace
}  // namespace posthus::smtp

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  posthus::testing::register_dialogs(POSTHUS_SOURCE_DIR "/tests/sessions/smtp", posthus::smtp::make_adapter);
  return RUN_ALL_TESTS();
}
