// TOTP against the vectors of RFC 6238, appendix B, and what is taken around the present step.
#include "core/sasl/totp.h"

#include <gtest/gtest.h>

namespace posthus::sasl {
namespace {

const std::string kSecret = "12345678901234567890";

// The RFC has eight digits; six are their end.
TEST(Totp, CodesAreThoseOfTheRfc) {
  const std::pair<std::int64_t, const char*> vectors[] = {{59, "287082"},         {1111111109, "081804"},
                                                          {1111111111, "050471"}, {1234567890, "005924"},
                                                          {2000000000, "279037"}, {20000000000, "353130"}};
  for (const auto& [seconds, code] : vectors) {
    EXPECT_EQ(totp_code(kSecret, static_cast<std::uint64_t>(seconds / kTotpSeconds)), code) << seconds;
  }
}

TEST(Totp, TheStepsAroundThePresentAreTakenOnce) {
  const Timestamp now = Timestamp::from_seconds(3000);
  const auto find = [&](std::uint64_t step, std::uint64_t last = 0) {
    return find_totp_step(kSecret, totp_code(kSecret, step), now, last);
  };
  for (const std::uint64_t step : {99U, 100U, 101U}) EXPECT_EQ(find(step), step);
  EXPECT_FALSE(find(98));
  EXPECT_FALSE(find(102));
  EXPECT_FALSE(find(100, 100)) << "used";
  EXPECT_FALSE(find(99, 100)) << "older than the last that was used";
  EXPECT_EQ(find(101, 100), 101U);
}

TEST(Totp, OtherTextsAreNoCodes) {
  const Timestamp now = Timestamp::from_seconds(3000);
  const std::string right = totp_code(kSecret, 100);
  for (const std::string& text :
       {std::string(), right.substr(1), right + "0", " " + right, std::string(1000, '0'), std::string("abcdef")}) {
    EXPECT_FALSE(find_totp_step(kSecret, text, now, 0)) << text;
  }
  EXPECT_FALSE(find_totp_step(kSecret, right, Timestamp{}, 0));
  EXPECT_NE(make_totp_secret(), make_totp_secret());
  EXPECT_EQ(make_totp_secret().size(), kTotpSecretBytes);
}

// RFC 4648 §10, without padding.
TEST(Totp, KeysArePrintedInBase32) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "MY"},
                                                         {"fo", "MZXQ"},
                                                         {"foo", "MZXW6"},
                                                         {"foob", "MZXW6YQ"},
                                                         {"fooba", "MZXW6YTB"},
                                                         {"foobar", "MZXW6YTBOI"}};
  for (const auto& [bytes, text] : vectors) EXPECT_EQ(base32_encode(bytes), text);
  EXPECT_EQ(totp_uri("mx.example.test", "anna+x@example.test", "foobar"),
            "otpauth://totp/mx.example.test:anna%2Bx%40example.test?secret=MZXW6YTBOI&issuer=mx.example.test");
}

}  // namespace
}  // namespace posthus::sasl
