// Messages of our own: reports and notices, with a null reverse-path (RFC 5321 §4.5.5), to wherever an address leads: inboxes
// here, the queue, or both. Thread rule: any thread; make_own_message reads the directory and may block briefly.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/mail/address.h"
#include "core/mail/dsn.h"
#include "smtp/signing.h"
#include "store/store.h"

namespace posthus::smtp {

struct OwnMessage {
  mail::Address to;
  std::string text;  // whole, CRLF, without Return-Path
  bool is_utf8 = false;
  bool requires_tls = false, ignores_tls_policy = false;
  std::string_view event;          // of its trace: "report", "notice"
  SigningKeys* signing = nullptr;  // signs it when it leaves; none: it is not
  std::string from_domain;         // of its From: in whose name it is signed
};

/// The request that stores it; nothing when the address leads nowhere (nobody is told then, a report is never bounced).
/// Errors: the store's.
Result<std::optional<store::AddMessage>> make_own_message(store::Store& store, const OwnMessage& message, Timestamp now);

/// Makes it and hands it to the store; what goes wrong is logged, for there is nobody to tell.
void send_own_message(store::Store& store, const OwnMessage& message, Timestamp now);

/// The domain of `user@domain`, as it was written; the whole text when there is no @.
inline std::string_view domain_after_at(std::string_view address) { return address.substr(address.rfind('@') + 1); }

/// In which language people of this domain read reports; English when it is not ours.
mail::ReportLanguage report_language(store::Store& store, std::string_view domain);

}  // namespace posthus::smtp
