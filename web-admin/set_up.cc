// /api/v1/setup: setting up a new server step by step: admin, hostname, first domain, way out, certificate, DNS, first mailbox,
// end. Each step can be done alone and again, is tried against the world where there is something to try, and is durable when it
// answers. What a step makes it makes through the route that everybody uses for it: same checks, same answers.
#include <chrono>

#include "core/base/ip_address.h"
#include "core/dns/answers.h"
#include "core/mail/address.h"
#include "store/certificate_reader.h"
#include "store/directory_reader.h"
#include "store/queue_reader.h"
#include "web-admin/api.h"
#include "web-admin/first_start.h"
#include "web-admin/lists.h"
#include "web-admin/outside.h"
#include "web-admin/problem.h"
#include "web-admin/resources.h"
#include "web-admin/set_up_parts.h"

namespace posthus::web_admin {
namespace {

namespace keys = first_start_keys;

constexpr std::chrono::seconds kLookUp{8};  // for the addresses of our name: a person waits

/// Refuses steps of a server that is set up; notes that a set-up has begun, so that what it makes does not count as its end.
Result<> begin_step(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  POSTHUS_TRY_VOID(check_open(call));
  return put_note(call, keys::kState, "open");
}

/// A fresh domain of mailboxes, unless it is there. Nothing, or the refusal.
Result<std::optional<Response>> make_domain(const Call& call, const std::string& name) {
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    if (POSTHUS_TRY(store::DirectoryReader(*snapshot).domain(name))) return std::nullopt;
  }
  Response made = relay(call, "POST", "/api/v1/domains", JsonWriter().begin_object().key("name").text(name).end_object().take());
  if (made.status == 201) return std::nullopt;
  return made;
}

/// A user with this password; who is there already gets it. `role`: empty: as it is.
Result<Response> make_user(const Call& call, const std::string& address, const std::string& password, std::string_view role) {
  const std::string target = "/api/v1/users/" + percent_encode(address);
  bool exists = false;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    exists = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(address)).has_value();
  }
  JsonWriter json;
  json.begin_object();
  if (!exists) json.key("address").text(address).key("password").text(password);
  if (!role.empty()) json.key("role").text(role);
  const std::string body = json.end_object().take();
  if (!exists) return relay(call, "POST", "/api/v1/users", body);
  Response changed =
      relay(call, "PUT", target + "/password", JsonWriter().begin_object().key("password").text(password).end_object().take());
  if (changed.status != 204) return changed;
  return relay(call, role.empty() ? "GET" : "PATCH", target, role.empty() ? "" : body);
}

struct Account {
  mail::Address address;
  std::string text, password;
};
Result<Account> read_account(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("address");
  fields.require("password");
  const auto address = fields.text("address");
  Account account{.password = fields.text("password").value_or("")};
  POSTHUS_TRY_VOID(fields.finish());
  auto parsed = mail::parse_mailbox(*address, mail::Utf8::kAllow);
  if (!parsed || mail::is_domain_literal(parsed->domain))
    return fail(ErrorKind::kInvalid, "field 'address' must be a mail address like admin@example.org");
  account.address = *std::move(parsed);
  account.text = mail::to_string(account.address);
  return account;
}

/// Takes away a domain that an earlier try of a step made, if nobody lives there.
void drop_domain(const Call& call, const std::string& name) {
  if (!name.empty()) relay(call, "DELETE", "/api/v1/domains/" + percent_encode(name), "");
}

// The account comes with its domain: an address without one cannot be. Whoever corrects the address leaves nothing behind.
Result<Response> put_admin(const Call& call) {
  const Account account = POSTHUS_TRY(read_account(call));
  POSTHUS_TRY_VOID(begin_step(call));
  const std::string before = POSTHUS_TRY(note(call, keys::kAdmin)), made = POSTHUS_TRY(note(call, keys::kAdminDomain));
  const std::string& domain = account.address.domain;
  bool is_there = false;
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    is_there = POSTHUS_TRY(store::DirectoryReader(*snapshot).domain(domain)).has_value();
  }
  if (auto refused = POSTHUS_TRY(make_domain(call, domain))) return *std::move(refused);
  if (!is_there) POSTHUS_TRY_VOID(put_note(call, keys::kAdminDomain, domain));
  const Response user = POSTHUS_TRY(make_user(call, account.text, account.password, "server_admin"));
  if (user.status >= 300) return user;
  POSTHUS_TRY_VOID(put_note(call, keys::kAdmin, account.text));
  // The second factor goes with its account.
  if (before != account.text) POSTHUS_TRY_VOID(put_note(call, keys::kFactor, ""));
  if (!before.empty() && before != account.text) relay(call, "DELETE", "/api/v1/users/" + percent_encode(before), "");
  if (made != domain && made != POSTHUS_TRY(note(call, keys::kDomain))) drop_domain(call, made);
  return set_up_state(call);
}

Result<Response> put_domain(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("name");
  const auto given = fields.text("name");
  POSTHUS_TRY_VOID(fields.finish());
  const auto name = mail::normalise_domain(*given);
  if (!name || mail::is_domain_literal(*name))
    return fail(ErrorKind::kInvalid, "'" + given->substr(0, 300) + "' is not a domain name");
  POSTHUS_TRY_VOID(begin_step(call));
  const std::string before = POSTHUS_TRY(note(call, keys::kDomain));
  if (auto refused = POSTHUS_TRY(make_domain(call, *name))) return *std::move(refused);
  POSTHUS_TRY_VOID(put_note(call, keys::kDomain, *name));
  if (before != *name && before != POSTHUS_TRY(note(call, keys::kAdminDomain))) drop_domain(call, before);
  return set_up_state(call);
}

Response put_setting_value(const Call& call, const std::string& name, const std::string& value) {
  return relay(call, "PUT", "/api/v1/settings/" + name, JsonWriter().begin_object().key("value").text(value).end_object().take());
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out.append(out.empty() ? "" : ",").append(text);
  return out;
}

/// The addresses of `name` in the DNS; nothing without an answer.
std::optional<std::vector<std::string>> addresses_of(const Call& call, const std::string& name) {
  Outside* const outside = call.context.outside;
  if (!outside || !outside->make_resolver) return std::nullopt;
  const auto resolver = outside->make_resolver();
  dns::Answers answers;
  std::vector<std::string> found;
  bool is_known = false;
  dns::ask_until_complete(*resolver, answers, std::chrono::steady_clock::now() + kLookUp, outside->stop.get_token(),
                          [&](dns::Answers& known) {
                            found.clear();
                            for (const dns::RecordType type : {dns::RecordType::kA, dns::RecordType::kAaaa}) {
                              const dns::Answer* const answer = known.ask(name, type);
                              if (!answer) continue;
                              is_known = is_known || answer->status != dns::Status::kTemporary;
                              for (const IpAddress& address : answer->addresses) found.push_back(to_string(address));
                            }
                          });
  return is_known ? std::optional(std::move(found)) : std::nullopt;
}

struct NamedHost {
  std::string name;
  std::optional<std::vector<std::string>> addresses;  // under which the world sees us
};
Result<NamedHost> read_hostname(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("hostname");
  const auto given = fields.text("hostname");
  auto addresses = fields.texts("addresses");
  POSTHUS_TRY_VOID(fields.finish());
  auto name = mail::normalise_domain(*given);
  if (!name || mail::is_domain_literal(*name) || parse_ip_address(*name) || name->find('.') == std::string::npos)
    return fail(ErrorKind::kInvalid, "field 'hostname' must be a name in the DNS like mail.example.org");
  return NamedHost{*std::move(name), std::move(addresses)};
}

Result<Response> put_hostname(const Call& call) {
  const auto [name, public_addresses] = POSTHUS_TRY(read_hostname(call));
  POSTHUS_TRY_VOID(begin_step(call));
  const bool is_ours = name == call.context.hostname;
  if (call.context.is_hostname_fixed && !is_ours) {
    return fail(ErrorKind::kExists, "the settings say that this server is called " + call.context.hostname +
                                        " (POSTHUS_HOSTNAME, or hostname in posthus.toml): change it there");
  }
  if (public_addresses) {
    const Response put = put_setting_value(call, "public.addresses", joined(*public_addresses));
    if (put.status >= 300) return put;
  }
  const auto addresses = addresses_of(call, name);
  POSTHUS_TRY_VOID(put_note(call, keys::kHostname, name));
  JsonWriter json;
  json.begin_object().key("hostname").text(name).key("restarts").boolean(!is_ours).key("addresses");
  addresses ? json.texts(*addresses) : json.null();
  std::string meaning = "The DNS could not be asked for the name; the check of the DNS will show it.";
  if (addresses && addresses->empty()) meaning = "The name has no address in the DNS yet: nobody can find this server by it.";
  if (addresses && !addresses->empty()) meaning = "The name has an address in the DNS.";
  json.key("meaning").text(meaning);
  // Certificate, greetings and DNS records take the name up when the server begins anew, which takes less than a second.
  if (!is_ours) call.context.first_start->restart();
  return json_response(is_ours ? 200 : 202, json.end_object().take());
}

Result<std::string> certificate_target(const Call& call) {
  return "/api/v1/certificates/" + percent_encode(call.context.hostname);
}

Result<Response> order_acme(const Call& call, const std::string& contact, const std::string& directory) {
  for (const auto& [name, value] : {std::pair("acme.contact", contact), std::pair("acme.directory", directory)}) {
    if (value.empty()) continue;
    Response refused = put_setting_value(call, name, value);
    if (refused.status != 200) return refused;
  }
  Response accepted = put_setting_value(call, "acme.accept_terms", "1");
  if (accepted.status != 200) return accepted;
  return relay(call, "POST", "/api/v1/certificates",
               JsonWriter().begin_object().key("hostname").text(call.context.hostname).end_object().take());
}

/// What is asked of the step "certificate".
struct CertificateChoice {
  std::string mode, chain, contact, directory;
  Secret key;
  bool accepts_terms = false;
};
Result<CertificateChoice> read_certificate_choice(const Call& call) {
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("mode");
  CertificateChoice choice;
  choice.mode = fields.text("mode").value_or("");
  choice.chain = fields.text("chain").value_or("");
  choice.key = Secret(fields.text("key").value_or(""));
  choice.contact = fields.text("contact").value_or("");
  choice.directory = fields.text("directory").value_or("");
  choice.accepts_terms = fields.boolean("accept_terms").value_or(false);
  POSTHUS_TRY_VOID(fields.finish());
  if (choice.mode != "self_signed" && choice.mode != "upload" && choice.mode != "acme")
    return fail(ErrorKind::kInvalid, "field 'mode' must be self_signed, upload or acme");
  if (choice.mode == "acme" && !choice.accepts_terms)
    return fail(ErrorKind::kInvalid,
                "field 'accept_terms' must be true: the CA gives no certificate to who does not accept its terms");
  return choice;
}

Result<Response> put_certificate(const Call& call) {
  const CertificateChoice choice = POSTHUS_TRY(read_certificate_choice(call));
  POSTHUS_TRY_VOID(begin_step(call));
  const std::string target = POSTHUS_TRY(certificate_target(call));
  Response done{.status = 200};
  if (choice.mode == "self_signed") {
    done = relay(call, "DELETE", target, "");
    if (done.status == 404 || done.status == 400) done.status = 204;  // there was none
  } else if (choice.mode == "upload") {
    done = relay(
        call, "PUT", target,
        JsonWriter().begin_object().key("chain").text(choice.chain).key("key").text(choice.key.reveal()).end_object().take());
  } else {
    done = POSTHUS_TRY(order_acme(call, choice.contact, choice.directory));
  }
  if (done.status >= 300) return done;
  POSTHUS_TRY_VOID(put_note(call, keys::kCertificate, choice.mode));
  return relay(call, "GET", "/api/v1/certificates", "");
}

Result<Response> show_certificate(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  POSTHUS_TRY_VOID(check_open(call));
  return relay(call, "GET", "/api/v1/certificates", "");
}

Result<std::string> dns_target(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  POSTHUS_TRY_VOID(check_open(call));
  const std::string domain = POSTHUS_TRY(first_domain(call));
  if (domain.empty()) return fail(ErrorKind::kNotFound, "there is no domain yet: that step comes first");
  return "/api/v1/domains/" + percent_encode(domain) + "/dns";
}

Result<Response> show_dns(const Call& call) { return relay(call, "GET", POSTHUS_TRY(dns_target(call)), ""); }

Result<Response> check_dns_records(const Call& call) {
  const std::string target = POSTHUS_TRY(dns_target(call));
  Response checked = relay(call, "POST", target + "/check", "");
  if (checked.status == 200) POSTHUS_TRY_VOID(put_note(call, keys::kDns, "checked"));
  return checked;
}

Result<Response> put_mailbox(const Call& call) {
  const Account account = POSTHUS_TRY(read_account(call));
  POSTHUS_TRY_VOID(begin_step(call));
  const Response user = POSTHUS_TRY(make_user(call, account.text, account.password, ""));
  if (user.status >= 300) return user;
  POSTHUS_TRY_VOID(put_note(call, keys::kMailbox, account.text));
  return set_up_state(call);
}

Result<Response> finish(const Call& call) {
  POSTHUS_TRY_VOID(begin_step(call));
  {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    const auto admin = POSTHUS_TRY(store::DirectoryReader(*snapshot).first_server_admin());
    if (!admin || admin->password_hash.empty())
      return fail(ErrorKind::kExists, "there is no admin with a password yet: that step comes first");
  }
  POSTHUS_TRY_VOID(call.context.first_start->finish(call.context.store));
  return set_up_state(call);
}

}  // namespace

// Open to all, so that the panel can ask; who shows a token is told more, or that it is the wrong one.
Response get_set_up(const Call& call) {
  const bool is_open = call.context.first_start && !call.context.first_start->is_set_up();
  if (!is_open || call.request.authorization.empty()) return answer(set_up_state(call));
  const Route strict{"GET", "/api/v1/set-up", Scope::kSetUp, BodyKind::kNone, get_set_up};
  const auto principal = authorise(call.context, call.request, strict, call.path, call.sessions);
  if (!principal) return principal.error();
  return answer(set_up_state({call.context, call.request, call.target, call.path, *principal, call.sessions, call.directory}));
}
Response put_set_up_admin(const Call& call) { return answer(put_admin(call)); }
Response put_set_up_hostname(const Call& call) { return answer(put_hostname(call)); }
Response put_set_up_domain(const Call& call) { return answer(put_domain(call)); }
Response get_set_up_certificate(const Call& call) { return answer(show_certificate(call)); }
Response put_set_up_certificate(const Call& call) { return answer(put_certificate(call)); }
Response get_set_up_dns(const Call& call) { return answer(show_dns(call)); }
Response check_set_up_dns(const Call& call) { return answer(check_dns_records(call)); }
Response put_set_up_mailbox(const Call& call) { return answer(put_mailbox(call)); }
Response finish_set_up(const Call& call) { return answer(finish(call)); }

}  // namespace posthus::web_admin
