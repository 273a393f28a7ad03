// Base64, hashes, CRC-32C, secrets and randomness against published vectors.
#include <gtest/gtest.h>

#include <set>

#include "core/base/base64.h"
#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/base/secret.h"

namespace posthus {
namespace {

TEST(Base64, EncodesTheVectorsOfRfc4648Section10) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foo"), "Zm9v");
  EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
  EXPECT_EQ(base64_encode("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
}

TEST(Base64, UrlAlphabetHasNoPadding) { EXPECT_EQ(base64url_encode("\xfb\xff\xfe\xff"), "-__-_w"); }

TEST(Base64, DecodesWhatItEncoded) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
}

TEST(Base64, RefusesWhatIsNotExactlyBase64) {
  for (const char* text :
       {"Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm9v=", "Z=9v", "Zm-_", "Zg==Zg==", "="}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
  EXPECT_EQ(base64_decode(""), "");
}

TEST(Hash, Sha256OfFips180Examples) {
  EXPECT_EQ(to_hex(as_view(sha256("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(as_view(sha256(""))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hash, IncrementalEqualsWholeAndStartsAnewAfterFinish) {
  Sha256 hash;
  hash.update("a");
  hash.update("bc");
  EXPECT_EQ(hash.finish(), sha256("abc"));
  hash.update("xyz");
  EXPECT_EQ(hash.finish(), sha256("xyz"));
}

TEST(Hash, HmacOfRfc4231Section4) {
  EXPECT_EQ(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, Crc32cOfRfc3720AppendixB4) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Hash, Crc32cByTableAndInPiecesAgrees) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(crc32c_portable(bytes), crc32c(bytes));
    EXPECT_EQ(crc32c(bytes.substr(bytes.size() / 3), crc32c(bytes.substr(0, bytes.size() / 3))), crc32c(bytes));
    bytes.push_back(static_cast<char>(i * 37));
  }
}

TEST(Secret, WipesAndMovesWithoutLeavingACopy) {
  Secret first(std::string("short"));
  Secret second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): the point of the test
  EXPECT_EQ(second.reveal(), "short");
  EXPECT_EQ(second.clone().reveal(), "short");
  second.wipe();
  EXPECT_TRUE(second.empty());
}

TEST(Secret, WipeOverwritesTheBytesInPlace) {
  std::string text = "a secret that is long enough to live on the heap";
  const char* where = text.data();
  wipe(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(where, text.data());
}

TEST(Secret, ComparesBytes) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abcd"));
}

TEST(Random, PasswordsHaveGroupsOfFourWithoutLookAlikes) {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    const std::string password = random_password();
    ASSERT_EQ(password.size(), 19U);
    for (std::size_t at = 0; at < password.size(); ++at) {
      EXPECT_EQ(password[at] == '-', at % 5 == 4) << password;
    }
    EXPECT_EQ(password.find_first_of("ilo01"), std::string::npos) << password;
    seen.insert(password);
  }
  EXPECT_EQ(seen.size(), 50U);
  EXPECT_EQ(random_bytes(33).size(), 33U);
  EXPECT_NE(random_u64(), random_u64());
}

}  // namespace
}  // namespace posthus
