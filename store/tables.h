// Every table on one screen. Keys are fixed-width big-endian, so that scans are ranges; texts come last in a key.
// Records are described where they are encoded (store/record_*.h).
#pragma once

#include <cstdint>

namespace posthus::store {

enum class Table : std::uint8_t {
  kMeta,             // name                       -> format version, id counters, store UUID
  kDomains,          // domain                     -> DomainRecord
  kUsers,            // account                    -> UserRecord
  kLogins,           // lookup key of address      -> account
  kAliases,          // lookup key, or "@domain"   -> AliasRecord
  kTokens,           // token id                   -> TokenRecord
  kUsage,            // account                    -> bytes, messages, kept exact
  kMailboxes,        // mailbox                    -> MailboxRecord (counts kept exact)
  kMailboxNames,     // account, name              -> mailbox
  kSubscriptions,    // account, name              -> (empty); may name what does not exist (RFC 9051 §6.3.7)
  kKeywords,         // mailbox                    -> keyword names, bit by position
  kMessages,         // mailbox, first uid of page -> page: highest ModSeq, then up to 48 fixed-size message records
  kExpunged,         // mailbox, ModSeq            -> uid ranges that vanished
  kSummaries,        // blob, row number           -> piece of the encoded summary
  kBlobs,            // blob                       -> segment, offset, length, references, SHA-256
  kSegments,         // segment                    -> bytes written, bytes live, sealed
  kDkimKeys,         // domain, selector           -> DkimKeyRecord
  kQueue,            // queue id, recipient number -> QueuedRecipient; number 0: QueueEntry
  kQueueDue,         // destination hash, next attempt, queue id, recipient number -> (empty)
  kTrace,            // queue id, event number     -> what happened to a message, a JSON object
  kSettings,         // name                       -> value (run-time settings)
  kRoutes,           // name                       -> RouteRecord
  kStsPolicies,      // domain                     -> StsPolicyRecord (MTA-STS, store/tls_records.h)
  kTlsTallies,       // day, domain                -> TlsTallyRecord
  kSending,          // account                   -> SendingRecord: what it has sent, for limits and habits
  kKnownRecipients,  // account, recipient hash   -> day (u32) it last wrote to him
  kCertificates,     // hostname                  -> CertificateRecord (store/certificate_records.h)
  kAcmeAccounts,     // hash of the directory URL -> AcmeAccountRecord
  kAdministered,     // account, domain           -> the domain's name: who is a domain admin of what
  kSecondFactors,    // account                   -> SecondFactorRecord (store/identity_records.h)
  kAppPasswords,     // account, id               -> AppPasswordRecord
  kAudit,            // number                    -> what an admin did, a JSON object
  kHistory,          // span, slot                -> HistoryRow (store/history_records.h)
  kAlerts,           // id                        -> AlertRecord (store/alert_records.h)
  kGrants,           // owner account, delegate    -> GrantRecord (store/grant_records.h)
  kDelegations,      // delegate account, owner    -> (empty): the same grants from the other side
  kPasskeys,         // account, id               -> PasskeyRecord (store/passkey_records.h)
  kSignIns,          // success or failure, slot  -> SignInRecord (store/sign_in_records.h)
  kDnsChecks,        // domain                    -> DnsCheckRecord (store/dns_check_records.h)
  kQueueSenders,     // sender hash               -> how many recipients wait for mail of that sender (u32)
  kLoginBlocks,      // place                     -> LoginBlockRecord (store/login_block_records.h)
  kSentToday,        // hash of a name            -> SentToday: what a domain sent, or an address forwarded (store/sent_today.h)
  kQueueSizes,       // size, queue id            -> (empty): the messages of the queue by size
  kCount
};

}  // namespace posthus::store
