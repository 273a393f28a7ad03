// The first event of a message's trace.
#include "smtp/acceptance_trace.h"

#include <gtest/gtest.h>

namespace posthus::smtp {
namespace {

AcceptanceFacts sample_facts() {
  AcceptanceFacts facts;
  facts.id = QueueId(10);
  facts.time = Timestamp::from_seconds(1'795'262'400);
  facts.role = ListenerRole::kSubmission;
  facts.remote_address = "192.0.2.1";
  facts.helo = "laptop";
  facts.with = "ESMTPSA";
  facts.login = "anna@example.test";
  facts.tls_version = "TLSv1.3";
  facts.cipher = "TLS_AES";
  facts.size = 42;
  facts.header = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n \"x\"\r\nMessage-ID:\r\n <a@b>\r\n";
  return facts;
}

TEST(AcceptanceTrace, TellsWhoHowAndWhereto) {
  Envelope envelope;
  envelope.reverse_path = mail::Address{"a\"b", "example.org"};
  envelope.parameters.ret = Ret::kFull;
  envelope.parameters.envelope_id = "x1";
  envelope.parameters.requires_tls = true;
  envelope.recipients.push_back(
      {{"anna", "example.test"}, {notify::kSuccess | notify::kDelay, "rfc822;bob@example.test"}, true, false, {}});
  envelope.recipients.push_back({{"x", "example.net"}, {}, false, true, {}});
  envelope.recipients.push_back({{"all", "example.test"}, {}, true, false, {"y@example.net"}});
  EXPECT_EQ(acceptance_trace(envelope, sample_facts()),
            R"({"time":"2026-11-21T12:00:00Z","event":"accepted","id":"000000000000a","via":"submission","address":"192.0.2.1",)"
            R"("helo":"laptop","with":"ESMTPSA","tls":"TLSv1.3","cipher":"TLS_AES","login":"anna@example.test",)"
            R"("from":"\"a\\\"b\"@example.org","envid":"x1","ret":"FULL","requires_tls":true,"size":42,"message_id":"<a@b>",)"
            R"("subject":"Grüße \"x\"","recipients":[)"
            R"({"recipient":"anna@example.test","event":"delivered","notify":"SUCCESS,DELAY","orcpt":"rfc822;bob@example.test"},)"
            R"({"recipient":"x@example.net","event":"queued"},)"
            R"({"recipient":"all@example.test","event":"delivered"},)"
            R"({"recipient":"y@example.net","event":"queued","via":"all@example.test"}]})");
}

TEST(AcceptanceTrace, TellsOfMembersWhoWaitAndWhoGetNothing) {
  using Reason = store::SkippedMember::Reason;
  Envelope envelope;
  Recipient all{{"all", "example.test"}, {}, true};
  all.full_members = {"full@example.test"};
  all.skipped = {{"off@example.test", Reason::kDisabled}, {"gone@example.test", Reason::kUnknown}};
  envelope.recipients.push_back(all);
  AcceptanceFacts facts = sample_facts();
  const std::string json = acceptance_trace(envelope, facts);
  EXPECT_NE(json.find(R"("skipped":[{"address":"off@example.test","reason":"disabled","via":"all@example.test"},)"
                      R"({"address":"gone@example.test","reason":"unknown","via":"all@example.test"}],"recipients":[)"
                      R"({"recipient":"all@example.test","event":"delivered"},)"
                      R"({"recipient":"full@example.test","event":"queued","via":"all@example.test"}]})"),
            std::string::npos)
      << json;
  envelope.recipients.front().skipped.assign(1000, {"off@example.test", Reason::kDisabled});
  const std::string much = acceptance_trace(envelope, facts);
  EXPECT_LE(much.size(), kMaxTrace);
  EXPECT_TRUE(much.ends_with(R"("via":"all@example.test"}]})")) << "recipients have room beside them";
}

TEST(AcceptanceTrace, HidesTheSubjectWhenToldTo) {
  AcceptanceFacts facts = sample_facts();
  facts.shows_subject = false;
  const std::string json = acceptance_trace({}, facts);
  EXPECT_EQ(json.find("subject"), std::string::npos);
  EXPECT_NE(json.find("message_id"), std::string::npos);
}

TEST(AcceptanceTrace, StaysSmallAndValidWhateverClientsSay) {
  Envelope envelope;
  for (int i = 0; i < 1000; ++i) {
    envelope.recipients.push_back(
        {{"user" + std::to_string(i), "example.test"}, {notify::kUnset, std::string(400, 'o')}, true, false, {}});
  }
  envelope.parameters.envelope_id = "\xff\n";
  AcceptanceFacts facts = sample_facts();
  const std::string long_text(1000, '"'), umlauts = "\xc3" + std::string(1000, '\xa4');
  facts.helo = long_text;
  facts.login = umlauts;
  const std::string json = acceptance_trace(envelope, facts);
  EXPECT_LE(json.size(), kMaxTrace);
  EXPECT_NE(json.find("\"more_recipients\":"), std::string::npos);
  EXPECT_NE(json.find("\"envid\":\"?\\u000a\""), std::string::npos);
  EXPECT_EQ(json.find('\xff'), std::string::npos);
  EXPECT_TRUE(json.ends_with("}"));
}

}  // namespace
}  // namespace posthus::smtp
