// QueueScene: a queue runner over a store in memory, a DNS in memory, hosts in memory and a clock that stands still.
// settle() performs everything that can happen without time passing. Thread rule: one thread uses it.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <mutex>

#include "core/base/queue_id.h"
#include "core/dns/memory_resolver.h"
#include "core/mail/address.h"
#include "smtp/queue_runner.h"
#include "store/queue_reader.h"
#include "tests/support/memory_dialer.h"
#include "tests/support/world.h"
#include "tests/unit/smtp/fake_host.h"

namespace posthus::testing {

/// What a message is queued with; the rest is usual.
struct Letter {
  std::string from = "anna@example.test";
  std::vector<std::string> to;
  std::uint8_t notify = 0;
  std::string text = "From: anna@example.test\r\nSubject: hello\r\n\r\nHello.\r\n";
  store::ReturnContent return_content = store::ReturnContent::kUnset;
  std::string envelope_id, recipient_reverse_path, extra_header, signing_domain, route;
  bool requires_tls = false, ignores_tls_policy = false, is_utf8 = false;
  store::BodyKind body = store::BodyKind::k7Bit;
};

class QueueScene : public ::testing::Test {
 protected:
  QueueScene() : QueueScene(&store::Store::create_in_memory) {}
  explicit QueueScene(std::unique_ptr<store::Store> (*make_store)(const Clock&)) : world(make_store) {
    world.add_user("anna@example.test", "secret");
    make_runner();
    put_setting("queue.allow_loopback", "0");
  }
  ~QueueScene() override {
    while (work_once()) {
    }
    runner->wind_down(std::chrono::milliseconds(0));
    for (int i = 0; i < 1000 && (settle(), dialer.time_out() > 0); ++i) {
    }
    settle();
    runner.reset();
  }

  void make_runner() {
    runner = std::make_unique<smtp::QueueRunner>(
        smtp::QueueContext{.store = *world.store,
                           .resolver = resolver,
                           .dialer = dialer,
                           .clock = world.clock,
                           .hostname = "mx.example.test",
                           .smtp_port = 25,
                           .run_blocking =
                               [this](std::move_only_function<void()> job) {
                                 const std::lock_guard lock(jobs_mutex);
                                 jobs.push_back(std::move(job));
                               },
                           .is_own_address = [](const std::string& address, std::uint16_t) { return address == "192.0.2.250"; },
                           .own_listener = parse_ip_address("192.0.2.250"),
                           .own_listener_port = 2525,
                           .tls_policies = tls_policies,
                           .signing = &signing});
  }

  void put_setting(const std::string& name, const std::string& value) {
    ASSERT_TRUE(world.store->apply(store::PutSetting{name, value}));
  }
  void zone(const std::string& lines) { ASSERT_TRUE(resolver.add_zone(lines)); }
  /// A host at 192.0.2.`last`, port 25.
  FakeHost& host(int last, std::uint16_t port = 25) {
    FakeHost& fake = hosts[{last, port}];
    dialer.set_host("192.0.2." + std::to_string(last), port, {.make_session = fake.factory()});
    return fake;
  }

  /// Queues it and tells the runner.
  QueueId queue(const Letter& letter) {
    const QueueId id = next_queue_id(world.clock.now());
    store::IncomingMessage message = world.store->begin_message();
    const std::string return_path = "Return-Path: <" + letter.from + ">\r\n";
    EXPECT_TRUE(message.append(return_path));
    EXPECT_TRUE(message.append(letter.text));
    EXPECT_TRUE(message.finish());
    store::QueueEntry entry;
    entry.reverse_path = letter.from;
    entry.local_header_bytes = static_cast<std::uint32_t>(return_path.size());
    entry.accepted = world.clock.now();
    entry.return_content = letter.return_content;
    entry.envelope_id = letter.envelope_id;
    entry.extra_header = letter.extra_header;
    entry.signing_domain = letter.signing_domain;
    entry.requires_tls = letter.requires_tls;
    entry.body = letter.body;
    entry.is_utf8 = letter.is_utf8;
    entry.ignores_tls_policy = letter.ignores_tls_policy;
    std::vector<store::QueuedRecipient> recipients;
    for (const std::string& address : letter.to) {
      store::QueuedRecipient recipient;
      recipient.address = address;
      recipient.domain = mail::parse_mailbox(address, mail::Utf8::kAllow)->domain;
      recipient.notify = letter.notify;
      recipient.reverse_path = letter.recipient_reverse_path;
      recipient.route = letter.route;
      recipients.push_back(recipient);
    }
    store::AddMessage request{.message = std::move(message),
                              .targets = {},
                              .internal_date = world.clock.now(),
                              .reverse_path = letter.from,
                              .trace = "{\"event\":\"accepted\"}",
                              .id = id,
                              .queue = entry,
                              .recipients = recipients};
    const auto added = world.store->apply(std::move(request));
    EXPECT_TRUE(added) << added.error().context;
    for (const store::QueuedRecipient& recipient : recipients) runner->added(recipient.domain);
    return id;
  }

  bool work_once() {
    std::move_only_function<void()> job;
    {
      const std::lock_guard lock(jobs_mutex);
      if (jobs.empty()) return false;
      job = std::move(jobs.front());
      jobs.pop_front();
    }
    job();
    return true;
  }
  /// Everything that is due now happens; the Writer's completions as well.
  void settle() {
    for (bool has_moved = true; has_moved;) {
      has_moved = false;
      while (work_once()) has_moved = true;
      if (dialer.waiting_dials() > 0 || dialer.has_wakes()) {
        dialer.run();
        has_moved = true;
      }
      // WHY: completions come in order, so when this one is there the others are.
      EXPECT_TRUE(world.store->apply(store::PutSetting{"test.barrier", "1"}));
      const std::lock_guard lock(jobs_mutex);
      has_moved = has_moved || !jobs.empty();
    }
  }
  void pass(std::chrono::seconds time) {
    world.clock.advance(std::chrono::microseconds(time).count());
    runner->tick();
    settle();
  }

  std::optional<store::QueuedRecipient> waiting(QueueId id, std::uint16_t number = 1) {
    const auto snapshot = world.store->snapshot();
    return *store::QueueReader(**snapshot).recipient(id, number);
  }
  bool is_queued(QueueId id) {
    const auto snapshot = world.store->snapshot();
    return store::QueueReader(**snapshot).entry(id)->has_value();
  }
  std::size_t queued_messages() {
    const auto snapshot = world.store->snapshot();
    return store::QueueReader(**snapshot).messages(QueueId(0), 10'000, 1)->size();
  }
  /// The events' JSON objects, without the acceptance.
  std::vector<std::string> trace(QueueId id) {
    const auto snapshot = world.store->snapshot();
    std::vector<std::string> events;
    for (const store::TraceEvent& event : *store::QueueReader(**snapshot).trace(id)) {
      if (event.number > 0) events.push_back(event.json);
    }
    return events;
  }
  std::vector<std::string> inbox() { return world.messages("anna@example.test"); }

  World world;
  dns::MemoryResolver resolver;
  MemoryDialer dialer;
  std::map<std::pair<int, std::uint16_t>, FakeHost> hosts;
  std::mutex jobs_mutex;
  std::deque<std::move_only_function<void()>> jobs;
  smtp::SigningKeys signing;
  smtp::TlsPolicySource* tls_policies = nullptr;  // for make_runner()
  std::unique_ptr<smtp::QueueRunner> runner;
};

}  // namespace posthus::testing
