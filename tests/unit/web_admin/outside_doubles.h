// What tests of checks and of the set-up put in place of the world outside: names from a zone, connections in memory.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "core/dns/resolver.h"
#include "core/session/dialer.h"
#include "tests/support/memory_dialer.h"

namespace posthus::web_admin {

/// What is made for each check asks the zone of the test.
class SameResolver final : public dns::Resolver {
 public:
  explicit SameResolver(dns::Resolver& zone) : zone_(zone) {}
  void resolve(std::string name, dns::RecordType type, dns::AnswerDone done) override {
    zone_.resolve(std::move(name), type, std::move(done));
  }

 private:
  dns::Resolver& zone_;
};

/// The same, and somebody looks each time before it answers.
class WatchedResolver final : public dns::Resolver {
 public:
  WatchedResolver(dns::Resolver& zone, std::function<void()> look) : zone_(zone), look_(std::move(look)) {}
  void resolve(std::string name, dns::RecordType type, dns::AnswerDone done) override {
    look_();
    zone_.resolve(std::move(name), type, std::move(done));
  }

 private:
  dns::Resolver& zone_;
  const std::function<void()> look_;
};

/// Connections come about at once, on the thread that dials.
class PromptDialer final : public session::Dialer {
 public:
  void dial(session::DialOptions options, session::SessionFactory make_session, session::DialDone done) override {
    hosts.dial(std::move(options), std::move(make_session), std::move(done));
    hosts.run();
  }
  testing::MemoryDialer hosts;
};

}  // namespace posthus::web_admin
