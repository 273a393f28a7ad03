// The routes. Order is the order of openapi.yaml.
#include "web-admin/routes.h"

#include <array>

#include "core/base/ascii.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::array kRoutes{
    // method, path, scope, body, handler, whom of those below server admins it is for
    Route{"GET", "/", Scope::kOpen, BodyKind::kNone, get_root},
    Route{"GET", "/healthz", Scope::kOpen, BodyKind::kNone, get_healthz},
    Route{"GET", "/readyz", Scope::kOpen, BodyKind::kNone, get_readyz},
    Route{"GET", "/mail/config-v1.1.xml", Scope::kOpen, BodyKind::kNone, get_autoconfig},
    Route{"GET", "/.well-known/autoconfig/mail/config-v1.1.xml", Scope::kOpen, BodyKind::kNone, get_autoconfig},
    Route{"POST", "/autodiscover/autodiscover.xml", Scope::kOpen, BodyKind::kXml, post_autodiscover},
    Route{"GET", "/autodiscover/autodiscover.json", Scope::kOpen, BodyKind::kNone, get_autodiscover_json},
    Route{"GET", "/autodiscover/autodiscover.json/v1.0/{address}", Scope::kOpen, BodyKind::kNone, get_autodiscover_json},
    Route{"GET", "/.well-known/mta-sts.txt", Scope::kOpen, BodyKind::kNone, get_sts_policy},
    Route{"GET", "/setup", Scope::kOpen, BodyKind::kNone, get_setup_page},
    Route{"GET", "/setup/account.mobileconfig", Scope::kOpen, BodyKind::kNone, get_apple_profile},
    Route{"GET", "/.well-known/acme-challenge/{token}", Scope::kOpen, BodyKind::kNone, get_acme_challenge},
    Route{"GET", "/metrics", Scope::kMetrics, BodyKind::kNone, get_metrics},
    Route{"GET", "/assets/{name}", Scope::kOpen, BodyKind::kNone, get_panel_file},
    Route{"GET", "/api/v1/setup", Scope::kOpen, BodyKind::kNone, get_set_up},
    Route{"PUT", "/api/v1/setup/admin", Scope::kSetUp, BodyKind::kJson, put_set_up_admin},
    Route{"POST", "/api/v1/setup/factor", Scope::kSetUp, BodyKind::kNone, begin_set_up_factor},
    Route{"PUT", "/api/v1/setup/factor", Scope::kSetUp, BodyKind::kJson, confirm_set_up_factor},
    Route{"PUT", "/api/v1/setup/hostname", Scope::kSetUp, BodyKind::kJson, put_set_up_hostname},
    Route{"PUT", "/api/v1/setup/domain", Scope::kSetUp, BodyKind::kJson, put_set_up_domain},
    Route{"GET", "/api/v1/setup/sending", Scope::kSetUp, BodyKind::kNone, get_set_up_sending},
    Route{"PUT", "/api/v1/setup/sending", Scope::kSetUp, BodyKind::kJson, put_set_up_sending},
    Route{"GET", "/api/v1/setup/certificate", Scope::kSetUp, BodyKind::kNone, get_set_up_certificate},
    Route{"PUT", "/api/v1/setup/certificate", Scope::kSetUp, BodyKind::kJson, put_set_up_certificate},
    Route{"GET", "/api/v1/setup/dns", Scope::kSetUp, BodyKind::kNone, get_set_up_dns},
    Route{"GET", "/api/v1/setup/dns/check", Scope::kSetUp, BodyKind::kNone, get_set_up_dns_progress},
    Route{"POST", "/api/v1/setup/dns/check", Scope::kSetUp, BodyKind::kNone, check_set_up_dns},
    Route{"PUT", "/api/v1/setup/mailbox", Scope::kSetUp, BodyKind::kJson, put_set_up_mailbox},
    Route{"POST", "/api/v1/setup/finish", Scope::kSetUp, BodyKind::kNone, finish_set_up},
    Route{"GET", "/api/v1/session", Scope::kOpen, BodyKind::kNone, get_session},
    Route{"POST", "/api/v1/session", Scope::kOpen, BodyKind::kJson, open_session},
    Route{"POST", "/api/v1/session/passkey", Scope::kOpen, BodyKind::kJson, open_session_with_passkey},
    Route{"POST", "/api/v1/session/passkey/challenge", Scope::kOpen, BodyKind::kNone, ask_for_passkey},
    Route{"DELETE", "/api/v1/session", Scope::kUser, BodyKind::kNone, close_session},
    Route{"GET", "/api/v1/sessions", Scope::kUser, BodyKind::kNone, list_sessions},
    Route{"DELETE", "/api/v1/sessions", Scope::kUser, BodyKind::kNone, close_other_sessions},
    Route{"DELETE", "/api/v1/sessions/{id}", Scope::kUser, BodyKind::kNone, close_session_by_id},
    Route{"GET", "/api/v1/me", Scope::kUser, BodyKind::kNone, get_own_user},
    Route{"PATCH", "/api/v1/me", Scope::kUser, BodyKind::kJson, change_own_user},
    Route{"GET", "/api/v1/me/aliases", Scope::kUser, BodyKind::kNone, list_own_aliases},
    Route{"POST", "/api/v1/me/aliases", Scope::kUser, BodyKind::kJson, add_own_alias},
    Route{"DELETE", "/api/v1/me/aliases/{address}", Scope::kUser, BodyKind::kNone, remove_own_alias},
    Route{"GET", "/api/v1/me/folders", Scope::kUser, BodyKind::kNone, list_own_folders},
    Route{"PUT", "/api/v1/me/password", Scope::kUser, BodyKind::kJson, set_own_password},
    Route{"GET", "/api/v1/client-settings", Scope::kOpen, BodyKind::kNone, get_client_settings},
    Route{"GET", "/api/v1/me/second-factor", Scope::kUser, BodyKind::kNone, get_second_factor},
    Route{"POST", "/api/v1/me/second-factor", Scope::kUser, BodyKind::kJson, begin_second_factor},
    Route{"PUT", "/api/v1/me/second-factor", Scope::kUser, BodyKind::kJson, confirm_second_factor},
    Route{"POST", "/api/v1/me/second-factor/remove", Scope::kUser, BodyKind::kJson, remove_own_second_factor},
    Route{"POST", "/api/v1/me/second-factor/recovery-codes", Scope::kUser, BodyKind::kJson, renew_recovery_codes},
    Route{"POST", "/api/v1/me/second-factor/passkeys", Scope::kUser, BodyKind::kJson, require_passkeys},
    Route{"GET", "/api/v1/me/passkeys", Scope::kUser, BodyKind::kNone, list_own_passkeys},
    Route{"POST", "/api/v1/me/passkeys", Scope::kUser, BodyKind::kJson, add_own_passkey},
    Route{"POST", "/api/v1/me/passkeys/challenge", Scope::kUser, BodyKind::kJson, begin_own_passkey},
    Route{"DELETE", "/api/v1/me/passkeys/{id}", Scope::kUser, BodyKind::kNone, remove_own_passkey},
    Route{"GET", "/api/v1/me/app-passwords", Scope::kUser, BodyKind::kNone, list_own_app_passwords},
    Route{"POST", "/api/v1/me/app-passwords", Scope::kUser, BodyKind::kJson, add_own_app_password},
    Route{"DELETE", "/api/v1/me/app-passwords/{id}", Scope::kUser, BodyKind::kNone, remove_own_app_password},
    Route{"GET", "/api/v1/me/delegates", Scope::kUser, BodyKind::kNone, list_own_delegates},
    Route{"PUT", "/api/v1/me/delegates/{delegate}", Scope::kUser, BodyKind::kJson, put_own_delegate},
    Route{"DELETE", "/api/v1/me/delegates/{delegate}", Scope::kUser, BodyKind::kNone, remove_own_delegate},
    Route{"GET", "/api/v1/me/delegations", Scope::kUser, BodyKind::kNone, list_own_delegations},
    Route{"GET", "/api/v1/me/trace", Scope::kUser, BodyKind::kNone, search_own_trace},
    Route{"GET", "/api/v1/me/trace/{id}", Scope::kUser, BodyKind::kNone, get_own_trace},
    Route{"GET", "/api/v1/status", Scope::kRead, BodyKind::kNone, get_status},
    Route{"GET", "/api/v1/history", Scope::kRead, BodyKind::kNone, get_history},
    Route{"GET", "/api/v1/alerts", Scope::kRead, BodyKind::kNone, list_alerts},
    Route{"POST", "/api/v1/alerts/test", Scope::kAdmin, BodyKind::kNone, test_alerts},
    Route{"GET", "/api/v1/logs", Scope::kAdmin, BodyKind::kNone, list_logs},
    Route{"GET", "/api/v1/support-bundle", Scope::kAdmin, BodyKind::kNone, get_support_bundle},
    Route{"GET", "/api/v1/domains", Scope::kRead, BodyKind::kNone, list_domains, Reach::kNarrowed},
    Route{"POST", "/api/v1/domains", Scope::kAdmin, BodyKind::kJson, add_domain},
    Route{"GET", "/api/v1/domains/{name}", Scope::kRead, BodyKind::kNone, get_domain, Reach::kDomain},
    Route{"PATCH", "/api/v1/domains/{name}", Scope::kAdmin, BodyKind::kJson, change_domain, Reach::kDomain},
    Route{"PUT", "/api/v1/domains/{name}/name", Scope::kAdmin, BodyKind::kJson, rename_domain},
    Route{"DELETE", "/api/v1/domains/{name}", Scope::kAdmin, BodyKind::kNone, remove_domain},
    Route{"GET", "/api/v1/domains/{name}/dns", Scope::kRead, BodyKind::kNone, get_dns, Reach::kDomain},
    Route{"GET", "/api/v1/domains/{name}/dns/check", Scope::kRead, BodyKind::kNone, get_dns_check_progress, Reach::kDomain},
    Route{"POST", "/api/v1/domains/{name}/dns/check", Scope::kRead, BodyKind::kNone, check_dns, Reach::kDomain},
    Route{"POST", "/api/v1/domains/{name}/dns/publish", Scope::kAdmin, BodyKind::kNone, publish_dns, Reach::kDomain},
    Route{"GET", "/api/v1/domains/{name}/dkim", Scope::kRead, BodyKind::kNone, list_keys, Reach::kDomain},
    Route{"POST", "/api/v1/domains/{name}/dkim/rotate", Scope::kAdmin, BodyKind::kNone, rotate_keys, Reach::kDomain},
    Route{"POST", "/api/v1/domains/{name}/dkim/activate", Scope::kAdmin, BodyKind::kNone, activate_keys, Reach::kDomain},
    Route{"DELETE", "/api/v1/domains/{name}/dkim/{selector}", Scope::kAdmin, BodyKind::kNone, remove_key, Reach::kDomain},
    Route{"GET", "/api/v1/users", Scope::kRead, BodyKind::kNone, list_users, Reach::kNarrowed},
    Route{"POST", "/api/v1/users", Scope::kAdmin, BodyKind::kJson, add_user, Reach::kNarrowed},
    Route{"GET", "/api/v1/users/{address}", Scope::kRead, BodyKind::kNone, get_user, Reach::kAddress},
    Route{"PATCH", "/api/v1/users/{address}", Scope::kAdmin, BodyKind::kJson, change_user, Reach::kAddress},
    Route{"DELETE", "/api/v1/users/{address}", Scope::kAdmin, BodyKind::kNone, remove_user, Reach::kAddress},
    Route{"PUT", "/api/v1/users/{address}/address", Scope::kAdmin, BodyKind::kJson, rename_user, Reach::kAddress},
    Route{"PUT", "/api/v1/users/{address}/password", Scope::kAdmin, BodyKind::kJson, set_password, Reach::kAddress},
    Route{"DELETE", "/api/v1/users/{address}/second-factor", Scope::kAdmin, BodyKind::kNone, remove_second_factor,
          Reach::kAddress},
    Route{"GET", "/api/v1/users/{address}/passkeys", Scope::kRead, BodyKind::kNone, list_passkeys, Reach::kAddress},
    Route{"DELETE", "/api/v1/users/{address}/passkeys/{id}", Scope::kAdmin, BodyKind::kNone, remove_passkey, Reach::kAddress},
    Route{"GET", "/api/v1/users/{address}/app-passwords", Scope::kRead, BodyKind::kNone, list_app_passwords, Reach::kAddress},
    Route{"DELETE", "/api/v1/users/{address}/app-passwords/{id}", Scope::kAdmin, BodyKind::kNone, remove_app_password,
          Reach::kAddress},
    Route{"GET", "/api/v1/users/{address}/delegates", Scope::kRead, BodyKind::kNone, list_delegates, Reach::kAddress},
    Route{"PUT", "/api/v1/users/{address}/delegates/{delegate}", Scope::kAdmin, BodyKind::kJson, put_delegate, Reach::kAddress},
    Route{"DELETE", "/api/v1/users/{address}/delegates/{delegate}", Scope::kAdmin, BodyKind::kNone, remove_delegate,
          Reach::kAddress},
    Route{"GET", "/api/v1/users/{address}/delegations", Scope::kRead, BodyKind::kNone, list_delegations, Reach::kAddress},
    Route{"POST", "/api/v1/users/{address}/hold", Scope::kAdmin, BodyKind::kJson, hold_account},
    Route{"POST", "/api/v1/users/{address}/release", Scope::kAdmin, BodyKind::kNone, release_account},
    Route{"GET", "/api/v1/aliases", Scope::kRead, BodyKind::kNone, list_aliases, Reach::kNarrowed},
    Route{"POST", "/api/v1/aliases", Scope::kAdmin, BodyKind::kJson, add_alias, Reach::kNarrowed},
    Route{"GET", "/api/v1/aliases/{address}", Scope::kRead, BodyKind::kNone, get_alias, Reach::kAddress},
    Route{"PUT", "/api/v1/aliases/{address}", Scope::kAdmin, BodyKind::kJson, replace_alias, Reach::kAddress},
    Route{"DELETE", "/api/v1/aliases/{address}", Scope::kAdmin, BodyKind::kNone, remove_alias, Reach::kAddress},
    Route{"GET", "/api/v1/groups", Scope::kRead, BodyKind::kNone, list_groups, Reach::kNarrowed},
    Route{"POST", "/api/v1/groups", Scope::kAdmin, BodyKind::kJson, add_group, Reach::kNarrowed},
    Route{"GET", "/api/v1/groups/{address}", Scope::kRead, BodyKind::kNone, get_group, Reach::kAddress},
    Route{"PATCH", "/api/v1/groups/{address}", Scope::kAdmin, BodyKind::kJson, change_group, Reach::kAddress},
    Route{"DELETE", "/api/v1/groups/{address}", Scope::kAdmin, BodyKind::kNone, remove_group, Reach::kAddress},
    Route{"PUT", "/api/v1/groups/{address}/members/{member}", Scope::kAdmin, BodyKind::kNone, add_group_member, Reach::kAddress},
    Route{"DELETE", "/api/v1/groups/{address}/members/{member}", Scope::kAdmin, BodyKind::kNone, remove_group_member,
          Reach::kAddress},
    Route{"GET", "/api/v1/tokens", Scope::kAdmin, BodyKind::kNone, list_tokens},
    Route{"POST", "/api/v1/tokens", Scope::kAdmin, BodyKind::kJson, add_token},
    Route{"DELETE", "/api/v1/tokens/{id}", Scope::kAdmin, BodyKind::kNone, remove_token},
    Route{"GET", "/api/v1/audit", Scope::kRead, BodyKind::kNone, list_audit},
    Route{"GET", "/api/v1/sign-ins", Scope::kRead, BodyKind::kNone, list_sign_ins},
    Route{"GET", "/api/v1/blocks", Scope::kRead, BodyKind::kNone, list_blocks},
    Route{"DELETE", "/api/v1/blocks/{id}", Scope::kAdmin, BodyKind::kNone, remove_block},
    Route{"GET", "/api/v1/settings", Scope::kRead, BodyKind::kNone, list_settings},
    Route{"GET", "/api/v1/settings/{name}", Scope::kRead, BodyKind::kNone, get_setting},
    Route{"PUT", "/api/v1/settings/{name}", Scope::kAdmin, BodyKind::kJson, put_setting},
    Route{"DELETE", "/api/v1/settings/{name}", Scope::kAdmin, BodyKind::kNone, remove_setting},
    Route{"GET", "/api/v1/delivery-check", Scope::kRead, BodyKind::kNone, get_delivery_check},
    Route{"GET", "/api/v1/delivery-check/progress", Scope::kRead, BodyKind::kNone, get_delivery_check_progress},
    Route{"POST", "/api/v1/delivery-check", Scope::kAdmin, BodyKind::kNone, run_delivery_check},
    Route{"GET", "/api/v1/certificates", Scope::kRead, BodyKind::kNone, list_certificates},
    Route{"POST", "/api/v1/certificates", Scope::kAdmin, BodyKind::kJson, order_certificate},
    Route{"GET", "/api/v1/certificates/{hostname}", Scope::kRead, BodyKind::kNone, get_certificate},
    Route{"PUT", "/api/v1/certificates/{hostname}", Scope::kAdmin, BodyKind::kJson, upload_certificate},
    Route{"DELETE", "/api/v1/certificates/{hostname}", Scope::kAdmin, BodyKind::kNone, remove_certificate},
    Route{"GET", "/api/v1/queue", Scope::kRead, BodyKind::kNone, list_queue, Reach::kNarrowed},
    Route{"POST", "/api/v1/queue", Scope::kAdmin, BodyKind::kJson, change_queue, Reach::kNarrowed},
    Route{"GET", "/api/v1/queue/destinations", Scope::kRead, BodyKind::kNone, list_destinations},
    Route{"GET", "/api/v1/queue/{id}", Scope::kRead, BodyKind::kNone, get_queued_message, Reach::kNarrowed},
    Route{"GET", "/api/v1/trace", Scope::kRead, BodyKind::kNone, search_trace, Reach::kNarrowed},
    Route{"GET", "/api/v1/trace/{id}", Scope::kRead, BodyKind::kNone, get_trace, Reach::kNarrowed},
    Route{"GET", "/api/v1/routes", Scope::kRead, BodyKind::kNone, list_mail_routes},
    Route{"GET", "/api/v1/routes/{name}", Scope::kRead, BodyKind::kNone, get_mail_route},
    Route{"PUT", "/api/v1/routes/{name}", Scope::kAdmin, BodyKind::kJson, put_mail_route},
    Route{"DELETE", "/api/v1/routes/{name}", Scope::kAdmin, BodyKind::kNone, remove_mail_route},
    Route{"POST", "/api/v1/send-test", Scope::kAdmin, BodyKind::kJson, start_send_test},
    Route{"GET", "/api/v1/send-test/{id}", Scope::kRead, BodyKind::kNone, get_send_test},
    Route{"POST", "/api/v1/deliver", Scope::kAdmin, BodyKind::kMessage, deliver},
    Route{"POST", "/api/v1/check", Scope::kAdmin, BodyKind::kJson, check_store},
    Route{"POST", "/api/v1/backup", Scope::kLocal, BodyKind::kJson, backup_store},
};

bool is_placeholder(std::string_view segment) { return segment.starts_with('{'); }

// Does `path` (of a route) describe `segments`? The values of its placeholders go to `values`.
bool describes(std::string_view path, const std::vector<std::string>& segments, std::vector<std::string>& values) {
  values.clear();
  // QUIRK(Outlook): its versions write the path in different cases.
  const bool ignores_case = path.starts_with("/autodiscover/");
  path.remove_prefix(1);
  for (const std::string& segment : segments) {
    if (path.empty()) return false;
    const std::size_t slash = path.find('/');
    const std::string_view expected = path.substr(0, slash);
    if (is_placeholder(expected)) {
      values.push_back(segment);
    } else if (expected != segment && !(ignores_case && ascii::equal_ignoring_case(expected, segment))) {
      return false;
    }
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return path.empty();
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

RouteMatch find_route(std::string_view method, const Target& target) {
  RouteMatch match;
  const std::string_view wanted = method == "HEAD" ? std::string_view("GET") : method;
  for (const Route& route : kRoutes) {
    if (!describes(route.path, target.segments, match.path)) continue;
    if (route.method == wanted) {
      match.route = &route;
      match.allowed.clear();
      return match;
    }
    if (!match.allowed.empty()) match.allowed.append(", ");
    match.allowed.append(route.method);
    if (route.method == "GET") match.allowed.append(", HEAD");
  }
  match.path.clear();
  return match;
}

std::uint64_t max_body(BodyKind kind) {
  switch (kind) {
    case BodyKind::kNone: return 0;
    case BodyKind::kJson: return kMaxJsonBody;
    case BodyKind::kXml: return kMaxXmlBody;
    case BodyKind::kMessage: return kMaxMessageBody;
  }
  return 0;
}

}  // namespace posthus::web_admin
