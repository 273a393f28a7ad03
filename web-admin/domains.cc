// /api/v1/domains: the mail domains this server is responsible for.
#include <algorithm>
#include <array>
#include <limits>

#include "core/base/log.h"
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "store/certificate_reader.h"
#include "store/directory_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::uint64_t kMaxDomainQuota = std::numeric_limits<std::int64_t>::max();  // stays exact in every client's integers
constexpr std::uint64_t kMaxDomainRetentionDays = 36'500;

constexpr std::array<std::string_view, 3> kLanguages{"en", "de", "nb"};  // same order as mail::ReportLanguage

void append_domain(JsonWriter& json, const store::DomainRecord& domain) {
  json.begin_object().key("name").text(domain.name).key("display_name").text(mail::domain_to_unicode(domain.name));
  json.key("disabled").boolean(domain.is_disabled).key("default_quota_bytes").number(domain.default_quota_bytes);
  json.key("pop3_retention_days").number(domain.pop3_retention_days);
  json.key("created").text(mail::format_rfc3339(domain.created));
  json.key("kind").text(domain.kind == store::DomainKind::kRelay ? "relay" : "mailboxes");
  json.key("language").text(kLanguages[static_cast<std::size_t>(domain.language)]);
  json.key("check_recipients").boolean(domain.checks_recipients);
  append_limits(json, domain.limits);
  json.end_object();
}

Response domain_response(int status, const store::DomainRecord& domain) {
  JsonWriter json;
  append_domain(json, domain);
  return json_response(status, json.take());
}

Result<std::string> domain_name(std::string_view text) {
  if (mail::is_domain_literal(text)) return fail(ErrorKind::kInvalid, "a domain literal cannot be a mail domain");
  auto name = mail::normalise_domain(text);
  if (!name) return fail(ErrorKind::kInvalid, "'" + std::string(text) + "' is not a domain name");
  return name;
}

Result<store::DomainRecord> find_domain(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const std::string name = POSTHUS_TRY(domain_name(call.path[0]));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  auto domain = POSTHUS_TRY(store::DirectoryReader(*snapshot).domain(name));
  if (!domain) return fail(ErrorKind::kNotFound, "there is no domain " + name);
  return std::move(*domain);
}

Result<> read_kind(JsonFields& fields, store::DomainRecord& domain) {
  const auto kind = fields.text("kind");
  if (!kind) return {};
  if (*kind != "mailboxes" && *kind != "relay") {
    return fail(ErrorKind::kInvalid, "field 'kind' must be \"mailboxes\" or \"relay\"");
  }
  domain.kind = *kind == "relay" ? store::DomainKind::kRelay : store::DomainKind::kMailboxes;
  return {};
}

/// Is `text` (lower case) a part of its name, as the DNS or as people write it?
bool is_called(const store::DomainRecord& domain, std::string_view text) {
  return text.empty() || domain.name.find(text) != std::string::npos ||
         mail::domain_to_unicode(domain.name).find(text) != std::string::npos;
}

Result<> read_language(JsonFields& fields, store::DomainRecord& domain) {
  const auto language = fields.text("language");
  if (!language) return {};
  const auto found = std::ranges::find(kLanguages, *language);
  if (found == kLanguages.end()) return fail(ErrorKind::kInvalid, "field 'language' must be \"en\", \"de\" or \"nb\"");
  domain.language = static_cast<mail::ReportLanguage>(found - kLanguages.begin());
  return {};
}

Result<> read_domain_changes(JsonFields& fields, store::DomainRecord& domain) {
  POSTHUS_TRY_VOID(read_kind(fields, domain));
  POSTHUS_TRY_VOID(read_language(fields, domain));
  const auto checks = fields.boolean("check_recipients");
  domain.checks_recipients = checks.value_or(domain.checks_recipients && domain.kind == store::DomainKind::kRelay);
  if (domain.checks_recipients && domain.kind != store::DomainKind::kRelay) {
    return fail(ErrorKind::kInvalid, "field 'check_recipients' is of relay domains only");
  }
  read_limits(fields, domain.limits);
  if (const auto value = fields.boolean("disabled")) domain.is_disabled = *value;
  if (const auto value = fields.number("default_quota_bytes", kMaxDomainQuota)) domain.default_quota_bytes = *value;
  if (const auto value = fields.number("pop3_retention_days", kMaxDomainRetentionDays)) {
    domain.pop3_retention_days = static_cast<std::uint32_t>(*value);
  }
  return {};
}

// The verification cache must not let users of a disabled domain in.
Result<> forget_users(const Call& call, std::string_view domain) {
  if (!call.context.authenticator) return {};
  std::string after;
  do {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    const auto page = POSTHUS_TRY(store::DirectoryReader(*snapshot).users(domain, after, kMaxPage));
    for (const store::UserRecord& user : page.items) call.context.authenticator->forget(user.address);
    after = page.next;
  } while (!after.empty());
  return {};
}

/// What protects the server from its domains, and says what they are, is the server admins'.
Result<> check_change(const Call& call, const store::DomainRecord& before, const store::DomainRecord& after) {
  POSTHUS_TRY_VOID(check_limits(call, before.limits, after.limits));
  const bool is_same =
      before.kind == after.kind && before.is_disabled == after.is_disabled && before.checks_recipients == after.checks_recipients;
  if (is_same || call.principal.reaches_all) return {};
  return fail(ErrorKind::kDenied, "Only server admins may disable a domain or change its kind.");
}

Result<Response> listed_domains(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after", "search"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const std::string text = POSTHUS_TRY(search_text(call.target));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::DirectoryReader directory(*snapshot);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  const std::string next = POSTHUS_TRY(narrowed_page(
      range, [&](const std::string& after, std::size_t limit) { return directory.domains(after, limit); },
      [&](const store::DomainRecord& domain) -> Result<bool> {
        return call.principal.may_reach(domain.name) && is_called(domain, text);
      },
      [&](const store::DomainRecord& domain) -> Result<> {
        append_domain(json, domain);
        return {};
      }));
  json.end_array();
  append_next(json, next);
  return json_response(200, json.end_object().take());
}

Result<> create(const Call& call, const store::DomainRecord& domain) {
  const std::lock_guard lock(call.directory);
  const auto outcome = call.context.store.apply(store::PutDomain{domain, store::PutRule::kCreate});
  if (outcome) return {};
  if (outcome.error().kind != ErrorKind::kExists) return std::unexpected(outcome.error());
  return fail(ErrorKind::kExists, "domain " + domain.name + " exists already");
}

Result<Response> added_domain(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("name");
  const auto name = fields.text("name");
  store::DomainRecord domain{.created = call.context.clock.now()};
  POSTHUS_TRY_VOID(read_domain_changes(fields, domain));
  POSTHUS_TRY_VOID(fields.finish());
  domain.name = POSTHUS_TRY(domain_name(*name));
  POSTHUS_TRY_VOID(create(call, domain));
  // WHY its failure is none of the domain's: it gets its keys when the server is started next.
  const auto keys =
      add_key_pair(call.context.store, domain.name, NewKeys::kActive, call.context.make_signing_key, call.context.clock.now());
  if (!keys) log::warning("dkim.no_keys", {{"domain", domain.name}, {"context", keys.error().context}});
  return domain_response(201, domain);
}

Result<Response> changed_domain(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  const std::lock_guard lock(call.directory);
  const store::DomainRecord before = POSTHUS_TRY(find_domain(call));
  store::DomainRecord domain = before;
  POSTHUS_TRY_VOID(read_domain_changes(fields, domain));
  POSTHUS_TRY_VOID(fields.finish());
  POSTHUS_TRY_VOID(check_change(call, before, domain));
  POSTHUS_TRY(call.context.store.apply(store::PutDomain{domain, store::PutRule::kReplace}));
  if (domain.is_disabled) POSTHUS_TRY_VOID(forget_users(call, domain.name));
  return domain_response(200, domain);
}

// What was ordered for names that clients derive from a domain (core/main/domain_certificates.h) is not ordered or renewed for
// ever. What somebody has uploaded stays.
Result<> withdraw_certificates(const Call& call, const std::string& domain) {
  bool is_changed = false;
  for (const char* label : {"autoconfig.", "autodiscover.", "mta-sts."}) {
    const std::string name = label + domain;
    if (!store::normalise_certificate_name(name)) continue;  // too long: nothing was ordered
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    const auto record = POSTHUS_TRY(store::CertificateReader(*snapshot).certificate(name));
    if (!record || record->source != store::CertificateSource::kAcme) continue;
    const auto removed = call.context.store.apply(store::RemoveCertificate{name});
    if (!removed && removed.error().kind != ErrorKind::kNotFound) return std::unexpected(removed.error());
    is_changed = true;
  }
  if (is_changed) call.context.certificates_changed();
  return {};
}

Result<Response> removed_domain(const Call& call) {
  const std::lock_guard lock(call.directory);
  const store::DomainRecord domain = POSTHUS_TRY(find_domain(call));
  auto outcome = call.context.store.apply(store::RemoveDomain{domain.name});
  if (!outcome && outcome.error().kind == ErrorKind::kExists) {
    return fail(ErrorKind::kExists, "domain " + domain.name + " still has users, aliases or groups");
  }
  if (!outcome) return std::unexpected(std::move(outcome).error());
  POSTHUS_TRY_VOID(withdraw_certificates(call, domain.name));
  return no_content();
}

}  // namespace

Response list_domains(const Call& call) { return answer(listed_domains(call)); }
Response add_domain(const Call& call) { return answer(added_domain(call)); }
Response change_domain(const Call& call) { return answer(changed_domain(call)); }
Response remove_domain(const Call& call) { return answer(removed_domain(call)); }
Response get_domain(const Call& call) {
  const auto domain = find_domain(call);
  return domain ? domain_response(200, *domain) : answer(std::unexpected(domain.error()));
}

}  // namespace posthus::web_admin
