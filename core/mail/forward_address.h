// The reverse-path of forwarded mail: an address of our own domain that holds the original sender, so that SPF passes at the
// next hop and a report of failure finds its way back (the scheme is known as SRS). A keyed hash makes sure that nobody else
// can make one, and a day number ends its life: it is no open relay. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/mail/address.h"

namespace posthus::mail {

/// Reports come for as long as the next hops try (5 days each is usual); after this many days an address is void.
inline constexpr int kForwardAddressDays = 21;
inline constexpr std::size_t kMaxForwardPath = 254;  // RFC 5321 §4.5.3.1.3: 256 with "<" and ">"

/// The reverse-path under which mail of `sender` is sent on: "SRS0=hash=day=domain=local@our_domain". A sender that is such an
/// address of another server becomes "SRS1=hash=first-domain==rest@our_domain": a report goes to the first server at once,
/// however many lie between. Errors: kTooLarge (longer than kMaxForwardPath).
/// REQUIRES: `sender` is not of a domain of ours (it needs none), `our_domain` is normalised, `secret` is not empty.
Result<Address> forward_address(const Address& sender, std::string_view our_domain, std::string_view secret, Timestamp now);

/// Has it the form of forward_address (any case)? True for those of other servers too. Such a local part may be longer than
/// kMaxLocalPart (up to kMaxForwardLocalPart); it is never the address of a user.
bool is_forward_address(std::string_view local_part);

/// Where mail to `address`, a forward address of ours, has to go: the original sender, or the first server's address for SRS1.
/// `secrets`: the one in use and older ones. The case of letters may have been changed on the way.
/// Errors: kInvalid (not of the form), kDenied (none of our making), kTimeout (older than kForwardAddressDays).
Result<Address> original_sender(const Address& address, const std::vector<std::string_view>& secrets, Timestamp now);

}  // namespace posthus::mail
