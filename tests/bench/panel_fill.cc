// bench_panel_fill: a store as a large installation has it after a month: domains, mailboxes, aliases, and messages with what
// happened to them. For tests/bench/panel.py. Usage: bench_panel_fill STORE-DIRECTORY DOMAINS MAILBOXES TRACE-ROWS
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/queue_id.h"
#include "core/mail/date_time.h"
#include "store/store.h"

namespace posthus::store {
namespace {

constexpr std::uint64_t kRowsOfMessage = 4;  // accepted, connected, attempt, delivered
constexpr std::uint64_t kInFlight = 2000;    // enough for large groups
constexpr std::int64_t kSpan = 28ll * 86'400 * 1'000'000;
constexpr std::string_view kFirst[] = {"anna", "ben", "carla", "dag", "eva", "finn", "greta", "hans", "ida", "jonas"};

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "bench_panel_fill: %s\n", error.context.c_str());
  std::exit(1);
}

std::string domain_name(std::uint64_t number) { return "firma-" + std::to_string(number) + ".test"; }
std::string address_of(std::uint64_t number, std::uint64_t domains) {
  return std::string(kFirst[number % std::size(kFirst)]) + "." + std::to_string(number) + "@" + domain_name(number % domains);
}

std::string event(std::string_view name, Timestamp time, const std::string& more) {
  return "{\"time\":\"" + mail::format_rfc3339(time) + "\",\"event\":\"" + std::string(name) + "\"," + more + "}";
}

/// Submits without waiting for each; `wait` for all.
class Feed {
 public:
  explicit Feed(Store& store) : store_(store) {}
  void put(WriteRequest request) {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [this] { return under_way_ < kInFlight; });
    ++under_way_;
    lock.unlock();
    store_.submit(std::move(request), [this](Result<WriteOutcome> outcome) {
      if (!outcome) give_up(outcome.error());
      const std::lock_guard guard(mutex_);
      --under_way_;
      free_.notify_one();
    });
  }
  void wait() {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [this] { return under_way_ == 0; });
  }

 private:
  Store& store_;
  std::mutex mutex_;
  std::condition_variable free_;
  std::uint64_t under_way_ = 0;
};

std::vector<MailboxId> fill_directory(Store& store, Timestamp now, std::uint64_t domains, std::uint64_t mailboxes) {
  Feed feed(store);
  for (std::uint64_t i = 0; i < domains; ++i) feed.put(PutDomain{.domain = {.name = domain_name(i), .created = now}});
  feed.wait();
  for (std::uint64_t i = 0; i < mailboxes; ++i) {
    UserRecord user;
    user.address = address_of(i, domains);
    user.quota_bytes = (i % 7 + 1) << 30;
    user.created = now;
    feed.put(PutUser{.user = user});
    if (i % 10 == 0)
      feed.put(PutAlias{.alias = {.address = "post." + std::to_string(i) + "@" + domain_name(i % domains),
                                  .targets = {user.address},
                                  .created = now}});
  }
  feed.wait();
  std::vector<MailboxId> inboxes;
  const auto snapshot = store.snapshot();
  for (std::uint64_t i = 0; i < mailboxes; ++i) {
    const auto user = DirectoryReader(**snapshot).user(address_of(i, domains));
    if (!user || !*user) give_up(user ? Error{ErrorKind::kNotFound, "a user"} : user.error());
    inboxes.push_back((*user)->inbox);
  }
  return inboxes;
}

IncomingMessage message_text(Store& store, const std::string& from, const std::string& to, std::uint64_t number) {
  IncomingMessage message = store.begin_message();
  const std::string text = "From: <" + from + ">\r\nTo: <" + to + ">\r\nSubject: Rechnung " + std::to_string(number) +
                           "\r\nMessage-ID: <" + std::to_string(number) + "@elsewhere.test>\r\n\r\nGuten Tag\r\n";
  if (!message.append(text) || !message.finish()) std::exit(1);
  return message;
}

void fill_messages(Store& store, Timestamp now, const std::vector<MailboxId>& inboxes, std::uint64_t domains,
                   std::uint64_t messages) {
  Feed feed(store);
  for (std::uint64_t i = 0; i < messages; ++i) {
    const Timestamp time{now.microseconds - kSpan +
                         static_cast<std::int64_t>(i * (static_cast<std::uint64_t>(kSpan) / messages))};
    const QueueId id(static_cast<std::uint64_t>(time.microseconds) << 12);
    const std::uint64_t whom = i * 7919 % inboxes.size();
    const std::string from = "kunde-" + std::to_string(i % 50'000) + "@elsewhere.test", to = address_of(whom, domains);
    AddMessage add{.message = message_text(store, from, to, i), .targets = {}, .internal_date = time, .reverse_path = from};
    add.targets.push_back({.mailbox = inboxes[whom], .flags = 0, .keywords = {}});
    add.id = id;
    add.trace = event(
        "accepted", time,
        "\"id\":\"" + to_text(id) + "\",\"via\":\"smtp\",\"address\":\"192.0.2.7\",\"helo\":\"mx.elsewhere.test\",\"from\":\"" +
            from + "\",\"size\":190,\"message_id\":\"<" + std::to_string(i) + "@elsewhere.test>\",\"subject\":\"Rechnung " +
            std::to_string(i) + "\",\"recipients\":[{\"recipient\":\"" + to + "\",\"event\":\"delivered\"}]");
    feed.put(std::move(add));
    for (std::uint64_t row = 1; row < kRowsOfMessage; ++row) {
      feed.put(
          AddTrace{id, event("deferred", time,
                             "\"recipient\":\"" + to + "\",\"host\":\"mx.firma.test\",\"reply\":\"451 4.3.0 Try again later\"")});
    }
  }
  feed.wait();
}

int run(const std::string& directory, std::uint64_t domains, std::uint64_t mailboxes, std::uint64_t rows) {
  const SystemClock clock;
  StoreOptions options;
  options.directory = directory;
  const auto store = Store::open(options, clock);
  if (!store) give_up(store.error());
  const Timestamp now = clock.now();
  const auto inboxes = fill_directory(**store, now, domains, mailboxes);
  std::printf("%llu domains, %zu mailboxes\n", static_cast<unsigned long long>(domains), inboxes.size());
  fill_messages(**store, now, inboxes, domains, rows / kRowsOfMessage);
  std::printf("%llu rows of the trace\n", static_cast<unsigned long long>(rows));
  return 0;
}

}  // namespace
}  // namespace posthus::store

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  return posthus::store::run(argv[1], number(2), number(3), number(4));
}
