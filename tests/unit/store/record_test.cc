// Encodings of records, keys and pages: what is written is read again, and damaged bytes are kCorrupt.
#include <gtest/gtest.h>

#include <random>

#include "core/base/bytes.h"
#include "store/blob_record.h"
#include "store/key.h"
#include "store/message_page.h"
#include "store/record_directory.h"
#include "store/record_mailbox.h"
#include "store/record_queue.h"
#include "store/uid_set.h"

namespace posthus::store {
namespace {

UserRecord sample_user() {
  UserRecord user;
  user.account = AccountId(7);
  user.address = "anna@example.org";
  user.password_hash = "$argon2id$v=19$m=1$x";
  user.scram_iterations = 4096;
  user.scram_salt = std::string("s\0lt", 4);
  user.scram_stored_key = std::string(32, '\xfe');
  user.scram_server_key = std::string(32, '\x01');
  user.is_disabled = true;
  user.role = Role::kServerAdmin;
  user.quota_bytes = 1ull << 40;
  user.pop3_retention_days = 0;
  user.inbox = MailboxId(99);
  user.created = Timestamp{-5};
  user.forward_to = {"a@b.test", "c@d.test"};
  user.keeps_copy = false;
  user.limits = {5, std::nullopt};
  return user;
}

MessageRecord sample_message(std::uint32_t uid, std::uint64_t modseq = 1) {
  MessageRecord message;
  message.uid = Uid(uid);
  message.flags = flag::kSeen | flag::kDraft;
  message.keywords = 0x8000'0000'0000'0001ull;
  message.modseq = ModSeq(modseq);
  message.size = 0xffff'ffffu;
  message.internal_date = Timestamp::from_seconds(-2'208'988'800);  // 1900
  message.save_date = Timestamp::from_seconds(4'102'444'800);       // 2100
  message.blob = BlobId(kMaxBlobValue);
  return message;
}

TEST(Record, DirectoryRecordsSurviveARoundTrip) {
  const UserRecord user = sample_user();
  const auto read = decode_user_record(encode_user_record(user));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->account, user.account);
  EXPECT_EQ(read->address, user.address);
  EXPECT_EQ(read->password_hash, user.password_hash);
  EXPECT_EQ(read->scram_iterations, 4096u);
  EXPECT_EQ(read->scram_salt, user.scram_salt);
  EXPECT_EQ(read->scram_stored_key, user.scram_stored_key);
  EXPECT_EQ(read->scram_server_key, user.scram_server_key);
  EXPECT_TRUE(read->is_disabled);
  EXPECT_EQ(read->role, Role::kServerAdmin);
  EXPECT_EQ(read->quota_bytes, user.quota_bytes);
  EXPECT_EQ(read->pop3_retention_days, std::optional<std::uint32_t>(0));
  EXPECT_EQ(read->inbox, user.inbox);
  EXPECT_EQ(read->created, user.created);
  EXPECT_EQ(read->forward_to, user.forward_to);
  EXPECT_FALSE(read->keeps_copy);
  EXPECT_EQ(read->limits.messages_per_day, std::optional<std::uint32_t>(5));
  EXPECT_FALSE(read->limits.new_recipients_per_day);

  const auto domain = decode_domain_record(encode_domain_record(
      {"example.org", true, 5, 6, Timestamp{7}, DomainKind::kRelay, true, mail::ReportLanguage::kNorwegian, {std::nullopt, 0}}));
  ASSERT_TRUE(domain);
  EXPECT_EQ(domain->name, "example.org");
  EXPECT_TRUE(domain->is_disabled);
  EXPECT_EQ(domain->default_quota_bytes, 5u);
  EXPECT_EQ(domain->pop3_retention_days, 6u);
  EXPECT_EQ(domain->created.microseconds, 7);
  EXPECT_EQ(domain->kind, DomainKind::kRelay);
  EXPECT_TRUE(domain->checks_recipients);
  EXPECT_EQ(domain->language, mail::ReportLanguage::kNorwegian);
  EXPECT_FALSE(domain->limits.messages_per_day);
  EXPECT_EQ(domain->limits.new_recipients_per_day, std::optional<std::uint32_t>(0));
  EXPECT_FALSE(domain->is_without_keys);
  DomainRecord keyless = *domain;
  keyless.is_without_keys = true;
  const auto keyless_again = decode_domain_record(encode_domain_record(keyless));
  ASSERT_TRUE(keyless_again);
  EXPECT_TRUE(keyless_again->is_without_keys);
  EXPECT_EQ(keyless_again->language, mail::ReportLanguage::kNorwegian);
  for (const bool is_keyless : {false, true}) {
    DomainRecord bounded = *domain;
    bounded.total_limits = {std::nullopt, 7};
    bounded.is_without_keys = is_keyless;
    const auto again = decode_domain_record(encode_domain_record(bounded));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->is_without_keys, is_keyless);
    EXPECT_FALSE(again->total_limits.messages_per_day);
    EXPECT_EQ(again->total_limits.new_recipients_per_day, std::optional<std::uint32_t>(7));
  }
  EXPECT_EQ(encode_domain_record(*domain)[0], 2) << "what has no such limits stays readable by the version before";

  const auto alias = decode_alias_record(encode_alias_record({"@example.org", {"a@b", "", "c@d"}, Timestamp{1}}));
  ASSERT_TRUE(alias);
  EXPECT_EQ(alias->targets, (std::vector<std::string>{"a@b", "", "c@d"}));

  const auto group = decode_alias_record(
      encode_alias_record({"t@example.org", {"a@b"}, Timestamp{1}, GroupTraits{"Team", GroupWriters::kDomain}}));
  ASSERT_TRUE(group && group->group);
  EXPECT_EQ(group->group->display_name, "Team");
  EXPECT_EQ(group->group->writers, GroupWriters::kDomain);
  EXPECT_FALSE(alias->group);

  const auto token = decode_token_record(encode_token_record({"id", "name", "hash", {"admin"}, Timestamp{3}, Timestamp{4}}));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->scopes, std::vector<std::string>{"admin"});
  EXPECT_EQ(token->expires, std::optional(Timestamp{3}));
  const auto endless = decode_token_record(encode_token_record({"id", "name", "hash", {}, std::nullopt, Timestamp{4}}));
  ASSERT_TRUE(endless);
  EXPECT_FALSE(endless->expires);

  const auto usage = decode_usage(encode_usage({123, 45}));
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->bytes, 123u);
  EXPECT_EQ(usage->messages, 45u);
}

TEST(Record, WhatWaitsElsewhereSaysWhoForwardsAndWhoSigned) {
  QueueEntry entry{.reverse_path = "anna@example.org", .envelope_id = "env", .extra_header = "X: y\r\n"};
  entry.hold_reason = "why";
  const std::string unsigned_bytes = encode_queue_entry(entry);
  EXPECT_EQ(unsigned_bytes[0], 1) << "what has no signature is written as it always was, and so is read as by versions before";
  ASSERT_TRUE(decode_queue_entry(unsigned_bytes));
  EXPECT_EQ(decode_queue_entry(unsigned_bytes)->signing_domain, "");
  entry.signing_domain = "example.org";
  const std::string signed_bytes = encode_queue_entry(entry);
  ASSERT_TRUE(decode_queue_entry(signed_bytes));
  EXPECT_EQ(decode_queue_entry(signed_bytes)->signing_domain, "example.org");
  EXPECT_EQ(decode_queue_entry(signed_bytes)->hold_reason, "why");

  QueuedRecipient recipient{.address = "home@far.test", .domain = "far.test", .last_reply = "450 later"};
  const std::string direct = encode_queued_recipient(recipient);
  EXPECT_EQ(direct[0], 1);
  ASSERT_TRUE(decode_queued_recipient(direct));
  EXPECT_EQ(decode_queued_recipient(direct)->forwarder, "");
  recipient.forwarder = "carl@example.org";
  const std::string forwarded = encode_queued_recipient(recipient);
  ASSERT_TRUE(decode_queued_recipient(forwarded));
  EXPECT_EQ(decode_queued_recipient(forwarded)->forwarder, "carl@example.org");
  EXPECT_EQ(decode_queued_recipient(forwarded)->last_reply, "450 later");
  for (std::string future : {signed_bytes, forwarded}) {
    future[0] = 3;
    EXPECT_FALSE(decode_queue_entry(future));
    EXPECT_FALSE(decode_queued_recipient(future));
  }
}

TEST(Record, NamesOfDomainsAndAddressesOfUsersSurviveARoundTrip) {
  const DomainRecord plain{.name = "further.test", .limits = {}};
  EXPECT_EQ(decode_domain_record(encode_domain_record(plain))->alias_of, "");
  for (const bool is_without_keys : {false, true}) {
    DomainRecord domain = plain;
    domain.is_without_keys = is_without_keys;
    domain.alias_of = "home.test";
    domain.own_aliases = 7;
    const auto read = decode_domain_record(encode_domain_record(domain));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->is_without_keys, is_without_keys);
    EXPECT_EQ(read->alias_of, "home.test");
    EXPECT_EQ(read->own_aliases, 7u);
  }
  AliasRecord alias{.address = "a@home.test", .targets = {"b@home.test"}, .created = Timestamp{1}};
  EXPECT_EQ(decode_alias_record(encode_alias_record(alias))->owner, AccountId(0));
  alias.owner = AccountId(9);
  const auto own = decode_alias_record(encode_alias_record(alias));
  ASSERT_TRUE(own);
  EXPECT_EQ(own->owner, AccountId(9));
  EXPECT_EQ(own->targets, alias.targets);
}

// Rows written before mail left this server.
TEST(Record, DomainsAndUsersOfTheFirstVersionAreRead) {
  std::string domain = encode_domain_record({"example.org", true, 5, 6, Timestamp{7}});
  domain.resize(domain.size() - 13);  // kind, checks, language, two limits
  domain[0] = 1;
  const auto read = decode_domain_record(domain);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->created.microseconds, 7);
  EXPECT_EQ(read->kind, DomainKind::kMailboxes);
  UserRecord before = sample_user();
  before.forward_to.clear();
  std::string user = encode_user_record(before);
  user.resize(user.size() - 15);  // no addresses, keeps copy, two limits
  user[0] = 1;
  const auto old_user = decode_user_record(user);
  ASSERT_TRUE(old_user);
  EXPECT_EQ(old_user->scram_server_key, before.scram_server_key);
  EXPECT_TRUE(old_user->forward_to.empty());
  EXPECT_TRUE(old_user->keeps_copy);
  EXPECT_FALSE(old_user->limits.messages_per_day);
}

TEST(Record, TextsOfFormat2AreReadWithTheirDigest) {
  const BlobRecord record{.segment = 3, .offset = 5'000'000'000, .length = 4096, .references = 2, .checksum = 0xdeadbeef};
  for (const std::string& digest : {std::string(), std::string(32, 'd')}) {
    const auto read = decode_blob_record(encode_blob_record(record) + digest);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->segment, 3u);
    EXPECT_EQ(read->offset, 5'000'000'000u);
    EXPECT_EQ(read->length, 4096u);
    EXPECT_EQ(read->references, 2u);
    EXPECT_EQ(read->checksum, 0xdeadbeefu);
  }
  EXPECT_FALSE(decode_blob_record(encode_blob_record(record).substr(1)));
}

TEST(Record, TheLargestUserFitsARow) {
  UserRecord user;
  user.address = std::string(64, 'a') + "@" + std::string(255, 'b');
  user.password_hash = std::string(300, 'x');
  user.scram_salt = user.scram_stored_key = user.scram_server_key = std::string(128, 'x');
  for (std::size_t i = 0; i < kMaxForwards; ++i) user.forward_to.emplace_back(kMaxForwardedBytes / kMaxForwards, 'c');
  EXPECT_LE(encode_user_record(user).size() + 4, kMaxKeyAndValue);
}

TEST(Record, MailboxRecordsSurviveARoundTrip) {
  MailboxRecord mailbox;
  mailbox.mailbox = MailboxId(1);
  mailbox.account = AccountId(2);
  mailbox.name = "Année/2026";
  mailbox.uid_validity = 3;
  mailbox.uid_next = Uid(4);
  mailbox.highest_modseq = ModSeq(5);
  mailbox.recent_from = Uid(6);
  mailbox.messages = 7;
  mailbox.unseen = 8;
  mailbox.deleted = 9;
  mailbox.bytes = 10;
  mailbox.special_use = SpecialUse::kArchive;
  std::string bytes;
  encode_mailbox_record(mailbox, bytes);
  const auto read = decode_mailbox_record(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->mailbox, mailbox.mailbox);
  EXPECT_EQ(read->account, mailbox.account);
  EXPECT_EQ(read->name, mailbox.name);
  EXPECT_EQ(read->uid_validity, 3u);
  EXPECT_EQ(read->uid_next, Uid(4));
  EXPECT_EQ(read->highest_modseq, ModSeq(5));
  EXPECT_EQ(read->recent_from, Uid(6));
  EXPECT_EQ(read->messages, 7u);
  EXPECT_EQ(read->unseen, 8u);
  EXPECT_EQ(read->deleted, 9u);
  EXPECT_EQ(read->bytes, 10u);
  EXPECT_EQ(read->special_use, SpecialUse::kArchive);

  const std::vector<std::string> names{"$Forwarded", "x"};
  EXPECT_EQ(decode_keywords(encode_keywords(names)).value(), names);
  const UidSet uids{{Uid(1), Uid(1)}, {Uid(5), Uid(4'294'967'295)}};
  const auto row = decode_expunged_row(encode_expunged_row({Timestamp::from_seconds(1'700'000'000), uids}));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->uids, uids);
  EXPECT_EQ(row->when.seconds(), 1'700'000'000);
}

TEST(Record, EveryCutOfARecordIsCorrupt) {
  const std::string user = encode_user_record(sample_user());
  for (std::size_t i = 0; i < user.size(); ++i) {
    const auto read = decode_user_record(std::string_view(user).substr(0, i));
    ASSERT_FALSE(read) << i;
    EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt);
  }
  EXPECT_FALSE(decode_user_record(user + "x"));
  const std::string alias = encode_alias_record({"a@b", {"c@d"}, {}});
  for (std::size_t i = 0; i < alias.size(); ++i) EXPECT_FALSE(decode_alias_record(std::string_view(alias).substr(0, i)));
}

TEST(Record, ALyingCountOfTextsIsCorruptAndAllocatesNothing) {
  std::string alias;
  append_u8(alias, 1);
  append_text(alias, "a@b");
  append_u32(alias, 0xffff'ffffu);
  EXPECT_FALSE(decode_alias_record(alias));
}

TEST(MessagePage, HoldsFortyEightRecordsInOneRow) {
  MessagePage page;
  for (std::uint32_t uid = 1; uid <= kPageMessages; ++uid) page.append(sample_message(uid * 2, uid));
  EXPECT_TRUE(page.is_full());
  EXPECT_LE(page.bytes().size() + 8, kMaxKeyAndValue);
  const auto view = MessagePageView::open(page.bytes());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->highest_modseq(), ModSeq(48));
  const MessageRecord read = view->record(10), wrote = sample_message(22, 11);
  EXPECT_EQ(read.uid, wrote.uid);
  EXPECT_EQ(read.flags, wrote.flags);
  EXPECT_EQ(read.keywords, wrote.keywords);
  EXPECT_EQ(read.modseq, wrote.modseq);
  EXPECT_EQ(read.size, wrote.size);
  EXPECT_EQ(read.internal_date, wrote.internal_date);
  EXPECT_EQ(read.save_date, wrote.save_date);
  EXPECT_EQ(read.blob, wrote.blob);
  EXPECT_EQ(view->lower_bound(Uid(1)), 0u);
  EXPECT_EQ(view->lower_bound(Uid(22)), 10u);
  EXPECT_EQ(view->lower_bound(Uid(23)), 11u);
  EXPECT_EQ(view->lower_bound(Uid(97)), 48u);
}

TEST(MessagePage, RetainAndSetFlagsKeepTheHighestModSeq) {
  MessagePage page;
  for (std::uint32_t uid = 1; uid <= 5; ++uid) page.append(sample_message(uid, uid));
  page.set_flags(1, flag::kFlagged, 4, ModSeq(9));
  EXPECT_EQ(page.view().highest_modseq(), ModSeq(9));
  EXPECT_EQ(page.view().flags(1), flag::kFlagged);
  EXPECT_EQ(page.view().keywords(1), 4u);
  EXPECT_EQ(page.view().blob(1), BlobId(kMaxBlobValue));
  bool keep[kPageMessages] = {true, false, true, false, true};
  page.retain(keep);
  ASSERT_EQ(page.size(), 3u);
  EXPECT_EQ(page.view().uid(0), Uid(1));
  EXPECT_EQ(page.view().uid(1), Uid(3));
  EXPECT_EQ(page.view().uid(2), Uid(5));
  EXPECT_EQ(page.view().highest_modseq(), ModSeq(5));
  bool none[kPageMessages] = {};
  page.retain(none);
  EXPECT_TRUE(page.is_empty());
}

TEST(MessagePage, DamageIsCorrupt) {
  MessagePage page;
  for (std::uint32_t uid = 1; uid <= 3; ++uid) page.append(sample_message(uid));
  const std::string good(page.bytes());
  for (std::size_t i = 0; i < good.size(); ++i) EXPECT_FALSE(MessagePageView::open(std::string_view(good).substr(0, i)));
  std::string disordered = good;
  disordered[kPageHeader + 3] = 2;  // uids 2, 2, 3
  EXPECT_FALSE(MessagePageView::open(disordered));
  std::string zero = good;
  zero[kPageHeader + 3] = 0;
  EXPECT_FALSE(MessagePageView::open(zero));
}

TEST(Key, LongNamesStayBelowTheLimitAndDistinct) {
  const std::string local(300, 'l'), domain(255, 'd');
  const std::string a = alias_key(local + "a@" + domain), b = alias_key(local + "b@" + domain);
  EXPECT_LE(a.size() + 2, kMaxKey);
  EXPECT_NE(a, b);
  EXPECT_LE(domain_key(domain).size(), kMaxDomainInKey);
  EXPECT_NE(domain_key(domain), domain_key(domain + "x"));
  EXPECT_LE(mailbox_name_key(AccountId(1), std::string(kMaxMailboxName, 'm')).size(), kMaxKey);
}

TEST(Key, OneDomainsAddressesAreOneRange) {
  const std::string prefix = address_prefix("b.example");
  EXPECT_TRUE(address_key("anna@b.example").starts_with(prefix));
  EXPECT_TRUE(address_key("@b.example").starts_with(prefix));
  EXPECT_FALSE(address_key("anna@b.example.org").starts_with(prefix));
  EXPECT_LT(address_key("z@b.example"), end_of_prefix(prefix));
  EXPECT_EQ(end_of_prefix("a\xff"), "b");
  EXPECT_EQ(end_of_prefix("\xff"), "");
}

TEST(UidSet, NormaliseMergesWhatTouches) {
  UidSet set{{Uid(7), Uid(9)}, {Uid(1), Uid(2)}, {Uid(3), Uid(3)}, {Uid(8), Uid(20)}, {Uid(30), Uid(29)}};
  normalise(set);
  EXPECT_EQ(set, (UidSet{{Uid(1), Uid(3)}, {Uid(7), Uid(20)}}));
  EXPECT_TRUE(contains(set, Uid(20)));
  EXPECT_FALSE(contains(set, Uid(5)));
  EXPECT_FALSE(contains(set, Uid(21)));
  EXPECT_EQ(count_uids(set), 17u);
  UidSet whole{{Uid(1), Uid(4'294'967'295)}, {Uid(5), Uid(6)}};
  normalise(whole);
  EXPECT_EQ(whole, (UidSet{{Uid(1), Uid(4'294'967'295)}}));
}

}  // namespace
}  // namespace posthus::store
