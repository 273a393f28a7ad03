// The set-up page: what to enter in a mail program, a button for Apple's, a QR code for the phone. Plain HTML, no script, one
// style that the policy names by its hash. Pure functions.
#pragma once

#include <string>

#include "web-admin/client_settings.h"

namespace posthus::web_admin {

struct SetupPage {
  std::string given;         // what was typed, hostile; empty: nothing yet
  std::string address;       // normalised; empty: none that is served here
  ClientSettings settings;   // with an address
  std::string profile_path;  // with an address
};
std::string setup_html(const SetupPage& page);
/// The Content-Security-Policy it comes with: nothing but its own style and a form to itself.
std::string setup_security_policy();

}  // namespace posthus::web_admin
