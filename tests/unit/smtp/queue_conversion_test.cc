// Mail that is not 7-bit for a host that takes nothing else: our own signatures are made anew over what it gets, those of others
// are what they are. RFC 6152 §3, RFC 6376 §5.3.
#include <gtest/gtest.h>

#include "smtp/queue_runner.h"
#include "tests/support/dkim_verifier.h"
#include "tests/unit/smtp/queue_scene.h"

namespace posthus::smtp {
namespace {

using testing::FakeHost;
using testing::QueueScene;
using testing::dkim::holds;
using testing::dkim::signatures_in;
using testing::dkim::tags_of;

struct ConvertedMail : QueueScene {
  ConvertedMail() {
    zone("example.org A 192.0.2.1\n");
    for (const auto algorithm : {mailauth::SigningAlgorithm::kRsaSha256, mailauth::SigningAlgorithm::kEd25519Sha256}) {
      const mailauth::NewKey made = testing::key_made_once(algorithm).value();
      const std::string selector = algorithm == mailauth::SigningAlgorithm::kRsaSha256 ? "r1" : "e1";
      store::DkimKeyRecord key{.domain = "example.test", .selector = selector, .public_key = made.public_key};
      key.algorithm = static_cast<store::DkimAlgorithm>(algorithm);
      key.private_key = made.private_key.reveal();
      EXPECT_TRUE(world.store->apply(store::PutDkimKey{key}));
      records_[selector] = mailauth::key_record(algorithm, made.public_key);
    }
  }
  testing::Letter letter() {
    testing::Letter letter{.to = {"ben@example.org"}, .text = kText, .body = store::BodyKind::k8BitMime};
    const auto snapshot = world.store->snapshot();
    const Signature signature = signing.sign(**snapshot, "example.test", kText, world.clock.now()).value();
    letter.extra_header = signature.fields;
    letter.signing_domain = signature.domain;
    EXPECT_EQ(signatures_in(letter.extra_header).size(), 2U);
    return letter;
  }
  void expect_signed(const std::string& sent, const std::string& extra_header) {
    const std::vector<std::string_view> fields = signatures_in(sent);
    ASSERT_EQ(fields.size(), 2U) << sent.substr(0, 2000);
    const std::string rest = sent.substr(sent.find("\r\nFrom:") + 2);
    for (const std::string_view field : fields) {
      EXPECT_TRUE(holds(field, rest, records_.at(tags_of(field).at("s")))) << sent.substr(0, 2000);
    }
    EXPECT_FALSE(sent.starts_with(extra_header));
  }

  const std::string kText =
      "From: anna@example.test\r\nSubject: hello\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: 8bit\r\n\r\nGr\xC3\xBC\xC3\x9F"
      "e aus K\xC3\xB6ln, wo heute die Sonne scheint.\r\n";
  std::map<std::string, std::string> records_;
};

TEST_F(ConvertedMail, IsSignedAnew) {
  FakeHost& seven_bit = host(1);
  const testing::Letter sent = letter();
  queue(sent);
  settle();
  ASSERT_EQ(seven_bit.messages.size(), 1U);
  const std::string& text = seven_bit.messages[0].text;
  EXPECT_NE(text.find("Gr=C3=BC=C3=9Fe aus K=C3=B6ln, wo heute"), std::string::npos) << text;
  EXPECT_EQ(seven_bit.messages[0].mail.find("BODY="), std::string::npos);
  expect_signed(text, sent.extra_header);
}

TEST_F(ConvertedMail, EveryTransactionOfALargeMessageIsSignedAlike) {
  FakeHost& seven_bit = host(1);
  int recipients = 0;
  seven_bit.answer = [&](const std::string& line) {
    if (line.starts_with("MAIL")) recipients = 0;
    return line.starts_with("RCPT") && ++recipients > 1 ? "452 4.5.3 one at a time\r\n" : "";
  };
  testing::Letter large = letter();
  large.to.push_back("dan@example.org");
  for (int i = 0; i < 3000; ++i) large.text += "\xC3\xA4 line of a long text, again\r\n";
  const auto snapshot = world.store->snapshot();
  large.extra_header = signing.sign(**snapshot, "example.test", large.text, world.clock.now()).value().fields;
  queue(large);
  settle();
  ASSERT_EQ(seven_bit.messages.size(), 2U);
  EXPECT_EQ(seven_bit.messages[0].text, seven_bit.messages[1].text);
  for (const auto& message : seven_bit.messages) expect_signed(message.text, large.extra_header);
}

TEST_F(ConvertedMail, IsLeftAloneWhereTheHostTakesIt) {
  FakeHost& wide = host(1);
  wide.ehlo = "250-fake.example\r\n250 8BITMIME\r\n";
  const testing::Letter sent = letter();
  queue(sent);
  settle();
  ASSERT_EQ(wide.messages.size(), 1U);
  EXPECT_EQ(wide.messages[0].text, sent.extra_header + kText);
}

TEST_F(ConvertedMail, LeavesUnsignedWhenTheKeysAreGone) {
  FakeHost& seven_bit = host(1);
  queue(letter());
  for (const char* selector : {"r1", "e1"}) ASSERT_TRUE(world.store->apply(store::RemoveDkimKey{"example.test", selector}));
  settle();
  ASSERT_EQ(seven_bit.messages.size(), 1U);
  EXPECT_TRUE(seven_bit.messages[0].text.starts_with("From: anna")) << seven_bit.messages[0].text;
}

}  // namespace
}  // namespace posthus::smtp
