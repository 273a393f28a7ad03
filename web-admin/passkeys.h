// Passkeys of browsers: what the sign-in needs to know of them. See web-admin/webauthn.h for the checks themselves.
// Thread rule: as handlers.
#pragma once

#include <optional>
#include <string>

#include "store/engine.h"
#include "store/records.h"
#include "web-admin/json.h"
#include "web-admin/routes.h"
#include "web-admin/webauthn.h"

namespace posthus::web_admin {

/// The name under which this request's browser may make and use passkeys: that of the server, or one of setting panel.names.
/// Nothing under another, since a browser keeps passkeys by name.
Result<std::optional<RelyingParty>> relying_party(const Call& call, const store::Snapshot& snapshot);

/// Is there anything that a browser could sign in with here?
Result<bool> offers_passkeys(const Call& call, const store::Snapshot& snapshot);

/// What a browser is asked to prove itself with.
struct PasskeyRequest {
  std::string json;    // schema PasskeyRequest
  std::string cookie;  // Set-Cookie: binds the challenge to this browser
};
/// For an account whose password was right. Nothing when it has no passkey for this name.
Result<std::optional<PasskeyRequest>> passkey_request(const Call& call, const store::Snapshot& snapshot, AccountId account);

}  // namespace posthus::web_admin
