// The notice that an account's outgoing mail is on hold: to its owner and to the server's admin, each in his domain's
// language; and what the account has in the queue already. Thread rule: composing is pure; the others as send_own_message.
#pragma once

#include <string>

#include "core/base/clock.h"
#include "core/mail/dsn.h"
#include "smtp/signing.h"
#include "store/store.h"

namespace posthus::smtp {

struct HoldNotice {
  std::string hostname;  // ours
  std::string account;   // the address whose mail is held
  std::string reason;    // store::encode_hold_reason
  std::string queue_id;  // of the message that set it off
  std::string to;
  bool is_for_admin = false;  // tells how to release it
  Timestamp now;
  SigningKeys* signing = nullptr;  // signs what leaves; none: it is not
};
/// The whole message, CRLF, ASCII or UTF-8 in the body only.
std::string compose_hold_notice(const HoldNotice& notice, mail::ReportLanguage language);

/// To the owner and, when he is somebody else, to the first server admin.
void send_hold_notices(store::Store& store, HoldNotice notice);

/// What the account has in the queue already is held too, soon. Messages that are held keep their own reason.
/// `reason`: store::encode_hold_reason.
void hold_waiting_mail(store::Store& store, AccountId account, const std::string& reason, Timestamp now);

}  // namespace posthus::smtp
