// DKIM keys of our domains: made when a domain is made, exchanged for new ones, removed when their time is over.
// RFC 6376 §3.6, §5.2; RFC 8463 §6. Thread rule: workers only; making an RSA key takes a tenth of a second or more.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/mailauth/dkim_sign.h"
#include "store/store.h"

namespace posthus::web_admin {

/// mailauth::make_signing_key; tests have theirs.
using KeyMaker = std::function<Result<mailauth::NewKey>(mailauth::SigningAlgorithm)>;

/// A key that no longer signs keeps its record shown for so long: what it signed may be verified late (deferred mail, and
/// readers that verify when the message is opened).
inline constexpr int kKeyOverlapDays = 7;

/// What a key does now. A pending key waits for its DNS record; a retiring one's record must stay until `retires`.
enum class KeyState : std::uint8_t { kActive, kPending, kRetiring };
KeyState key_state(const store::DkimKeyRecord& key);

/// Keys of `domain` in order of selector, without those whose time is over.
Result<std::vector<store::DkimKeyRecord>> listed_keys(const store::Snapshot& snapshot, std::string_view domain, Timestamp now);

enum class NewKeys : std::uint8_t { kActive, kPending };
/// Makes and stores an RSA and an Ed25519 key. Errors: kNotFound (no such domain), those of making.
Result<> add_key_pair(store::Store& store, const std::string& domain, NewKeys kind, const KeyMaker& make, Timestamp now);

/// The pending keys sign from now on, those that signed retire. Errors: kNotFound (none is pending).
Result<> activate_pending_keys(store::Store& store, const std::string& domain, Timestamp now);

/// Gives keys to every domain that never had any, and removes keys whose time is over. Returns how many domains got keys. WHY not
/// to one whose keys were removed: an admin wants it unsigned, until he makes new ones.
Result<std::size_t> tend_keys(store::Store& store, const KeyMaker& make, Timestamp now);

}  // namespace posthus::web_admin
