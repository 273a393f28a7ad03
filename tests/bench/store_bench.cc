// bench_store: durable AddMessage per second at several loads, beside what the disk can do at all. One run prints the
// floors (append + fdatasync; LMDB commit of one row) and then, per message size and number in flight, messages per
// second, groups per second and syncs per message. Usage: bench_store [directory] [seconds per row]
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>

#include "core/base/metrics.h"
#include "store/lmdb_engine.h"
#include "store/store.h"

namespace posthus::store {
namespace {

using SteadyClock = std::chrono::steady_clock;
double seconds_since(SteadyClock::time_point begin) { return std::chrono::duration<double>(SteadyClock::now() - begin).count(); }
double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "bench_store: %s\n", result.error().context.c_str());
  std::exit(1);
}
void must(const Result<>& result) {
  if (result) return;
  std::fprintf(stderr, "bench_store: %s\n", result.error().context.c_str());
  std::exit(1);
}

void append_floor(const std::string& directory, std::size_t size, double seconds) {
  const std::string path = directory + "/floor";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  const std::string bytes(size, 'x');
  const auto begin = SteadyClock::now();
  std::uint64_t count = 0;
  while (seconds_since(begin) < seconds) {
    if (::write(fd, bytes.data(), bytes.size()) < 0 || ::fdatasync(fd) != 0) std::exit(1);
    ++count;
  }
  std::printf("floor: append %zu + fdatasync       %8.0f /s\n", size, static_cast<double>(count) / seconds_since(begin));
  ::close(fd);
  ::unlink(path.c_str());
}

void lmdb_floor(const std::string& directory, double seconds) {
  const std::string path = directory + "/floor-lmdb";
  std::filesystem::create_directory(path);
  {
    const auto engine = must(LmdbEngine::open(path, 1 << 30));
    const auto begin = SteadyClock::now();
    std::uint64_t count = 0;
    while (seconds_since(begin) < seconds) {
      must(engine->commit([&](WriteTransaction& transaction) {
        return transaction.put(Table::kTrace, std::to_string(count), std::string(200, 'v'));
      }));
      ++count;
    }
    std::printf("floor: LMDB commit of one row         %8.0f /s\n", static_cast<double>(count) / seconds_since(begin));
  }
  std::filesystem::remove_all(path);
}

std::string message_text(std::size_t size) {
  std::string text =
      "Return-Path: <sender@example.net>\r\nReceived: from client.example.net (192.0.2.1) by mail.example.org with ESMTP;\r\n"
      " Sat, 21 Nov 2026 12:00:00 +0000\r\nFrom: Sender <sender@example.net>\r\nTo: User <user@example.org>\r\n"
      "Subject: A message of the usual kind\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1234@example.net>\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
  while (text.size() + 72 < size) text += "All work and no play makes a mail server wait for its disk every day.\r\n";
  text.append(size - text.size(), 'x');
  return text;
}

/// Keeps `in_flight` messages under way: each completion lets the feeding thread make the next one.
class Load {
 public:
  Load(Store& store, std::vector<MailboxId> inboxes, std::string text)
      : store_(store), inboxes_(std::move(inboxes)), text_(std::move(text)) {}

  void run(std::size_t in_flight, double seconds) {
    const auto& groups = metrics::histogram("posthus_store_group_requests", "");
    const std::uint64_t groups_before = groups.count();
    const double cpu_before = cpu_seconds();
    const auto begin = SteadyClock::now();
    std::uint64_t sent = 0;
    std::unique_lock lock(mutex_);
    done_ = 0;
    while (seconds_since(begin) < seconds) {
      free_.wait(lock, [&] { return sent - done_ < in_flight; });
      lock.unlock();
      submit(sent++);
      lock.lock();
    }
    free_.wait(lock, [&] { return sent == done_; });
    const double elapsed = seconds_since(begin);
    const double count = static_cast<double>(sent), commits = static_cast<double>(groups.count() - groups_before);
    std::printf("%6zu bytes %3zu in flight  %8.0f messages/s  %6.0f groups/s  %5.2f syncs/message  %5.1f us CPU/message\n",
                text_.size(), in_flight, count / elapsed, commits / elapsed, commits * 3 / count,
                (cpu_seconds() - cpu_before) * 1e6 / count);
  }

 private:
  void submit(std::uint64_t number) {
    IncomingMessage message = store_.begin_message();
    must(message.append(text_));
    must(message.finish());
    AddMessage add{.message = std::move(message),
                   .targets = {},
                   .quota = QuotaRule::kDelivery,
                   .internal_date = {},
                   .reverse_path = "sender@example.net",
                   .trace = ""};
    add.targets.push_back({.mailbox = inboxes_[number % inboxes_.size()], .flags = 0, .keywords = {}});
    store_.submit(std::move(add), [this](Result<WriteOutcome> outcome) {
      must(outcome ? Result<>() : std::unexpected(outcome.error()));
      const std::lock_guard lock(mutex_);
      ++done_;
      free_.notify_one();
    });
  }

  Store& store_;
  std::vector<MailboxId> inboxes_;
  std::string text_;
  std::mutex mutex_;
  std::condition_variable free_;
  std::uint64_t done_ = 0;
};

int run(const std::string& directory, double seconds) {
  std::filesystem::create_directories(directory);
  append_floor(directory, 4096, seconds);
  append_floor(directory, 64 * 1024, seconds);
  lmdb_floor(directory, seconds);
  const SystemClock clock;
  StoreOptions options;
  options.directory = directory + "/store";
  {
    const auto store = must(Store::open(options, clock));
    must(store->apply(PutDomain{.domain = {.name = "example.org"}}));
    std::vector<MailboxId> inboxes;
    for (int i = 0; i < 20; ++i) {
      const std::string address = "user" + std::to_string(i) + "@example.org";
      UserRecord user;
      user.address = address;
      must(store->apply(PutUser{.user = user}));
      const auto snapshot = must(store->snapshot());
      inboxes.push_back(must(DirectoryReader(*snapshot).user(address))->inbox);
    }
    for (const std::size_t size : {4096uz, 8192uz, 65536uz}) {
      for (const std::size_t in_flight : {1uz, 10uz, 20uz, 50uz})
        Load(*store, inboxes, message_text(size)).run(in_flight, seconds);
    }
  }
  std::filesystem::remove_all(options.directory);
  return 0;
}

}  // namespace
}  // namespace posthus::store

int main(int argc, char** argv) {
  const std::string directory = argc > 1 ? argv[1] : "bench-store";
  return posthus::store::run(directory, argc > 2 ? std::atof(argv[2]) : 2.0);
}
