// Why outgoing mail is on hold: as it is stored (a code and facts), and as people read it in their language. Texts that older
// versions wrote are told as they are. Thread rule: values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/mail/dsn.h"

namespace posthus::store {

enum class HoldCode : std::uint8_t {
  kOther,       // `text`, of an older version
  kAdmin,       // somebody decided it of these messages; `text`: why, as he wrote it, may be empty. Of an account: older versions
  kBurst,       // `count` copies within ten minutes, `limit` are usual
  kNewNetwork,  // likewise, from a network never used before: `text`
  kBounces,     // `count` of `limit` copies sent that day could not be delivered
  kAccount,     // somebody decided it of the whole account; `text` as of kAdmin
};
std::string_view to_string(HoldCode code);  // "other", "admin", "burst", "new_network", "bounces", "account"

struct HoldReason {
  HoldCode code = HoldCode::kOther;
  std::uint64_t count = 0, limit = 0;
  std::string text;
};

/// As SendingRecord and QueueEntry keep it, and AddMessage, HoldAccount and ChangeQueue carry it: ":code:count:limit:text".
std::string encode_hold_reason(const HoldReason& reason);
/// Whatever is no encoded reason is the text of one of another kind.
HoldReason decode_hold_reason(std::string_view stored);
/// A sentence without a full stop.
std::string hold_reason_words(const HoldReason& reason, mail::ReportLanguage language);

}  // namespace posthus::store
