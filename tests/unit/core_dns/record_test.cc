// Record data in wire form: what is read, and what is refused. RFC 1035 §3.3, RFC 2782, RFC 6698 §2.1, RFC 7505.
#include "core/dns/record.h"

#include <gtest/gtest.h>

namespace posthus::dns {
namespace {

using namespace std::string_literals;

std::string wire(std::initializer_list<std::string_view> labels) {
  std::string out;
  for (const std::string_view label : labels) out += static_cast<char>(label.size()) + std::string(label);
  return out + '\0';
}

TEST(RecordTest, NamesAreReadInLowerCaseWithoutTheRoot) {
  EXPECT_EQ(parse_name(wire({"MX", "Example", "ORG"})), "mx.example.org");
  EXPECT_EQ(parse_name(wire({})), "");
  EXPECT_EQ(parse_name(wire({"_25", "_tcp", "a-b"})), "_25._tcp.a-b");
}

TEST(RecordTest, NamesThatAreNoneAreRefused) {
  EXPECT_FALSE(parse_name(""));
  EXPECT_FALSE(parse_name("\3abc")) << "no root";
  EXPECT_FALSE(parse_name("\5abc\0"s)) << "label past the end";
  EXPECT_FALSE(parse_name("\3abc\0x"s)) << "more behind the root";
  EXPECT_FALSE(parse_name("\xC0\x0C"s)) << "a compression pointer";
  EXPECT_FALSE(parse_name(wire({"a.b"}))) << "a dot within a label";
  EXPECT_FALSE(parse_name(wire({"a b"})));
  EXPECT_FALSE(parse_name(wire({"a\n"})));
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "\1a";
  EXPECT_TRUE(parse_name(longest + '\0')) << "255 octets";
  EXPECT_FALSE(parse_name("\1a" + longest + '\0'));
}

TEST(RecordTest, EachTypeIsReadIntoItsVector) {
  Answer answer;
  EXPECT_TRUE(append_record(RecordType::kA, "\x7f\0\0\5"s, answer));
  EXPECT_TRUE(append_record(RecordType::kAaaa, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1"s, answer));
  ASSERT_EQ(answer.addresses.size(), 2u);
  EXPECT_EQ(to_string(answer.addresses[1]), "192.0.2.1") << "a mapped address is IPv4";
  EXPECT_FALSE(answer.addresses[1].is_v6);
  EXPECT_TRUE(append_record(RecordType::kMx, "\0\x0a"s + wire({"mx"}), answer));
  EXPECT_EQ(answer.exchanges.at(0).preference, 10);
  EXPECT_TRUE(append_record(RecordType::kTxt, "\3abc\0\2de"s, answer));
  EXPECT_EQ(answer.texts.at(0), "abcde");
  EXPECT_TRUE(append_record(RecordType::kTlsa, "\2\0\1xyz"s, answer));
  EXPECT_EQ(answer.tlsa.at(0).data, "xyz");
  EXPECT_EQ(answer.tlsa.at(0).matching_type, 1);
  EXPECT_TRUE(append_record(RecordType::kSrv, "\0\1\0\2\0\x8f"s + wire({"imap"}), answer));
  EXPECT_EQ(answer.services.at(0).port, 143);
  EXPECT_TRUE(append_record(RecordType::kPtr, wire({"host"}), answer));
  EXPECT_EQ(answer.names.at(0), "host");
}

TEST(RecordTest, DataOfTheWrongLengthIsRefused) {
  Answer answer;
  EXPECT_FALSE(append_record(RecordType::kA, "abc", answer));
  EXPECT_FALSE(append_record(RecordType::kA, "abcde", answer));
  EXPECT_FALSE(append_record(RecordType::kAaaa, "abcd", answer));
  EXPECT_FALSE(append_record(RecordType::kMx, "\0"s, answer));
  EXPECT_FALSE(append_record(RecordType::kMx, "\0\x0a"s, answer));
  EXPECT_FALSE(append_record(RecordType::kTxt, "\4abc", answer));
  EXPECT_FALSE(append_record(RecordType::kTxt, "", answer));
  EXPECT_FALSE(append_record(RecordType::kTlsa, "\2\0"s, answer));
  EXPECT_FALSE(append_record(RecordType::kSrv, "\0\1\0\2\0"s, answer));
  EXPECT_TRUE(answer.addresses.empty() && answer.exchanges.empty() && answer.texts.empty() && answer.tlsa.empty());
}

TEST(RecordTest, AThousandRecordsAreCutOff) {
  Answer answer;
  for (int i = 0; i < 1000; ++i) append_record(RecordType::kMx, "\0\x0a"s + wire({"mx" + std::to_string(i)}), answer);
  EXPECT_EQ(answer.exchanges.size(), kMaxRecords);
}

TEST(RecordTest, OfAThousandExchangersThePreferredStayWhateverTheOrder) {
  for (const int first : {0, 1, 300, 999}) {
    Answer answer;
    for (int i = 0; i < 1000; ++i) {
      const int preference = (first + i) % 1000;
      const char octets[] = {static_cast<char>(preference >> 8), static_cast<char>(preference & 0xFF)};
      append_record(RecordType::kMx, std::string(octets, 2) + wire({"mx" + std::to_string(preference)}), answer);
    }
    ASSERT_EQ(answer.exchanges.size(), kMaxRecords);
    for (const MxRecord& record : answer.exchanges) EXPECT_LT(record.preference, kMaxRecords) << first;
  }
}

}  // namespace
}  // namespace posthus::dns
