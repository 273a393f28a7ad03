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
  EXPECT_EQ(verdict(ListenerRole::kSubmission, Kind::kRemoteAlias).routing, Routing::kRemote);
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kRemoteAlias).routing, Routing::kRemote);
}

TEST(AdmitRecipient, SaysWhyItRefuses) {
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kNoSuchUser).reply, reply::kUnknownUser);
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kDisabled).reply, reply::kDisabledUser);
  EXPECT_EQ(verdict(ListenerRole::kMx, Kind::kAliasLoop).reply, reply::kAliasLoop);
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
  envelope.sort_inboxes();
  EXPECT_EQ(envelope.inboxes, (std::vector<MailboxId>{MailboxId(3), MailboxId(7)}));
}

TEST(TraceJson, HoldsEnvelopeAndDsnParameters) {
  Envelope envelope;
  envelope.reverse_path = mail::Address{"a\"b", "example.org"};
  envelope.parameters.ret = Ret::kFull;
  envelope.parameters.envelope_id = "x1";
  envelope.recipients.push_back({{"anna", "example.test"}, {notify::kSuccess | notify::kDelay, "rfc822;bob@example.test"}});
  TraceFacts facts{"id1", "192.0.2.1", "mx.example.org", "ESMTP", "", 42};
  EXPECT_EQ(trace_json(envelope, facts),
            "{\"event\":\"accepted\",\"id\":\"id1\",\"client\":\"192.0.2.1\",\"helo\":\"mx.example.org\",\"with\":\"ESMTP\","
            "\"envid\":\"x1\","
            "\"ret\":\"FULL\",\"size\":42,\"from\":\"\\\"a\\\\\\\"b\\\"@example.org\",\"to\":[{\"address\":\"anna@example.test\","
            "\"notify\":\"SUCCESS,DELAY\",\"orcpt\":\"rfc822;bob@example.test\"}]}");
}

TEST(TraceJson, StaysSmallWithManyRecipients) {
  Envelope envelope;
  for (int i = 0; i < 1000; ++i) envelope.recipients.push_back({{"user" + std::to_string(i), "example.test"}, {}});
  const std::string json =
      trace_json(envelope, {"id1", "192.0.2.1", std::string(1000, 'h'), "ESMTP", std::string(1000, '"'), 42});
  EXPECT_LE(json.size(), kMaxTrace);
  EXPECT_NE(json.find("\"more\":9"), std::string::npos) << json;
  EXPECT_EQ(json.back(), '}');
}

}  // namespace
}  // namespace posthus::smtp
