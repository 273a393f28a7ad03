// How a hop is connected to: what TLS it must show, which question to ask about that, and the options of the connection.
// Shared by deliveries and dry runs, so that both do the same. RFC 7435, RFC 7672, RFC 8461. Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>

#include "core/session/dialer.h"
#include "smtp/client_session.h"
#include "smtp/queue_settings.h"
#include "smtp/route.h"
#include "smtp/tls_policy_source.h"

namespace posthus::smtp {

/// What to ask the TlsPolicySource about a hop of `domain`; nothing when the admin has settled it or it is an address.
std::optional<TlsQuestion> tls_question(const Hop& hop, const std::string& domain, const std::string& canonical_domain);

/// What the admin or nobody demands: the certificate is looked at, and must hold when TLS is required.
TlsPolicy own_policy(const Hop& hop);

/// What a policy makes of opportunistic TLS.
TlsUse tls_use_of(const TlsPolicy& policy);

/// While the host's next address is of the other family, an address gets this at most. WHY 5 s: two repetitions of a lost SYN
/// (after 1 and 3 s, RFC 6298 §2) fit in; where one family leads nowhere, mail goes by the other at once (RFC 8305 §1).
inline constexpr std::chrono::seconds kFamilyPatience{5};
std::chrono::seconds connect_patience(const std::vector<Hop>& hops, std::size_t at, const OutgoingSettings& settings);

session::DialOptions dial_options(const Hop& hop, const TlsPolicy& policy, TlsUse use, std::chrono::seconds connect_deadline,
                                  const OutgoingSettings& settings);

ClientOptions client_options(const Hop& hop, TlsUse use, const std::string& hostname);

}  // namespace posthus::smtp
