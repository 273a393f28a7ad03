// bench_mailbox: what requests and readers cost on one large mailbox over LMDB, without Writer and segments: AddMessage,
// STORE, FETCH-like scans, COPY, MOVE, EXPUNGE. One line each. Usage: bench_mailbox [directory] [messages]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "store/apply.h"
#include "store/lmdb_engine.h"
#include "store/mailbox_reader.h"
#include "store/uid_set.h"

namespace posthus::store {
namespace {

using SteadyClock = std::chrono::steady_clock;

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "bench_mailbox: %s\n", result.error().context.c_str());
  std::exit(1);
}

double milliseconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}
void report(const char* what, double milliseconds, std::size_t count) {
  std::printf("%-36s %9.2f ms  %8.3f us each\n", what, milliseconds, milliseconds * 1000 / static_cast<double>(count));
}

struct Bench {
  std::unique_ptr<LmdbEngine> engine;
  std::uint64_t next_blob = 1;
  double apply_milliseconds = 0;

  WriteOutcome apply_in(WriteTransaction& transaction, const WriteRequest& request, std::optional<SliceProgress>& progress) {
    ApplyContext context{
        .transaction = transaction, .now = Timestamp::from_seconds(1'790'000'000), .placement = {}, .progress = progress};
    if (std::holds_alternative<AddMessage>(request))
      context.placement = BlobPlacement{BlobId(next_blob++), 1, next_blob * 4096, 4096};
    const auto begin = SteadyClock::now();
    WriteOutcome outcome = must(apply(context, request));
    apply_milliseconds += milliseconds_since(begin);
    progress = context.next;
    return outcome;
  }
  /// All slices, a commit each.
  WriteOutcome run(const WriteRequest& request) {
    WriteOutcome outcome;
    std::optional<SliceProgress> progress;
    do {
      const auto committed = engine->commit([&](WriteTransaction& transaction) -> Result<> {
        outcome = apply_in(transaction, request, progress);
        return {};
      });
      if (!committed) std::exit(1);
    } while (progress);
    return outcome;
  }
  void timed(const char* what, const WriteRequest& request, std::size_t count) {
    apply_milliseconds = 0;
    const auto begin = SteadyClock::now();
    run(request);
    const double all = milliseconds_since(begin);
    std::printf("%-36s %9.2f ms  %8.3f us each, with commits %.2f ms\n", what, apply_milliseconds,
                apply_milliseconds * 1000 / static_cast<double>(count), all);
  }
};

IncomingMessage sample_message() {
  IncomingMessage message({}, nullptr);
  std::string text = "From: A <a@example.org>\r\nTo: B <b@example.org>\r\nSubject: hello\r\nMessage-ID: <1@example.org>\r\n\r\n";
  text.resize(4096, 'x');
  if (!message.append(text) || !message.finish()) std::exit(1);
  return message;
}

void fill(Bench& bench, MailboxId inbox, std::size_t count) {
  AddMessage add{.message = sample_message()};
  add.targets.push_back({inbox, 0, {}});
  const WriteRequest request(std::move(add));
  bench.apply_milliseconds = 0;
  constexpr std::size_t kGroup = 256;
  for (std::size_t done = 0; done < count; done += kGroup) {
    const auto committed = bench.engine->commit([&](WriteTransaction& transaction) -> Result<> {
      for (std::size_t i = 0; i < std::min(kGroup, count - done); ++i) {
        std::optional<SliceProgress> progress;
        bench.apply_in(transaction, request, progress);
      }
      return {};
    });
    if (!committed) std::exit(1);
  }
  report("AddMessage, apply alone", bench.apply_milliseconds, count);
}

void read(const Bench& bench, MailboxId inbox, std::size_t count) {
  const auto snapshot = must(bench.engine->snapshot());
  const MailboxReader reader = must(MailboxReader::open(*snapshot, inbox));
  std::uint64_t sum = 0;
  const auto visit = [&sum](const MessageRecord& message) {
    sum += message.size + message.flags;
    return Visit::kContinue;
  };
  auto begin = SteadyClock::now();
  if (!reader.for_each(Uid(1), Uid(UINT32_MAX), visit)) std::exit(1);
  report("for_each, all", milliseconds_since(begin), count);
  begin = SteadyClock::now();
  if (!reader.for_each_changed(ModSeq(reader.record().highest_modseq.value - 1), Uid(1), Uid(UINT32_MAX), visit)) std::exit(1);
  report("for_each_changed, since the last", milliseconds_since(begin), count);
  begin = SteadyClock::now();
  const UidSet uids = must(reader.uids());
  report("uids", milliseconds_since(begin), count);
  begin = SteadyClock::now();
  constexpr std::size_t kLookups = 10'000;
  for (std::size_t i = 0; i < kLookups; ++i)
    sum += must(reader.message(Uid(static_cast<std::uint32_t>(1 + i * 7919 % count)))).has_value();
  report("message, at random", milliseconds_since(begin), kLookups);
  std::printf("%36s (%llu in %zu ranges)\n", "", static_cast<unsigned long long>(sum), uids.size());
}

void run(const std::string& directory, std::size_t count) {
  Bench bench{.engine = must(LmdbEngine::open(directory, 16ull << 30))};
  bench.run(PutDomain{{.name = "example.org"}});
  UserRecord user;
  user.address = "a@example.org";
  const AccountId account = bench.run(PutUser{user}).account;
  const MailboxId inbox = must(find_mailbox(*must(bench.engine->snapshot()), account, "INBOX")).value();
  const MailboxId trash = must(find_mailbox(*must(bench.engine->snapshot()), account, "Trash")).value();
  const UidSet all{{Uid(1), Uid(UINT32_MAX)}};
  const auto ten_thousand = static_cast<std::uint32_t>(std::min<std::size_t>(count, 10'000));
  const UidSet some{{Uid(1), Uid(ten_thousand)}};

  fill(bench, inbox, count);
  bench.timed("STORE 1:* +FLAGS", ChangeFlags{.mailbox = inbox, .uids = all, .change = FlagChange::kAdd, .flags = flag::kFlagged},
              count);
  bench.timed("STORE 1:* +FLAGS again",
              ChangeFlags{.mailbox = inbox, .uids = all, .change = FlagChange::kAdd, .flags = flag::kFlagged}, count);
  bench.timed("STORE of one",
              ChangeFlags{.mailbox = inbox, .uids = {{Uid(5), Uid(5)}}, .change = FlagChange::kAdd, .flags = flag::kSeen}, 1);
  read(bench, inbox, count);
  bench.timed("COPY of 10 000", CopyMessages{inbox, some, trash}, ten_thousand);
  bench.timed("EXPUNGE of the 10 000 copies", Expunge{trash, all, ExpungeRule::kAllNamed}, ten_thousand);
  bench.timed("MOVE 1:*", CopyMessages{inbox, all, trash, true}, count);
  bench.timed("EXPUNGE 1:*, last references", Expunge{trash, all, ExpungeRule::kAllNamed}, count);
}

}  // namespace
}  // namespace posthus::store

int main(int argc, char** argv) {
  const std::string directory = (argc > 1 ? argv[1] : "/tmp") + std::string("/bench_mailbox");
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  posthus::store::run(directory, argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100'000);
  std::filesystem::remove_all(directory);
  return 0;
}
