// Trace fields (RFC 5321 §4.4): what is written, and that nothing a client says can break out of it.
#include "core/mail/trace.h"

#include <gtest/gtest.h>

#include "core/mail/header.h"

namespace posthus::mail {
namespace {

ReceivedFacts facts() {
  ReceivedFacts f;
  f.helo = "client.example";
  f.remote_address = "192.0.2.7";
  f.hostname = "mx.example.net";
  f.with = "ESMTPS";
  f.tls = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384";
  f.id = "17abc";
  f.recipient = Address{"anna", "example.net"};
  f.time = Timestamp::from_seconds(1'795'302'346);
  return f;
}

TEST(Received, HasEveryClauseInOrder) {
  EXPECT_EQ(received_field(facts()),
            "Received: from client.example ([192.0.2.7])\r\n"
            "\tby mx.example.net with ESMTPS\r\n"
            "\t(TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n"
            "\tid 17abc\r\n"
            "\tfor <anna@example.net>;\r\n"
            "\tSat, 21 Nov 2026 23:05:46 +0000\r\n");
}

TEST(Received, LeavesOutWhatIsNotKnown) {
  ReceivedFacts f = facts();
  f.helo = f.remote_address = f.tls = f.id = "";
  f.recipient.reset();
  f.with = "LMTP";
  EXPECT_EQ(received_field(f), "Received: by mx.example.net with LMTP;\r\n\tSat, 21 Nov 2026 23:05:46 +0000\r\n");
}

TEST(Received, GreetingCannotWriteHeaderLines) {
  ReceivedFacts f = facts();
  f.helo = "a\r\nSubject: forged (";
  f.remote_address = "2001:db8::1";
  f.tls = "x) by evil\r\nB: c";
  const std::string field = received_field(f);
  std::size_t count = 0;
  for_each_field(field, [&](const HeaderField&) { return ++count, true; });
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(field.find("from a??Subject:?forged?? ([IPv6:2001:db8::1])"), 10U) << field;
  EXPECT_NE(field.find("(x? by evil??B: c)"), std::string::npos) << field;
}

TEST(ReturnPath, HoldsThePathOrIsNull) {
  EXPECT_EQ(return_path_field(Address{"a b", "example.com"}), "Return-Path: <\"a b\"@example.com>\r\n");
  EXPECT_EQ(return_path_field(std::nullopt), "Return-Path: <>\r\n");
}

}  // namespace
}  // namespace posthus::mail
