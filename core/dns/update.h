// Dynamic update: changes to a zone as one signed message, and the reply to it; and the question for the set that is there now.
// RFC 2136 §2, §3; TSIG with HMAC-SHA256, RFC 8945 §4, §5. Pure functions; who sends them is the caller.
// Hostile input: replies; every length is checked, one pass, nothing is followed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/dns/resolver.h"

namespace posthus::dns {

/// A shared key with its name. HMAC-SHA256 only, which RFC 8945 §6 makes everybody have.
struct TsigKey {
  std::string name;  // as a domain name, without final dot
  Secret secret;     // raw
};
/// "NAME:BASE64" or "hmac-sha256:NAME:BASE64". Errors: kInvalid, without the text.
Result<TsigKey> parse_tsig_key(std::string_view text);

/// What becomes of the set of a name and type.
struct SetChange {
  enum class Kind : std::uint8_t {
    kReplace,      // the set becomes `values`
    kReplaceName,  // all sets of the name go first: for an alias, which stands alone (RFC 1034 §3.6.2)
    kAdd,          // `values` are added to it
  };
  Kind kind = Kind::kAdd;
  std::string name;
  RecordType type = RecordType::kTxt;
  std::vector<std::string> values;  // as PublishedRecord has them
  std::uint32_t time_to_live = 3600;
};
inline constexpr std::size_t kMaxUpdateMessage = 60'000;  // over TCP it may have 65 535

struct SignedMessage {
  std::string text, signature;  // the signature is part of what the reply's covers
};
/// Errors: kInvalid (a name or value that is none), kTooLarge.
Result<SignedMessage> update_message(std::uint16_t id, std::string_view zone, const std::vector<SetChange>& changes,
                                     const TsigKey& key, Timestamp now);
/// The reply to `request`: nothing wrong, or why not, for people. Errors: kDenied (key, clock, not allowed), kInvalid (no reply,
/// or not signed as it must be), kNotFound (not the zone's server), kUnavailable (the server could not).
Result<> read_update_reply(std::string_view reply, std::uint16_t id, const SignedMessage& request, const TsigKey& key,
                           Timestamp now);

/// A question to the zone's own server (no recursion), without signature.
Result<std::string> query_message(std::uint16_t id, std::string_view name, RecordType type);
/// Its answer. Errors: kInvalid (no reply to it), kUnavailable (the server could not, or is not the zone's).
Result<Answer> read_query_reply(std::string_view reply, std::uint16_t id, std::string_view name, RecordType type);

}  // namespace posthus::dns
