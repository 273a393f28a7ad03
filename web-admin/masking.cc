// Masking. See masking.h.
#include "web-admin/masking.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/hash.h"
#include "core/base/ip_address.h"
#include "core/base/random.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kMaskDigits = 8;
constexpr std::size_t kLongestQuoted = 256;  // bytes of a quoted local part that are looked back over

// Dot-string of RFC 5321 §4.1.2 with UTF-8 of RFC 6531, and nothing that JSON or a log line puts around it.
bool is_local_byte(char c) {
  constexpr std::string_view kSpecials = "!#$%&'*+-/=?^_`{|}~.";
  return ascii::is_alpha(c) || ascii::is_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
         kSpecials.find(c) != std::string_view::npos;
}

/// Where the local part that ends at `end` begins; `end` when there is none.
std::size_t local_part_begin(std::string_view text, std::size_t end) {
  if (end > 0 && text[end - 1] == '"') {  // quoted, in JSON with a backslash before each quote
    const std::size_t lowest = end > kLongestQuoted ? end - kLongestQuoted : 0;
    for (std::size_t i = end - 1; i-- > lowest;) {
      if (text[i] == '"') return i > 0 && text[i - 1] == '\\' ? i - 1 : i;
    }
    return lowest;
  }
  std::size_t begin = end;
  while (begin > 0 && is_local_byte(text[begin - 1])) --begin;
  return begin;
}

std::string network_of(std::string_view text) {
  const auto address = parse_ip_address(text);
  if (!address) return "masked";
  IpAddress network = *address;
  const std::size_t kept = network.is_v6 ? 6 : 3;  // bytes: /48, /24
  std::fill(network.bytes.begin() + static_cast<std::ptrdiff_t>(kept), network.bytes.end(), std::uint8_t{0});
  return to_string(network) + (network.is_v6 ? "/48" : "/24");
}

/// Replaces the value of a field of a line by what `change` makes of it.
template <class Change>
void change_field(std::string& json, std::string_view name, Change change) {
  const std::string start = ",\"" + std::string(name) + "\":\"";
  const std::size_t at = json.find(start);
  if (at == std::string::npos) return;
  const std::size_t begin = at + start.size();
  std::size_t end = begin;
  while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
  end = std::min(end, json.size());
  if (end > begin) json.replace(begin, end - begin, change(std::string_view(json).substr(begin, end - begin)));
}

}  // namespace

Masking::Masking() : key_(random_bytes(kKeyBytes)) {}

std::string Masking::mask(std::string_view text) const {
  return "u" + to_hex(hmac_sha256(key_, ascii::to_lower(text))).substr(0, kMaskDigits);
}

std::string Masking::addresses(std::string_view text) const {
  std::string out;
  for (;;) {
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos) break;
    const std::size_t begin = local_part_begin(text, at);
    out += text.substr(0, begin);
    if (begin < at) out += mask(text.substr(begin, at - begin));
    out += '@';
    text.remove_prefix(at + 1);
  }
  out += text;
  return out;
}

std::string Masking::log_line(std::string_view json) const {
  std::string line(json);
  // WHY all of a login that is no plain address: people type their password there.
  const auto whole = [this](std::string_view value) {
    const std::size_t at = value.rfind('@');
    const bool is_address = at != std::string_view::npos && at > 0 && std::ranges::all_of(value.substr(0, at), is_local_byte);
    return is_address ? std::string(value) : mask(value);
  };
  for (const std::string_view name : {"login", "user"}) change_field(line, name, whole);
  for (const std::string_view name : {"client", "remote", "address"}) change_field(line, name, network_of);
  return addresses(line);
}

}  // namespace posthus::web_admin
