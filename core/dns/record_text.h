// Record data as people write it in zones, and from there to the wire: RFC 1035 §3.3, §5.1, RFC 2782, RFC 6698 §2.2,
// RFC 8659 §4.1.1; names of reverse lookups (RFC 1035 §3.5, RFC 3596 §2.5). Pure functions.
// Known limit: names hold letters, digits, '-', '_' only, which is all that mail's records need.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/ip_address.h"
#include "core/dns/resolver.h"

namespace posthus::dns {

/// "MX"
std::string_view to_string(RecordType type);

/// "1.2.0.192.in-addr.arpa", without final dot.
std::string reverse_name(const IpAddress& address);
/// The labels of reverse_name() before the suffix, as DNS block lists want them (RFC 5782 §2.1, §2.4).
std::string reverse_labels(const IpAddress& address);

/// A TXT value as <character-string>s of at most 255 octets, quoted (RFC 1035 §3.3.14, §5.1).
std::string quote_text(std::string_view text);

/// The uncompressed wire form of a name without final dot; "" is the root. Nothing when it is no name.
std::optional<std::string> name_to_wire(std::string_view name);
/// `value`: as PublishedRecord has it: TXT whole and unquoted, names with or without final dot. Nothing when it is none of
/// `type`.
std::optional<std::string> value_to_wire(RecordType type, std::string_view value);

}  // namespace posthus::dns
