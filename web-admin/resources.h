// The handlers named by the table of routes, one file per resource (domains.cc, users.cc, ...).
// Thread rule: workers only; they may block.
#pragma once

#include <optional>

#include "core/base/secret.h"
#include "store/engine.h"
#include "store/records.h"
#include "web-admin/json.h"
#include "web-admin/routes.h"

namespace posthus::store {
struct WriteOutcome;
}

namespace posthus::web_admin {

// status.cc
Response get_root(const Call& call);
Response get_healthz(const Call& call);
Response get_readyz(const Call& call);
Response get_metrics(const Call& call);
Response get_status(const Call& call);

// history.cc
Response get_history(const Call& call);

// alerts.cc
Response list_alerts(const Call& call);
Response test_alerts(const Call& call);

// logs.cc
Response list_logs(const Call& call);

// support_bundle.cc
Response get_support_bundle(const Call& call);

// session.cc
Response get_panel_file(const Call& call);
Response get_session(const Call& call);
Response open_session(const Call& call);
Response close_session(const Call& call);
Response list_sessions(const Call& call);
Response close_other_sessions(const Call& call);
Response close_session_by_id(const Call& call);
Response get_own_user(const Call& call);
Response list_own_folders(const Call& call);
Response change_own_user(const Call& call);
Response set_own_password(const Call& call);

// set_up.cc, set_up_sending.cc: before the server is set up
Response get_set_up(const Call& call);
Response put_set_up_admin(const Call& call);
Response begin_set_up_factor(const Call& call);    // set_up_factor.cc
Response confirm_set_up_factor(const Call& call);  // set_up_factor.cc
Response put_set_up_hostname(const Call& call);
Response put_set_up_domain(const Call& call);
Response get_set_up_sending(const Call& call);
Response put_set_up_sending(const Call& call);
Response get_set_up_certificate(const Call& call);
Response put_set_up_certificate(const Call& call);
Response get_set_up_dns(const Call& call);
Response check_set_up_dns(const Call& call);
Response put_set_up_mailbox(const Call& call);
Response finish_set_up(const Call& call);

// passkeys.cc
Response list_own_passkeys(const Call& call);
Response begin_own_passkey(const Call& call);
Response add_own_passkey(const Call& call);
Response remove_own_passkey(const Call& call);
Response list_passkeys(const Call& call);
Response remove_passkey(const Call& call);
Response ask_for_passkey(const Call& call);
Response open_session_with_passkey(const Call& call);

// second_factor.cc
Response get_second_factor(const Call& call);
Response begin_second_factor(const Call& call);
Response confirm_second_factor(const Call& call);
Response require_passkeys(const Call& call);
Response remove_own_second_factor(const Call& call);
Response renew_recovery_codes(const Call& call);
Response remove_second_factor(const Call& call);

// app_passwords.cc
Response list_own_app_passwords(const Call& call);
Response add_own_app_password(const Call& call);
Response remove_own_app_password(const Call& call);
Response list_app_passwords(const Call& call);
Response remove_app_password(const Call& call);

// audit.cc
Response list_audit(const Call& call);

// sign_ins.cc
Response list_sign_ins(const Call& call);
Response list_blocks(const Call& call);
Response remove_block(const Call& call);

// check_progress.cc
Response get_dns_check_progress(const Call& call);
Response get_delivery_check_progress(const Call& call);
Response get_set_up_dns_progress(const Call& call);

// own_aliases.cc
Response list_own_aliases(const Call& call);
Response add_own_alias(const Call& call);
Response remove_own_alias(const Call& call);

// domains.cc
/// kInvalid for an address in another name of a domain: it is made in the domain itself.
Result<> check_home(const Call& call, std::string_view address);
Response list_domains(const Call& call);
Response add_domain(const Call& call);
Response get_domain(const Call& call);
Response change_domain(const Call& call);
Response rename_domain(const Call& call);
Response remove_domain(const Call& call);

// dns.cc
Response get_dns(const Call& call);
Response check_dns(const Call& call);
Response publish_dns(const Call& call);

// delivery.cc
Response get_delivery_check(const Call& call);
Response run_delivery_check(const Call& call);

// client_setup.cc, open to everybody
Response get_autoconfig(const Call& call);
Response post_autodiscover(const Call& call);
Response get_autodiscover_json(const Call& call);
Response get_client_settings(const Call& call);
Response get_sts_policy(const Call& call);
Response get_setup_page(const Call& call);
Response get_apple_profile(const Call& call);

// dkim.cc
Response list_keys(const Call& call);
Response rotate_keys(const Call& call);
Response activate_keys(const Call& call);
Response remove_key(const Call& call);

// users.cc
Response list_users(const Call& call);
Response rename_user(const Call& call);
Response add_user(const Call& call);
Response get_user(const Call& call);
Response change_user(const Call& call);
Response remove_user(const Call& call);
Response set_password(const Call& call);

// sending.cc
Response release_account(const Call& call);
Response hold_account(const Call& call);
/// Members "hold_reason", in English, and "hold", for those who have words of their own; null when `stored` is empty.
void append_hold(JsonWriter& json, std::string_view stored);
/// Whose limits: of one account, or of all accounts of a domain together (fields with "domain_" before their names).
enum class LimitsOf : bool { kAccount, kDomain };
void append_limits(JsonWriter& json, const store::SendLimits& limits, LimitsOf whose = LimitsOf::kAccount);
void read_limits(JsonFields& fields, store::SendLimits& limits, LimitsOf whose = LimitsOf::kAccount);
/// The member "sending" of a domain: what left today, and the limits that hold.
Result<> append_domain_sending(JsonWriter& json, const store::Snapshot& snapshot, std::string_view domain, Timestamp now);
/// "sending": what the account has sent today, and whether it is on hold.
Result<> append_sending(JsonWriter& json, const store::Snapshot& snapshot, AccountId account, Timestamp now);

// delegates.cc
Response list_delegates(const Call& call);
Response put_delegate(const Call& call);
Response remove_delegate(const Call& call);
Response list_delegations(const Call& call);
Response list_own_delegates(const Call& call);
Response put_own_delegate(const Call& call);
Response remove_own_delegate(const Call& call);
Response list_own_delegations(const Call& call);
// groups.cc
Response list_groups(const Call& call);
Response add_group(const Call& call);
Response get_group(const Call& call);
Response change_group(const Call& call);
Response remove_group(const Call& call);
Response add_group_member(const Call& call);
Response remove_group_member(const Call& call);
// aliases.cc
Response list_aliases(const Call& call);
Response add_alias(const Call& call);
Response get_alias(const Call& call);
Response replace_alias(const Call& call);
Response remove_alias(const Call& call);

// tokens.cc
Response list_tokens(const Call& call);
Response add_token(const Call& call);
Response remove_token(const Call& call);

// run_time_settings.cc
Response list_settings(const Call& call);
Response get_setting(const Call& call);
Response put_setting(const Call& call);
Response remove_setting(const Call& call);

// certificates.cc
Response list_certificates(const Call& call);
Response get_certificate(const Call& call);
Response order_certificate(const Call& call);
Response upload_certificate(const Call& call);
Response remove_certificate(const Call& call);
Response get_acme_challenge(const Call& call);
/// Orders that failed are tried again at once: what they failed for may have been changed.
Result<> retry_orders(const Call& call);

// queue.cc
Response list_queue(const Call& call);
Response change_queue(const Call& call);
Response list_destinations(const Call& call);
Response get_queued_message(const Call& call);
/// After a ChangeQueue: the destinations of what it made due are looked at, no other.
void wake_destinations(const Call& call, const store::WriteOutcome& changed);

// trace.cc
Response search_trace(const Call& call);
Response get_trace(const Call& call);
Response search_own_trace(const Call& call);
Response get_own_trace(const Call& call);

// mail_routes.cc
Response list_mail_routes(const Call& call);
Response get_mail_route(const Call& call);
Response put_mail_route(const Call& call);
Response remove_mail_route(const Call& call);

// send_test.cc
Response start_send_test(const Call& call);
Response get_send_test(const Call& call);

// maintenance.cc
Response deliver(const Call& call);
Response check_store(const Call& call);
Response backup_store(const Call& call);

// What the resources share.

// users.cc
Result<> append_user(const Call& call, const store::Snapshot& snapshot, JsonWriter& json, const store::UserRecord& user);
/// Puts a new password into the directory; takes tens of milliseconds. The record as it is then.
Result<store::UserRecord> store_password(const Call& call, std::string_view address, std::string password);
std::string_view role_name(store::Role role);
// client_setup.cc
/// Strangers may ask only so often: nothing, or 429.
std::optional<Response> refusal_of_haste(const Call& call);
// session.cc
/// Everything was right: signs the browser in. `passkey`: id of the one it was done with; empty: none.
Result<Response> begin_session(const Call& call, const store::UserRecord& user, std::string_view passkey);
// REQUIRES of the following: a browser's session
/// The present password is asked for again; nothing when it is right. Blocks.
std::optional<Response> check_own_password(const Call& call, Secret password);
/// After a change of one's own password or second factor: this session stays, the others end by themselves.
Result<> keep_signed_in(const Call& call);
/// Refuses what protects the server from its users when somebody changes it who may not: limits. Errors: kDenied.
Result<> check_limits(const Call& call, const store::SendLimits& before, const store::SendLimits& after);
/// What needs the present password on one's own page must not go without it on the page of all users: who finds the browser of a
/// domain admin open would take the account over. Errors: kDenied.
Result<> check_not_own(const Call& call, const store::UserRecord& user);
/// Changes one's own user record, under the directory's lock.
Result<store::UserRecord> change_own_forwards(const Call& call, std::string_view address);

/// A 2xx answer with JSON.
Response json_response(int status, std::string body);
/// 204.
Response no_content();
/// The value, or the error as problem response.
Response answer(Result<Response> result);

/// ?domain=, normalised; without it a domain admin's only one, so that only that part of a list is looked through; else empty.
/// Errors: kInvalid; kDenied for a domain out of reach.
Result<std::string> listed_domain(const Call& call);
/// The body's only field, "current": one's own password. Errors: kInvalid.
Result<Secret> read_current_password(const Call& call);

}  // namespace posthus::web_admin
