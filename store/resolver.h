// Resolver: what an envelope recipient means, following aliases (directory_reader.h, DirectoryReader::resolve).
// Thread rule: one resolution, one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "core/mail/address.h"
#include "store/directory_reader.h"
#include "store/engine.h"

namespace posthus::store {

/// Addresses looked at for one recipient, all aliases together: bounds what one RCPT can cost.
inline constexpr std::size_t kMaxExpandedAddresses = 10'000;

class Resolver {
 public:
  /// REQUIRES: the snapshot outlives the resolver.
  Resolver(const Snapshot& snapshot, std::uint64_t message_size, QuotaCheck quota)
      : snapshot_(snapshot), message_size_(message_size), quota_(quota) {}
  /// `writer` null: nobody who would be kept out of a group.
  Result<Resolution> resolve(const mail::Address& recipient, const GroupWriter* writer);

 private:
  enum class Found : bool { kNo, kYes };

  /// Where the way to an address comes from: how deep, and who is to be let into a group there (null: all are).
  struct Way {
    int depth = 0;
    const GroupWriter* writer = nullptr;
  };
  Result<> expand(const mail::Address& address, Way way);
  Result<Found> try_user(std::string_view lookup, Way way);
  Result<Found> try_alias(std::string_view lookup, Way way);
  Result<> add_targets(const std::vector<std::string>& targets, Way way);
  Result<> add_server_admin(Way way);
  Result<std::optional<std::string>> only_domain() const;
  Result<> add_user(const UserRecord& user, Way way);
  void add_full_member(const UserRecord& user);
  void skip(std::string address, SkippedMember::Reason reason);
  Result<bool> is_over_quota(const UserRecord& user) const;
  bool has_target() const { return !result_.inboxes.empty() || !result_.remote_targets.empty(); }
  void add_remote_target(const mail::Address& address, const std::optional<DomainRecord>& domain);
  Resolution verdict(bool domain_is_ours);

  const Snapshot& snapshot_;
  const std::uint64_t message_size_;
  const QuotaCheck quota_;
  Resolution result_;
  std::unordered_set<std::string> seen_;       // lookup keys of aliases entered and remote targets taken
  std::unordered_set<std::uint32_t> inboxes_;  // taken, or of full members
  std::size_t expanded_ = 0;
  std::optional<Resolution::Kind> kept_out_;  // of a group: why
  bool is_target_checked_ = false;            // the latest remote target: by the primary of its domain
  bool is_too_deep_ = false, is_circular_ = false, is_disabled_ = false, is_over_quota_ = false;
};

}  // namespace posthus::store
