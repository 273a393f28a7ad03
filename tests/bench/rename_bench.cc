// bench_rename: how long a domain takes to get another name, on disk, the Writer's group and its sync included.
// Usage: bench_rename STORE-DIRECTORY MAILBOXES; the directory must not hold a store yet.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "store/store.h"

namespace posthus::store {
namespace {

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "bench_rename: %s\n", error.context.c_str());
  std::exit(1);
}

void must(Store& store, WriteRequest request) {
  const auto outcome = store.apply(std::move(request));
  if (!outcome) give_up(outcome.error());
}

/// Users, half as many aliases, and others who forward to them.
void fill(Store& store, int mailboxes) {
  must(store, PutDomain{{.name = "before.test", .limits = {}}});
  must(store, PutDomain{{.name = "elsewhere.test", .limits = {}}});
  for (int i = 0; i < mailboxes; ++i) {
    const std::string name = "user" + std::to_string(i);
    UserRecord user{.address = name + "@before.test", .password_hash = std::string(97, 'h'), .scram_salt = std::string(16, 's')};
    user.scram_stored_key = user.scram_server_key = std::string(32, 'k');
    must(store, PutUser{user, PutRule::kCreate});
    if (i % 2 == 0)
      must(store, PutAlias{{.address = "alias" + std::to_string(i) + "@before.test", .targets = {user.address}, .created = {}}});
    if (i % 100 == 0) must(store, PutAlias{{.address = name + "@elsewhere.test", .targets = {user.address}, .created = {}}});
  }
}

int run(const char* directory, int mailboxes) {
  const SystemClock clock;
  auto store = Store::open({.directory = directory}, clock);
  if (!store) give_up(store.error());
  fill(**store, mailboxes);
  for (const auto& [from, to] : {std::pair("before.test", "after.test"), std::pair("after.test", "before.test")}) {
    const auto begin = std::chrono::steady_clock::now();
    must(**store, RenameDomain{from, to});
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    std::printf("%s to %s, %d mailboxes: %.0f ms\n", from, to, mailboxes, took.count());
  }
  return 0;
}

}  // namespace
}  // namespace posthus::store

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return posthus::store::run(argv[1], std::atoi(argv[2]));
}
