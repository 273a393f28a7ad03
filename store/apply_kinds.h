// One function per kind of WriteRequest, and what several of them share. Only apply*.cc include this.
// The rules of store/apply.h hold for each: preconditions first, then puts; the request is not changed.
// Thread rule: the Writer's thread.
#pragma once

#include <string>
#include <vector>

#include "store/apply.h"

namespace posthus::store {

Result<WriteOutcome> apply_kind(ApplyContext& context, const AddMessage& request);          // apply_add_message.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const ChangeFlags& request);         // apply_change_flags.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const Expunge& request);             // apply_expunge.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const CopyMessages& request);        // apply_copy.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const CreateMailbox& request);       // apply_mailbox.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const DeleteMailbox& request);       // apply_mailbox.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RenameMailbox& request);       // apply_rename.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const SetSubscription& request);     // apply_mailbox.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const ClaimRecent& request);         // apply_mailbox.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutDomain& request);           // apply_directory.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveDomain& request);        // apply_directory.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutUser& request);             // apply_user.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveUser& request);          // apply_user.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RenameUser& request);          // apply_user.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RenameDomain& request);        // apply_rename_domain.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutOwnAlias& request);         // apply_own_alias.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveOwnAlias& request);      // apply_own_alias.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutAlias& request);            // apply_directory.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveAlias& request);         // apply_directory.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutToken& request);            // apply_directory.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveToken& request);         // apply_directory.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RecordAttempt& request);       // apply_attempt.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const HoldAccount& request);         // apply_sending.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const NoteLimit& request);           // apply_sending.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const AddTrace& request);            // apply_attempt.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const ChangeQueue& request);         // apply_change_queue.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutRoute& request);            // apply_settings.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveRoute& request);         // apply_settings.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutDkimKey& request);          // apply_settings.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveDkimKey& request);       // apply_settings.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutSetting& request);          // apply_settings.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutStsPolicy& request);        // apply_tls.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveStsPolicy& request);     // apply_tls.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutTlsTally& request);         // apply_tls.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutCertificate& request);      // apply_certificate.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveCertificate& request);   // apply_certificate.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutAcmeAccount& request);      // apply_certificate.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutSecondFactor& request);     // apply_identity.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const UseSecondFactor& request);     // apply_identity.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveSecondFactor& request);  // apply_identity.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutAppPassword& request);      // apply_identity.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const UseAppPassword& request);      // apply_identity.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveAppPassword& request);   // apply_identity.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const AddAudit& request);            // apply_identity.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const AddHistory& request);          // apply_history.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutAlert& request);            // apply_history.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutPasskey& request);          // apply_passkey.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const UsePasskey& request);          // apply_passkey.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemovePasskey& request);       // apply_passkey.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutSignIns& request);          // apply_watch.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutDnsCheck& request);         // apply_watch.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const PutLoginBlocks& request);      // apply_watch.cc

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutGrant& request);     // apply_grant.cc
Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveGrant& request);  // apply_grant.cc

// What goes with a user (apply_grant.cc): all he granted and was granted; or only what he was granted.
Result<> erase_grants(WriteTransaction& transaction, const UserRecord& user);
Result<> erase_delegations(WriteTransaction& transaction, AccountId delegate);
// What delegates are subscribed to follows the owner's address (apply_grant.cc).
Result<> rename_subscriptions(WriteTransaction& transaction, AccountId owner, const std::string& from, const std::string& to);
// Addresses a user made for himself (apply_own_alias.cc): they go with him, and lead to his new address; in another domain than
// his they are no longer his to change.
Result<> erase_own_aliases(WriteTransaction& transaction, const UserRecord& user);
Result<> redirect_own_aliases(WriteTransaction& transaction, const UserRecord& before, const std::string& to);
// What keeps a domain from going or its name from being taken (apply_directory.cc): kExists, and which.
Result<> check_empty(const Snapshot& snapshot, const std::string& name);
Result<> check_without_addresses(const Snapshot& snapshot, const std::string& name);
// The addresses mail is forwarded to, as they are stored (apply_user.cc). Errors: kInvalid, kTooLarge.
Result<std::vector<std::string>> forward_addresses(const UserRecord& user);
// Is nobody's, and of a domain that has addresses (apply_user.cc). Errors: kExists, kNotFound, kInvalid.
struct CanonicalAddress;
Result<> check_new_address(const Snapshot& snapshot, const CanonicalAddress& address);
// What goes with a user or a domain (apply_identity.cc).
Result<> erase_identity(WriteTransaction& transaction, AccountId account);
Result<> replace_administered(WriteTransaction& transaction, AccountId account, const std::vector<std::string>& domains);
Result<> erase_administrators(WriteTransaction& transaction, std::string_view domain);

// The two halves of AddMessage (apply_add_message.cc), for requests that carry one. REQUIRES: context.placement is its.
Result<> check_message(const ApplyContext& context, const AddMessage& request);
Result<WriteOutcome> put_message(ApplyContext& context, const AddMessage& request);

/// The account's record as it will be with `sent` (apply_sending.cc); reads only.
struct Sending {
  SendingRecord record;
  std::vector<std::uint64_t> recipients;  // whose rows of kKnownRecipients are to be written
  bool has_begun_hold = false;
  std::string domain;  // counts too; empty: none
  SentMore more;
};
Result<Sending> count_sending(const ApplyContext& context, const SentCopies& sent);
Result<> put_sending(ApplyContext& context, const Sending& sending);
/// Adds what recipients with a forwarder add to his counts and his domain's.
Result<> count_forwards(ApplyContext& context, const std::vector<QueuedRecipient>& recipients);
/// Adds to the bounces of the account, if there still is one.
Result<> count_bounces(ApplyContext& context, AccountId account, std::uint32_t bounces);

/// A message that nobody waits for any more leaves the queue with its reference to the text (apply_attempt.cc).
/// REQUIRES: no recipient is left.
Result<> erase_queue_entry(ApplyContext& context, const QueueEntry& entry);

}  // namespace posthus::store
