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

/// A primary that refuses nobody@ and curt@, does not answer for later@, is not asked for busy@, and takes everybody else.
class Primary final : public RecipientCheck {
 public:
  void ask(const mail::Address& recipient, std::move_only_function<void(PrimaryReply)> done) override {
    using enum PrimaryAnswer;
    if (recipient.local_part == "nobody") return done({kRefused, 553, "5.1.6", "nobody moved away \xC3\xB8\r\n250 ok"});
    if (recipient.local_part == "curt") return done({kRefused, 550, "", ""});
    if (recipient.local_part == "busy") return done({kBusy, 0, "", ""});
    done({recipient.local_part == "later" ? kUnavailable : kTaken, 0, "", ""});
  }
};

testing::DialogAdapter make_adapter() {
  auto primary = std::make_shared<Primary>();
  auto contexts = std::make_shared<std::vector<std::unique_ptr<ServerContext>>>();
  return [contexts, primary](testing::World& world, const testing::ConnectionOptions& options,
                             const session::ConnectionFacts& facts, session::Waker waker) {
    auto context =
        std::make_unique<ServerContext>(ServerContext{*world.store, *world.authenticator, world.clock, "mx.example.test"});
    context->offers_tls = !options.contains("starttls");
    context->address_literals = {"[192.0.2.100]"};
    context->recipient_check = primary.get();
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
