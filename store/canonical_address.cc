// Canonical addresses of the directory; see canonical_address.h.
#include "store/canonical_address.h"

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

}  // namespace posthus::store
