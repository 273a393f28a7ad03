// check, rebuild_index, backup, reclaim, expire.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/base/hash.h"
#include "store/blob_record.h"
#include "store/file_segments.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/record_certificate.h"
#include "store/record_dns_check.h"
#include "store/record_grant.h"
#include "store/record_identity.h"
#include "store/record_login_block.h"
#include "store/record_passkey.h"
#include "store/record_sign_in.h"
#include "store/record_tls.h"
#include "store/rows.h"
#include "store/sending_reader.h"
#include "store/sent_today.h"
#include "store/store_state.h"
#include "tests/unit/store/store_fixture.h"

namespace posthus::store {
namespace {

namespace fs = std::filesystem;

class Maintenance : public DiskCase {
 protected:
  /// Changes rows behind the store's back.
  static void damage(const StoreCase& c, FunctionRef<Result<>(WriteTransaction&)> change) {
    ASSERT_TRUE(
        StoreParts::of(*c.store).writer->maintain([&](MaintenanceContext& context) { return change(context.transaction); }));
  }
  static std::vector<std::string> findings(const StoreCase& c, Depth depth = Depth::kIndex) {
    std::vector<std::string> out;
    for (const Finding& finding : check(*c.store, depth)->findings) out.push_back(finding.where + ": " + finding.what);
    return out;
  }
  static BlobId blob_of(const StoreCase& c, MailboxId mailbox, Uid uid) {
    const auto snapshot = std::move(c.store->snapshot()).value();
    return MailboxReader::open(*snapshot, mailbox)->message(uid).value()->blob;
  }
  static void expunge(const StoreCase& c, MailboxId mailbox, std::uint32_t first, std::uint32_t last) {
    c.must(Expunge{.mailbox = mailbox, .uids = {{Uid(first), Uid(last)}}, .rule = ExpungeRule::kAllNamed});
  }
};

TEST_F(Maintenance, CheckCountsWhatIsThere) {
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  c.add(inbox, text_of(1000));
  const auto report = check(*c.store, Depth::kBytes).value();
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.domains, 1u);
  EXPECT_EQ(report.users, 1u);
  EXPECT_EQ(report.mailboxes, 6u);
  EXPECT_EQ(report.messages, 1u);
  EXPECT_EQ(report.blobs, 1u);
  EXPECT_EQ(report.bytes, text_of(1000).size());
}

TEST_F(Maintenance, CheckFindsEachKindOfDamage) {
  using Change = Result<> (*)(WriteTransaction&, MailboxId, BlobId);
  const std::pair<const char*, Change> cases[] = {
      {"its text is missing", [](WriteTransaction& t, MailboxId, BlobId blob) { return t.erase(Table::kBlobs, blob_key(blob)); }},
      {"references: 7 stored, 1 found",
       [](WriteTransaction& t, MailboxId, BlobId blob) -> Result<> {
         auto record = *POSTHUS_TRY(get_blob(t, blob));
         record.references = 7;
         return t.put(Table::kBlobs, blob_key(blob), encode_blob_record(record));
       }},
      {"lies behind the end of segment",
       [](WriteTransaction& t, MailboxId, BlobId blob) -> Result<> {
         auto record = *POSTHUS_TRY(get_blob(t, blob));
         record.offset = 1 << 30;
         return t.put(Table::kBlobs, blob_key(blob), encode_blob_record(record));
       }},
      {"summary", [](WriteTransaction& t, MailboxId,
                     BlobId blob) { return t.erase(Table::kSummaries, blob_key(blob) + std::string(2, '\0')); }},
      {"messages: 5 stored, 1 found",
       [](WriteTransaction& t, MailboxId mailbox, BlobId) -> Result<> {
         auto record = *POSTHUS_TRY(get_mailbox(t, mailbox));
         record.messages = 5;
         return put_mailbox(t, record);
       }},
      {"UIDNEXT",
       [](WriteTransaction& t, MailboxId mailbox, BlobId) -> Result<> {
         auto record = *POSTHUS_TRY(get_mailbox(t, mailbox));
         record.uid_next = Uid(1);
         return put_mailbox(t, record);
       }},
      {"usage in bytes: 1 stored",
       [](WriteTransaction& t, MailboxId, BlobId) { return put_usage(t, AccountId(1), {.bytes = 1, .messages = 1}); }},
      {"its name does not lead to it",
       [](WriteTransaction& t, MailboxId, BlobId) {
         return t.erase(Table::kMailboxNames, mailbox_name_key(AccountId(1), "INBOX"));
       }},
      {"belongs to no mailbox",
       [](WriteTransaction& t, MailboxId mailbox, BlobId) { return t.erase(Table::kMailboxes, mailbox_key(mailbox)); }},
      {"leads to no user",
       [](WriteTransaction& t, MailboxId, BlobId) { return t.erase(Table::kUsers, account_key(AccountId(1))); }},
      {"domain is missing",
       [](WriteTransaction& t, MailboxId, BlobId) { return t.erase(Table::kDomains, domain_key("example.org")); }},
      {"an MTA-STS policy: MTA-STS policy",
       [](WriteTransaction& t, MailboxId, BlobId) {
         return put_long_value(t, Table::kStsPolicies, sts_policy_key("a.example"), "x");
       }},
      {"a TLS tally: key",
       [](WriteTransaction& t, MailboxId, BlobId) {
         return put_long_value(t, Table::kTlsTallies, tls_tally_key(1, "a.example"), encode_tls_tally({2, "a.example", {}}));
       }},
      {"mailbox record",
       [](WriteTransaction& t, MailboxId mailbox, BlobId) { return t.put(Table::kMailboxes, mailbox_key(mailbox), "x"); }},
      {"live bytes", [](WriteTransaction& t, MailboxId,
                        BlobId) { return t.put(Table::kSegments, segment_key(1), encode_segment_record({1 << 20, 1, false})); }},
      {"next_blob", [](WriteTransaction& t, MailboxId,
                       BlobId) { return t.put(Table::kMeta, meta_key::kNextBlob, std::string("\0\0\0\0\0\0\0\1", 8)); }},
  };
  for (const auto& [expected, change] : cases) {
    const ManualClock clock(kNow);
    const StoreCase c(Store::create_in_memory(clock));
    const MailboxId inbox = c.add_user("user@example.org");
    c.add(inbox, text_of(1000));
    const BlobId blob = blob_of(c, inbox, Uid(1));
    ASSERT_TRUE(findings(c).empty());
    damage(c, [&](WriteTransaction& transaction) { return change(transaction, inbox, blob); });
    const auto found = findings(c);
    const bool is_found = std::ranges::any_of(found, [&](const std::string& f) { return f.find(expected) != std::string::npos; });
    EXPECT_TRUE(is_found) << expected << " not in " << testing::PrintToString(found);
  }
}

TEST_F(Maintenance, CheckFindsDamagedCertificates) {
  using Change = Result<> (*)(WriteTransaction&);
  const std::pair<const char*, Change> cases[] = {
      {"a certificate: certificate",
       [](WriteTransaction& t) { return put_long_value(t, Table::kCertificates, certificate_key("a.example"), "x"); }},
      {"a certificate: key",
       [](WriteTransaction& t) {
         const std::string other = encode_certificate({.hostname = "b.example"});
         return put_long_value(t, Table::kCertificates, certificate_key("a.example"), other);
       }},
      {"an account at a CA: ACME account",
       [](WriteTransaction& t) { return put_long_value(t, Table::kAcmeAccounts, acme_account_key("https://ca.example/"), "x"); }},
  };
  for (const auto& [expected, change] : cases) {
    const StoreCase c = open();
    damage(c, change);
    EXPECT_EQ(findings(c), std::vector<std::string>{expected});
    damage(c, [](WriteTransaction& t) -> Result<> {
      POSTHUS_TRY_VOID(erase_long_value(t, Table::kCertificates, certificate_key("a.example")));
      return erase_long_value(t, Table::kAcmeAccounts, acme_account_key("https://ca.example/"));
    });
    EXPECT_TRUE(findings(c).empty());
  }
}

TEST_F(Maintenance, CheckFindsDamagedIdentities) {
  using Change = Result<> (*)(WriteTransaction&);
  const std::pair<const char*, Change> cases[] = {
      {"a second factor: second factor",
       [](WriteTransaction& t) { return t.put(Table::kSecondFactors, account_key(AccountId(9)), "x"); }},
      {"a second factor: there is no such account",
       [](WriteTransaction& t) {
         return t.put(Table::kSecondFactors, account_key(AccountId(9)), encode_second_factor({.account = AccountId(9)}));
       }},
      {"an app password: app password",
       [](WriteTransaction& t) { return t.put(Table::kAppPasswords, app_password_key(AccountId(9), "1"), "x"); }},
      {"an app password: key",
       [](WriteTransaction& t) {
         return t.put(Table::kAppPasswords, app_password_key(AccountId(9), "1"), encode_app_password({.account = AccountId(9)}));
       }},
      {"a passkey: passkey",
       [](WriteTransaction& t) { return put_long_value(t, Table::kPasskeys, passkey_key(AccountId(9), passkey_id("c")), "x"); }},
      {"a passkey: key",
       [](WriteTransaction& t) {
         const PasskeyRecord record{.account = AccountId(9), .id = passkey_id("other"), .credential_id = "c"};
         return put_long_value(t, Table::kPasskeys, passkey_key(AccountId(9), passkey_id("c")), encode_passkey(record));
       }},
      {"a passkey: there is no such account",
       [](WriteTransaction& t) {
         const PasskeyRecord record{.account = AccountId(9), .id = passkey_id("c"), .credential_id = "c"};
         return put_long_value(t, Table::kPasskeys, passkey_key(AccountId(9), passkey_id("c")), encode_passkey(record));
       }},
      {"a sign-in: key", [](WriteTransaction& t) { return t.put(Table::kSignIns, "x", encode_sign_in({.slot = 1})); }},
      {"a login block: key", [](WriteTransaction& t) { return t.put(Table::kLoginBlocks, "x", encode_login_block({})); }},
      {"a login block: login block", [](WriteTransaction& t) { return t.put(Table::kLoginBlocks, login_block_key(0), "x"); }},
      {"a sum of a day: version of what was sent today",
       [](WriteTransaction& t) { return t.put(Table::kSentToday, sent_today_key("a.test"), "x"); }},
      {"a sum of a day: is stored under another name: b.test",
       [](WriteTransaction& t) {
         return t.put(Table::kSentToday, sent_today_key("a.test"), encode_sent_today({.name = "b.test"}));
       }},
      {"a DNS check: DNS check",
       [](WriteTransaction& t) { return put_long_value(t, Table::kDnsChecks, dns_check_key("a.test"), "x"); }},
      {"a DNS check: domain is missing",
       [](WriteTransaction& t) {
         return put_long_value(t, Table::kDnsChecks, dns_check_key("a.test"), encode_dns_check({.domain = "a.test"}));
       }},
      {"an administered domain: there is no such account",
       [](WriteTransaction& t) { return t.put(Table::kAdministered, administered_key(AccountId(9), "a.test"), "a.test"); }},
      {"an audit entry: not a JSON object",
       [](WriteTransaction& t) { return put_long_value(t, Table::kAudit, audit_key(1), "x"); }},
  };
  for (const auto& [expected, change] : cases) {
    const StoreCase c = open();
    damage(c, change);
    EXPECT_EQ(findings(c), std::vector<std::string>{expected});
    damage(c, [](WriteTransaction& t) -> Result<> {
      POSTHUS_TRY_VOID(t.erase(Table::kSecondFactors, account_key(AccountId(9))));
      POSTHUS_TRY_VOID(t.erase(Table::kAppPasswords, app_password_key(AccountId(9), "1")));
      POSTHUS_TRY_VOID(t.erase(Table::kAdministered, administered_key(AccountId(9), "a.test")));
      POSTHUS_TRY_VOID(erase_long_value(t, Table::kPasskeys, passkey_key(AccountId(9), passkey_id("c"))));
      POSTHUS_TRY_VOID(t.erase(Table::kSignIns, "x"));
      POSTHUS_TRY_VOID(t.erase(Table::kLoginBlocks, "x"));
      POSTHUS_TRY_VOID(t.erase(Table::kSentToday, sent_today_key("a.test")));
      POSTHUS_TRY_VOID(t.erase(Table::kLoginBlocks, login_block_key(0)));
      POSTHUS_TRY_VOID(erase_long_value(t, Table::kDnsChecks, dns_check_key("a.test")));
      return erase_long_value(t, Table::kAudit, audit_key(1));
    });
    EXPECT_TRUE(findings(c).empty());
  }
}

TEST_F(Maintenance, CheckFindsDamagedGrants) {
  using Change = Result<> (*)(WriteTransaction&);
  const std::pair<const char*, Change> cases[] = {
      {"a grant: grant", [](WriteTransaction& t) { return t.put(Table::kGrants, grant_key(AccountId(1), AccountId(2)), "x"); }},
      {"a grant: key",
       [](WriteTransaction& t) {
         return t.put(Table::kGrants, grant_key(AccountId(1), AccountId(2)), encode_grant({.owner = AccountId(3)}));
       }},
      {"grant of account 1: there is no account 9",
       [](WriteTransaction& t) -> Result<> {
         POSTHUS_TRY_VOID(t.put(Table::kDelegations, grant_key(AccountId(9), AccountId(1)), {}));
         return t.put(Table::kGrants, grant_key(AccountId(1), AccountId(9)),
                      encode_grant({.owner = AccountId(1), .delegate = AccountId(9)}));
       }},
      {"grant of account 1: its delegate does not know of it",
       [](WriteTransaction& t) {
         return t.put(Table::kGrants, grant_key(AccountId(1), AccountId(2)),
                      encode_grant({.owner = AccountId(1), .delegate = AccountId(2)}));
       }},
      {"delegation of account 2: nobody granted it",
       [](WriteTransaction& t) { return t.put(Table::kDelegations, grant_key(AccountId(2), AccountId(1)), {}); }},
      {"a delegation: key or value", [](WriteTransaction& t) { return t.put(Table::kDelegations, "abc", {}); }},
  };
  for (const auto& [expected, change] : cases) {
    const ManualClock clock(kNow);
    const StoreCase c(Store::create_in_memory(clock));
    c.add_user("a@example.org");
    c.add_user("b@example.org");
    damage(c, change);
    EXPECT_EQ(findings(c), std::vector<std::string>{expected});
  }
}

TEST_F(Maintenance, CheckReadsTheBytes) {
  MailboxId inbox;
  {
    const StoreCase c = open();
    inbox = c.add_user("user@example.org");
    c.add(inbox, text_of(1000, 1));
    c.add(inbox, text_of(1000, 2));
  }
  {
    std::fstream file(path("segments/" + segment_file_name(1)), std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(kFirstTextOffset) + 500);
    file.put('#');
  }
  const StoreCase c = open();
  EXPECT_TRUE(findings(c, Depth::kIndex).empty());
  EXPECT_EQ(findings(c, Depth::kBytes).size(), 1u);
}

TEST_F(Maintenance, RebuildsFromSegmentsAndOldIndex) {
  std::vector<std::string> texts;
  {
    const StoreCase c = open();
    const MailboxId inbox = c.add_user("user@example.org");
    for (unsigned i = 0; i < 10; ++i) {
      texts.push_back(text_of(i == 5 ? 2'000'000 : 3000, i));
      c.add(inbox, texts.back());
    }
    expunge(c, inbox, 3, 3);
    texts.erase(texts.begin() + 2);
    c.must(ChangeFlags{.mailbox = inbox, .uids = {{Uid(1), Uid(1)}}, .flags = flag::kSeen, .keywords = {"$Work"}});
  }
  StoreOptions options = options_;
  options.directory = path("");
  const auto rebuilt = rebuild_index(options, clock_);
  ASSERT_TRUE(rebuilt) << rebuilt.error().context;
  EXPECT_EQ(*rebuilt, 9u);
  const StoreCase c = open();
  const MailboxId inbox = c.inbox("user@example.org");
  c.expect_consistent();
  auto found = c.texts(inbox);
  EXPECT_TRUE(std::ranges::is_permutation(found, texts));
  const auto snapshot = std::move(c.store->snapshot()).value();
  const auto reader = MailboxReader::open(*snapshot, inbox);
  EXPECT_EQ(reader->record().unseen, 8u);
  EXPECT_EQ(*reader->keywords(), std::vector<std::string>{"$Work"});
  c.add(inbox, text_of(100, 99));
  EXPECT_EQ(c.texts(inbox).size(), 10u);
}

TEST_F(Maintenance, RebuildsFromSegmentsAlone) {
  {
    const StoreCase c = open();
    const MailboxId first = c.add_user("first@example.org");
    const MailboxId second = c.add_user("second@example.net");
    const auto work = c.must(CreateMailbox{.account = AccountId(1), .name = "Work/Reports"});
    c.add(first, text_of(3000, 1));
    c.add(second, text_of(3000, 2));
    c.add(work.mailbox, text_of(2'000'000, 3));
  }
  fs::resize_file(path("index/data.mdb"), 100);
  StoreOptions options = options_;
  options.directory = path("");
  const auto rebuilt = rebuild_index(options, clock_);
  ASSERT_TRUE(rebuilt) << rebuilt.error().context;
  EXPECT_EQ(*rebuilt, 3u);
  const StoreCase c = open();
  c.expect_consistent();
  EXPECT_EQ(c.texts(c.inbox("first@example.org")), std::vector<std::string>{text_of(3000, 1)});
  EXPECT_EQ(c.texts(c.inbox("second@example.net")), std::vector<std::string>{text_of(3000, 2)});
  const auto snapshot = std::move(c.store->snapshot()).value();
  const auto user = DirectoryReader(*snapshot).user("first@example.org").value();
  EXPECT_TRUE(user->password_hash.empty());
  const auto work = find_mailbox(*snapshot, user->account, "Work/Reports").value();
  ASSERT_TRUE(work.has_value());
  EXPECT_EQ(c.texts(*work), std::vector<std::string>{text_of(2'000'000, 3)});
}

TEST_F(Maintenance, RebuildPassesOverDamage) {
  {
    const StoreCase c = open();
    const MailboxId inbox = c.add_user("user@example.org");
    for (unsigned i = 1; i <= 3; ++i) c.add(inbox, text_of(3000, i));
  }
  fs::remove_all(path("index"));
  {
    std::fstream file(path("segments/" + segment_file_name(1)), std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(kSegmentHeaderBytes) + 20);  // the first record's head
    file << "damage";
  }
  StoreOptions options = options_;
  options.directory = path("");
  ASSERT_EQ(rebuild_index(options, clock_).value(), 2u);
  const StoreCase c = open();
  EXPECT_EQ(c.texts(c.inbox("user@example.org")), (std::vector<std::string>{text_of(3000, 2), text_of(3000, 3)}));
}

TEST_F(Maintenance, ARecordInsideAMessageIsNotARecord) {
  std::string forged;
  {
    const StoreCase c = open();
    const MailboxId inbox = c.add_user("user@example.org");
    const std::string origin =
        encode_origin({.reverse_path = "", .owners = {{AccountId(1), inbox, 0, "user@example.org", "INBOX"}}});
    const RecordHead head{.blob = BlobId(50),
                          .text_length = 5,
                          .text_checksum = crc32c("evil\n"),
                          .origin_length = static_cast<std::uint32_t>(origin.size()),
                          .origin_checksum = crc32c(origin)};
    forged =
        std::string(kRecordAlignment * 8, '.') + encode_record_head(head, std::string(kStoreUuidBytes, '\0')) + "evil\n" + origin;
    c.add(inbox, forged);
    c.add(inbox, text_of(1000));
  }
  fs::remove_all(path("index"));
  {
    std::fstream file(path("segments/" + segment_file_name(1)), std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(kSegmentHeaderBytes));
    file << "damage";
  }
  StoreOptions options = options_;
  options.directory = path("");
  EXPECT_EQ(rebuild_index(options, clock_).value(), 1u);
}

TEST_F(Maintenance, BackupIsAStoreAndGrowsByWhatIsNew) {
  options_.segment_bytes = 50'000;
  const std::string copy = directory_.path() + "/copy";
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  for (unsigned i = 0; i < 20; ++i) c.add(inbox, text_of(9000, i));
  const auto first = backup(*c.store, copy);
  ASSERT_TRUE(first) << first.error().context;
  EXPECT_TRUE(first->findings.empty());
  EXPECT_EQ(first->messages, 20u);
  const auto sealed_at = fs::last_write_time(copy + "/segments/" + segment_file_name(1));
  for (unsigned i = 20; i < 30; ++i) c.add(inbox, text_of(i == 25 ? 3'000'000 : 9000, i));
  const auto second = backup(*c.store, copy);
  ASSERT_TRUE(second) << second.error().context;
  EXPECT_TRUE(second->findings.empty()) << second->findings[0].where << second->findings[0].what;
  EXPECT_EQ(second->messages, 30u);
  EXPECT_EQ(fs::last_write_time(copy + "/segments/" + segment_file_name(1)), sealed_at);
  StoreOptions options = options_;
  options.directory = copy;
  const StoreCase restored(std::move(Store::open(options, clock_)).value());
  EXPECT_EQ(restored.texts(inbox), c.texts(inbox));
  restored.expect_consistent();
}

TEST_F(Maintenance, BackupRefusesForeignFolders) {
  const StoreCase c = open();
  const std::string other = directory_.path() + "/other";
  fs::create_directory(other);
  std::ofstream(other + "/holiday.jpg") << "x";
  EXPECT_EQ(backup(*c.store, other).error().kind, ErrorKind::kExists);
}

TEST_F(Maintenance, ReclaimRemovesDeadSegments) {
  options_.segment_bytes = 50'000;
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  for (unsigned i = 1; i <= 30; ++i) c.add(inbox, text_of(9000, i));
  const auto before = c.store->statistics();
  expunge(c, inbox, 1, 20);
  EXPECT_GT(*reclaim(*c.store), 100'000u);
  const auto after = c.store->statistics();
  EXPECT_LT(after.segments, before.segments);
  EXPECT_FALSE(fs::exists(path("segments/" + segment_file_name(1))));
  EXPECT_EQ(c.texts(inbox).size(), 10u);
  c.expect_consistent();
}

TEST_F(Maintenance, ReclaimWaitsForSnapshots) {
  options_.segment_bytes = 50'000;
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  for (unsigned i = 1; i <= 30; ++i) c.add(inbox, text_of(9000, i));
  const BlobId blob = blob_of(c, inbox, Uid(1));
  auto old = std::move(c.store->snapshot()).value();
  expunge(c, inbox, 1, 30);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*reclaim(*c.store), 0u);
  std::string text;
  ASSERT_TRUE(c.store->read_message(*old, blob, 0, UINT64_MAX, text));
  EXPECT_EQ(text, text_of(9000, 1));
  old.reset();
  EXPECT_GT(*reclaim(*c.store), 100'000u);
  c.expect_consistent();
}

TEST_F(Maintenance, ReclaimMovesTheLivingOutOfMostlyDeadSegments) {
  options_.segment_bytes = 200'000;
  std::vector<std::string> kept;
  MailboxId inbox;
  {
    const StoreCase c = open();
    inbox = c.add_user("user@example.org");
    for (unsigned i = 1; i <= 60; ++i) c.add(inbox, text_of(9000, i));
    for (unsigned i = 1; i <= 60; ++i) {
      if (i % 5 == 0)
        kept.push_back(text_of(9000, i));
      else
        expunge(c, inbox, i, i);
    }
    const auto before = c.store->statistics();
    ASSERT_TRUE(reclaim(*c.store));
    ASSERT_TRUE(reclaim(*c.store));
    const auto after = c.store->statistics();
    EXPECT_LT(after.segment_bytes, before.segment_bytes * 2 / 3);
    EXPECT_EQ(c.texts(inbox), kept);
    c.expect_consistent();
  }
  const StoreCase c = open();
  EXPECT_EQ(c.texts(inbox), kept);
  c.expect_consistent();
}

TEST_F(Maintenance, ReclaimPunchesHolesForLargeDeadMessages) {
  options_.segment_bytes = 8 << 20;
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  for (unsigned i = 1; i <= 20; ++i) c.add(inbox, text_of(800'000, i));
  for (unsigned i = 1; i <= 20; i += 3) expunge(c, inbox, i, i);
  EXPECT_GT(*reclaim(*c.store), 1'000'000u);
  EXPECT_EQ(*reclaim(*c.store), 0u);
  EXPECT_EQ(c.texts(inbox).size(), 13u);
  c.expect_consistent();
}

TEST_F(Maintenance, ExpireKeepsPop3MailForItsTime) {
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  c.must(PutDomain{.domain = {.name = "example.org", .pop3_retention_days = 7}, .rule = PutRule::kReplace});
  const auto trash = c.must(CreateMailbox{.account = AccountId(1), .name = "Kept"});
  c.add(inbox, text_of(100, 1));
  c.add(trash.mailbox, text_of(100, 1));
  clock_.advance(5ll * 24 * 3600 * 1'000'000);
  c.add(inbox, text_of(100, 2));
  ASSERT_TRUE(expire(*c.store, clock_.now()));
  EXPECT_EQ(c.texts(inbox).size(), 2u);
  clock_.advance(3ll * 24 * 3600 * 1'000'000);
  ASSERT_TRUE(expire(*c.store, clock_.now()));
  EXPECT_EQ(c.texts(inbox), std::vector<std::string>{text_of(100, 2)});
  EXPECT_EQ(c.texts(trash.mailbox).size(), 1u);
  c.expect_consistent();
}

TEST_F(Maintenance, WithoutRetentionMailStays) {
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  c.add(inbox, text_of(100, 1));
  clock_.advance(10'000ll * 24 * 3600 * 1'000'000);
  ASSERT_TRUE(expire(*c.store, clock_.now()));
  EXPECT_EQ(c.texts(inbox).size(), 1u);
}

TEST_F(Maintenance, ExpireRemovesSegmentsLongPutAside) {
  {
    const StoreCase c = open();
    c.add(c.add_user("user@example.org"), text_of(1000));
  }
  std::ofstream(path("segments/" + segment_file_name(77))) << "from a newer index";
  const StoreCase c = open();
  std::ofstream(path("segments/orphaned/notes.txt")) << "not ours";
  const auto count = [this] {
    const auto all = std::filesystem::directory_iterator(path("segments/orphaned"));
    return std::distance(begin(all), end(all));
  };
  constexpr std::int64_t kDay = 24 * 3600;
  ASSERT_TRUE(expire(*c.store, Timestamp::from_seconds(::time(nullptr) + 29 * kDay)));
  EXPECT_EQ(count(), 2);
  ASSERT_TRUE(expire(*c.store, Timestamp::from_seconds(::time(nullptr) + 31 * kDay)));
  EXPECT_EQ(count(), 1);
  EXPECT_TRUE(std::filesystem::exists(path("segments/orphaned/notes.txt")));
}

TEST_F(Maintenance, ExpireDropsOldTombstones) {
  const StoreCase c = open();
  const MailboxId inbox = c.add_user("user@example.org");
  c.add(inbox, text_of(100, 1));
  c.add(inbox, text_of(100, 2));
  expunge(c, inbox, 1, 1);
  const auto vanished = [&] {
    const auto snapshot = std::move(c.store->snapshot()).value();
    return MailboxReader::open(*snapshot, inbox)->vanished_since(ModSeq(1)).value();
  };
  ASSERT_TRUE(vanished().has_value());
  clock_.advance(100ll * 24 * 3600 * 1'000'000);
  ASSERT_TRUE(expire(*c.store, clock_.now()));
  EXPECT_FALSE(vanished().has_value());
  c.expect_consistent();
}

TEST_F(Maintenance, SumsOfDaysThatAreOverGo) {
  const StoreCase c = open();
  c.must(NoteLimit{"yesterday.test", MetLimit::kMessages, 100});
  clock_.advance(24ll * 3600 * 1'000'000);
  c.must(NoteLimit{"today.test", MetLimit::kMessages, 100});
  ASSERT_TRUE(expire(*c.store, clock_.now()));
  const auto snapshot = c.store->snapshot();
  EXPECT_EQ((*snapshot)->size(Table::kSentToday).value().rows, 1u);
  EXPECT_EQ(SendingReader(**snapshot).limits_met(clock_.now()).value().at(0).name, "today.test");
}

}  // namespace
}  // namespace posthus::store
