// Sequence sets and the sequence-number map, against a plain vector of uids.
#include "imap/uid_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "imap/sequence_set.h"

namespace posthus::imap {
namespace {

store::UidSet set_of(const std::vector<std::uint32_t>& numbers) {
  store::UidSet set;
  for (const auto n : numbers) append_uid(set, Uid{n});
  return set;
}
std::vector<std::uint32_t> numbers_of(const store::UidSet& set) {
  std::vector<std::uint32_t> numbers;
  for (const auto& range : set) {
    for (std::uint64_t n = range.first.value; n <= range.last.value; ++n) numbers.push_back(static_cast<std::uint32_t>(n));
  }
  return numbers;
}
SequenceSet parse(std::string_view text) {
  Scanner scanner(text);
  auto set = sequence_set(scanner);
  EXPECT_TRUE(set && scanner.at_end()) << text;
  return set ? *set : SequenceSet{};
}

TEST(SequenceSet, examples_of_the_rfc) {
  EXPECT_EQ(numbers_of(normalise(parse("2,4:7,9,12:*"), 15)), (std::vector<std::uint32_t>{2, 4, 5, 6, 7, 9, 12, 13, 14, 15}));
  EXPECT_EQ(numbers_of(normalise(parse("*:4,5:7"), 10)), (std::vector<std::uint32_t>{4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(numbers_of(normalise(parse("3291:*"), 5)).front(), 5u);
  EXPECT_EQ(normalise(parse("1:4294967295"), 3), (store::UidSet{{Uid{1}, Uid{4294967295}}}));
  EXPECT_TRUE(parse("$").is_saved_result);
}

TEST(SequenceSet, malformed_sets_are_refused) {
  for (const auto* text : {"", "0", "1:", ":1", ",1", "a", "4294967296", "-1"}) {
    Scanner scanner(text);
    EXPECT_FALSE(sequence_set(scanner)) << text;
  }
  Scanner scanner("1,");
  EXPECT_FALSE(sequence_set(scanner));
}

TEST(UidMap, a_hundred_thousand_messages_without_gaps_are_one_run) {
  const UidMap map(store::UidSet{{Uid{1}, Uid{100'000}}});
  EXPECT_EQ(map.size(), 100'000u);
  EXPECT_LE(map.bytes(), 64u);
}

TEST(UidMap, behaves_like_a_list_of_uids) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint32_t> uids;
    for (std::uint32_t uid = 1 + random() % 3; uids.size() < 40; uid += 1 + (random() % 3 == 0 ? random() % 4 : 0))
      uids.push_back(uid);
    UidMap map(set_of(uids));
    std::vector<std::uint32_t> removed;
    for (std::uint32_t uid = 1; uid < 80; ++uid) {
      if (random() % 4 == 0) removed.push_back(uid);
    }
    map.remove(set_of(removed));
    std::erase_if(uids, [&](std::uint32_t uid) { return std::binary_search(removed.begin(), removed.end(), uid); });
    uids.push_back(200);
    map.append({{Uid{200}, Uid{200}}});
    ASSERT_EQ(numbers_of(map.uids()), uids);
    ASSERT_EQ(map.size(), uids.size());
    for (std::uint32_t uid = 0; uid < 202; ++uid) {
      const auto at = std::find(uids.begin(), uids.end(), uid);
      ASSERT_EQ(map.sequence_of(Uid{uid}), at == uids.end() ? std::nullopt : std::optional<std::uint32_t>(at - uids.begin() + 1));
    }
    std::vector<std::uint32_t> wanted, expected;
    for (std::uint32_t n = 1; n <= uids.size() + 3; ++n) {
      if (random() % 2 == 0) continue;
      wanted.push_back(n);
      if (n <= uids.size()) expected.push_back(uids[n - 1]);
    }
    ASSERT_EQ(numbers_of(map.uids_of(set_of(wanted))), expected);
  }
}

TEST(UidSets, intersection_and_difference) {
  const auto a = set_of({1, 2, 3, 7, 8, 20}), b = set_of({2, 3, 4, 8, 19});
  EXPECT_EQ(numbers_of(intersection(a, b)), (std::vector<std::uint32_t>{2, 3, 8}));
  EXPECT_EQ(numbers_of(difference(a, b)), (std::vector<std::uint32_t>{1, 7, 20}));
  EXPECT_EQ(numbers_of(difference({{Uid{1}, Uid{4294967295}}}, {{Uid{2}, Uid{4294967295}}})), (std::vector<std::uint32_t>{1}));
  EXPECT_TRUE(contains(a, Uid{8}));
  EXPECT_FALSE(contains(a, Uid{9}));
}

}  // namespace
}  // namespace posthus::imap
