// Verdicts on senders and recipients. RFC 5321 §3.6, RFC 6409 §6.1.
#include "smtp/admission.h"

#include <gtest/gtest.h>

#include "smtp/envelope.h"

namespace posthus::smtp {
namespace {

using Kind = store::Resolution::Kind;

RecipientVerdict verdict(ListenerRole role, Kind kind, std::uint64_t size = 0, std::uint64_t quota = 0) {
  RecipientFacts facts;
  facts.role = role;
  facts.resolution = kind;
  facts.message_size = size;
  facts.quota_bytes = quota;
  return admit_recipient(facts);
}

TEST(AdmitRecipient, DeliversLocallyAndRelaysForNobodyOnAnMx) {
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kLocal).routing, Routing::kLocal);
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kNoSuchDomain).routing, Routing::kRefused);
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kNoSuchDomain).reply, reply::kRelayDenied);
}

TEST(AdmitRecipient, RoutesMailForOtherServersOnSubmission) {
  EXPECT_EQ(verdict(ListenerRole::kSubmission, Kind::kNoSuchDomain).routing, Routing::kRemote);
  EXPECT_EQ(verdict(ListenerRole::kSubmission, Kind::kNoSuchDomain).reply, reply::kRecipientOk);
}

TEST(AdmitRecipient, ForwardsAndRelaysForDomainsItAnswersFor) {
  for (const ListenerRole role : {ListenerRole::kMx, ListenerRole::kSubmission}) {
    EXPECT_EQ(verdict(role, Kind::kRemoteAlias).routing, Routing::kForward);
    EXPECT_EQ(verdict(role, Kind::kRelay).routing, Routing::kRemote);
    EXPECT_EQ(verdict(role, Kind::kRelay).reply, reply::kRecipientOk);
  }
}

TEST(AdmitRecipient, SaysWhyItRefuses) {
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kNoSuchUser).reply, reply::kUnknownUser);
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kDisabled).reply, reply::kDisabledUser);
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kAliasLoop).reply, reply::kAliasLoop);
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kOnlyMembers).reply, reply::kOnlyMembers);
  EXPECT_EQ(verdict(ListenerRole::kSubmission, Kind::kOnlyDomain).reply, reply::kOnlyDomain);
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kOverQuota).reply, reply::kMailboxFull);
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kOverQuota, 100, 100).reply, reply::kMailboxFull);
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kOverQuota, 101, 100).reply, reply::kExceedsQuota);
}

TEST(AdmitSender, AsksSubmittersForTlsLoginAndTheirOwnAddress) {
  SenderFacts facts;
  EXPECT_EQ(admit_sender(facts), reply::kSenderOk);
  facts.role = ListenerRole::kSubmission;
  EXPECT_EQ(admit_sender(facts), reply::kNeedsTls);
  facts.is_tls = true;
  EXPECT_EQ(admit_sender(facts), reply::kNeedsLogin);
  facts.is_null = true;
  EXPECT_EQ(admit_sender(facts), reply::kNeedsLogin);
  facts.is_logged_in = true;
  EXPECT_EQ(admit_sender(facts), reply::kSenderOk);
  facts.is_null = false;
  EXPECT_EQ(admit_sender(facts), reply::kNotYourAddress);
  facts.is_own_address = true;
  EXPECT_EQ(admit_sender(facts), reply::kSenderOk);
}

TEST(Envelope, KeepsEachInboxOnce) {
  Envelope envelope;
  envelope.inboxes = {MailboxId(7), MailboxId(3), MailboxId(7)};
  envelope.sort();
  EXPECT_EQ(envelope.inboxes, (std::vector<MailboxId>{MailboxId(3), MailboxId(7)}));
}

TEST(Envelope, KeepsEachAddressElsewhereOnce) {
  Envelope envelope;
  for (const char* local : {"b", "a", "b"}) {
    RcptParameters parameters;
    parameters.notify = envelope.elsewhere.empty() ? notify::kNever : notify::kDelay;
    envelope.elsewhere.push_back(to_queued({local, "example.org"}, parameters));
  }
  envelope.elsewhere.push_back(to_queued({"a b", "[192.0.2.9]"}, {}));
  envelope.sort();
  ASSERT_EQ(envelope.elsewhere.size(), 3u);
  EXPECT_EQ(envelope.elsewhere[0].address, "b@example.org");
  EXPECT_EQ(envelope.elsewhere[0].notify, notify::kDelay);
  EXPECT_EQ(envelope.elsewhere[1].address, "a@example.org");
  EXPECT_EQ(envelope.elsewhere[2].address, "\"a b\"@[192.0.2.9]");
  EXPECT_EQ(envelope.destinations(), (std::vector<std::string>{"[192.0.2.9]", "example.org"}));
}

struct NotifyCase {
  std::uint8_t first, second, both;
};

// RFC 3461 §4.1
TEST(Envelope, ReportsOnAnAddressNamedTwiceAsEachAsked) {
  using namespace notify;
  const NotifyCase cases[] = {
      {kUnset, kUnset, kUnset},
      {kNever, kNever, kNever},
      {kNever, kFailure, kFailure},
      {kNever, kUnset, kFailure | kDelay},
      {kSuccess, kUnset, kSuccess | kFailure | kDelay},
      {kSuccess, kFailure, kSuccess | kFailure},
  };
  for (const auto& [first, second, both] : cases) {
    for (const bool is_swapped : {false, true}) {
      Envelope envelope;
      const RcptParameters one{.notify = is_swapped ? second : first, .original_recipient = "rfc822;one@example.test"};
      const RcptParameters two{.notify = is_swapped ? first : second, .original_recipient = "rfc822;two@example.test"};
      envelope.elsewhere = {to_queued({"b", "example.org"}, one), to_queued({"b", "example.org"}, two)};
      envelope.sort();
      ASSERT_EQ(envelope.elsewhere.size(), 1u);
      EXPECT_EQ(envelope.elsewhere[0].notify, both) << int{first} << " " << int{second} << " " << is_swapped;
      EXPECT_EQ(envelope.elsewhere[0].original_recipient, "rfc822;one@example.test");
    }
  }
}

struct EntryCase {
  const char* name;
  bool declares_utf8, has_8bit_header, has_8bit;
  Body body;
  const char* recipient;
  bool is_utf8;
  store::BodyKind kind;
};

TEST(QueueEntry, SaysWhatTheMessageNeedsNotWhatTheClientSaid) {
  using store::BodyKind;
  const EntryCase cases[] = {
      {"plain", false, false, false, Body::k7Bit, "a", false, BodyKind::k7Bit},
      {"needless words", true, false, false, Body::k8BitMime, "a", false, BodyKind::k7Bit},
      {"8 bits unsaid", false, false, true, Body::k7Bit, "a", false, BodyKind::k8BitMime},
      {"UTF-8 header", true, true, true, Body::k8BitMime, "a", true, BodyKind::k8BitMime},
      {"raw header", false, true, true, Body::k7Bit, "a", false, BodyKind::k8BitMime},
      {"UTF-8 recipient", true, false, false, Body::k7Bit, "\xc3\xa4", false, BodyKind::k7Bit},
      {"forward to one", false, false, false, Body::k7Bit, "\xc3\xa4", false, BodyKind::k7Bit},
      {"binary", false, false, false, Body::kBinaryMime, "a", false, BodyKind::kBinaryMime},
  };
  for (const EntryCase& c : cases) {
    Envelope envelope;
    envelope.parameters.is_utf8 = c.declares_utf8;
    envelope.parameters.body = c.body;
    envelope.elsewhere.push_back(to_queued({c.recipient, "example.org"}, {}));
    MessageFacts facts;
    facts.has_8bit_header = c.has_8bit_header;
    facts.has_8bit = c.has_8bit;
    const store::QueueEntry entry = queue_entry(envelope, facts);
    EXPECT_EQ(entry.is_utf8, c.is_utf8) << c.name;
    EXPECT_EQ(entry.body, c.kind) << c.name;
  }
}

}  // namespace
}  // namespace posthus::smtp
