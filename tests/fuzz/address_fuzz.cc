// Arbitrary bytes as mailbox, domain and address list. What is a mailbox is written back and read to the same value, and
// its lookup key does not change when it is made again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/mail/address.h"
#include "core/mail/address_list.h"
#include "core/mail/forward_address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthus::mail;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Utf8 utf8 : {Utf8::kRefuse, Utf8::kAllow}) {
    const auto address = parse_mailbox(text, utf8);
    if (!address) continue;
    const std::size_t limit = is_forward_address(address->local_part) ? kMaxForwardLocalPart : kMaxLocalPart;
    CHECK(address->local_part.size() <= limit && address->domain.size() <= kMaxDomain);
    const auto again = parse_mailbox(to_string(*address), utf8);
    CHECK(again && *again == *address);
    CHECK(lookup_key(*again) == lookup_key(*address));
    (void)without_detail(address->local_part);
    (void)domain_to_unicode(address->domain);
  }
  if (const auto domain = normalise_domain(text)) CHECK(normalise_domain(*domain).value_or("") == *domain);
  (void)is_domain_literal(text);
  (void)domain_to_unicode(text);
  std::size_t members = 0;
  for_each_listed_address(text, [&](const ListedAddress&) { ++members; });
  CHECK(members <= 2 * size + 1);
  return 0;
}
