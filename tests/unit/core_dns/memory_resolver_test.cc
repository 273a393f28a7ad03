// The test twin answers as a resolver would: types, aliases, marks, counts. RFC 1034 §3.6.2.
#include "core/dns/memory_resolver.h"

#include <gtest/gtest.h>

namespace posthus::dns {
namespace {

Answer ask(MemoryResolver& resolver, const std::string& name, RecordType type) {
  Answer out;
  bool is_answered = false;
  resolver.resolve(name, type, [&](Answer answer) {
    out = std::move(answer);
    is_answered = true;
  });
  EXPECT_TRUE(is_answered);
  return out;
}

TEST(MemoryResolverTest, EveryTypeOfRecordIsRead) {
  MemoryResolver resolver;
  const auto read = resolver.add_zone(
      "example.org MX 10 MX.Example.org.  ; the first\n"
      "example.org MX 20 mx2.example.org\n"
      "null.example MX 0 .\n"
      "\n"
      "mx.example.org A 127.0.0.5\n"
      "mx.example.org AAAA ::1\n"
      "example.org TXT \"v=STSv1; \" id=1;\r\n"
      "_25._tcp.mx.example.org TLSA 3 1 1 00ffAB\n"
      "_imap._tcp.example.org SRV 1 2 143 imap.example.org\n"
      "5.0.0.127.in-addr.arpa PTR mx.example.org\n");
  ASSERT_TRUE(read) << read.error().context;
  const Answer mx = ask(resolver, "EXAMPLE.org", RecordType::kMx);
  EXPECT_EQ(mx.status, Status::kFound);
  ASSERT_EQ(mx.exchanges.size(), 2u);
  EXPECT_EQ(mx.exchanges[0].exchange, "mx.example.org");
  EXPECT_EQ(mx.exchanges[1].preference, 20);
  EXPECT_FALSE(mx.is_secure);
  EXPECT_EQ(mx.canonical_name, "example.org");
  const Answer null_mx = ask(resolver, "null.example", RecordType::kMx);
  ASSERT_EQ(null_mx.exchanges.size(), 1u);
  EXPECT_EQ(null_mx.exchanges[0].exchange, "");
  EXPECT_EQ(to_string(ask(resolver, "mx.example.org", RecordType::kA).addresses.at(0)), "127.0.0.5");
  EXPECT_EQ(to_string(ask(resolver, "mx.example.org", RecordType::kAaaa).addresses.at(0)), "::1");
  EXPECT_EQ(ask(resolver, "example.org", RecordType::kTxt).texts, std::vector<std::string>{"v=STSv1; id=1"});
  const Answer tlsa = ask(resolver, "_25._tcp.mx.example.org", RecordType::kTlsa);
  ASSERT_EQ(tlsa.tlsa.size(), 1u);
  EXPECT_EQ(tlsa.tlsa[0].usage, 3);
  EXPECT_EQ(tlsa.tlsa[0].data, std::string("\0\xff\xab", 3));
  EXPECT_EQ(ask(resolver, "_imap._tcp.example.org", RecordType::kSrv).services.at(0).port, 143);
  EXPECT_EQ(ask(resolver, "5.0.0.127.in-addr.arpa", RecordType::kPtr).names.at(0), "mx.example.org");
}

TEST(MemoryResolverTest, WhatIsNotThereIsToldApart) {
  MemoryResolver resolver;
  ASSERT_TRUE(resolver.add_zone("mx.example.org A 127.0.0.5\nbroken.example MX !temporary\nbroken.example A 127.0.0.1\n"));
  EXPECT_EQ(ask(resolver, "mx.example.org", RecordType::kMx).status, Status::kNoData);
  EXPECT_EQ(ask(resolver, "example.org", RecordType::kMx).status, Status::kNoData) << "an empty non-terminal";
  EXPECT_EQ(ask(resolver, "example.com", RecordType::kMx).status, Status::kNoName);
  EXPECT_EQ(ask(resolver, "broken.example", RecordType::kMx).status, Status::kTemporary);
  EXPECT_EQ(ask(resolver, "broken.example", RecordType::kA).status, Status::kFound);
}

TEST(MemoryResolverTest, AliasesAreFollowed) {
  MemoryResolver resolver;
  ASSERT_TRUE(
      resolver.add_zone("a.example CNAME b.example !secure\nb.example CNAME c.example\nc.example A 127.0.0.2 !secure\n"
                        "loop.example CNAME pool.example\npool.example CNAME loop.example\ngone.example CNAME none.example\n"
                        "d.example CNAME c.example !secure\n"));
  const Answer found = ask(resolver, "a.example", RecordType::kA);
  EXPECT_EQ(found.status, Status::kFound);
  EXPECT_EQ(found.canonical_name, "c.example");
  EXPECT_FALSE(found.is_secure) << "one link is not";
  EXPECT_TRUE(ask(resolver, "d.example", RecordType::kA).is_secure);
  EXPECT_EQ(ask(resolver, "a.example", RecordType::kMx).status, Status::kNoData);
  EXPECT_EQ(ask(resolver, "gone.example", RecordType::kMx).status, Status::kNoName);
  EXPECT_EQ(ask(resolver, "loop.example", RecordType::kA).status, Status::kTemporary);
  EXPECT_EQ(ask(resolver, "a.example", RecordType::kCname).names, std::vector<std::string>{"b.example"});
}

TEST(MemoryResolverTest, MarksOfANameHoldBelowIt) {
  MemoryResolver resolver;
  ASSERT_TRUE(resolver.add_zone(
      "signed.example !secure\nmx.signed.example A 127.0.0.2\nforged.example !bogus\nmx.forged.example A 127.0.0.3\n"
      "dead.example !temporary\ngone.example !noname\n"));
  EXPECT_TRUE(ask(resolver, "mx.signed.example", RecordType::kA).is_secure);
  const Answer absent = ask(resolver, "no.signed.example", RecordType::kMx);
  EXPECT_EQ(absent.status, Status::kNoName);
  EXPECT_TRUE(absent.is_secure);
  const Answer forged = ask(resolver, "mx.forged.example", RecordType::kA);
  EXPECT_EQ(forged.status, Status::kBogus);
  EXPECT_TRUE(forged.addresses.empty());
  EXPECT_EQ(ask(resolver, "any.dead.example", RecordType::kMx).status, Status::kTemporary);
  EXPECT_EQ(ask(resolver, "gone.example", RecordType::kMx).status, Status::kNoName);
}

TEST(MemoryResolverTest, GivenAnswersWinAndQuestionsAreCounted) {
  MemoryResolver resolver;
  resolver.add("example.org", RecordType::kMx, {.status = Status::kBogus, .reason = "so told"});
  EXPECT_EQ(ask(resolver, "example.org", RecordType::kMx).reason, "so told");
  ask(resolver, "Example.org", RecordType::kMx);
  ask(resolver, "example.org", RecordType::kA);
  EXPECT_EQ(resolver.questions("example.org", RecordType::kMx), 2u);
  EXPECT_EQ(resolver.questions("example.org", RecordType::kTxt), 0u);
  EXPECT_EQ(resolver.questions(), 3u);
}

TEST(MemoryResolverTest, HeldQuestionsAreAnsweredOnRelease) {
  MemoryResolver resolver;
  ASSERT_TRUE(resolver.add_zone("mx.example.org A 127.0.0.5\n"));
  resolver.hold();
  int answered = 0;
  resolver.resolve("mx.example.org", RecordType::kA, [&](const Answer& answer) { answered += answer.status == Status::kFound; });
  EXPECT_EQ(answered, 0);
  resolver.release();
  EXPECT_EQ(answered, 1);
}

TEST(MemoryResolverTest, LinesThatAreNoneAreRefused) {
  MemoryResolver resolver;
  for (const char* line :
       {"example.org", "example.org MX", "example.org MX x y", "example.org MX 70000 a", "a A 1.2.3", "a AAAA 1.2.3.4",
        "a TXT \"open", "a NAPTR 1", "a TLSA 3 1 1 abc", "a SRV 1 2 a", "a !strange", "!secure"}) {
    EXPECT_FALSE(resolver.add_zone(line)) << line;
  }
}

}  // namespace
}  // namespace posthus::dns
