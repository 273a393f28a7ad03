// Paging. Cursors are base64url of the store's own, so that clients treat them as opaque.
#include "web-admin/lists.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/mail/address.h"
#include "web-admin/api.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

std::optional<std::string> decode_cursor(std::string text) {
  for (char& c : text) {
    if (c == '-')
      c = '+';
    else if (c == '_')
      c = '/';
  }
  text.append((4 - text.size() % 4) % 4, '=');
  return base64_decode(text);
}

}  // namespace

Result<> check_parameters(const Target& target, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : target.parameters) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return fail(ErrorKind::kInvalid, "parameter '" + name + "' is not known here");
    }
  }
  return {};
}

Result<ListRange> list_range(const Target& target) {
  ListRange range;
  if (const std::string* limit = target.parameter("limit")) {
    const auto number = ascii::parse_decimal<std::uint32_t>(*limit);
    if (!number || *number == 0 || *number > kMaxPage) {
      return fail(ErrorKind::kInvalid, "parameter 'limit' must be a number from 1 to " + std::to_string(kMaxPage));
    }
    range.limit = *number;
  }
  if (const std::string* after = target.parameter("after")) {
    auto cursor = decode_cursor(*after);
    if (!cursor) return fail(ErrorKind::kInvalid, "parameter 'after' is not what a list gave as 'next'");
    range.after = std::move(*cursor);
  }
  return range;
}

Result<std::string> search_text(const Target& target) {
  const std::string* const text = target.parameter("search");
  if (!text) return std::string();
  if (text->size() > kMaxSearchText) {
    return fail(ErrorKind::kInvalid, "parameter 'search' has more than " + std::to_string(kMaxSearchText) + " bytes");
  }
  return ascii::to_lower(*text);
}

Result<std::string> listed_domain(const Call& call) {
  if (const std::string* wanted = call.target.parameter("domain")) {
    std::string domain = POSTHUS_TRY(mail::normalise_domain(*wanted));
    if (!call.principal.may_reach(domain)) return fail(ErrorKind::kDenied, std::string(kOutOfReach));
    return domain;
  }
  const bool has_one = call.principal.domains.size() == 1 && !call.principal.reaches_all;
  return has_one ? call.principal.domains.front() : std::string();
}

void append_next(JsonWriter& json, std::string_view cursor) {
  json.key("next");
  if (cursor.empty()) {
    json.null();
  } else {
    json.text(base64url_encode(cursor));
  }
}

}  // namespace posthus::web_admin
