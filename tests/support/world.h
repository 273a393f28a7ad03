// World: a store in memory with a clock that stands still and an authenticator, for dialogs, unit tests and fuzzing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/mailauth/dkim_sign.h"
#include "core/sasl/authenticator.h"
#include "store/store.h"

namespace posthus::testing {

/// How a message came: with SMTPUTF8 or without.
enum class Came : bool { kPlain, kInternationalized };
/// The least argon2id takes and RFC 7677 allows: tests are not about how long guessing takes.
inline constexpr sasl::PasswordCost kCheapCost{8, 1, 4096};

/// A DKIM key of each algorithm, made once per process.
Result<mailauth::NewKey> key_made_once(mailauth::SigningAlgorithm algorithm);

class World {
 public:
  /// 2026-11-21T12:00:00Z, domain example.test, no users.
  World();
  explicit World(std::unique_ptr<store::Store> (*make_store)(const Clock&));
  ~World();

  void add_domain(std::string_view name);
  /// Quota in bytes, 0 for none. The password's argon2id hash is made once per password and process: tests stay quick.
  void add_user(std::string_view address, std::string_view password, std::uint64_t quota = 0);
  void disable_user(std::string_view address);
  void add_alias(std::string_view address, std::vector<std::string> targets);
  void add_group(std::string_view address, store::GroupWriters writers, std::vector<std::string> members);
  void add_grant(std::string_view owner, std::string_view delegate, store::MailboxAccess access, bool may_send);
  void remove_grant(std::string_view owner, std::string_view delegate);
  void set_pop3_retention(std::string_view address, std::uint32_t days);
  /// Puts `message` (line ends become CRLF) into the mailbox; dies when that fails.
  Uid deliver(std::string_view address, std::string_view message, std::string_view mailbox = "INBOX", std::uint8_t flags = 0,
              Came came = Came::kPlain);

  AccountId account(std::string_view address);
  MailboxId mailbox(std::string_view address, std::string_view name = "INBOX");
  /// Commits since the store was made: unchanged as long as nobody wrote.
  std::uint64_t commits() const { return store->statistics().engine.last_commit; }

  /// All message texts of a mailbox, in uid order.
  std::vector<std::string> messages(std::string_view address, std::string_view mailbox = "INBOX");

  ManualClock clock;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<sasl::CredentialSource> credentials;
  std::unique_ptr<sasl::Authenticator> authenticator;
};

/// Bare LF becomes CRLF.
std::string with_crlf(std::string_view text);

}  // namespace posthus::testing
