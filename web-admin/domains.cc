// /api/v1/domains: the mail domains this server is responsible for.
#include <algorithm>
#include <array>
#include <limits>

#include "core/base/log.h"
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "store/certificate_reader.h"
#include "store/directory_reader.h"
#include "store/key.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/ranked.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::uint64_t kMaxDomainQuota = std::numeric_limits<std::int64_t>::max();  // stays exact in every client's integers
constexpr std::uint64_t kMaxDomainRetentionDays = 36'500;

constexpr std::array<std::string_view, 3> kLanguages{"en", "de", "nb"};  // same order as mail::ReportLanguage

/// How many users a domain has: a look at the row of each login, not at each user.
Result<std::uint64_t> count_mailboxes(const store::Snapshot& snapshot, const std::string& domain) {
  const std::string prefix = store::address_prefix(domain);
  std::uint64_t count = 0;
  POSTHUS_TRY_VOID(
      snapshot.scan(store::Table::kLogins, prefix, store::end_of_prefix(prefix), [&count](std::string_view, std::string_view) {
        ++count;
        return store::Visit::kContinue;
      }));
  return count;
}

Result<> append_domain(JsonWriter& json, const store::Snapshot& snapshot, const store::DomainRecord& domain, Timestamp now) {
  json.begin_object().key("name").text(domain.name).key("display_name").text(mail::domain_to_unicode(domain.name));
  json.key("disabled").boolean(domain.is_disabled).key("default_quota_bytes").number(domain.default_quota_bytes);
  json.key("pop3_retention_days").number(domain.pop3_retention_days);
  json.key("created").text(mail::format_rfc3339(domain.created));
  json.key("kind").text(domain.kind == store::DomainKind::kRelay ? "relay" : "mailboxes");
  json.key("language").text(kLanguages[static_cast<std::size_t>(domain.language)]);
  json.key("check_recipients").boolean(domain.checks_recipients);
  json.key("mailboxes").number(POSTHUS_TRY(count_mailboxes(snapshot, domain.name)));
  json.key("alias_of");
  domain.alias_of.empty() ? json.null() : json.text(domain.alias_of);
  json.key("own_aliases").number(domain.own_aliases);
  append_limits(json, domain.limits);
  append_limits(json, domain.total_limits, LimitsOf::kDomain);
  POSTHUS_TRY_VOID(append_domain_sending(json, snapshot, domain.name, now));
  json.end_object();
  return {};
}

Result<Response> domain_response(const Call& call, int status, const store::DomainRecord& domain) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  JsonWriter json;
  POSTHUS_TRY_VOID(append_domain(json, *snapshot, domain, call.context.clock.now()));
  return json_response(status, json.take());
}

Result<std::string> domain_name(std::string_view text) {
  if (mail::is_domain_literal(text)) return fail(ErrorKind::kInvalid, "a domain literal cannot be a mail domain");
  auto name = mail::normalise_domain(text);
  if (!name) return fail(ErrorKind::kInvalid, "'" + std::string(text) + "' is not a domain name");
  return name;
}

bool has_mailboxes(const store::DomainRecord& domain) {
  return domain.kind == store::DomainKind::kMailboxes && domain.alias_of.empty();
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
  read_limits(fields, domain.total_limits, LimitsOf::kDomain);
  if (const auto value = fields.boolean("disabled")) domain.is_disabled = *value;
  if (const auto value = fields.number("own_aliases", store::kMaxOwnAliases))
    domain.own_aliases = static_cast<std::uint32_t>(*value);
  if (const auto value = fields.number("default_quota_bytes", kMaxDomainQuota)) domain.default_quota_bytes = *value;
  if (const auto value = fields.number("pop3_retention_days", kMaxDomainRetentionDays)) {
    domain.pop3_retention_days = static_cast<std::uint32_t>(*value);
  }
  return {};
}

// The verification cache must not let users of a disabled domain in, and who is in must go.
Result<> forget_users(const Call& call, std::string_view domain) {
  std::string after;
  do {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    const auto page = POSTHUS_TRY(store::DirectoryReader(*snapshot).users(domain, after, kMaxPage));
    for (const store::UserRecord& user : page.items) {
      if (call.context.authenticator) call.context.authenticator->forget(user.address);
      call.context.end_sessions(user.account);
    }
    after = page.next;
  } while (!after.empty());
  return {};
}

/// What protects the server from its domains, and says what they are, is the server admins'.
Result<> check_change(const Call& call, const store::DomainRecord& before, const store::DomainRecord& after) {
  POSTHUS_TRY_VOID(check_limits(call, before.limits, after.limits));
  POSTHUS_TRY_VOID(check_limits(call, before.total_limits, after.total_limits));
  const bool is_same =
      before.kind == after.kind && before.is_disabled == after.is_disabled && before.checks_recipients == after.checks_recipients;
  if (is_same || call.principal.reaches_all) return {};
  return fail(ErrorKind::kDenied, "Only server admins may disable a domain or change its kind.");
}

enum class DomainOrder : std::uint8_t { kName, kMailboxes, kCreated };

/// The domains of a page in that order, as JSON; the cursor of the next one.
Result<std::string> append_ranked_domains(const Call& call, const store::Snapshot& snapshot, std::string_view text,
                                          DomainOrder order, const ListRange& range, JsonWriter& json) {
  const store::DirectoryReader directory(snapshot);
  auto page = POSTHUS_TRY(ranked_page(
      range, [&](const std::string& after, std::size_t limit) { return directory.domains(after, limit); },
      [&](const store::DomainRecord& domain) -> Result<std::optional<Ranked>> {
        if (!call.principal.may_reach(domain.name) || !is_called(domain, text)) return std::nullopt;
        if (order == DomainOrder::kCreated) return Ranked{late_first(domain.created), domain.name};
        return Ranked{POSTHUS_TRY(count_mailboxes(snapshot, domain.name)), domain.name};
      }));
  for (const Ranked& one : page.items) {
    const auto domain = POSTHUS_TRY(directory.domain(one.name));
    if (domain) POSTHUS_TRY_VOID(append_domain(json, snapshot, *domain, call.context.clock.now()));
  }
  return page.next;
}

Result<Response> listed_domains(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after", "search", "sort"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto order = DomainOrder(POSTHUS_TRY(list_order(call.target, {"name", "mailboxes", "created"})));
  const std::string text = POSTHUS_TRY(search_text(call.target));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::DirectoryReader directory(*snapshot);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  const std::string next =
      order != DomainOrder::kName
          ? POSTHUS_TRY(append_ranked_domains(call, *snapshot, text, order, range, json))
          : POSTHUS_TRY(narrowed_page(
                range, [&](const std::string& after, std::size_t limit) { return directory.domains(after, limit); },
                [&](const store::DomainRecord& domain) -> Result<bool> {
                  return call.principal.may_reach(domain.name) && is_called(domain, text);
                },
                [&](const store::DomainRecord& domain) {
                  return append_domain(json, *snapshot, domain, call.context.clock.now());
                }));
  json.end_array();
  append_next(json, next);
  return json_response(200, json.end_object().take());
}

/// What an alias domain is to stand for.
Result<std::string> home_domain(const Call& call, const std::string& text) {
  const std::string name = POSTHUS_TRY(domain_name(text));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto domain = POSTHUS_TRY(store::DirectoryReader(*snapshot).domain(name));
  if (!domain) return fail(ErrorKind::kNotFound, "there is no domain " + name);
  if (has_mailboxes(*domain)) return name;
  return fail(ErrorKind::kInvalid, name + " has no mailboxes of its own: an alias stands for a domain that has");
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
  const auto name = fields.text("name"), alias_of = fields.text("alias_of");
  store::DomainRecord domain{.created = call.context.clock.now()};
  POSTHUS_TRY_VOID(read_domain_changes(fields, domain));
  POSTHUS_TRY_VOID(fields.finish());
  domain.name = POSTHUS_TRY(domain_name(*name));
  if (alias_of) domain.alias_of = POSTHUS_TRY(home_domain(call, *alias_of));
  POSTHUS_TRY_VOID(create(call, domain));
  // WHY its failure is none of the domain's: it gets its keys when the server is started next.
  const auto keys =
      add_key_pair(call.context.store, domain.name, NewKeys::kActive, call.context.make_signing_key, call.context.clock.now());
  if (!keys) log::warning("dkim.no_keys", {{"domain", domain.name}, {"context", keys.error().context}});
  return domain_response(call, 201, domain);
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
  return domain_response(call, 200, domain);
}

/// Why the store did not rename it, for people.
std::unexpected<Error> refuse_name(const Error& error, const store::DomainRecord& domain, const std::string& to) {
  if (error.kind == ErrorKind::kExists) return fail(ErrorKind::kExists, "domain " + to + " exists already");
  if (error.kind == ErrorKind::kBusy) {
    return fail(ErrorKind::kExists, "mailboxes of " + domain.name + " are still being deleted; try again soon");
  }
  if (error.kind == ErrorKind::kTooLarge) {
    return fail(ErrorKind::kTooLarge, domain.name + " has too many or too long addresses to be renamed at once");
  }
  return std::unexpected(error);
}

/// Keys are of a name. A name that has some, because it was an alias before, keeps them.
void make_keys(const Call& call, const store::DomainRecord& domain) {
  if (domain.is_without_keys) return;
  const auto snapshot = call.context.store.snapshot();
  const auto keys = snapshot ? listed_keys(**snapshot, domain.name, call.context.clock.now())
                             : Result<std::vector<store::DkimKeyRecord>>(std::unexpected(snapshot.error()));
  if (keys && !keys->empty()) return;
  const auto made =
      add_key_pair(call.context.store, domain.name, NewKeys::kActive, call.context.make_signing_key, call.context.clock.now());
  if (!made) log::warning("dkim.no_keys", {{"domain", domain.name}, {"context", made.error().context}});
}

Result<Response> renamed_domain(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("name");
  const auto text = fields.text("name");
  POSTHUS_TRY_VOID(fields.finish());
  const std::string to = POSTHUS_TRY(domain_name(*text));
  store::DomainRecord domain;
  {
    const std::lock_guard lock(call.directory);
    domain = POSTHUS_TRY(find_domain(call));
    if (!has_mailboxes(domain))
      return fail(ErrorKind::kInvalid, domain.name + " has no mailboxes: add the new name, and delete this one");
    if (domain.name == to) return fail(ErrorKind::kInvalid, "this is the domain's name already");
    const auto outcome = call.context.store.apply(store::RenameDomain{domain.name, to});
    if (!outcome) return refuse_name(outcome.error(), domain, to);
    log::info("domain.renamed", {{"from", domain.name}, {"to", to}, {"addresses", outcome->messages}});
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    auto renamed = POSTHUS_TRY(store::DirectoryReader(*snapshot).domain(to));
    if (!renamed) return fail(ErrorKind::kNotFound, "there is no domain " + to);
    domain = *std::move(renamed);
  }
  // WHY after the lock: an RSA key takes a tenth of a second; and its failure is none of the renaming's.
  make_keys(call, domain);
  return domain_response(call, 200, domain);
}

Result<bool> has_ordered_names(const Call& call, const std::string& domain) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  return !POSTHUS_TRY(store::CertificateReader(*snapshot).ordered_names_of(domain)).empty();
}

Result<Response> removed_domain(const Call& call) {
  const std::lock_guard lock(call.directory);
  const store::DomainRecord domain = POSTHUS_TRY(find_domain(call));
  const bool has_orders = POSTHUS_TRY(has_ordered_names(call, domain.name));
  auto outcome = call.context.store.apply(store::RemoveDomain{domain.name});
  if (!outcome && outcome.error().kind == ErrorKind::kExists) {
    return fail(ErrorKind::kExists, "domain " + domain.name + " still has users, aliases, groups or alias domains");
  }
  if (!outcome) return std::unexpected(std::move(outcome).error());
  if (has_orders) call.context.certificates_changed();
  return no_content();
}

}  // namespace

Result<> check_home(const Call& call, std::string_view address) {
  const std::string name(address.substr(address.rfind('@') + 1));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto domain = POSTHUS_TRY(store::DirectoryReader(*snapshot).domain(name));
  if (!domain || domain->alias_of.empty()) return {};
  return fail(ErrorKind::kInvalid, name + " is another name of " + domain->alias_of + ": make the address there");
}

Response list_domains(const Call& call) { return answer(listed_domains(call)); }
Response add_domain(const Call& call) { return answer(added_domain(call)); }
Response change_domain(const Call& call) { return answer(changed_domain(call)); }
Response rename_domain(const Call& call) { return answer(renamed_domain(call)); }
Response remove_domain(const Call& call) { return answer(removed_domain(call)); }
Response get_domain(const Call& call) {
  const auto domain = find_domain(call);
  return answer(domain ? domain_response(call, 200, *domain) : std::unexpected(domain.error()));
}

}  // namespace posthus::web_admin
