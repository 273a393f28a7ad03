// The journal's records and files: what comes back, in which order, and where it ends.
#include "store/journal.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "store/checkpoint.h"
#include "store/segment_format.h"
#include "tests/unit/store/temporary_directory.h"

namespace posthus::store {
namespace {

const std::string kUuid(kStoreUuidBytes, 'u');

/// The tables and segments as a walk leaves them.
class Told final : public ChangeVisitor {
 public:
  Result<> put(Table table, std::string_view key, std::string_view value) override {
    rows[{table, std::string(key)}] = value;
    ++puts;
    return {};
  }
  Result<> erase(Table table, std::string_view key) override {
    rows.erase({table, std::string(key)});
    return {};
  }
  Result<> write(std::uint32_t segment, std::uint64_t offset, std::string_view bytes) override {
    written += std::to_string(segment) + "@" + std::to_string(offset) + ":" + std::string(bytes) + ";";
    return {};
  }
  std::map<std::pair<Table, std::string>, std::string> rows;
  std::string written;
  int puts = 0;
};

Told told(const GroupChanges& changes) {
  Told out;
  EXPECT_TRUE(visit_changes(changes.bytes(), out));
  return out;
}

TEST(GroupChanges, TheLastPutOfARowCounts) {
  GroupChanges changes;
  changes.put(Table::kUsers, "a", "one");
  changes.put(Table::kUsers, "b", "other");
  changes.put(Table::kUsers, "a", "two");     // as long
  changes.put(Table::kUsers, "a", "longer");  // not as long
  changes.put(Table::kDomains, "a", "domain");
  const Told out = told(changes);
  EXPECT_EQ(out.rows.at({Table::kUsers, "a"}), "longer");
  EXPECT_EQ(out.rows.at({Table::kUsers, "b"}), "other");
  EXPECT_EQ(out.rows.at({Table::kDomains, "a"}), "domain");
  EXPECT_EQ(out.puts, 3) << "replaced puts are told as well";
}

TEST(GroupChanges, EraseAndPutKeepTheirOrder) {
  GroupChanges changes;
  changes.put(Table::kUsers, "gone", "1");
  changes.erase(Table::kUsers, "gone");
  changes.put(Table::kUsers, "back", "1");
  changes.erase(Table::kUsers, "back");
  changes.put(Table::kUsers, "back", "2");
  const Told out = told(changes);
  EXPECT_EQ(out.rows.size(), 1u);
  EXPECT_EQ(out.rows.at({Table::kUsers, "back"}), "2");
}

TEST(GroupChanges, PiecesOfASegmentAreOneWrite) {
  GroupChanges changes;
  const std::string_view pieces[] = {"head", "", "text"};
  changes.write(7, 64, pieces);
  EXPECT_EQ(told(changes).written, "7@64:headtext;");
}

TEST(GroupChanges, WhateverIsCutOffIsRefused) {
  GroupChanges changes;
  const std::string_view pieces[] = {"bytes"};
  changes.put(Table::kUsers, "key", "value");
  changes.erase(Table::kUsers, "other");
  changes.write(1, 2, pieces);
  std::size_t refused = 0;
  for (std::size_t length = 0; length < changes.bytes().size(); ++length) {
    Told out;
    if (!visit_changes(changes.bytes().substr(0, length), out)) ++refused;
  }
  EXPECT_EQ(refused, changes.bytes().size() - 3) << "all but the empty one and those that end with an entry";
  std::string unknown_table(changes.bytes());
  unknown_table[1] = '\x7f';
  Told out;
  EXPECT_FALSE(visit_changes(unknown_table, out));
}

class JournalFiles : public testing::Test {
 protected:
  std::unique_ptr<Journal> open(std::uint64_t last) const {
    auto journal = Journal::open(directory_.path(), kUuid, last);
    EXPECT_TRUE(journal);
    return journal ? *std::move(journal) : nullptr;
  }
  Result<std::string> read(std::uint64_t after, const std::string& uuid = kUuid) const {
    std::string all;
    const Result<> done = read_journal(directory_.path(), uuid, after, [&all](std::string_view changes) -> Result<> {
      all.append(changes).append(" ");
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return all;
  }
  void damage(int file, std::uint64_t offset) const {
    std::fstream stream(directory_.path() + "/journal-" + std::to_string(file), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put('\x5a');
  }
  TemporaryDirectory directory_;
};

TEST_F(JournalFiles, RecordsComeBackInOrderFromBothFiles) {
  const auto journal = open(4);
  ASSERT_TRUE(journal->append("five"));
  ASSERT_TRUE(journal->append("six"));
  journal->switch_files();
  ASSERT_TRUE(journal->append("seven"));
  EXPECT_EQ(journal->sequence(), 7u);
  EXPECT_EQ(read(4).value(), "five six seven ");
  EXPECT_EQ(read(6).value(), "seven ");
  EXPECT_EQ(read(7).value(), "");
}

TEST_F(JournalFiles, WhatLiesBehindFromAnEarlierTurnIsNotRead) {
  const auto journal = open(0);
  for (const char* text : {"aaaa", "bbbb", "cccc"}) ASSERT_TRUE(journal->append(text));
  journal->switch_files();
  ASSERT_TRUE(journal->append("dddd"));
  journal->switch_files();
  ASSERT_TRUE(journal->append("eeee"));  // over "aaaa"; "bbbb" and "cccc" still stand behind it
  EXPECT_EQ(read(3).value(), "dddd eeee ");
}

TEST_F(JournalFiles, ARecordTakenBackIsGoneAndItsSequenceUsedAgain) {
  const auto journal = open(0);
  ASSERT_TRUE(journal->append("kept"));
  ASSERT_TRUE(journal->append("refused"));
  ASSERT_TRUE(journal->take_back());
  EXPECT_EQ(read(0).value(), "kept ");
  ASSERT_TRUE(journal->append("next"));
  EXPECT_EQ(journal->sequence(), 2u);
  EXPECT_EQ(read(0).value(), "kept next ");
}

TEST_F(JournalFiles, ATornLastRecordEndsTheJournal) {
  const auto journal = open(0);
  ASSERT_TRUE(journal->append("whole"));
  const std::uint64_t at = journal->bytes();
  ASSERT_TRUE(journal->append("torn"));
  damage(0, at + kJournalHeadBytes + 2);
  EXPECT_EQ(read(0).value(), "whole ");
}

TEST_F(JournalFiles, AGapBeforeLaterGroupsIsDamage) {
  const auto journal = open(0);
  ASSERT_TRUE(journal->append("one"));
  ASSERT_TRUE(journal->append("two"));
  journal->switch_files();
  ASSERT_TRUE(journal->append("three"));
  damage(0, kJournalHeadBytes + 1);
  const auto all = read(0);
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().kind, ErrorKind::kCorrupt);
}

TEST_F(JournalFiles, AnotherStoresJournalIsNotRead) {
  const auto journal = open(0);
  ASSERT_TRUE(journal->append("ours"));
  EXPECT_EQ(read(0, std::string(kStoreUuidBytes, 'x')).value(), "");
}

TEST(Checkpoint, ComesBackAndIsRefusedWhenDamaged) {
  const std::string bytes = encode_checkpoint({kUuid, 42, std::string(8192, 'm')});
  const auto checkpoint = decode_checkpoint(bytes);
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->store_uuid, kUuid);
  EXPECT_EQ(checkpoint->sequence, 42u);
  EXPECT_EQ(checkpoint->meta_pages, std::string(8192, 'm'));
  for (const std::size_t at : {0uz, 8uz, 30uz, 5000uz, bytes.size() - 1}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(decode_checkpoint(damaged)) << at;
  }
  for (std::size_t length = 0; length < bytes.size(); length += 7) EXPECT_FALSE(decode_checkpoint(bytes.substr(0, length)));
}

}  // namespace
}  // namespace posthus::store
