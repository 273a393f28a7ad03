// See until_set_up.h.
#include "core/main/until_set_up.h"

namespace posthus::main {
namespace {

using session::Input;
using session::Output;
using session::Step;

constexpr std::chrono::seconds kLinePatience{10};  // for who does not take one line

class ClosedSession final : public session::Session {
 public:
  explicit ClosedSession(const std::string& farewell) : farewell_(farewell) {}
  Step opened(Output& output) override {
    output.append(farewell_);
    return Step::kClose;
  }
  Step received(Input& input, Output&) override {
    input.consume(input.size());
    return Step::kClose;
  }
  Step tls_started(const session::TlsFacts&, Output&) override { return Step::kClose; }
  Step resumed(Output&) override { return Step::kClose; }
  std::chrono::seconds deadline() const override { return kLinePatience; }
  void timed_out(Output&) override {}
  void shutting_down(Output&) override {}

 private:
  const std::string farewell_;
};

}  // namespace

session::SessionFactory until_set_up(const web_admin::FirstStart& first_start, std::string farewell,
                                     session::SessionFactory make_session) {
  return [&first_start, farewell = std::move(farewell), make_session = std::move(make_session)](
             const session::ConnectionFacts& facts, session::Waker waker) -> std::unique_ptr<session::Session> {
    if (!first_start.is_set_up()) return std::make_unique<ClosedSession>(farewell);
    return make_session(facts, std::move(waker));
  };
}

}  // namespace posthus::main
