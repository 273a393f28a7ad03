// Key building per table (store/tables.h; outgoing mail has its own in store/queue_rows.h): fixed-width big-endian numbers first,
// text last, so that every scan is a range. Text that could pass kMaxKey is cut and ends in a hash: still unique, still in
// (nearly) the order people expect. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.h"

namespace posthus::store {

/// Longest mailbox name in bytes: account (4) and name stay below kMaxKey, and a MailboxRecord below one row.
inline constexpr std::size_t kMaxMailboxName = 180;
/// Longer domain names or local parts are cut and hashed in keys; with separators and a row number they fit kMaxKey.
inline constexpr std::size_t kMaxDomainInKey = 100;
inline constexpr std::size_t kMaxLocalPartInKey = 80;

/// The smallest key greater than every key that begins with `prefix`; empty (the end of the table) when there is none.
std::string end_of_prefix(std::string_view prefix);

std::string account_key(AccountId account);  // kUsers, kUsage
std::string mailbox_key(MailboxId mailbox);  // kMailboxes, kKeywords, prefix of kMessages and kExpunged
std::string mailbox_name_key(AccountId account, std::string_view name);         // kMailboxNames, kSubscriptions
std::string page_key(MailboxId mailbox, Uid first);                             // kMessages
std::string expunged_key(MailboxId mailbox, ModSeq modseq, std::uint16_t row);  // kExpunged: one request may need several rows
std::string domain_key(std::string_view domain);                                // kDomains
std::string known_recipient_key(AccountId account, std::uint64_t recipient);    // kKnownRecipients
std::string token_key(std::string_view id);                                     // kTokens

/// kLogins, and with a NUL behind it the base of kAliases. Domain first, so that one domain's addresses are a range and lists
/// come sorted by domain. `lookup` is mail::lookup_key(address): "local@domain", or "@domain" for a catch-all.
std::string address_key(std::string_view lookup);
std::string alias_key(std::string_view lookup);  // base of the long value in kAliases
/// Every address_key of the domain begins with this, and no other does.
std::string address_prefix(std::string_view domain);

// Numbers back out of keys; nothing when the key has another length.
std::optional<AccountId> account_of_key(std::string_view key);  // account_key
std::optional<MailboxId> mailbox_of_key(std::string_view key);  // mailbox_key
std::optional<Uid> first_uid_of_page_key(std::string_view key);
std::optional<ModSeq> modseq_of_expunged_key(std::string_view key);
std::optional<BlobId> blob_of_key(std::string_view key);  // blob_key (store/blob_record.h)
/// The name at the end of a mailbox_name_key; empty when the key is too short.
std::string_view name_of_key(std::string_view key);

/// Names of kMeta rows that apply keeps (the Writer's are in store/blob_record.h). Counters hold the last number given out, eight
/// bytes big-endian.
namespace meta {
inline constexpr std::string_view kLastAccount = "last-account";
inline constexpr std::string_view kLastMailbox = "last-mailbox";
inline constexpr std::string_view kLastUidValidity = "last-uid-validity";
/// "admin/" account: the server admins, so that postmaster is found without reading every user.
inline constexpr std::string_view kAdminPrefix = "admin/";
/// "removing/" address_key -> account: users whose removal is under way; their address stays taken until it is done.
inline constexpr std::string_view kRemovingPrefix = "removing/";
}  // namespace meta

}  // namespace posthus::store
