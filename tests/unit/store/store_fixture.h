// What tests of a whole store share: users, messages, counting, on disk or in memory.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "store/maintenance.h"
#include "store/store.h"
#include "tests/unit/store/temporary_directory.h"

namespace posthus::store {

inline constexpr Timestamp kNow = Timestamp::from_seconds(1'790'000'000);

/// A store and what one asks of it. Every call that must succeed fails the test when it does not.
class StoreCase {
 public:
  explicit StoreCase(std::unique_ptr<Store> opened) : store(std::move(opened)) {}

  WriteOutcome must(WriteRequest request) const {
    auto outcome = store->apply(std::move(request));
    EXPECT_TRUE(outcome) << outcome.error().context;
    return outcome ? *std::move(outcome) : WriteOutcome();
  }
  ErrorKind refused(WriteRequest request) const {
    const auto outcome = store->apply(std::move(request));
    EXPECT_FALSE(outcome);
    return outcome ? ErrorKind::kInvalid : outcome.error().kind;
  }
  /// Makes the domain on first use; returns the INBOX.
  MailboxId add_user(const std::string& address) const {
    (void)store->apply(PutDomain{.domain = {.name = address.substr(address.find('@') + 1)}});
    UserRecord user;
    user.address = address;
    must(PutUser{.user = user});
    const auto snapshot = std::move(store->snapshot()).value();
    return DirectoryReader(*snapshot).user(address).value()->inbox;
  }
  IncomingMessage message(std::string_view text) const {
    IncomingMessage incoming = store->begin_message();
    EXPECT_TRUE(incoming.append(text));
    EXPECT_TRUE(incoming.finish());
    return incoming;
  }
  AddMessage add_request(MailboxId mailbox, std::string_view text) const {
    AddMessage add{
        .message = message(text), .targets = {}, .internal_date = kNow, .reverse_path = "sender@example.net", .trace = ""};
    add.targets.push_back({.mailbox = mailbox, .flags = 0, .keywords = {}});
    return add;
  }
  Uid add(MailboxId mailbox, std::string_view text) const {
    const WriteOutcome outcome = must(add_request(mailbox, text));
    return outcome.added.empty() ? Uid(0) : outcome.added[0].uid;
  }
  /// Texts of a mailbox in uid order.
  std::vector<std::string> texts(MailboxId mailbox) const {
    std::vector<std::string> out;
    const auto snapshot = std::move(store->snapshot()).value();
    const auto reader = MailboxReader::open(*snapshot, mailbox);
    EXPECT_TRUE(reader);
    if (!reader) return out;
    EXPECT_TRUE(reader->for_each(Uid(1), Uid(UINT32_MAX), [&](const MessageRecord& record) {
      std::string text;
      const auto read = store->read_message(*snapshot, record.blob, 0, UINT64_MAX, text);
      EXPECT_TRUE(read) << read.error().context;
      out.push_back(std::move(text));
      return Visit::kContinue;
    }));
    return out;
  }
  void expect_consistent() const {
    const auto report = check(*store, Depth::kBytes);
    ASSERT_TRUE(report) << report.error().context;
    for (const Finding& finding : report->findings) ADD_FAILURE() << finding.where << ": " << finding.what;
  }
  MailboxId inbox(const std::string& address) const {
    const auto snapshot = std::move(store->snapshot()).value();
    const auto user = DirectoryReader(*snapshot).user(address).value();
    EXPECT_TRUE(user.has_value()) << address;
    return user ? user->inbox : MailboxId(0);
  }

  std::unique_ptr<Store> store;
};

/// A message text of about `size` bytes that differs by `seed`, CRLF lines.
inline std::string text_of(std::size_t size, unsigned seed = 1) {
  std::string text = "Subject: message " + std::to_string(seed) + "\r\n\r\n";
  std::uint32_t state = seed * 2654435761u + 1;
  while (text.size() < size) {
    for (int i = 0; i < 62; ++i) {
      state = state * 1664525u + 1013904223u;
      text.push_back(static_cast<char>('a' + (state >> 24) % 26));
    }
    text += "\r\n";
  }
  return text;
}

/// Opens the store of a folder, again and again.
class DiskCase : public testing::Test {
 protected:
  Result<std::unique_ptr<Store>> try_open(const std::string& folder = "mail") const {
    StoreOptions options = options_;
    options.directory = directory_.path() + "/" + folder;
    return Store::open(options, clock_);
  }
  StoreCase open(const std::string& folder = "mail") const {
    auto store = try_open(folder);
    EXPECT_TRUE(store) << store.error().context;
    return StoreCase(store ? *std::move(store) : nullptr);
  }
  std::string path(const std::string& inside) const { return directory_.path() + "/mail/" + inside; }

  TemporaryDirectory directory_;
  ManualClock clock_{kNow};
  StoreOptions options_{.directory = {}, .map_bytes = 1ull << 30, .budget_bytes = 64ull << 20, .segment_bytes = 4ull << 20};
};

}  // namespace posthus::store
