// Making and reading of forward addresses. Thread rule: pure functions.
// WHY hash over lower case: servers between may change the case of a local part (they should not, RFC 5321 §2.4).
// WHY 40 bits of HMAC-SHA256 (RFC 2104 §5 allows truncation): the address must stay short (64 octets are what everybody takes),
// and each guess costs a whole RCPT.
#include "core/mail/forward_address.h"

#include <optional>

#include "core/base/ascii.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/secret.h"

namespace posthus::mail {
namespace {

constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kHashLength = 8;  // characters of five bits
constexpr std::size_t kDayLength = 2;
constexpr std::int64_t kDays = 1024;  // the day number comes round after this many
constexpr std::int64_t kDaySeconds = 86'400;

std::int64_t day_of(Timestamp now) {
  const std::int64_t day = now.seconds() / kDaySeconds % kDays;
  return day < 0 ? day + kDays : day;
}

std::string base32(std::uint64_t value, std::size_t length) {
  std::string out(length, 'a');
  for (std::size_t i = length; i-- > 0; value >>= 5) out[i] = kBase32[value & 31];
  return out;
}

std::optional<std::int64_t> read_day(std::string_view text) {
  std::int64_t day = 0;
  if (text.size() != kDayLength) return std::nullopt;
  for (const char c : text) {
    const std::size_t digit = kBase32.find(ascii::to_lower(c));
    if (digit == std::string_view::npos) return std::nullopt;
    day = day * 32 + static_cast<std::int64_t>(digit);
  }
  return day;
}

/// The hash over everything that stands behind it in the local part; `kind` keeps SRS0 and SRS1 apart.
std::string hash_of(std::string_view kind, std::string_view rest, std::string_view secret) {
  const std::string digest = hmac_sha256(secret, ascii::to_lower(std::string(kind) + "=" + std::string(rest)));
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 5; ++i) bits = bits << 8 | static_cast<unsigned char>(digest[i]);
  return base32(bits, kHashLength);
}

bool is_separator(char c) { return c == '=' || c == '+' || c == '-'; }

/// "SRS0" or "SRS1" before a separator; else nothing.
std::string_view kind_of(std::string_view local_part) {
  if (local_part.size() < 6 || !is_separator(local_part[4])) return {};
  for (const std::string_view kind : {std::string_view("SRS0"), std::string_view("SRS1")}) {
    if (ascii::equal_ignoring_case(local_part.substr(0, 4), kind)) return kind;
  }
  return {};
}

/// Takes the text up to the next '=' from the front of `rest`; nothing when there is none.
std::optional<std::string_view> take_until_equals(std::string_view& rest) {
  const std::size_t end = rest.find('=');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return taken;
}

/// The same for a domain: an address literal may hold '=' itself (RFC 5321 §4.1.3, General-address-literal).
std::optional<std::string_view> take_domain(std::string_view& rest) {
  if (!rest.starts_with('[')) return take_until_equals(rest);
  const std::size_t end = rest.find("]=");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest.substr(0, end + 1);
  rest.remove_prefix(end + 2);
  return taken;
}

/// What stands behind the hash of "SRS1=…" for `sender`: the first server, its separator and the rest of its address.
std::string behind_hash(const Address& sender) {
  const std::string_view local_part = sender.local_part;
  if (kind_of(local_part) == "SRS0") return sender.domain + "=" + std::string(local_part.substr(4));
  std::string_view rest = local_part.substr(5);  // SRS1 of another server: only its hash is replaced
  return take_until_equals(rest) ? std::string(rest) : std::string();
}

/// An address from its parts as text, with the checks of the grammar.
Result<Address> checked(std::string_view local_part, std::string_view domain) {
  return parse_mailbox(quote_local_part(local_part) + "@" + std::string(domain), Utf8::kAllow);
}

// rest = day "=" domain "=" local-part
Result<Address> read_original(std::string_view rest, Timestamp now) {
  const auto day_text = take_until_equals(rest), domain = take_domain(rest);
  const auto day = read_day(day_text.value_or(""));
  if (!day || !domain) return fail(ErrorKind::kInvalid, "forward address");
  const std::int64_t age = (day_of(now) - *day + kDays) % kDays;
  const bool is_of_tomorrow = age == kDays - 1;  // clocks differ
  if (age > kForwardAddressDays && !is_of_tomorrow) return fail(ErrorKind::kTimeout, "forward address");
  return checked(rest, *domain);
}

// rest = first-domain "=" separator text
Result<Address> read_first_server(std::string_view rest) {
  const auto domain = take_domain(rest);
  if (!domain || rest.empty() || !is_separator(rest.front())) return fail(ErrorKind::kInvalid, "forward address");
  return checked("SRS0" + std::string(rest), *domain);
}

}  // namespace

bool is_forward_address(std::string_view local_part) { return !kind_of(local_part).empty(); }

Result<Address> forward_address(const Address& sender, std::string_view our_domain, std::string_view secret, Timestamp now) {
  CHECK(!secret.empty());
  const bool is_rewritten = is_forward_address(sender.local_part);
  std::string rest = is_rewritten ? behind_hash(sender) : std::string();
  const std::string_view kind = rest.empty() ? "SRS0" : "SRS1";
  if (rest.empty()) {
    rest = base32(static_cast<std::uint64_t>(day_of(now)), kDayLength) + "=" + sender.domain + "=" + sender.local_part;
  }
  Address address{std::string(kind) + "=" + hash_of(kind, rest, secret) + "=" + rest, std::string(our_domain)};
  const bool is_too_long = address.local_part.size() > kMaxForwardLocalPart || to_string(address).size() > kMaxForwardPath;
  if (is_too_long) return fail(ErrorKind::kTooLarge, "forward address");
  return address;
}

Result<Address> original_sender(const Address& address, const std::vector<std::string_view>& secrets, Timestamp now) {
  const std::string_view kind = kind_of(address.local_part);
  if (kind.empty() || address.local_part[4] != '=') return fail(ErrorKind::kInvalid, "forward address");
  std::string_view rest = std::string_view(address.local_part).substr(5);
  const auto hash = take_until_equals(rest);
  if (!hash || rest.empty()) return fail(ErrorKind::kInvalid, "forward address");
  bool is_ours = false;
  for (const std::string_view secret : secrets) {
    is_ours = equal_in_constant_time(ascii::to_lower(*hash), hash_of(kind, rest, secret)) || is_ours;
  }
  if (!is_ours) return fail(ErrorKind::kDenied, "forward address");
  return kind == "SRS0" ? read_original(rest, now) : read_first_server(rest);
}

}  // namespace posthus::mail
