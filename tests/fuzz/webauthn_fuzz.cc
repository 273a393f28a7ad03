// LINK: posthus_web_admin
// What a browser sends of a passkey. The first byte chooses: an attestation object, authenticator data, a COSE key, client data,
// CBOR. Whatever comes is refused, or keeps what is promised of it: a key of OpenSSL that can be read again, lengths within their
// limits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "store/passkey_records.h"
#include "web-admin/cbor.h"
#include "web-admin/webauthn.h"

namespace {

using namespace posthus::web_admin;

const RelyingParty kParty{"mx.example.test", "https://mx.example.test"};

void check_key(std::string_view bytes) {
  const auto key = parse_cose_key(bytes);
  if (!key) return;
  CHECK(key->algorithm == cose::kEs256 || key->algorithm == cose::kEdDsa || key->algorithm == cose::kRs256);
  CHECK(!key->public_key.empty() && key->public_key.size() < posthus::store::kMaxPasskeyRecord / 2);
  // No signature is right for everything.
  CHECK(!check_assertion(kParty, {*key, false}, {.client_data = "{}", .authenticator_data = {}, .signature = "x"}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      if (const auto made = check_new_credential(kParty, bytes)) {
        CHECK(!made->credential_id.empty() && made->credential_id.size() <= posthus::store::kMaxCredentialId);
      }
      if (const auto inner = authenticator_data_of(bytes)) CHECK(inner->size() < bytes.size());
      break;
    case 1:
      if (const auto parsed = parse_authenticator_data(bytes)) {
        CHECK(parsed->relying_party_hash.size() == 32);
        CHECK(parsed->credential_id.empty() == parsed->public_key.empty());
        check_key(parsed->public_key);
      }
      break;
    case 2: check_key(bytes); break;
    case 3: static_cast<void>(challenge_of(kParty, Ceremony::kGet, bytes)); break;
    case 4: {
      CborReader reader(bytes);
      while (!reader.rest().empty()) {
        const std::size_t before = reader.rest().size();
        if (!reader.skip()) break;
        CHECK(reader.rest().size() < before);
      }
      break;
    }
  }
  return 0;
}
