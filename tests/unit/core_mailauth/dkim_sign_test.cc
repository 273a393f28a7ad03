// DKIM's canonical forms and signatures: the examples of RFC 6376 §3.4.5 and RFC 8463 appendix A to the byte, signatures by
// others (tests/golden/dkim) verified over our canonical header, and what a signature of ours covers.
#include "core/mailauth/dkim_sign.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <fstream>
#include <map>
#include <sstream>

#include "core/base/base64.h"
#include "core/mail/header.h"
#include "core/mailauth/dkim_canon.h"
#include "tests/support/dkim_verifier.h"

namespace posthus::mailauth {
namespace {

using namespace testing::dkim;

// The secret keys of RFC 8463 appendix A.1, as PKCS #8.
constexpr const char* kRfcRsaKey =
    "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAOQeU5CgFPNZGIazlXo2k/eJ1jpaTTxrmqF1HrDLlt04pvaMtCJj"
    "8nXoliLRC/H9vJjMI1vdb3XLcW60AIN/PBD8EL97/y4GwJH7LPUvGP48vqUe+owqszesbiGy1PlCO8c70/OjFnJVgvMF87YR4Lci"
    "ncb7aSvI5MgpP6X8rjDdAgMBAAECgYAfRzE6EVkODNdaEOGcAkPDmziug5c3g6GOJdrxbtjeuFfcUmqYlI+4Lw329CbpJVtosATh"
    "IbmYsy54eWHgpd98Sm4sSI2n1Kzc7hh8uJCltGoTtOblLEqO+9Chll7MeiuKY5oKFEvaK3juK5bHPFKJEy/hz6PvQaJZ3FefF7hS"
    "gQJBAPMkH/RTnxbtFnLp6cZWPaRYXvfYKhYVlbOLUWJy52sEWjLrdDByjCmgJrMq29kYw2U9acLvH/qjwZy5J7SBrbECQQDwLs+K"
    "k+bX/V9NFC+PWj90OZmnbjfTjhk3LGOD78483ShYJtcgbHJa+ZlteuI5ahIAslOMTESCtocSCdeyy6TtAkEAuXkgKxgy7qEzE7ve"
    "Cd81rI2A/F1YVXpntQucrJXsdJVgXSGBg4eN5h72Boy2IliijTMY34vcAC00/2G6qRaXMQJATVqWJwh5WWjV76onoyCqvRDsBrt9"
    "qVnjjxxxtIVgQ8PqgXGI6X1j2x72Jgdkop8hyy2jsNTDX+HPYKTg3kmuBQJBALIq942+POSR3weNizRLAzR8+MrXr//moNnZSIMa"
    "c564TPEEMCvnXxnxUVtHjWKfdbhjfIIOBCUuVwROtL7Nhws=";
constexpr const char* kRfcEd25519Key = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
constexpr SigningAlgorithm kBoth[] = {SigningAlgorithm::kRsaSha256, SigningAlgorithm::kEd25519Sha256};

std::shared_ptr<const PrivateKey> read_key(SigningAlgorithm algorithm, std::string_view pkcs8) {
  const Result<std::shared_ptr<const PrivateKey>> key = PrivateKey::read(algorithm, pkcs8);
  EXPECT_TRUE(key.has_value());
  return key.value_or(nullptr);
}

/// A message of tests/golden/dkim: records by name, then the message with CRLF.
struct Golden {
  std::map<std::string, std::string> records;
  std::string message;
};

Golden read_golden(const std::string& name) {
  std::ifstream file(POSTHUS_SOURCE_DIR "/tests/golden/dkim/" + name);
  Golden golden;
  bool is_message = false;
  for (std::string line; std::getline(file, line);) {
    if (is_message) {
      golden.message += line + "\r\n";
    } else if (line.empty()) {
      is_message = true;
    } else {
      golden.records[line.substr(0, line.find(' '))] = line.substr(line.find(' ') + 1);
    }
  }
  return golden;
}

const std::string kMessage =
    "From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\nSubject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\nMessage-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n"
    "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

struct Pair {
  SigningKey key;
  std::string record;
};

Pair make_pair(SigningAlgorithm algorithm) {
  Result<NewKey> made = make_signing_key(algorithm);
  EXPECT_TRUE(made.has_value());
  return {{"football.example.com", "s1", read_key(algorithm, made->private_key.reveal())},
          key_record(algorithm, made->public_key)};
}

std::string sign(std::string_view message, const std::vector<SigningKey>& keys, std::size_t cut = 100'000) {
  DkimSigner signer;
  for (std::size_t at = 0; at < message.size(); at += cut) signer.append(message.substr(at, cut));
  return signer.finish(keys, Timestamp::from_seconds(1'528'637'909)).value();
}

TEST(RelaxedHeader, IsAsInTheExamplesOfTheStandard) {
  EXPECT_EQ(relaxed_field("A: X\r\n"), "a:X\r\n");
  EXPECT_EQ(relaxed_field("B : Y\t\r\n\tZ  \r\n"), "b:Y Z\r\n");
  EXPECT_EQ(relaxed_field("SUBJect:\r\n \r\n"), "subject:\r\n");
}

TEST(RelaxedBody, IsAsInTheExamplesOfTheStandard) {
  EXPECT_EQ(body_hash(" C \r\nD \t E\r\n\r\n\r\n"), hash_of(" C\r\nD E\r\n"));
  EXPECT_EQ(body_hash(""), hash_of(""));
  EXPECT_EQ(body_hash("\r\n\r\n"), hash_of(""));
  EXPECT_EQ(body_hash(" \t \r\n"), hash_of(""));
  EXPECT_EQ(body_hash("a"), hash_of("a\r\n"));
  EXPECT_EQ(body_hash("a \r\n \r\n\r\nb\t"), hash_of("a\r\n\r\n\r\nb\r\n"));
  EXPECT_EQ(body_hash("a\rb\nc \r \r\n"), hash_of("a\rb\nc \r\r\n"));
}

TEST(RelaxedBody, IsTheSameInEveryCut) {
  const std::string body = "  a  b \r\n\r\n \r\n\tc\r \r\nd\r\n\r\r\n \r\n";
  const std::string whole = body_hash(body);
  for (std::size_t first = 0; first <= body.size(); ++first) {
    for (std::size_t second = first; second <= body.size(); ++second) {
      RelaxedBody relaxed;
      relaxed.append(std::string_view(body).substr(0, first));
      relaxed.append(std::string_view(body).substr(first, second - first));
      relaxed.append(std::string_view(body).substr(second));
      EXPECT_EQ(as_view(relaxed.finish()), whole) << first << " " << second;
    }
  }
}

TEST(RelaxedBody, LongLinesAndManyEmptyOnes) {
  std::string body, canonical;
  for (int i = 0; i < 50; ++i) {
    const std::string line(static_cast<std::size_t>(i) * 997, 'x');
    body += line + "  \t" + line + "\r\n" + std::string(i % 2 ? "\r\n" : " \r\n");
    canonical += line + (i ? " " : "") + line + "\r\n\r\n";
  }
  canonical.erase(canonical.size() - 2);
  EXPECT_EQ(body_hash(body), hash_of(canonical));
}

TEST(SignedHeader, TakesFieldsFromTheBottomAndMissingOnesAsNothing) {
  const std::string header = "X: 1\r\nFrom: a\r\nX: 2\r\nX: 3\r\n\r\n";
  EXPECT_EQ(signed_header(header, {"x", "From", "X", "to", "from"}, "S: b=\r\n"), "x:3\r\nfrom:a\r\nx:2\r\ns:b=");
}

TEST(KnownAnswer, SignaturesOfTheStandardAreMadeToTheByte) {
  const Golden golden = read_golden("001.txt");
  const std::vector<std::string_view> fields = signatures_in(golden.message);
  ASSERT_EQ(fields.size(), 2U);
  const std::string_view keys[] = {kRfcEd25519Key, kRfcRsaKey};
  for (int i = 0; i < 2; ++i) {
    const std::map<std::string, std::string> tags = tags_of(fields[static_cast<std::size_t>(i)]);
    const auto key = read_key(i == 0 ? kBoth[1] : kBoth[0], base64_decode(keys[i]).value());
    ASSERT_TRUE(key);
    EXPECT_EQ(base64_encode(body_hash(golden.message.substr(*mail::header_end(golden.message)))), tags.at("bh"));
    const std::string text =
        signed_header(golden.message, names_of(tags.at("h")), without_signature(fields[static_cast<std::size_t>(i)]));
    EXPECT_EQ(base64_encode(key->sign(hash_of(text)).value()), tags.at("b"));
  }
}

TEST(KnownAnswer, SignaturesByOthersHoldOverOurCanonicalHeader) {
  int seen = 0;
  for (const char* name : {"001.txt", "003.txt", "004.txt"}) {
    const Golden golden = read_golden(name);
    const std::string header = golden.message.substr(0, *mail::header_end(golden.message));
    for (const std::string_view field : signatures_in(header)) {
      const std::map<std::string, std::string> tags = tags_of(field);
      const auto record = golden.records.find(tags.at("s") + "._domainkey." + tags.at("d"));
      if (record == golden.records.end()) continue;
      ++seen;
      const std::string text = signed_header(header, names_of(tags.at("h")), without_signature(field));
      EXPECT_TRUE(is_verified(record->second, hash_of(text), base64_decode(tags.at("b")).value())) << name << field;
    }
  }
  EXPECT_GE(seen, 4);
}

TEST(Signer, BothAlgorithmsVerifyAndChangesBreakThem) {
  for (const SigningAlgorithm algorithm : kBoth) {
    const Pair pair = make_pair(algorithm);
    const std::string field = sign(kMessage, {pair.key});
    EXPECT_TRUE(holds(field, kMessage, pair.record)) << field;
    EXPECT_FALSE(holds(field, kMessage + "P.S. More.\r\n", pair.record));
    EXPECT_FALSE(holds(field, "From: eve@example.org\r\n" + kMessage, pair.record));
    EXPECT_FALSE(holds(field, kMessage.substr(0, kMessage.find("Is")) + "X" + kMessage.substr(kMessage.find("Is")), pair.record));
    EXPECT_FALSE(holds(field, "Subject: more\r\n" + kMessage, pair.record));
    EXPECT_TRUE(holds(field, "Received: from a\r\n\tby b\r\n" + kMessage + "\r\n\r\n", pair.record));
  }
}

TEST(Signer, FieldsAreFoldedAndInTheOrderOfTheKeys) {
  const Pair rsa = make_pair(SigningAlgorithm::kRsaSha256), ed25519 = make_pair(SigningAlgorithm::kEd25519Sha256);
  const std::string both = sign(kMessage, {rsa.key, ed25519.key});
  const std::vector<std::string_view> fields = signatures_in(both);
  ASSERT_EQ(fields.size(), 2U);
  const std::map<std::string, std::string> tags = tags_of(fields[0]);
  EXPECT_EQ(tags.at("a"), "rsa-sha256");
  EXPECT_EQ(tags_of(fields[1]).at("a"), "ed25519-sha256");
  EXPECT_EQ(tags.at("c"), "relaxed/relaxed");
  EXPECT_EQ(tags.at("t"), "1528637909");
  EXPECT_EQ(tags.at("d"), "football.example.com");
  EXPECT_EQ(tags.at("h"), "from:from:to:to:subject:subject:date:date:message-id:message-id");
  EXPECT_EQ(tags.count("l"), 0U);
  EXPECT_TRUE(holds(fields[0], kMessage, rsa.record));
  EXPECT_TRUE(holds(fields[1], kMessage, ed25519.record));
  std::stringstream lines(both);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 78U) << line;
    EXPECT_TRUE(line.ends_with('\r'));
  }
}

TEST(Signer, IsTheSameInEveryCut) {
  const Pair pair = make_pair(SigningAlgorithm::kEd25519Sha256);
  const std::string whole = sign(kMessage, {pair.key});
  for (const std::size_t cut : {1, 2, 3, 7, 100}) EXPECT_EQ(sign(kMessage, {pair.key}, cut), whole) << cut;
}

TEST(Signer, LargeBodiesInOnePieceAndMessagesWithoutBody) {
  const Pair pair = make_pair(SigningAlgorithm::kEd25519Sha256);
  std::string large = kMessage;
  while (large.size() < 3'000'000) large += "Another line of text.\r\n";
  EXPECT_TRUE(holds(sign(large, {pair.key}, large.size()), large, pair.record));
  EXPECT_EQ(sign(large, {pair.key}, large.size()), sign(large, {pair.key}, 4095));
  const std::string header = "From: a@football.example.com\r\n";
  EXPECT_TRUE(holds(sign(header, {pair.key}), header, pair.record));
}

TEST(Signer, RefusesWhatItCannotSign) {
  const Pair pair = make_pair(SigningAlgorithm::kEd25519Sha256);
  const auto refusal = [&](std::string_view message) {
    DkimSigner signer;
    signer.append(message);
    return signer.finish({pair.key}, Timestamp::from_seconds(0)).error().kind;
  };
  EXPECT_EQ(refusal("Subject: no sender\r\n\r\nx"), ErrorKind::kInvalid);
  EXPECT_EQ(refusal("\r\nFrom: a@b\r\n"), ErrorKind::kInvalid);
  EXPECT_EQ(refusal("From: a@b\r\nX: " + std::string(kMaxSignedHeader, 'x') + "\r\n\r\n"), ErrorKind::kTooLarge);
  std::string many = "From: a@b\r\n";
  for (std::size_t i = 0; i < kMaxSignedFields; ++i) many += "To: c@d\r\n";
  EXPECT_EQ(refusal(many + "\r\n"), ErrorKind::kTooLarge);
}

TEST(PrivateKeys, ReadOnlyWhatTheyShould) {
  const std::string rsa = base64_decode(kRfcRsaKey).value();
  EXPECT_FALSE(PrivateKey::read(SigningAlgorithm::kEd25519Sha256, rsa));
  EXPECT_FALSE(PrivateKey::read(SigningAlgorithm::kRsaSha256, rsa.substr(0, rsa.size() - 1)));
  EXPECT_FALSE(PrivateKey::read(SigningAlgorithm::kRsaSha256, ""));
  EXPECT_FALSE(PrivateKey::read(SigningAlgorithm::kRsaSha256, "not a key"));
}

TEST(PrivateKeys, NewOnesHaveTheSizesOfTheStandards) {
  const std::string rsa = base64_decode(tags_of(":" + make_pair(kBoth[0]).record).at("p")).value();
  const auto* bytes = reinterpret_cast<const unsigned char*>(rsa.data());
  EVP_PKEY* key = d2i_PUBKEY(nullptr, &bytes, static_cast<long>(rsa.size()));
  EXPECT_EQ(EVP_PKEY_get_bits(key), 2048);
  EVP_PKEY_free(key);
  const std::string record = make_pair(kBoth[1]).record;
  EXPECT_TRUE(record.starts_with("v=DKIM1; k=ed25519; p="));
  EXPECT_EQ(record.size(), 22U + 44U);
}

}  // namespace
}  // namespace posthus::mailauth
