// The bytes of segments: round trips, damage, names.
#include <gtest/gtest.h>

#include "store/segment_format.h"

namespace posthus::store {
namespace {

const std::string kUuid(kStoreUuidBytes, 'u');

TEST(SegmentFormat, HeaderRoundTripsAndEachDamagedByteIsSeen) {
  const std::string bytes = encode_segment_header(42, kUuid);
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  EXPECT_EQ(decode_segment_header(bytes)->segment, 42u);
  EXPECT_EQ(decode_segment_header(bytes)->store_uuid, kUuid);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] ^= 1;
    EXPECT_FALSE(decode_segment_header(damaged)) << i;
  }
  EXPECT_FALSE(decode_segment_header(bytes.substr(1)));
}

TEST(SegmentFormat, RecordHeadRoundTripsAndBelongsToItsStore) {
  const RecordHead head{.blob = BlobId(7),
                        .text_length = 1ull << 40,
                        .text_checksum = 1,
                        .origin_length = 2,
                        .origin_checksum = 3,
                        .internal_date = Timestamp{-5}};
  const std::string bytes = encode_record_head(head, kUuid);
  ASSERT_EQ(bytes.size(), kRecordHeadBytes);
  const auto decoded = decode_record_head(bytes, kUuid);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->blob, head.blob);
  EXPECT_EQ(decoded->text_length, head.text_length);
  EXPECT_EQ(decoded->origin_length, head.origin_length);
  EXPECT_EQ(decoded->internal_date, head.internal_date);
  EXPECT_FALSE(decode_record_head(bytes, std::string(kStoreUuidBytes, 'v')));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] ^= 1;
    EXPECT_FALSE(decode_record_head(damaged, kUuid)) << i;
  }
}

TEST(SegmentFormat, OriginsRoundTrip) {
  Origin origin{.reverse_path = "sender@example.net",
                .owners = {{AccountId(1), MailboxId(2), 3, "a@example.org", "INBOX"},
                           {AccountId(4), MailboxId(5), 0, "b@example.org", "Work/\xc3\xa5"}}};
  const auto decoded = decode_origin(encode_origin(origin));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->reverse_path, origin.reverse_path);
  ASSERT_EQ(decoded->owners.size(), 2u);
  EXPECT_EQ(decoded->owners[1].address, "b@example.org");
  EXPECT_EQ(decoded->owners[1].mailbox_name, origin.owners[1].mailbox_name);
  EXPECT_EQ(decoded->owners[0].flags, 3);
  const std::string bytes = encode_origin(origin);
  EXPECT_FALSE(decode_origin(std::string_view(bytes).substr(0, bytes.size() - 1)));
}

TEST(SegmentFormat, OwnersThatDoNotFitAreLeftOut) {
  Origin origin;
  for (std::uint32_t i = 0; i < 10'000; ++i)
    origin.owners.push_back({AccountId(i), MailboxId(i), 0, "user@example.org", "INBOX"});
  const std::string bytes = encode_origin(origin);
  EXPECT_LE(bytes.size(), kMaxOriginBytes);
  EXPECT_GT(decode_origin(bytes)->owners.size(), 1000u);
}

TEST(SegmentFormat, RecordsAreAligned) {
  EXPECT_EQ(record_bytes(0, 0), kRecordHeadBytes);
  EXPECT_EQ(record_bytes(1, 0), kRecordHeadBytes + kRecordAlignment);
  EXPECT_EQ(record_bytes(5, 3), kRecordHeadBytes + kRecordAlignment);
}

TEST(SegmentFormat, FileNamesSortAsNumbers) {
  EXPECT_EQ(segment_file_name(42), "0000000042.seg");
  EXPECT_EQ(parse_segment_file_name("0000000042.seg"), 42u);
  EXPECT_EQ(parse_segment_file_name(segment_file_name(UINT32_MAX)), UINT32_MAX);
  EXPECT_FALSE(parse_segment_file_name("9999999999.seg"));
  EXPECT_FALSE(parse_segment_file_name("42.seg"));
  EXPECT_FALSE(parse_segment_file_name("0000000042.seg.new"));
}

}  // namespace
}  // namespace posthus::store
