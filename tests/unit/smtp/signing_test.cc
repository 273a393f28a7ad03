// Signing of submitted mail (RFC 6376 §5): what leaves is signed with the keys of its From's domain, over the text that is
// stored; what stays, or comes from outside, is not.
#include "smtp/signing.h"

#include <gtest/gtest.h>

#include "core/base/base64.h"
#include "smtp/server_session.h"
#include "store/queue_reader.h"
#include "tests/support/dkim_verifier.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"

namespace posthus::smtp {
namespace {

using testing::dkim::holds;
using testing::dkim::signatures_in;
using testing::dkim::tags_of;

class SigningTest : public ::testing::Test {
 protected:
  SigningTest() {
    world_.add_user("anna@example.test", "secret");
    world_.add_user("ben@example.test", "secret");
    world_.add_domain("other.test");
    world_.add_alias("anna@other.test", {"anna@example.test"});
    world_.add_alias("far@example.test", {"carl@elsewhere.test"});
    context_.signing = &keys_;
  }

  void put_key(const std::string& domain, const std::string& selector, mailauth::SigningAlgorithm algorithm,
               bool is_active = true) {
    const mailauth::NewKey made = testing::key_made_once(algorithm).value();
    store::DkimKeyRecord key{.domain = domain, .selector = selector, .public_key = made.public_key, .is_active = is_active};
    key.algorithm = static_cast<store::DkimAlgorithm>(algorithm);
    key.private_key = made.private_key.reveal();
    ASSERT_TRUE(world_.store->apply(store::PutDkimKey{key}));
    records_[selector] = mailauth::key_record(algorithm, made.public_key);
  }
  void put_keys(const std::string& domain) {
    put_key(domain, "r1", mailauth::SigningAlgorithm::kRsaSha256);
    put_key(domain, "e1", mailauth::SigningAlgorithm::kEd25519Sha256);
  }

  /// Sends `data` and returns what came after the last "354".
  std::string submit(const std::string& from, const std::string& to, const std::string& data,
                     ListenerRole role = ListenerRole::kSubmission, std::size_t cut = 0) {
    testing::LoopbackDriver driver;
    const session::ConnectionFacts facts{.remote_address = "192.0.2.9"};
    driver.open(make_server_session(context_, role, facts, driver.waker()),
                role == ListenerRole::kSubmission ? testing::Tls::kImplicit : testing::Tls::kNo);
    driver.send("EHLO client.test\r\n");
    if (role == ListenerRole::kSubmission) {
      driver.send("AUTH PLAIN " + base64_encode(std::string("\0anna@example.test\0secret", 25)) + "\r\n");
    }
    driver.send("MAIL FROM:<" + from + ">\r\n");
    driver.send("RCPT TO:<" + to + ">\r\n");
    driver.send("DATA\r\n");
    driver.take_output();
    driver.send(data + "\r\n.\r\n", cut);
    return driver.take_output();
  }

  std::vector<store::QueuedMessage> queue() {
    return store::QueueReader(**world_.store->snapshot()).messages(QueueId(), 100, 10).value();
  }
  /// The text of a queued message as it leaves, without its signatures.
  std::string text_of(const store::QueueEntry& entry) {
    const auto snapshot = world_.store->snapshot();
    std::string text;
    EXPECT_TRUE(world_.store->read_message(**snapshot, entry.blob, 0, entry.size, text));
    return text.substr(text.find("\r\n") + 2);  // Return-Path stays here
  }
  /// The signatures of the one queued message; each is checked.
  std::vector<std::string> checked_signatures() {
    const auto messages = queue();
    EXPECT_EQ(messages.size(), 1U);
    std::vector<std::string> fields;
    for (const std::string_view field : signatures_in(messages.at(0).entry.extra_header)) {
      EXPECT_TRUE(holds(field, text_of(messages[0].entry), records_.at(tags_of(field).at("s")))) << field;
      fields.emplace_back(field);
    }
    return fields;
  }

  testing::World world_;
  SigningKeys keys_;
  ServerContext context_{*world_.store, *world_.authenticator, world_.clock, "mx.example.test", true};
  std::map<std::string, std::string> records_;
};

const std::string kMessage = "From: Anna <anna@example.test>\r\nSubject: Hi\r\n\r\n.. a dot\r\n\r\n  text  \r\n\r\n";

TEST_F(SigningTest, BothAlgorithmsSignWhatLeaves) {
  put_keys("example.test");
  EXPECT_TRUE(submit("anna@example.test", "carl@elsewhere.test", kMessage).starts_with("250 "));
  const std::vector<std::string> fields = checked_signatures();
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(tags_of(fields[0]).at("d"), "example.test");
  // Date and Message-ID, which the server added, are among what is signed.
  EXPECT_TRUE(tags_of(fields[0]).at("h").contains("date:date:message-id:message-id")) << fields[0];
}

TEST_F(SigningTest, EveryCutOfTheTextIsSignedAlike) {
  put_keys("example.test");
  EXPECT_TRUE(submit("anna@example.test", "carl@elsewhere.test", kMessage, ListenerRole::kSubmission, 1).starts_with("250 "));
  EXPECT_EQ(checked_signatures().size(), 2U);
}

TEST_F(SigningTest, LargeMessagesAreSignedWhenTheyAreSpooled) {
  put_keys("example.test");
  std::string text = kMessage;
  while (text.size() < 2 * store::kSpoolThreshold) text += "A line of a long text, again and again.\r\n";
  EXPECT_TRUE(submit("anna@example.test", "carl@elsewhere.test", text).starts_with("250 "));
  EXPECT_EQ(checked_signatures().size(), 2U);
}

TEST_F(SigningTest, TheDomainOfFromSigns) {
  put_key("other.test", "o1", mailauth::SigningAlgorithm::kEd25519Sha256);
  put_key("example.test", "e1", mailauth::SigningAlgorithm::kEd25519Sha256);
  EXPECT_TRUE(submit("anna@example.test", "carl@elsewhere.test", "From: anna@other.test\r\n\r\nx").starts_with("250 "));
  const std::vector<std::string> fields = checked_signatures();
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(tags_of(fields[0]).at("d"), "other.test");
}

TEST_F(SigningTest, TheReversePathSignsForAFromThatHasNoKeys) {
  put_key("example.test", "e1", mailauth::SigningAlgorithm::kEd25519Sha256);
  EXPECT_TRUE(submit("anna@example.test", "carl@elsewhere.test", "From: anna@other.test\r\n\r\nx").starts_with("250 "));
  const std::vector<std::string> fields = checked_signatures();
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(tags_of(fields[0]).at("d"), "example.test");
}

TEST_F(SigningTest, AFromThatTheUserMayNotUseDoesNotSign) {
  context_.checks_from = false;
  put_key("example.test", "e1", mailauth::SigningAlgorithm::kEd25519Sha256);
  put_key("other.test", "o1", mailauth::SigningAlgorithm::kEd25519Sha256);
  EXPECT_TRUE(submit("anna@example.test", "carl@elsewhere.test", "From: boss@other.test\r\n\r\nx").starts_with("250 "));
  const std::vector<std::string> fields = checked_signatures();
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(tags_of(fields[0]).at("d"), "example.test");
}

TEST_F(SigningTest, OnlyActiveKeysSign) {
  put_key("example.test", "old", mailauth::SigningAlgorithm::kRsaSha256, false);
  put_key("example.test", "e1", mailauth::SigningAlgorithm::kEd25519Sha256);
  EXPECT_TRUE(submit("anna@example.test", "carl@elsewhere.test", kMessage).starts_with("250 "));
  const std::vector<std::string> fields = checked_signatures();
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(tags_of(fields[0]).at("s"), "e1");
}

TEST_F(SigningTest, WithoutKeysOrFromMailLeavesUnsigned) {
  EXPECT_TRUE(submit("anna@example.test", "carl@elsewhere.test", kMessage).starts_with("250 "));
  EXPECT_TRUE(checked_signatures().empty());
  put_keys("example.test");
  EXPECT_TRUE(submit("anna@example.test", "carl@elsewhere.test", "Subject: no From\r\n\r\nx").starts_with("250 "));
  EXPECT_EQ(queue().size(), 2U);
  for (const store::QueuedMessage& message : queue()) EXPECT_EQ(message.entry.extra_header, "");
}

TEST_F(SigningTest, LocalMailIsNotSigned) {
  put_keys("example.test");
  EXPECT_TRUE(submit("anna@example.test", "ben@example.test", kMessage).starts_with("250 "));
  ASSERT_EQ(world_.messages("ben@example.test").size(), 1U);
  EXPECT_FALSE(world_.messages("ben@example.test")[0].contains("DKIM-Signature"));
}

TEST_F(SigningTest, ForwardedMailFromOutsideIsNotSignedThoughItClaimsToBeOurs) {
  put_keys("example.test");
  EXPECT_TRUE(submit("eve@evil.test", "far@example.test", kMessage, ListenerRole::kMx).starts_with("250 "));
  ASSERT_EQ(queue().size(), 1U);
  EXPECT_EQ(queue()[0].entry.extra_header, "");
}

TEST_F(SigningTest, ReportsOfOurOwnAreSignedWhole) {
  put_keys("example.test");
  const auto snapshot = world_.store->snapshot();
  const auto [fields, domain] = keys_.sign(**snapshot, "mail.example.test", kMessage, world_.clock.now()).value();
  EXPECT_EQ(domain, "example.test") << "the nearest above that has keys";
  ASSERT_EQ(signatures_in(fields).size(), 2U);
  EXPECT_TRUE(holds(signatures_in(fields)[0], kMessage, records_.at(tags_of(signatures_in(fields)[0]).at("s"))));
  EXPECT_EQ(keys_.sign(**snapshot, "elsewhere.test", kMessage, world_.clock.now()).value().fields, "");
}

}  // namespace
}  // namespace posthus::smtp
