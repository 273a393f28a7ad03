// JSON of CAs by nlohmann/json. RFC 8555 §7.1, RFC 9773 §4.2.
#include "core/acme/answers.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/ascii.h"
#include "core/mail/date_time.h"

namespace posthus::acme {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kLongestRetryAfter = 7 * 86'400;
constexpr std::size_t kLeastToken = 22, kMostToken = 256;  // RFC 8555 §8.3: 128 bits in base64url at least
constexpr std::string_view kErrorPrefix = "urn:ietf:params:acme:error:";

Result<Json> parse_object(std::string_view text, std::string_view what) {
  Json json = text.size() <= kMaxAnswer ? Json::parse(text, nullptr, false) : Json();
  if (!json.is_object()) return fail(ErrorKind::kInvalid, "the CA's " + std::string(what) + " is no JSON object");
  return json;
}

std::string text_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_url(std::string_view text) {
  return text.size() <= kMaxUrl && text.starts_with("https://") &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '\\'; });
}

std::string url_at(const Json& json, const char* name) {
  std::string url = text_at(json, name);
  return is_url(url) ? url : std::string();
}

bool is_base64url(char c) { return ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '_'; }
bool is_token(std::string_view text) {
  return text.size() >= kLeastToken && text.size() <= kMostToken && std::ranges::all_of(text, is_base64url);
}

/// Printable ASCII of at most kMaxDetail bytes: it goes into logs, the store and answers to people.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxDetail));
  std::ranges::replace_if(out, [](char c) { return c < 0x20 || c > 0x7E; }, '?');
  return out;
}

Problem problem_of(const Json& json) {
  Problem problem;
  if (!json.is_object()) return problem;
  const std::string type = text_at(json, "type");
  if (type.starts_with(kErrorPrefix)) problem.type = printable(std::string_view(type).substr(kErrorPrefix.size()));
  problem.detail = printable(text_at(json, "detail"));
  // RFC 8555 §6.7.1: the sub-problem says what the problem only sums up.
  const auto parts = json.find("subproblems");
  if (parts == json.end() || !parts->is_array() || parts->empty() || !parts->front().is_object()) return problem;
  const std::string detail = printable(text_at(parts->front(), "detail"));
  if (!detail.empty() && problem.detail.find(detail) == std::string::npos) problem.detail += " (" + detail + ")";
  return problem;
}

std::optional<Problem> error_at(const Json& json) {
  const auto found = json.find("error");
  if (found == json.end() || !found->is_object()) return std::nullopt;
  return problem_of(*found);
}

Status status_at(const Json& json) {
  constexpr std::pair<std::string_view, Status> kNames[] = {{"pending", Status::kPending},
                                                            {"ready", Status::kReady},
                                                            {"processing", Status::kProcessing},
                                                            {"valid", Status::kValid},
                                                            {"invalid", Status::kInvalid}};
  const std::string text = text_at(json, "status");
  for (const auto& [name, status] : kNames) {
    if (name == text) return status;
  }
  return Status::kOther;
}

std::string_view advice(std::string_view type) {
  if (type == "rateLimited") return "The CA limits how many certificates it gives; it is tried again later.";
  if (type == "connection") return "The CA must reach this server: port 80 for http-01, 443 for tls-alpn-01, from everywhere.";
  if (type == "dns") return "The name needs A or AAAA records that lead to this server.";
  if (type == "unauthorized") return "The name must lead to this server and to no other, over IPv4 and over IPv6.";
  if (type == "caa") return "A CAA record of the domain forbids this CA; add the CA there or take another.";
  if (type == "rejectedIdentifier" || type == "unsupportedIdentifier") return "This CA gives no certificates for this name.";
  if (type == "externalAccountRequired") return "Set acme.eab_key_id and acme.eab_key to what the CA gave you.";
  if (type == "invalidContact" || type == "unsupportedContact") return "Set acme.contact to an address where mail arrives.";
  if (type == "userActionRequired") return "Read what the CA asks for, then order again.";
  if (type == "serverInternal") return "The CA has trouble of its own; it is tried again later.";
  return "";
}

}  // namespace

Result<Directory> parse_directory(std::string_view text) {
  const Json json = POSTHUS_TRY(parse_object(text, "directory"));
  Directory directory{.new_nonce = url_at(json, "newNonce"),
                      .new_account = url_at(json, "newAccount"),
                      .new_order = url_at(json, "newOrder"),
                      .renewal_info = url_at(json, "renewalInfo")};
  if (directory.new_nonce.empty() || directory.new_account.empty() || directory.new_order.empty()) {
    return fail(ErrorKind::kInvalid, "this is no ACME directory: check acme.directory");
  }
  const auto meta = json.find("meta");
  if (meta == json.end() || !meta->is_object()) return directory;
  directory.terms = printable(text_at(*meta, "termsOfService"));
  const auto required = meta->find("externalAccountRequired");
  directory.needs_external_account = required != meta->end() && required->is_boolean() && required->get<bool>();
  return directory;
}

Problem parse_problem(std::string_view text) {
  return text.size() <= kMaxAnswer ? problem_of(Json::parse(text, nullptr, false)) : Problem{};
}

Result<Order> parse_order(std::string_view text) {
  const Json json = POSTHUS_TRY(parse_object(text, "order"));
  Order order{.status = status_at(json),
              .authorizations = {},
              .finalize = url_at(json, "finalize"),
              .certificate = url_at(json, "certificate"),
              .error = error_at(json)};
  const auto list = json.find("authorizations");
  const bool is_list = list != json.end() && list->is_array() && list->size() <= kMaxAuthorizations;
  if (order.status == Status::kOther || order.finalize.empty() || !is_list) {
    return fail(ErrorKind::kInvalid, "the CA's order is not as RFC 8555 has it");
  }
  for (const Json& item : *list) {
    if (!item.is_string() || !is_url(item.get_ref<const std::string&>())) {
      return fail(ErrorKind::kInvalid, "the CA's order names an authorization without https URL");
    }
    order.authorizations.push_back(item.get<std::string>());
  }
  return order;
}

Result<Authorization> parse_authorization(std::string_view text) {
  const Json json = POSTHUS_TRY(parse_object(text, "authorization"));
  Authorization authorization{.status = status_at(json), .hostname = {}, .challenges = {}};
  const auto identifier = json.find("identifier");
  if (identifier != json.end() && identifier->is_object() && text_at(*identifier, "type") == "dns") {
    authorization.hostname = ascii::to_lower(text_at(*identifier, "value"));
  }
  const auto list = json.find("challenges");
  if (authorization.hostname.empty() || list == json.end() || !list->is_array()) {
    return fail(ErrorKind::kInvalid, "the CA's authorization is not as RFC 8555 has it");
  }
  for (const Json& item : *list) {
    if (!item.is_object()) continue;
    Challenge challenge{.type = text_at(item, "type"),
                        .url = url_at(item, "url"),
                        .token = text_at(item, "token"),
                        .status = status_at(item),
                        .error = error_at(item)};
    if (!challenge.url.empty() && is_token(challenge.token)) authorization.challenges.push_back(std::move(challenge));
  }
  return authorization;
}

Result<RenewalInfo> parse_renewal_info(std::string_view text) {
  const Json json = POSTHUS_TRY(parse_object(text, "renewal information"));
  const auto window = json.find("suggestedWindow");
  const bool has_window = window != json.end() && window->is_object();
  const auto start = has_window ? mail::parse_rfc3339(text_at(*window, "start")) : std::nullopt;
  const auto end = has_window ? mail::parse_rfc3339(text_at(*window, "end")) : std::nullopt;
  if (!start || !end || *end <= *start) return fail(ErrorKind::kInvalid, "the CA's renewal information has no window");
  return RenewalInfo{.start = *start, .end = *end, .explanation_url = url_at(json, "explanationURL")};
}

// Retry-After = HTTP-date / delay-seconds
std::optional<std::int64_t> parse_retry_after(std::string_view value, Timestamp now) {
  value = ascii::trim(value);
  std::optional<std::int64_t> seconds;
  if (const auto number = ascii::parse_decimal<std::uint64_t>(value)) {
    seconds = static_cast<std::int64_t>(std::min<std::uint64_t>(*number, kLongestRetryAfter));
  } else if (const auto date = mail::parse_rfc5322_date(value)) {
    seconds = date->time.seconds() - now.seconds();
  }
  if (!seconds) return std::nullopt;
  return std::clamp<std::int64_t>(*seconds, 0, kLongestRetryAfter);
}

std::string explain(const Problem& problem, std::string_view hostname) {
  std::string out = "the CA refused " + std::string(hostname);
  if (!problem.type.empty()) out += " (" + problem.type + ")";
  if (!problem.detail.empty()) out += ": " + problem.detail;
  const std::string_view what_to_do = advice(problem.type);
  if (!what_to_do.empty()) out.append(out.ends_with('.') ? " " : ". ").append(what_to_do);
  return out;
}

}  // namespace posthus::acme
