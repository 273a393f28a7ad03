// Trace fields an MTA adds: Received and Return-Path (RFC 5321 §4.4), and counting them for loop detection (§6.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/mail/address.h"

namespace posthus::mail {

struct ReceivedFacts {
  std::string helo;                  // what the client called itself; cleaned before it is written
  std::string remote_address;        // as text; "" for local delivery
  std::string hostname;              // ours
  std::string with;                  // RFC 3848 and RFC 6531: SMTP, ESMTP, ESMTPS, ESMTPSA, UTF8SMTPSA, ...
  std::string tls;                   // "TLSv1.3 with cipher …" or empty
  std::string id;                    // of the message here
  std::optional<Address> recipient;  // only with exactly one (RFC 5321 §7.2: never reveals the others)
  Timestamp time;
};

/// The whole field with folds and CRLF at the end.
std::string received_field(const ReceivedFacts& facts);
/// "Return-Path: <…>\r\n"; the null reverse-path gives "<>".
std::string return_path_field(const std::optional<Address>& reverse_path);

}  // namespace posthus::mail
