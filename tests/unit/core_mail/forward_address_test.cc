// Forward addresses: there and back, over several servers, in changed case; nothing that others made up, nothing old.
#include "core/mail/forward_address.h"

#include <gtest/gtest.h>

#include "core/base/ascii.h"

namespace posthus::mail {
namespace {

constexpr std::string_view kSecret = "a secret of this server";
constexpr std::int64_t kDay = 86'400;
const Timestamp kNow = Timestamp::from_seconds(1'795'302'346);

Timestamp days_later(std::int64_t days) { return Timestamp::from_seconds(kNow.seconds() + days * kDay); }

Address forward(const Address& sender, std::string_view domain = "ours.test", std::string_view secret = kSecret) {
  return forward_address(sender, domain, secret, kNow).value();
}

ErrorKind refusal(const Address& address, Timestamp now = kNow) { return original_sender(address, {kSecret}, now).error().kind; }

TEST(ForwardAddress, LeadsBackToTheSender) {
  const Address sender{"anna.Bee+shop", "example.org"};
  const Address forwarded = forward(sender);
  EXPECT_EQ(forwarded.domain, "ours.test");
  EXPECT_TRUE(forwarded.local_part.starts_with("SRS0=")) << forwarded.local_part;
  EXPECT_TRUE(forwarded.local_part.ends_with("=example.org=anna.Bee+shop")) << forwarded.local_part;
  EXPECT_EQ(original_sender(forwarded, {kSecret}, kNow).value(), sender);
  EXPECT_EQ(original_sender(forwarded, {"newer", kSecret}, days_later(3)).value(), sender);
}

TEST(ForwardAddress, SurvivesChangedCase) {
  const Address sender{"anna", "example.org"};
  Address forwarded = forward(sender);
  forwarded.local_part = ascii::to_upper(forwarded.local_part);
  EXPECT_EQ(original_sender(forwarded, {kSecret}, kNow).value(), (Address{"ANNA", "example.org"}));
}

TEST(ForwardAddress, HoldsOddSenders) {
  for (const Address& sender : {Address{"a b", "example.org"}, Address{"a=b=c", "example.org"}, Address{"=", "x.test"},
                                Address{"anna", "[192.0.2.1]"}, Address{"anna", "[IPv6:2001:db8::1]"},
                                Address{"anna", "[tag:a=b]"}, Address{"jørgen", "example.org"}, Address{"\"\\", "example.org"}}) {
    const Address forwarded = forward(sender);
    EXPECT_EQ(parse_mailbox(to_string(forwarded), Utf8::kAllow).value(), forwarded) << to_string(forwarded);
    EXPECT_EQ(original_sender(forwarded, {kSecret}, kNow).value(), sender) << to_string(forwarded);
  }
}

TEST(ForwardAddress, ThroughManyServersReturnsToTheFirst) {
  const Address sender{"anna", "example.org"};
  const Address first = forward(sender, "first.test", "one");
  const Address second = forward(first, "second.test", "two");
  const Address third = forward(second, "third.test", "three");
  EXPECT_TRUE(second.local_part.starts_with("SRS1=")) << second.local_part;
  EXPECT_EQ(third.local_part.size(), second.local_part.size());
  EXPECT_EQ(original_sender(third, {"three"}, kNow).value(), first);
  EXPECT_EQ(original_sender(second, {"two"}, kNow).value(), first);
  EXPECT_EQ(original_sender(first, {"one"}, kNow).value(), sender);
}

TEST(ForwardAddress, OfOtherMakersIsKeptAsItIs) {
  const Address theirs{"SRS0+Xy1z=2A=example.org=anna", "first.test"};
  EXPECT_EQ(original_sender(forward(theirs), {kSecret}, kNow).value(), theirs);
  const Address second{"SRS1=Qw3r=first.test==Xy1z=2A=example.org=anna", "second.test"};
  EXPECT_EQ(original_sender(forward(second), {kSecret}, kNow).value(), (Address{"SRS0=Xy1z=2A=example.org=anna", "first.test"}));
}

TEST(ForwardAddress, LooksLikeOneButIsNone) {
  const Address sender{"SRS1=odd", "example.org"};
  const Address forwarded = forward(sender);
  EXPECT_TRUE(forwarded.local_part.starts_with("SRS0="));
  EXPECT_EQ(original_sender(forwarded, {kSecret}, kNow).value(), sender);
}

TEST(ForwardAddress, EveryChangedCharacterIsRefused) {
  const Address forwarded = forward({"anna", "example.org"});
  for (std::size_t i = 0; i < forwarded.local_part.size(); ++i) {
    Address changed = forwarded;
    changed.local_part[i] = changed.local_part[i] == 'q' ? 'r' : 'q';
    EXPECT_FALSE(original_sender(changed, {kSecret}, kNow)) << changed.local_part;
  }
  EXPECT_EQ(refusal(forward({"anna", "example.org"}, "ours.test", "another secret")), ErrorKind::kDenied);
  EXPECT_FALSE(original_sender(forwarded, {}, kNow));
}

TEST(ForwardAddress, OfAnotherKindIsRefused) {
  const Address first = forward({"anna", "example.org"});
  Address changed = first;
  changed.local_part[3] = '1';
  EXPECT_EQ(refusal(changed), ErrorKind::kDenied);
}

TEST(ForwardAddress, EndsAfterItsDays) {
  const Address forwarded = forward({"anna", "example.org"});
  EXPECT_TRUE(original_sender(forwarded, {kSecret}, days_later(kForwardAddressDays)));
  EXPECT_TRUE(original_sender(forwarded, {kSecret}, days_later(-1)));
  EXPECT_EQ(refusal(forwarded, days_later(kForwardAddressDays + 1)), ErrorKind::kTimeout);
  EXPECT_EQ(refusal(forwarded, days_later(-2)), ErrorKind::kTimeout);
  EXPECT_TRUE(original_sender(forward_address({"a", "b.test"}, "c.test", kSecret, days_later(1020)).value(), {kSecret},
                              days_later(1030)));
}

TEST(ForwardAddress, BrokenOnesAreRefused) {
  for (const char* local : {"", "anna", "SRS0", "SRS0=", "SRS0==", "SRS0=a", "SRS0=a=", "SRS0=a=b",
                            "SRS0=aaaaaaaa=aa=", "SRS1=a=b=", "SRS0+aaaaaaaa=aa=b=c", "srs2=aaaaaaaa=aa=b=c"}) {
    EXPECT_FALSE(original_sender({local, "ours.test"}, {kSecret}, kNow)) << local;
  }
  EXPECT_FALSE(is_forward_address("srs0"));
  EXPECT_FALSE(is_forward_address("srs0x"));
  EXPECT_FALSE(is_forward_address("SRS2=a=b"));
  EXPECT_TRUE(is_forward_address("srs0=a=b"));
}

TEST(ForwardAddress, LongSendersHaveRoomAndTooLongOnesAreTold) {
  const Address sender{std::string(kMaxLocalPart, 'a'), std::string(40, 'd') + ".example.org"};
  const Address forwarded = forward(sender);
  EXPECT_GT(forwarded.local_part.size(), kMaxLocalPart);
  EXPECT_EQ(parse_mailbox(to_string(forwarded), Utf8::kRefuse).value(), forwarded);
  const std::string domain = std::string(60, 'd') + "." + std::string(60, 'e') + "." + std::string(60, 'f') + ".test";
  EXPECT_EQ(forward_address({"a", domain}, "ours.test", kSecret, kNow).error().kind, ErrorKind::kTooLarge);
}

}  // namespace
}  // namespace posthus::mail
