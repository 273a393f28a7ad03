// Keyword names of a mailbox and their bits (RFC 9051 §2.3.2: names compare without case). Pure but for resolve().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "store/engine.h"
#include "store/records.h"

namespace posthus::store {

/// The names of one mailbox while a request is applied.
class KeywordNames {
 public:
  static Result<KeywordNames> load(const Snapshot& snapshot, MailboxId mailbox);

  /// The bit of a name; nothing when the mailbox does not know it.
  std::optional<std::uint64_t> find(std::string_view name) const;
  /// The same, but an unknown name is added. Errors: kInvalid (not a keyword), kTooLarge (the mailbox has
  /// kMaxKeywordsPerMailbox already).
  Result<std::uint64_t> find_or_add(std::string_view name);
  const std::vector<std::string>& names() const { return names_; }

  /// Stores the names when some were added.
  Result<> store(WriteTransaction& transaction, MailboxId mailbox) const;

 private:
  std::vector<std::string> names_;
  bool is_changed_ = false;
};

}  // namespace posthus::store
