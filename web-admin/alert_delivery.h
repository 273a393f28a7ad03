// What came of telling somebody of an alert: the seam to core/main, which sends. Thread rule: values.
#pragma once

#include <string>

namespace posthus::web_admin {

struct AlertDelivery {
  std::string channel;  // "mail", "webhook"
  std::string target;   // an address, a URL
  bool is_delivered = false;
  std::string outcome;  // for people: "in the mailbox", "HTTP status 500", ...
};

}  // namespace posthus::web_admin
