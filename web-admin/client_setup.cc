// What mail programs, phones and other servers ask for without a password: autoconfig, autodiscover, configuration profiles, the
// set-up page, the MTA-STS policy (RFC 8461 §3.2). Answers depend on the domain only, never on whether an account exists, and
// strangers may ask only so often.
#include "core/base/ascii.h"
#include "core/base/shared_addresses.h"
#include "core/mail/address.h"
#include "store/directory_reader.h"
#include "web-admin/api.h"
#include "web-admin/autodiscover_request.h"
#include "web-admin/client_settings.h"
#include "web-admin/domain_publication.h"
#include "web-admin/host_name.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/qr_code.h"
#include "web-admin/resources.h"
#include "web-admin/setup_page.h"

namespace posthus::web_admin {
namespace {

constexpr std::string_view kOutlookSchema = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
constexpr int kUnknownAddress = 500, kInvalidRequest = 600, kUnknownSchema = 601;

/// Handlers for everybody: limited, and never cached.
Response answer_stranger(const Call& call, Result<Response> (*handler)(const Call&)) {
  auto refusal = refusal_of_haste(call);
  return refusal ? std::move(*refusal) : answer(handler(call));
}

Response document(std::string type, std::string body) {
  return {.status = 200, .content_type = std::move(type), .body = std::move(body)};
}

/// The domain when it is ours and has mailboxes here. Errors: kNotFound, the same whatever it was.
Result<std::string> served_domain(const store::Snapshot& snapshot, std::string_view text) {
  const auto domain = our_domain(snapshot, text);
  if (domain && !domain->is_disabled && domain->kind == store::DomainKind::kMailboxes) return domain->name;
  if (!domain && domain.error().kind != ErrorKind::kNotFound && domain.error().kind != ErrorKind::kInvalid) {
    return std::unexpected(domain.error());
  }
  return fail(ErrorKind::kNotFound, "this server has no mailboxes of that domain");
}

struct Wanted {
  std::string address;  // normalised; empty: only a domain is known
  std::string domain;
};

Result<Wanted> wanted_by_address(const store::Snapshot& snapshot, std::string_view text) {
  const auto address = mail::parse_mailbox(text, mail::Utf8::kAllow);
  if (!address) return fail(ErrorKind::kNotFound, "this server has no mailboxes of that domain");
  const std::string domain = POSTHUS_TRY(served_domain(snapshot, address->domain));
  return Wanted{mail::to_string(*address), domain};
}

/// From the address in the parameter `name`, else from the Host field.
Result<Wanted> wanted_account(const Call& call, const store::Snapshot& snapshot, std::string_view name, std::string_view label) {
  if (const std::string* text = call.target.parameter(name); text && !text->empty()) return wanted_by_address(snapshot, *text);
  const auto host = host_name(call.request.host);
  if (!host) return fail(ErrorKind::kNotFound, "this server has no mailboxes of that domain");
  return Wanted{"", POSTHUS_TRY(served_domain(snapshot, domain_below(*host, label).value_or(*host)))};
}

Result<ClientSettings> client_settings(const Call& call, const store::Snapshot& snapshot, const std::string& domain) {
  ClientSettings settings{.domain = domain,
                          .hostname = mail::normalise_domain(call.context.hostname).value_or(call.context.hostname)};
  for (const dns::OfferedService& service : POSTHUS_TRY(offered_services(call.context, snapshot))) {
    if (service.port == 0) continue;
    const bool is_submission = service.label.starts_with("_submission");
    const MailProtocol protocol = is_submission                        ? MailProtocol::kSubmission
                                  : service.label.starts_with("_imap") ? MailProtocol::kImap
                                                                       : MailProtocol::kPop3;
    settings.servers.push_back({protocol, service.label.ends_with('s') ? Encryption::kTls : Encryption::kStartTls, service.port});
  }
  return settings;
}

// ---- Thunderbird ----

Result<Response> autoconfig(const Call& call) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const Wanted who = POSTHUS_TRY(wanted_account(call, *snapshot, "emailaddress", "autoconfig"));
  return document("text/xml; charset=utf-8", autoconfig_xml(POSTHUS_TRY(client_settings(call, *snapshot, who.domain))));
}

// ---- Outlook ----

Result<Response> autodiscover(const Call& call) {
  const auto refuse = [](int code, std::string_view message) {
    return document("text/xml; charset=utf-8", autodiscover_error(code, message));
  };
  const auto request = parse_autodiscover_request(call.request.body);
  if (!request) return refuse(kInvalidRequest, "Invalid Request");
  if (!request->schema.empty() && request->schema != kOutlookSchema) return refuse(kUnknownSchema, "Provider is not available");
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto who = wanted_by_address(*snapshot, request->address);
  if (!who && who.error().kind != ErrorKind::kNotFound) return std::unexpected(who.error());
  if (!who) return refuse(kUnknownAddress, "The email address can't be found.");
  return document("text/xml; charset=utf-8",
                  autodiscover_xml(POSTHUS_TRY(client_settings(call, *snapshot, who->domain)), who->address));
}

Response json_refusal(int status, std::string_view code, std::string_view message) {
  JsonWriter json;
  json.begin_object().key("ErrorCode").text(code).key("ErrorMessage").text(message).end_object();
  return json_response(status, json.take());
}

// [MS-OXDSCLI] does not have it; Outlook asks this first: where is the service of that kind?
Result<Response> autodiscover_json(const Call& call) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const std::string* const parameter = call.target.parameter("Email");
  const std::string text = !call.path.empty() ? call.path[0] : parameter ? *parameter : "";
  const auto who = wanted_by_address(*snapshot, text);
  if (!who && who.error().kind != ErrorKind::kNotFound) return std::unexpected(who.error());
  if (!who) return json_refusal(404, "UserNotFound", "The given address is not known here.");
  const std::string* const protocol = call.target.parameter("Protocol");
  if (!protocol || !ascii::equal_ignoring_case(*protocol, "AutodiscoverV1")) {
    return json_refusal(400, "InvalidProtocol", "The given protocol value is not supported here: ask for AutodiscoverV1.");
  }
  JsonWriter json;
  json.begin_object().key("Protocol").text("AutodiscoverV1");
  json.key("Url").text("https://" + call.context.hostname + "/autodiscover/autodiscover.xml").end_object();
  return json_response(200, json.take());
}

// ---- Apple and the set-up page ----

std::string profile_path(const std::string& address) { return "/setup/account.mobileconfig?address=" + percent_encode(address); }

Result<Response> profile(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"address"}));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const std::string* const text = call.target.parameter("address");
  if (!text) return fail(ErrorKind::kInvalid, "say for whom: ?address=");
  const Wanted who = POSTHUS_TRY(wanted_by_address(*snapshot, *text));
  const net::CertificateAndKey pair = POSTHUS_TRY(call.context.certificate());
  const std::string plain = apple_profile(POSTHUS_TRY(client_settings(call, *snapshot, who.domain)), who.address);
  Response response = document("application/x-apple-aspen-config", POSTHUS_TRY(sign_profile(plain, pair)));
  response.fields.emplace_back("Content-Disposition", "attachment; filename=\"" + who.domain + ".mobileconfig\"");
  return response;
}

Result<Response> setup_page(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"address"}));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const std::string* const text = call.target.parameter("address");
  SetupPage page;
  int status = 200;
  if (text && !text->empty()) {
    const auto who = wanted_by_address(*snapshot, *text);
    if (!who && who.error().kind != ErrorKind::kNotFound) return std::unexpected(who.error());
    status = who ? 200 : 404;
    page.given = *text;
    if (who) {
      page.address = who->address;
      page.settings = POSTHUS_TRY(client_settings(call, *snapshot, who->domain));
      page.profile_path = profile_path(who->address);
    }
  }
  Response response = document("text/html; charset=utf-8", setup_html(page));
  response.status = status;
  response.fields.emplace_back("Content-Security-Policy", setup_security_policy());
  return response;
}

// ---- the panel ----

std::string_view protocol_name(MailProtocol protocol) {
  switch (protocol) {
    case MailProtocol::kImap: return "imap";
    case MailProtocol::kPop3: return "pop3";
    case MailProtocol::kSubmission: return "submission";
  }
  return "";
}

void append_code(JsonWriter& json, const std::string& link) {
  const auto code = qr_code(link);
  json.key("qr");
  if (!code) {
    json.null();  // the page goes without: there is no library, or the address is very long
    return;
  }
  json.begin_object().key("size").number(static_cast<std::uint64_t>(code->size)).key("path").text(code->path).end_object();
}

Result<Response> settings_document(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"address"}));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const std::string* const text = call.target.parameter("address");
  if (!text) return fail(ErrorKind::kInvalid, "say for whom: ?address=");
  const Wanted who = POSTHUS_TRY(wanted_by_address(*snapshot, *text));
  const ClientSettings settings = POSTHUS_TRY(client_settings(call, *snapshot, who.domain));
  JsonWriter json;
  json.begin_object().key("address").text(who.address).key("hostname").text(settings.hostname);
  json.key("servers").begin_array();
  for (const ClientServer& server : settings.servers) {
    json.begin_object().key("protocol").text(protocol_name(server.protocol)).key("port").number(server.port);
    json.key("encryption").text(server.encryption == Encryption::kTls ? "tls" : "starttls").end_object();
  }
  json.end_array().key("profile").text(profile_path(who.address));
  append_code(json, "https://" + settings.hostname + profile_path(who.address));
  return json_response(200, json.end_object().take());
}

// ---- MTA-STS ----

Result<Response> policy(const Call& call) {
  const auto nothing = [] { return fail(ErrorKind::kNotFound, "there is no policy of this host"); };
  const auto host = host_name(call.request.host);
  const auto domain = host ? domain_below(*host, "mta-sts") : std::nullopt;
  if (!domain) return nothing();
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto ours = our_domain(*snapshot, *domain);
  if (!ours || ours->kind != store::DomainKind::kMailboxes) return nothing();
  std::string text = POSTHUS_TRY(sts_policy(call.context, *snapshot, ours->name));
  if (text.empty()) return nothing();
  return document("text/plain; charset=utf-8", std::move(text));
}

}  // namespace

std::optional<Response> refusal_of_haste(const Call& call) {
  RateLimiter* const limiter = call.context.strangers;
  const auto address = parse_ip_address(call.request.origin.remote_address);
  // WHY not loopback, nor what many share: everybody is behind it.
  if (!limiter || !address || is_loopback(*address) || (call.context.shared && call.context.shared->is_shared(*address)))
    return std::nullopt;
  if (limiter->try_take(to_string(client_network(*address)))) return std::nullopt;
  Response response = problem(429, "Too many questions from this address; try again in a minute.");
  response.fields.emplace_back("Retry-After", "60");
  return response;
}

Response get_autoconfig(const Call& call) { return answer_stranger(call, autoconfig); }
Response post_autodiscover(const Call& call) { return answer_stranger(call, autodiscover); }
Response get_autodiscover_json(const Call& call) { return answer_stranger(call, autodiscover_json); }
Response get_apple_profile(const Call& call) { return answer_stranger(call, profile); }
Response get_setup_page(const Call& call) { return answer_stranger(call, setup_page); }
Response get_client_settings(const Call& call) { return answer_stranger(call, settings_document); }
Response get_sts_policy(const Call& call) { return answer_stranger(call, policy); }

}  // namespace posthus::web_admin
