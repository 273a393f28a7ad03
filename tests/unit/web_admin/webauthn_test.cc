// The checks of passkeys without a server: what a browser sends, right and in many ways wrong. Keys and signatures are made by
// OpenSSL.
#include "web-admin/webauthn.h"

#include <gtest/gtest.h>

#include "core/base/base64.h"
#include "tests/support/authenticator_twin.h"
#include "web-admin/cbor.h"

namespace posthus::web_admin {
namespace {

using testing::AuthenticatorTwin;
using testing::cbor_bytes;
using testing::cbor_head;
using testing::cbor_integer;
using testing::cbor_text;

const RelyingParty kParty{"mx.example.test", "https://mx.example.test"};

std::string why(const Result<NewCredential>& result) { return result ? "taken" : result.error().context; }
std::string why_not(const AuthenticatorTwin& twin) { return why(check_new_credential(kParty, twin.attestation_object())); }

class WebauthnTest : public ::testing::TestWithParam<AuthenticatorTwin::Kind> {};

TEST_P(WebauthnTest, APasskeyIsMadeAndProved) {
  AuthenticatorTwin twin(GetParam());
  twin.sign_count = 7;
  const auto made = check_new_credential(kParty, twin.attestation_object());
  ASSERT_TRUE(made) << made.error().context;
  EXPECT_EQ(made->credential_id, twin.credential_id);
  EXPECT_EQ(made->sign_count, 7u);
  twin.sign_count = 8;
  Assertion proof{twin.client_data("webauthn.get", "challenge"), twin.authenticator_data(false), {}};
  proof.signature = twin.sign(proof.authenticator_data, proof.client_data);
  const KnownCredential known{made->key, made->is_backup_eligible};
  EXPECT_EQ(check_assertion(kParty, known, proof).value_or(0), 8u);
  Assertion changed = proof;
  changed.client_data += " ";
  EXPECT_FALSE(check_assertion(kParty, known, changed)) << "the signature is of other client data";
  changed = proof;
  changed.authenticator_data.back() ^= 1;
  EXPECT_FALSE(check_assertion(kParty, known, changed));
  changed = proof;
  changed.signature.back() ^= 1;
  EXPECT_FALSE(check_assertion(kParty, known, changed));
  changed.signature.clear();
  EXPECT_FALSE(check_assertion(kParty, known, changed));
  AuthenticatorTwin other(GetParam());
  changed = proof;
  changed.signature = other.sign(proof.authenticator_data, proof.client_data);
  EXPECT_FALSE(check_assertion(kParty, known, changed)) << "another's key";
}

INSTANTIATE_TEST_SUITE_P(Algorithms, WebauthnTest,
                         ::testing::Values(AuthenticatorTwin::Kind::kEs256, AuthenticatorTwin::Kind::kEdDsa,
                                           AuthenticatorTwin::Kind::kRs256));

TEST(WebauthnChecksTest, ClientDataMustBeOfThisPageAndCeremony) {
  AuthenticatorTwin twin;
  const auto reason = [&](std::string_view data) {
    const auto challenge = challenge_of(kParty, Ceremony::kGet, data);
    return challenge ? "taken " + *challenge : challenge.error().context;
  };
  EXPECT_EQ(reason(twin.client_data("webauthn.get", "abc")), "taken abc");
  EXPECT_EQ(reason(twin.client_data("webauthn.create", "abc")), "another ceremony");
  for (const char* origin : {"http://mx.example.test", "https://mx.example.test.evil.test", "https://mx.example.test:444",
                             "https://evil.mx.example.test", "https://MX.example.test", "null", ""}) {
    twin.origin = origin;
    EXPECT_EQ(reason(twin.client_data("webauthn.get", "abc")), "another origin") << origin;
  }
  twin.origin = kParty.origin;
  for (const char* more : {R"(,"crossOrigin":true)", R"(,"crossOrigin":"false")", R"(,"topOrigin":"https://x.test")"}) {
    twin.client_data_more = more;
    EXPECT_EQ(reason(twin.client_data("webauthn.get", "abc")), "from within another page") << more;
  }
  twin.client_data_more.clear();
  EXPECT_EQ(reason(twin.client_data("webauthn.get", "abc")), "taken abc") << "old browsers do not say crossOrigin";
  EXPECT_EQ(reason("[]"), "client data is no JSON object");
  EXPECT_EQ(reason("{"), "client data is no JSON object");
  EXPECT_EQ(reason(R"({"type":1})"), "another ceremony");
  EXPECT_EQ(reason(R"({"type":"webauthn.get","origin":"https://mx.example.test","challenge":"a+b="})"), "challenge");
  EXPECT_EQ(reason(std::string(kMaxClientData + 1, ' ')), "client data too long");
}

TEST(WebauthnChecksTest, SomebodyMustHaveBeenThereForThisName) {
  AuthenticatorTwin twin;
  twin.relying_party = "example.test";
  EXPECT_EQ(why_not(twin), "it was made for another name");
  twin.relying_party = kParty.id;
  twin.flags = 0x04;
  EXPECT_EQ(why_not(twin), "nobody was present");
  twin.flags = 0x01;
  EXPECT_EQ(why_not(twin), "the person was not verified");
  twin.flags = 0x15;
  EXPECT_EQ(why_not(twin), "flags of backup") << "backed up, but not eligible";
  twin.flags = 0x1D;
  EXPECT_TRUE(check_new_credential(kParty, twin.attestation_object()).value().is_backup_eligible);
}

TEST(WebauthnChecksTest, AttestationIsNotLookedAtButMustBeWhole) {
  AuthenticatorTwin twin;
  twin.format = "packed";
  twin.statement =
      cbor_head(5, 2) + cbor_text("alg") + cbor_integer(-7) + cbor_text("x5c") + cbor_head(4, 1) + cbor_bytes("cert");
  EXPECT_EQ(why_not(twin), "taken");
  twin.statement = cbor_text("no map");
  EXPECT_EQ(why_not(twin), "attestation object");
  twin.statement = cbor_head(5, 0);
  twin.extensions = cbor_head(5, 1) + cbor_text("credProtect") + cbor_integer(2);
  EXPECT_EQ(why_not(twin), "authenticator data") << "extensions without the flag";
  twin.flags |= 0x80;
  EXPECT_EQ(why_not(twin), "taken");
  twin.extensions = cbor_integer(2);
  EXPECT_EQ(why_not(twin), "extensions");
}

TEST(WebauthnChecksTest, WhatIsCutOrLongerIsRefused) {
  AuthenticatorTwin twin;
  const std::string whole = twin.attestation_object();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(check_new_credential(kParty, whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(check_new_credential(kParty, whole + '\0'));
  EXPECT_FALSE(check_new_credential(kParty, std::string(kMaxAttestationObject + 1, 'x')));
  const std::string data = twin.authenticator_data(false);
  for (std::size_t size = 0; size < data.size(); ++size) EXPECT_FALSE(parse_authenticator_data(data.substr(0, size))) << size;
  EXPECT_TRUE(parse_authenticator_data(data));
  EXPECT_FALSE(parse_authenticator_data(data + "x"));
  twin.credential_id.clear();
  EXPECT_EQ(why_not(twin), "credential data");
  twin.credential_id.assign(1024, 'c');
  EXPECT_EQ(why_not(twin), "credential data");
}

TEST(WebauthnChecksTest, AssertionsBringNoCredentialAndKeepTheirBackupFlag) {
  AuthenticatorTwin twin;
  const auto made = check_new_credential(kParty, twin.attestation_object()).value();
  const auto check = [&](bool has_credential, bool is_eligible) {
    Assertion proof{twin.client_data("webauthn.get", "c"), twin.authenticator_data(has_credential), {}};
    proof.signature = twin.sign(proof.authenticator_data, proof.client_data);
    return check_assertion(kParty, {made.key, is_eligible}, proof).has_value();
  };
  EXPECT_TRUE(check(false, false));
  EXPECT_FALSE(check(true, false));
  EXPECT_FALSE(check(false, true));
}

TEST(WebauthnChecksTest, KeysMustBeStrongAndOnTheirCurve) {
  const auto reason = [](std::string_view key) {
    const auto parsed = parse_cose_key(key);
    return parsed ? std::string("taken") : parsed.error().context;
  };
  const std::string good = AuthenticatorTwin().cose_key();
  EXPECT_EQ(reason(good), "taken");
  std::string beside = good;
  beside.back() ^= 1;
  EXPECT_EQ(reason(beside), "key: it is none") << "a point that is not on the curve";
  EXPECT_EQ(reason(AuthenticatorTwin(AuthenticatorTwin::Kind::kRs256Short).cose_key()), "key: modulus");
  const auto head = [](int members, std::int64_t type, std::int64_t algorithm) {
    return cbor_head(5, static_cast<std::uint64_t>(members)) + cbor_integer(1) + cbor_integer(type) + cbor_integer(3) +
           cbor_integer(algorithm);
  };
  EXPECT_EQ(reason(head(2, 2, -7)), "key: curve");
  EXPECT_EQ(reason(head(3, 2, -7) + cbor_integer(-1) + cbor_integer(1)), "key: point");
  EXPECT_EQ(reason(head(2, 2, -35)), "key: algorithm");
  EXPECT_EQ(reason(head(3, 1, -8) + cbor_integer(-1) + cbor_integer(4)), "key: curve") << "X25519 signs nothing";
  EXPECT_EQ(
      reason(head(4, 3, -257) + cbor_integer(-1) + cbor_bytes(std::string(256, '\xFF')) + cbor_integer(-2) + cbor_bytes("\x03")),
      "key: exponent");
  EXPECT_EQ(reason(head(3, 2, -7) + cbor_integer(3) + cbor_integer(-7)), "key: no COSE key") << "a member given twice";
  EXPECT_EQ(reason(cbor_head(5, 9)), "key: no COSE key");
  EXPECT_EQ(reason(""), "key: no COSE key");
}

TEST(CborTest, NestingCostsNoStack) {
  std::string deep(1'000'000, '\x81');  // a list of a list of a list
  EXPECT_FALSE(CborReader(deep).skip());
  deep += '\0';
  CborReader whole(deep);
  EXPECT_TRUE(whole.skip());
  EXPECT_TRUE(whole.rest().empty());
  EXPECT_FALSE(CborReader("\x9F\x01\xFF").skip()) << "of indefinite length";
  EXPECT_FALSE(CborReader("\xBB\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF").skip()) << "more pairs than there are bytes";
  EXPECT_FALSE(CborReader("\x5B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF").skip());
  EXPECT_FALSE(CborReader("\x1C").skip()) << "reserved";
  EXPECT_TRUE(CborReader("\xFB\x01\x02\x03\x04\x05\x06\x07\x08").skip());
  EXPECT_TRUE(CborReader("\xC1\x01").skip());
  EXPECT_EQ(CborReader(std::string_view("\x39\x01\x00", 3)).integer(), -257);
  EXPECT_FALSE(CborReader("\x3B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF").integer());
}

}  // namespace
}  // namespace posthus::web_admin
