// Large answers come in chunks: no run() writes much more than kChunk, and the pieces make the whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <string>

#include "imap/limits.h"
#include "imap/server_session.h"
#include "tests/support/world.h"

namespace posthus::imap {
namespace {

using session::Step;

/// Performs steps and remembers the largest output of one of them.
class Client {
 public:
  explicit Client(ServerContext& context) : session_(make_server_session(context, {}, {})) { step_ = session_->opened(output_); }

  std::string send(std::string bytes) {
    output_.clear();
    largest_ = 0;
    session::Input input(bytes);
    do {
      perform(session_->received(input, piece_));
    } while (!input.empty() && step_ == Step::kRead);
    return output_;
  }
  std::size_t largest() const { return largest_; }
  std::size_t runs() const { return runs_; }

 private:
  void perform(Step step) {
    for (step_ = step;; step_ = session_->resumed(piece_)) {
      largest_ = std::max(largest_, piece_.size());
      output_ += std::exchange(piece_, {});
      if (step_ == Step::kRun) {
        ++runs_;
        session_->run(piece_);
      } else if (step_ == Step::kWait) {
        std::promise<void> resumed;
        session_->begin([&resumed] { resumed.set_value(); });
        resumed.get_future().wait();
      } else {
        return;
      }
    }
  }
  std::unique_ptr<session::Session> session_;
  Step step_;
  std::string output_, piece_;
  std::size_t largest_ = 0, runs_ = 0;
};

struct ChunkTest : ::testing::Test {
  ChunkTest() {
    context.allow_plaintext_login = true;
    world.add_user("anna@example.test", "secret");
  }
  testing::World world;
  ServerContext context{*world.store, *world.authenticator, world.clock, "mail.example.test"};
};

constexpr std::size_t kSlack = 1024;

TEST_F(ChunkTest, a_large_body_streams) {
  Client client(context);
  client.send("a LOGIN anna@example.test secret\r\n");
  std::string message = "Subject: large\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  while (message.size() < 1'500'000)
    message += "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n";
  const auto size = std::to_string(message.size());
  EXPECT_NE(client.send("b APPEND INBOX {" + size + "+}\r\n" + message + "\r\n").find("b OK [APPENDUID"), std::string::npos);
  client.send("c EXAMINE INBOX\r\n");

  const auto fetched = client.send("d FETCH 1 (BODY.PEEK[] RFC822.SIZE)\r\n");
  EXPECT_EQ(fetched, "* 1 FETCH (BODY[] {" + size + "}\r\n" + message + " RFC822.SIZE " + size + ")\r\nd OK FETCH completed\r\n");
  EXPECT_LE(client.largest(), kChunk + kSlack);

  const auto decoded = client.send("e FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1]<100000.600000>)\r\n");
  const auto begin = decoded.find("{600000}\r\n");
  ASSERT_NE(begin, std::string::npos);
  const std::string line = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz01234";
  for (std::size_t i = 0; i < 600'000; ++i) ASSERT_EQ(decoded[begin + 10 + i], line[(100'000 + i) % line.size()]) << i;
  EXPECT_TRUE(decoded.ends_with(")\r\ne OK FETCH completed\r\n"));
  EXPECT_LE(client.largest(), 2 * kChunk);
}

TEST_F(ChunkTest, updates_of_many_messages_come_in_chunks) {
  for (int i = 0; i < 300; ++i) world.deliver("anna@example.test", "Subject: x\n\nx\n");
  Client client(context), other(context);
  for (auto* one : {&client, &other}) one->send("a LOGIN anna@example.test secret\r\nb ENABLE IMAP4rev2\r\nc SELECT INBOX\r\n");
  const std::string keyword(90, 'k');
  // 300 lines of about a kilobyte: more than one chunk.
  std::string keywords;
  for (char c = 'a'; c < 'a' + 12; ++c) keywords += " " + std::string(1, c) + keyword;
  const auto stored = client.send("d STORE 1:* FLAGS (" + keywords.substr(1) + ")\r\n");
  const auto updated = other.send("d NOOP\r\n");
  for (const auto* output : {&stored, &updated}) {
    std::size_t lines = 0;
    for (auto at = output->find(" FETCH ("); at != std::string::npos; at = output->find(" FETCH (", at + 1)) ++lines;
    EXPECT_EQ(lines, 300u);
  }
  EXPECT_LE(std::max(client.largest(), other.largest()), kChunk + 4 * kSlack);
  client.send("e STORE 1:* +FLAGS.SILENT (\\Deleted)\r\nf EXPUNGE\r\n");
  const auto expunged = other.send("e NOOP\r\n");
  EXPECT_TRUE(expunged.find("* 300 EXPUNGE\r\n") != std::string::npos && expunged.find("* 1 EXPUNGE\r\n") != std::string::npos);
  EXPECT_EQ(other.send("f FETCH 1:* UID\r\n"), "f OK FETCH completed\r\n");
}

TEST_F(ChunkTest, long_search_answers_come_in_chunks) {
  constexpr std::size_t kMessages = 1 << 16;
  world.deliver("anna@example.test", "Subject: x\n\nx\n");
  Client client(context);
  client.send("a LOGIN anna@example.test secret\r\nb SELECT INBOX\r\n");
  for (std::size_t count = 1; count < kMessages; count *= 2) client.send("c COPY 1:* INBOX\r\nd NOOP\r\n");
  std::string all;
  for (std::size_t i = 1; i <= kMessages; ++i) all += " " + std::to_string(i);
  EXPECT_TRUE(client.send("e SEARCH ALL\r\n") == "* SEARCH" + all + "\r\ne OK SEARCH completed\r\n");
  EXPECT_LE(client.largest(), kChunk + kSlack);
  EXPECT_EQ(client.send("f SEARCH RETURN () ALL\r\n"), "* ESEARCH (TAG \"f\") ALL 1:65536\r\nf OK SEARCH completed\r\n");

  // Every second message: as many ranges as there are hits.
  std::string odd;
  for (std::size_t i = 1; i <= kMessages; i += 2) {
    odd += (odd.empty() ? "" : ",") + std::to_string(i);
    if (odd.size() < 50'000 && i + 2 <= kMessages) continue;
    EXPECT_EQ(client.send("g STORE " + odd + " +FLAGS.SILENT (\\Flagged)\r\n"), "g OK STORE completed\r\n");
    odd.clear();
  }
  const auto flagged = client.send("h UID SEARCH RETURN (MIN ALL COUNT) FLAGGED\r\n");
  EXPECT_TRUE(flagged.starts_with("* ESEARCH (TAG \"h\") UID MIN 1 ALL 1,3,5,")) << flagged.substr(0, 100);
  EXPECT_TRUE(flagged.ends_with(",65533,65535 COUNT 32768\r\nh OK UID SEARCH completed\r\n"))
      << flagged.substr(flagged.size() - 100);
  EXPECT_EQ(std::count(flagged.begin(), flagged.end(), ','), 32767);
  EXPECT_LE(client.largest(), kChunk + kSlack);
  // Expunged in between, they are one run of sequence numbers.
  client.send("i STORE 2:65535 +FLAGS.SILENT (\\Deleted)\r\nj EXPUNGE\r\n");
  EXPECT_EQ(client.send("k SEARCH RETURN (ALL) ALL\r\n"), "* ESEARCH (TAG \"k\") ALL 1:2\r\nk OK SEARCH completed\r\n");
}

}  // namespace
}  // namespace posthus::imap
