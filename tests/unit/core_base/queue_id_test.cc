// QueueId to text and back.
#include "core/base/queue_id.h"

#include <gtest/gtest.h>

namespace posthus {
namespace {

TEST(QueueIdText, IsReadAgainInAnyCase) {
  for (const std::uint64_t value :
       {std::uint64_t{1}, std::uint64_t{31}, std::uint64_t{32}, std::uint64_t{1'795'262'400'000'000} << 12, UINT64_MAX}) {
    const std::string text = to_text(QueueId(value));
    EXPECT_EQ(text.size(), 13u);
    EXPECT_EQ(parse_queue_id(text), QueueId(value));
  }
  EXPECT_EQ(parse_queue_id("000000000000A"), QueueId(10));
}

TEST(QueueIdText, SortsAsTheNumber) { EXPECT_LT(to_text(QueueId(0xFFFF)), to_text(QueueId(0x10000))); }

TEST(QueueIdText, RefusesWhatIsNone) {
  for (const char* text :
       {"", "0000000000000", "00000000000001", "000000000001", "zzzzzzzzzzzzz", "000000000000i", "00000 0000001"}) {
    EXPECT_FALSE(parse_queue_id(text)) << text;
  }
}

TEST(QueueIdText, NewOnesDifferAndCarryTheirTime) {
  const Timestamp now = Timestamp::from_seconds(1'795'262'400);
  const QueueId first = next_queue_id(now), second = next_queue_id(now);
  EXPECT_NE(first, second);
  EXPECT_EQ(first.value >> 12, static_cast<std::uint64_t>(now.microseconds));
}

}  // namespace
}  // namespace posthus
