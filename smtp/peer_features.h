// What another server offers, from its answer to EHLO. RFC 5321 §4.1.1.1; RFC 1870, 2920, 3030, 3207, 3461, 4954, 6152,
// 6531, 8689, 9422. Thread rule: pure functions and values.
#pragma once

#include <cstdint>
#include <string_view>

namespace posthus::smtp {

struct PeerFeatures {
  bool pipelining = false;
  bool eight_bit_mime = false;
  bool binary_mime = false;
  bool chunking = false;
  bool smtputf8 = false;
  bool dsn = false;
  bool starttls = false;
  bool requiretls = false;
  bool auth_plain = false, auth_login = false;
  bool size = false;
  std::uint64_t max_size = 0;  // bytes; 0: it did not say
  // RFC 9422 §4; 0: it did not say.
  std::uint32_t max_transactions = 0, max_recipients = 0, max_recipient_domains = 0;
};

/// `lines` as in HostReply: each ended by '\n', the first one is the greeting.
PeerFeatures parse_ehlo_answer(std::string_view lines);

}  // namespace posthus::smtp
