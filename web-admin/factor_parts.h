// What setting up a second factor shows, on one's own page and in the set-up of a new server. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "web-admin/request.h"

namespace posthus::web_admin {

struct FreshCodes {
  std::vector<std::string> codes, hashes;  // shown once; kept
};
FreshCodes make_recovery_codes();
Response codes_response(int status, const FreshCodes& fresh);
/// The key of an authenticator app, as text, URI and QR code. `issuer`: what the app calls us.
Response factor_key_response(std::string_view issuer, std::string_view login, std::string_view secret);

}  // namespace posthus::web_admin
