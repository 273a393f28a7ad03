// Which services the settings have switched on, for those who tell clients of them. Thread rule: pure function.
#pragma once

#include "core/main/settings.h"
#include "web-admin/api.h"

namespace posthus::main {

inline web_admin::EnabledServices enabled_services(const Settings& settings) {
  return {.submission = settings.submission_port != 0,
          .submissions = settings.submissions_port != 0,
          .imap = settings.imap_port != 0,
          .imaps = settings.imaps_port != 0,
          .pop3 = settings.pop3_port != 0,
          .pop3s = settings.pop3s_port != 0};
}

}  // namespace posthus::main
