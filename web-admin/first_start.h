// FirstStart: whether this server has been set up. Until it has, nothing but its set-up answers (api.cc), and the mail listeners
// say 421 (core/main/until_set_up.h). A store counts as set up when its set-up was finished, or when it has a domain and no
// set-up was begun. What the set-up has come to stands in the store, step by step, so that it can be taken up again after any
// interruption. Thread rule: any thread.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/secret.h"
#include "store/store.h"

namespace posthus::web_admin {

/// What is kept between steps; settings of the program's own, which the API for settings does not show.
namespace first_start_keys {
inline constexpr std::string_view kState = "first_start.state";               // "open" once something was made, then "done"
inline constexpr std::string_view kHostname = "first_start.hostname";         // our name, as long as the settings name none
inline constexpr std::string_view kDomain = "first_start.domain";             // of the step "domain"
inline constexpr std::string_view kAdmin = "first_start.admin";               // address of the step "admin"
inline constexpr std::string_view kAdminDomain = "first_start.admin_domain";  // a domain that the step "admin" made
inline constexpr std::string_view kFactor = "first_start.factor";             // "totp": the admin has a second factor
inline constexpr std::string_view kSending = "first_start.sending";           // "direct", "smarthost"
inline constexpr std::string_view kCertificate = "first_start.certificate";   // "self_signed", "upload", "acme"
inline constexpr std::string_view kDns = "first_start.dns";                   // "checked"
inline constexpr std::string_view kMailbox = "first_start.mailbox";           // address of the step "mailbox"
}  // namespace first_start_keys

/// Where the store stands. Errors: those of the store.
Result<bool> is_set_up(const store::Snapshot& snapshot);
/// Our name as the set-up was told; nothing when it was not.
Result<std::optional<std::string>> chosen_hostname(const store::Snapshot& snapshot);

class FirstStart {
 public:
  /// `token`: what whoever sets up must show; kept in memory only. `restart`: called when our name has changed, which needs a
  /// new beginning of the server; must not block.
  FirstStart(bool is_set_up, Secret token, std::function<void()> restart)
      : is_set_up_(is_set_up), token_(std::move(token)), restart_(std::move(restart)) {}

  bool is_set_up() const { return is_set_up_.load(std::memory_order_acquire); }
  bool admits(std::string_view token) const { return !is_set_up() && equal_in_constant_time(token, token_.reveal()); }
  void restart() const { restart_(); }

  /// From now on everything answers. Durable when it returns.
  Result<> finish(store::Store& store);

  /// The dry run that tried the way out last.
  void remember_test(std::string id);
  std::string last_test() const;
  /// The key of a second factor that is being set up, raw; empty: none. In memory only.
  void set_pending_factor(std::string secret);
  std::string pending_factor() const;

 private:
  std::atomic<bool> is_set_up_;
  const Secret token_;
  const std::function<void()> restart_;
  mutable std::mutex mutex_;  // of the following
  std::string last_test_, pending_factor_;
};

}  // namespace posthus::web_admin
