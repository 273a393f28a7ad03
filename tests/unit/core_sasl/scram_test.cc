// SCRAM messages and proofs: the example of RFC 7677 §3, and what RFC 5802 §7 does not allow.
#include "core/sasl/scram.h"

#include <gtest/gtest.h>

#include "core/base/base64.h"

namespace posthus::sasl {
namespace {

constexpr std::string_view kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kNonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

TEST(Scram, ComputesTheExampleOfRfc7677) {
  const ScramKeys keys = make_scram_keys("pencil", *base64_decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
  const auto first = parse_client_first(kClientFirst);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(make_server_first(kNonce, keys), kServerFirst);
  const auto final = parse_client_final(kClientFinal);
  ASSERT_TRUE(final.has_value());
  EXPECT_EQ(final->channel_binding, "n,,");
  EXPECT_EQ(final->nonce, kNonce);
  const std::string message = make_auth_message(first->bare, kServerFirst, final->without_proof);
  EXPECT_TRUE(is_valid_proof(keys, message, final->proof));
  EXPECT_EQ(make_server_final(keys, message), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(Scram, RefusesAProofOverAnotherMessageOrOfAnotherPassword) {
  const ScramKeys keys = make_scram_keys("pencil", *base64_decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
  const ScramKeys other = make_scram_keys("pencils", keys.salt, 4096);
  const auto final = parse_client_final(kClientFinal);
  const std::string message = make_auth_message("n=user,r=rOprNGfwEbeRWgbNEkqO", kServerFirst, final->without_proof);
  EXPECT_TRUE(is_valid_proof(keys, message, final->proof));
  EXPECT_FALSE(is_valid_proof(other, message, final->proof));
  EXPECT_FALSE(is_valid_proof(keys, message + "x", final->proof));
  EXPECT_FALSE(is_valid_proof(keys, message, final->proof.substr(1)));
}

TEST(Scram, ReadsTheParts) {
  const auto first = parse_client_first("p=tls-exporter,a=anna=2Cb,n=anna=3Dc,r=abc,x=1,y=2");
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->flag, ChannelBindingFlag::kUsed);
  EXPECT_EQ(first->binding_name, "tls-exporter");
  EXPECT_EQ(first->authzid, "anna,b");
  EXPECT_EQ(first->username, "anna=c");
  EXPECT_EQ(first->nonce, "abc");
  EXPECT_EQ(first->gs2_header, "p=tls-exporter,a=anna=2Cb,");
  EXPECT_EQ(first->bare, "n=anna=3Dc,r=abc,x=1,y=2");
  EXPECT_EQ(parse_client_first("y,,n=a,r=b")->flag, ChannelBindingFlag::kClientThinksNone);
}

TEST(Scram, RefusesMalformedClientFirst) {
  using namespace std::string_view_literals;
  for (const std::string_view bad : {""sv,
                                     "n"sv,
                                     "n,"sv,
                                     "n,,"sv,
                                     "x,,n=a,r=b"sv,
                                     "p=,,n=a,r=b"sv,
                                     "p=a b,,n=a,r=b"sv,
                                     "p,,n=a,r=b"sv,
                                     "n,,n=,r=b"sv,
                                     "n,,n=a=2,r=b"sv,
                                     "n,,n=a=2c,r=b"sv,
                                     "n,,n=a=,r=b"sv,
                                     "n,,n=a"sv,
                                     "n,,r=b,n=a"sv,
                                     "n,,m=x,n=a,r=b"sv,
                                     "n,,n=a,r=b,m=x"sv,
                                     "n,,n=a,r="sv,
                                     "n,,n=a,r=a b"sv,
                                     "n,,n=a,r=b,"sv,
                                     "n,,n=a,r=b,x"sv,
                                     "n,,n=a,r=b,1=x"sv,
                                     "n,b=x,n=a,r=b"sv,
                                     "n,a=,n=a,r=b"sv,
                                     "n,,n=a\0,r=b"sv,
                                     "nn,,n=a,r=b"sv}) {
    EXPECT_FALSE(parse_client_first(bad).has_value()) << bad;
  }
  EXPECT_FALSE(parse_client_first("n,,n=a,r=" + std::string(kMaxScramNonce + 1, 'x')).has_value());
  EXPECT_FALSE(parse_client_first("n,,n=" + std::string(kMaxScramMessage, 'x') + ",r=x").has_value());
}

TEST(Scram, RefusesMalformedClientFinal) {
  const std::string proof = "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
  EXPECT_TRUE(parse_client_final("c=biws,r=x,e=1," + proof).has_value());
  for (const std::string& bad :
       {std::string(), std::string("c=biws"), std::string("c=biws,r=x"), "r=x,c=biws," + proof, "c=bi ws,r=x," + proof,
        "c=biws,r=," + proof, "c=biws,r=x," + proof + ",z=1", std::string("c=biws,r=x,p=AAAA"), std::string("c=biws,r=x,p=!"),
        "c=biws,r=x,m=1," + proof, "c=biws,r=x,," + proof, proof}) {
    EXPECT_FALSE(parse_client_final(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace posthus::sasl
