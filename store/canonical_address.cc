// Canonical addresses of the directory; see canonical_address.h.
#include "store/canonical_address.h"

#include <set>

namespace posthus::store {

Result<CanonicalAddress> canonical_address(std::string_view text, CatchAll catch_all) {
  CanonicalAddress address;
  if (text.starts_with('@')) {
    if (catch_all == CatchAll::kRefuse) return fail(ErrorKind::kInvalid, "address without local part");
    address.domain = POSTHUS_TRY(mail::normalise_domain(text.substr(1)));
    address.text = "@" + address.domain;
    address.lookup = address.text;
    address.is_catch_all = true;
    return address;
  }
  mail::Address parsed = POSTHUS_TRY(mail::parse_mailbox(text, mail::Utf8::kAllow));
  // WHY: `""@domain` would have the lookup key of the catch-all.
  if (parsed.local_part.empty()) return fail(ErrorKind::kInvalid, "address without local part");
  address.lookup = mail::lookup_key(parsed);
  address.domain = parsed.domain;
  parsed.local_part = address.lookup.substr(0, address.lookup.rfind('@'));
  if (parsed.local_part.size() > mail::kMaxLocalPart) return fail(ErrorKind::kInvalid, "local part too long when folded");
  address.text = mail::to_string(parsed);
  return address;
}

Result<std::vector<std::string>> normalised_targets(const std::vector<std::string>& targets) {
  std::vector<std::string> normalised;
  std::set<std::string> seen;
  for (const std::string& target : targets) {
    const mail::Address address = POSTHUS_TRY(mail::parse_mailbox(target, mail::Utf8::kAllow));
    // WHY to_string and not the lookup key: the case of a local part elsewhere is its host's business (RFC 5321 §2.4).
    if (seen.insert(mail::lookup_key(address)).second) normalised.push_back(mail::to_string(address));
  }
  return normalised;
}

}  // namespace posthus::store
