// Routes, DKIM keys and run-time settings.
#include <algorithm>

#include "core/base/ascii.h"
#include "core/mail/address.h"
#include "store/apply_kinds.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/queue_rows.h"
#include "store/record_directory.h"
#include "store/record_queue.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

constexpr std::size_t kMaxHops = 16;             // hosts of one route; nobody has more smarthosts
constexpr std::size_t kMaxHost = 255;            // RFC 1035 §2.3.4
constexpr std::size_t kMaxCredential = 500;      // login or password of a route; SASL PLAIN servers take 255
constexpr std::size_t kMaxSelector = 63;         // RFC 6376 §3.1: one label or a few
constexpr std::size_t kMaxKeyBytes = 8 * 1024;   // RSA of 4096 bits is 2.4 KiB in PKCS #8
constexpr std::ptrdiff_t kMaxKeysOfDomain = 32;  // two algorithms, rotated; erased together in one request
constexpr std::size_t kMaxSettingName = 100;
constexpr std::size_t kMaxSettingValue = 64 * 1024;
constexpr std::string_view kSenderPrefix = "from:";

bool is_host(std::string_view host) {
  const auto is_allowed = [](char c) {
    return ascii::is_alpha(c) || ascii::is_digit(c) || c == '.' || c == '-' || c == ':' || c == '_';
  };
  return !host.empty() && host.size() <= kMaxHost && std::ranges::all_of(host, is_allowed);
}

// selector = sub-domain *( "." sub-domain ), RFC 6376 §3.1
bool is_selector(std::string_view selector) {
  const auto is_allowed = [](char c) { return ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '_' || c == '.'; };
  return !selector.empty() && selector.size() <= kMaxSelector && std::ranges::all_of(selector, is_allowed) &&
         selector.front() != '.' && selector.back() != '.' && selector.find("..") == std::string_view::npos;
}

Result<> check_route(const RouteRecord& route) {
  if (route.hops.empty()) return fail(ErrorKind::kInvalid, "route without host");
  if (route.hops.size() > kMaxHops)
    return fail(ErrorKind::kTooLarge, "route with more than " + std::to_string(kMaxHops) + " hosts");
  if (route.login.size() > kMaxCredential || route.password.size() > kMaxCredential) {
    return fail(ErrorKind::kTooLarge, "credentials of a route");
  }
  if (route.login.empty() != route.password.empty()) return fail(ErrorKind::kInvalid, "login and password go together");
  for (const RouteRecord::Hop& hop : route.hops) {
    if (!is_host(hop.host) || hop.port == 0) return fail(ErrorKind::kInvalid, "host or port of a route");
    if (hop.tls == RouteRecord::Tls::kNever && !route.login.empty()) return fail(ErrorKind::kInvalid, "a password without TLS");
  }
  return {};
}

}  // namespace

Result<std::string> normalise_route_name(std::string_view name) {
  if (name == "*" || mail::is_domain_literal(name)) return std::string(name);
  const bool is_sender = name.starts_with(kSenderPrefix);
  const std::string domain = POSTHUS_TRY(mail::normalise_domain(is_sender ? name.substr(kSenderPrefix.size()) : name));
  return is_sender ? std::string(kSenderPrefix) + domain : domain;
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutRoute& request) {
  RouteRecord route = request.route;
  route.name = POSTHUS_TRY(normalise_route_name(route.name));
  POSTHUS_TRY_VOID(check_route(route));
  if (const auto before = POSTHUS_TRY(QueueReader(context.transaction).route(route.name))) route.created = before->created;
  if (route.created == Timestamp{}) route.created = context.now;
  POSTHUS_TRY_VOID(replace_long_value(context.transaction, Table::kRoutes, route_key(route.name), encode_route_record(route)));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveRoute& request) {
  const std::string name = POSTHUS_TRY(normalise_route_name(request.name));
  if (!POSTHUS_TRY(QueueReader(context.transaction).route(name))) return fail(ErrorKind::kNotFound, "route " + name);
  POSTHUS_TRY_VOID(erase_long_value(context.transaction, Table::kRoutes, route_key(name)));
  return WriteOutcome{};
}

namespace {

enum class HasKeys : bool { kNo, kYes };

/// A domain whose last key went is not given new ones by itself; one whose keys were never made is.
Result<> note_keys(ApplyContext& context, DomainRecord domain, HasKeys has_keys) {
  const bool is_without_keys = has_keys == HasKeys::kNo;
  if (domain.is_without_keys == is_without_keys) return {};
  domain.is_without_keys = is_without_keys;
  return context.transaction.put(Table::kDomains, domain_key(domain.name), encode_domain_record(domain));
}

}  // namespace

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutDkimKey& request) {
  DkimKeyRecord key = request.key;
  key.domain = POSTHUS_TRY(mail::normalise_domain(key.domain));
  key.selector = ascii::to_lower(key.selector);
  if (!is_selector(key.selector)) return fail(ErrorKind::kInvalid, "selector");
  if (key.private_key.empty() || key.public_key.empty()) return fail(ErrorKind::kInvalid, "DKIM key without key");
  if (key.private_key.size() + key.public_key.size() > kMaxKeyBytes) return fail(ErrorKind::kTooLarge, "DKIM key");
  auto domain = POSTHUS_TRY(get_domain(context.transaction, key.domain));
  if (!domain) return fail(ErrorKind::kNotFound, key.domain);
  const auto others = POSTHUS_TRY(QueueReader(context.transaction).dkim_keys(key.domain));
  const auto is_other = [&key](const DkimKeyRecord& other) { return other.selector != key.selector; };
  if (std::ranges::count_if(others, is_other) >= kMaxKeysOfDomain) {
    return fail(ErrorKind::kTooLarge, key.domain + " has " + std::to_string(kMaxKeysOfDomain) + " DKIM keys");
  }
  if (key.created == Timestamp{}) key.created = context.now;
  POSTHUS_TRY_VOID(replace_long_value(context.transaction, Table::kDkimKeys, dkim_key_key(key.domain, key.selector),
                                      encode_dkim_key_record(key)));
  POSTHUS_TRY_VOID(note_keys(context, *std::move(domain), HasKeys::kYes));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const RemoveDkimKey& request) {
  const std::string domain = POSTHUS_TRY(mail::normalise_domain(request.domain));
  const std::string selector = ascii::to_lower(request.selector);
  const std::string base = is_selector(selector) ? dkim_key_key(domain, selector) : std::string();
  if (base.empty() || !POSTHUS_TRY(has_prefix(context.transaction, Table::kDkimKeys, base))) {
    return fail(ErrorKind::kNotFound, "DKIM key of " + domain);
  }
  POSTHUS_TRY_VOID(erase_long_value(context.transaction, Table::kDkimKeys, base));
  auto record = POSTHUS_TRY(get_domain(context.transaction, domain));
  const bool has_others = POSTHUS_TRY(has_prefix(context.transaction, Table::kDkimKeys, dkim_key_prefix(domain)));
  if (record && !has_others) POSTHUS_TRY_VOID(note_keys(context, *std::move(record), HasKeys::kNo));
  return WriteOutcome{};
}

Result<WriteOutcome> apply_kind(ApplyContext& context, const PutSetting& request) {
  if (request.name.empty() || request.name.size() > kMaxSettingName) return fail(ErrorKind::kInvalid, "name of a setting");
  if (request.value.size() > kMaxSettingValue) return fail(ErrorKind::kTooLarge, "setting " + request.name);
  const std::string base = setting_key(request.name);
  if (request.value.empty()) {
    POSTHUS_TRY_VOID(erase_long_value(context.transaction, Table::kSettings, base));
  } else {
    POSTHUS_TRY_VOID(replace_long_value(context.transaction, Table::kSettings, base, request.value));
  }
  return WriteOutcome{};
}

}  // namespace posthus::store
