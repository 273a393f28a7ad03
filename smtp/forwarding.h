// Forwarding: under which reverse-path mail goes on to other servers, and where a report comes back to. The scheme itself is
// core/mail/forward_address.h; here it meets the directory and the server's secret. RFC 5321 §3.9.1, §4.4.
// Thread rule: that of the snapshot.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/mail/address.h"
#include "smtp/path.h"
#include "store/engine.h"
#include "store/store.h"

namespace posthus::smtp {

/// The setting that holds the secrets, in base64, separated by spaces: the first makes addresses, all are believed.
inline constexpr std::string_view kForwardSecretSetting = "secret.forward";
/// Makes the secret when there is none. Once, at start, before sessions run.
Result<> prepare_forward_secret(store::Store& store);

/// The reverse-path for a recipient that `forwarder`, an address of ours, stands for; "" when the sender's own stays: it is
/// null or of a domain whose mailboxes are here, or there is no room for it in an address.
Result<std::string> forward_reverse_path(const store::Snapshot& snapshot, const ReversePath& sender,
                                         const mail::Address& forwarder, Timestamp now);

/// Who is behind a forward address of ours; nothing when `recipient` is none (or void): then it is an address like others.
Result<std::optional<mail::Address>> forwarded_sender(const store::Snapshot& snapshot, const mail::Address& recipient,
                                                      Timestamp now);

}  // namespace posthus::smtp
