// Dynamic updates: the message byte by byte, its signature, and which replies are believed.
#include "core/dns/update.h"

#include <gtest/gtest.h>

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/dns/record_text.h"

namespace posthus::dns {
namespace {

const Timestamp kNow = Timestamp::from_seconds(1'800'000'000);
TsigKey key(std::string_view text = "hmac-sha256:Update.Key.:c2VjcmV0") { return *parse_tsig_key(text); }

/// A reply as a name server makes it, signed as RFC 8945 §5.3 says.
std::string reply_to(const SignedMessage& request, std::uint16_t code, const TsigKey& with, std::int64_t seconds,
                     std::uint16_t error = 0) {
  std::string head;
  append_u16(head, 7);
  append_u16(head, static_cast<std::uint16_t>(0xA800 | code));
  for (int i = 0; i < 4; ++i) append_u16(head, 0);
  std::string variables = *name_to_wire(with.name);
  append_u16(variables, 255);
  append_u32(variables, 0);
  variables += *name_to_wire("hmac-sha256");
  append_big_endian(variables, static_cast<std::uint64_t>(seconds), 6);
  append_u16(variables, 300);
  append_u16(variables, error);
  append_u16(variables, 0);
  std::string covered;
  append_u16(covered, 32);
  const std::string mac = hmac_sha256(with.secret.reveal(), covered + request.signature + head + variables);
  std::string data = *name_to_wire("hmac-sha256");
  append_big_endian(data, static_cast<std::uint64_t>(seconds), 6);
  append_u16(data, 300);
  append_u16(data, 32);
  data += mac;
  append_u16(data, 7);
  append_u16(data, error);
  append_u16(data, 0);
  head[11] = 1;
  std::string record = *name_to_wire(with.name);
  append_u16(record, 250);
  append_u16(record, 255);
  append_u32(record, 0);
  append_u16(record, static_cast<std::uint16_t>(data.size()));
  return head + record + data;
}

SignedMessage request() {
  return *update_message(7, "a.test", {{.name = "a.test", .type = RecordType::kMx, .values = {"10 mx.a.test."}}}, key(), kNow);
}
std::string verdict(const std::string& reply) {
  const auto result = read_update_reply(reply, 7, request(), key(), kNow);
  return result ? "good" : std::string(to_string(result.error().kind)) + ": " + result.error().context;
}

TEST(UpdateTest, KeysAreNamedTexts) {
  EXPECT_EQ(key().name, "update.key");
  EXPECT_EQ(key().secret.reveal(), "secret");
  EXPECT_EQ(key("k:c2VjcmV0").name, "k");
  for (const char* wrong : {"", "k", "k:", "k:###", ":c2VjcmV0", "hmac-md5:k:c2VjcmV0", "a b:c2VjcmV0"}) {
    EXPECT_FALSE(parse_tsig_key(wrong)) << wrong;
  }
}

// RFC 2136 §2.3 (zone section), §2.5.1 (add), §2.5.2 (delete a set)
TEST(UpdateTest, TheMessageHoldsZoneAndChanges) {
  const auto message = update_message(
      7, "a.test",
      {{.kind = SetChange::Kind::kReplace, .name = "b.a.test", .type = RecordType::kTxt, .values = {"x"}, .time_to_live = 60}},
      key(), kNow);
  ASSERT_TRUE(message);
  const std::string zone = std::string("\1a\4test\0", 8) + std::string("\0\6\0\1", 4);
  const std::string name("\1b\1a\4test\0", 10);
  const std::string gone = name + std::string("\0\x10\0\xFF\0\0\0\0\0\0", 10);
  const std::string added = name + std::string("\0\x10\0\1\0\0\0\x3C\0\2\1x", 12);
  const std::string head("\0\7\x28\0\0\1\0\0\0\2\0\1", 12);
  EXPECT_EQ(message->text.substr(0, head.size() + zone.size() + gone.size() + added.size()), head + zone + gone + added);
  EXPECT_EQ(message->signature.size(), 32u);
  EXPECT_NE(message->text.find(message->signature), std::string::npos);
}

TEST(UpdateTest, AnAliasTakesTheWholeName) {
  const auto message = update_message(
      7, "a.test",
      {{.kind = SetChange::Kind::kReplaceName, .name = "b.a.test", .type = RecordType::kCname, .values = {"c.a.test."}}}, key(),
      kNow);
  EXPECT_NE(message->text.find(std::string("\1b\1a\4test\0\0\xFF\0\xFF", 14)), std::string::npos);
}

TEST(UpdateTest, WhatCannotBeWrittenIsRefused) {
  EXPECT_FALSE(update_message(7, "a..b", {}, key(), kNow));
  EXPECT_FALSE(update_message(7, "a.test", {{.name = "a.test", .type = RecordType::kA, .values = {"x"}}}, key(), kNow));
  const std::vector<SetChange> many(100, {.name = "a.test", .values = {std::string(1000, 'x')}});
  EXPECT_EQ(update_message(7, "a.test", many, key(), kNow).error().kind, ErrorKind::kTooLarge);
}

TEST(UpdateTest, OnlyASignedReplyIsBelieved) {
  const std::string good = reply_to(request(), 0, key(), kNow.seconds());
  EXPECT_EQ(verdict(good), "good");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_NE(verdict(changed), "good") << i;
    EXPECT_NE(verdict(good.substr(0, i)), "good") << i;
  }
  EXPECT_TRUE(verdict(reply_to(request(), 0, key("update.key:b3RoZXI="), kNow.seconds())).starts_with("invalid: "));
  EXPECT_TRUE(verdict(reply_to(request(), 0, key("other:c2VjcmV0"), kNow.seconds())).starts_with("invalid: "));
  EXPECT_TRUE(verdict(std::string("\0\7\xA8\0\0\0\0\0\0\0\0\0", 12)).starts_with("invalid: "));
}

TEST(UpdateTest, RefusalsSayWhatIsWrong) {
  EXPECT_TRUE(verdict(reply_to(request(), 5, key(), kNow.seconds())).starts_with("denied: the name server refuses it"));
  EXPECT_TRUE(verdict(reply_to(request(), 10, key(), kNow.seconds())).starts_with("not_found: "));
  EXPECT_TRUE(verdict(reply_to(request(), 9, key(), kNow.seconds(), 17)).starts_with("denied: the server does not know a key"));
  EXPECT_TRUE(verdict(reply_to(request(), 9, key(), kNow.seconds(), 16)).starts_with("denied: the server does not accept"));
  EXPECT_TRUE(verdict(reply_to(request(), 9, key(), kNow.seconds(), 18)).starts_with("denied: the clocks"));
  EXPECT_TRUE(verdict(reply_to(request(), 0, key(), kNow.seconds() + 400)).starts_with("denied: the clocks"));
  EXPECT_TRUE(verdict(std::string("\0\7\xA8\5\0\0\0\0\0\0\0\0", 12)).starts_with("denied: "));
}

TEST(UpdateTest, QueriesAreReadWithCompressedNames) {
  EXPECT_EQ(query_message(7, "a.test", RecordType::kTxt)->size(), 12u + 8 + 4);
  const std::string question = std::string("\1a\4test\0", 8) + std::string("\0\x10\0\1", 4);
  const std::string record("\xC0\x0C\0\x10\0\1\0\0\0\x3C\0\5\1x\2yz", 17);
  const auto reply = [&](std::string_view flags, char answers) {
    return std::string("\0\7", 2) + std::string(flags) + std::string("\0\1\0", 3) + answers + std::string(4, '\0') + question +
           (answers ? record : "");
  };
  const auto answer = read_query_reply(reply(std::string_view("\x84\0", 2), 1), 7, "a.test", RecordType::kTxt);
  ASSERT_TRUE(answer) << answer.error().context;
  EXPECT_EQ(answer->texts, std::vector<std::string>{"xyz"});
  EXPECT_EQ(read_query_reply(reply(std::string_view("\x84\0", 2), 0), 7, "a.test", RecordType::kTxt)->status, Status::kNoData);
  EXPECT_EQ(read_query_reply(reply(std::string_view("\x84\3", 2), 0), 7, "a.test", RecordType::kTxt)->status, Status::kNoName);
  EXPECT_FALSE(read_query_reply(reply(std::string_view("\x80\0", 2), 0), 7, "a.test", RecordType::kTxt));  // not authoritative
  EXPECT_FALSE(read_query_reply(reply(std::string_view("\x86\0", 2), 1), 7, "a.test", RecordType::kTxt));  // truncated
  EXPECT_FALSE(read_query_reply(reply(std::string_view("\x84\0", 2), 1), 8, "a.test", RecordType::kTxt));  // another question's
}

}  // namespace
}  // namespace posthus::dns
