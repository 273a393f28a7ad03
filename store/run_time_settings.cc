// The table of run-time settings. Thread rule: pure functions over constants.
#include "store/run_time_settings.h"

#include <algorithm>
#include <array>

#include "core/base/ascii.h"
#include "core/base/ip_address.h"
#include "core/mail/address.h"

namespace posthus::store {
namespace {

using Kind = RunTimeSetting::Kind;

constexpr std::uint64_t kMaxPort = 65'535;
constexpr std::uint64_t kMaxStsAge = 31'557'600;  // RFC 8461 §3.2

constexpr std::array kSettings{
    RunTimeSetting{"queue.first_retry_seconds", "300", "the first retry; then the delay doubles", Kind::kNumber, true},
    RunTimeSetting{"queue.max_retry_seconds", "14400", "the longest delay between attempts", Kind::kNumber, true},
    RunTimeSetting{"queue.warn_seconds", "14400", "when the sender is told of a delay; 0: never", Kind::kNumber, true},
    RunTimeSetting{"queue.expire_seconds", "432000", "when a message is given up", Kind::kNumber, true},
    RunTimeSetting{"queue.connections", "5", "connections to one destination at a time", Kind::kNumber, true},
    RunTimeSetting{"queue.messages_per_minute", "0", "messages to one destination; 0: no limit", Kind::kNumber, true},
    RunTimeSetting{"queue.total_connections", "100", "connections to all destinations at a time"},
    RunTimeSetting{"queue.host_connections", "20", "connections to one host at a time, whatever domains it serves"},
    RunTimeSetting{"queue.host_messages_per_minute", "0", "messages to one host, whatever domains it serves; 0: no limit"},
    RunTimeSetting{"queue.copies_per_sender", "10000",
                   "copies of one sender that may wait; an account may have a day's mail waiting in any case; 0: no limit"},
    RunTimeSetting{"queue.connect_seconds", "30", "patience for a connection to one address"},
    RunTimeSetting{"queue.allow_loopback", "0", "1: MX records may lead to this machine's loopback addresses; for tests"},
    RunTimeSetting{"queue.bind_addresses", "", "source addresses of connections, with commas; one of each family is used",
                   Kind::kAddresses},
    RunTimeSetting{"limits.messages_per_day", "1000", "copies one account may send to other servers in a day"},
    RunTimeSetting{"limits.new_recipients_per_day", "200", "recipients it has not written to lately, in a day"},
    RunTimeSetting{"limits.domain_messages_per_day", "10000",
                   "copies a domain's accounts together may send in a day; one that was given more stands apart"},
    RunTimeSetting{"limits.domain_new_recipients_per_day", "2000",
                   "recipients its accounts have not written to lately, in a day, together"},
    RunTimeSetting{"limits.forwards_per_day", "5000", "copies one address may forward to other servers in a day"},
    RunTimeSetting{"limits.burst", "300", "copies within ten minutes that put no account on hold"},
    RunTimeSetting{"acme.directory", "", "URL of the CA's ACME directory; empty: posthus.toml, else Let's Encrypt", Kind::kHttps},
    RunTimeSetting{"acme.accept_terms", "0", "1: the terms of the CA are accepted"},
    RunTimeSetting{"acme.contact", "", "address the CA may write to", Kind::kMailAddress},
    RunTimeSetting{"acme.challenge", "", "how a name is proved to the CA; empty: one way after the other", Kind::kChoice, false,
                   "http-01 tls-alpn-01"},
    RunTimeSetting{"acme.eab_key_id", "", "of external account binding, as the CA gave it", Kind::kText},
    RunTimeSetting{"acme.eab_key", "", "its key in base64url; never shown", Kind::kSecret},
    RunTimeSetting{"trace.subject", "1", "0: the trace does not keep the subjects of messages"},
    RunTimeSetting{"trace.megabytes", "1024", "room for what happened to messages; beyond it the oldest goes first"},
    RunTimeSetting{"trace.days", "30", "how long is kept what happened to a message; at most 3650"},
    RunTimeSetting{"audit.entries", "20000", "how many actions of admins are kept; the oldest go first"},
    RunTimeSetting{"login.main_password_with_second_factor", "0",
                   "1: accounts with a second factor may use their main password in mail programs too", Kind::kNumber, false, "",
                   1},
    RunTimeSetting{"panel.names", "", "further names the panel is opened under, with commas; passkeys belong to a name",
                   Kind::kNames},
    RunTimeSetting{"public.addresses", "",
                   "addresses under which the world sees this server, with commas; empty: its interfaces'", Kind::kAddresses},
    RunTimeSetting{"public.submission_port", "587", "port that clients are told of; 0: none", Kind::kNumber, false, "", kMaxPort},
    RunTimeSetting{"public.submissions_port", "465", "port that clients are told of; 0: none", Kind::kNumber, false, "",
                   kMaxPort},
    RunTimeSetting{"public.imap_port", "143", "port that clients are told of; 0: none", Kind::kNumber, false, "", kMaxPort},
    RunTimeSetting{"public.imaps_port", "993", "port that clients are told of; 0: none", Kind::kNumber, false, "", kMaxPort},
    RunTimeSetting{"public.pop3_port", "110", "port that clients are told of; 0: none", Kind::kNumber, false, "", kMaxPort},
    RunTimeSetting{"public.pop3s_port", "995", "port that clients are told of; 0: none", Kind::kNumber, false, "", kMaxPort},
    RunTimeSetting{"public.reports", "postmaster", "local part that reports about mail of a domain go to", Kind::kChoice, true,
                   "postmaster none"},
    RunTimeSetting{"mta_sts.mode", "testing", "what others are told about encrypting mail to us; off: no policy", Kind::kChoice,
                   true, "off none testing enforce"},
    RunTimeSetting{"mta_sts.max_age", "604800", "seconds for which others remember it", Kind::kNumber, true, "", kMaxStsAge},
    RunTimeSetting{"mta_sts.mx", "", "further mail exchangers of a domain that the policy names, with commas: its backups",
                   Kind::kNames, true},
    RunTimeSetting{"acme.domain_names", "1",
                   "1: certificates of autoconfig., autodiscover. and mta-sts. of a domain are ordered by themselves",
                   Kind::kNumber, true, "", 1},
    RunTimeSetting{"dns.certificate_authorities", "letsencrypt.org",
                   "who may issue certificates for this host (CAA), with commas; empty: no record", Kind::kNames},
    RunTimeSetting{"dns.update_server", "", "name server that takes dynamic updates (RFC 2136), as IP or IP@PORT",
                   Kind::kEndpoint, true},
    RunTimeSetting{"dns.update_url", "",
                   "plug-in of a DNS provider, told what to write as JSON: https, or http on this machine itself", Kind::kWebhook,
                   true},
    RunTimeSetting{"dns.update_zone", "", "the zone there; empty: the domain itself", Kind::kNames, true},
    RunTimeSetting{"dns.update_key", "", "key for it, NAME:BASE64 with hmac-sha256; never shown", Kind::kSecret, true},
    RunTimeSetting{"delivery.blocklists", "zen.spamhaus.org,bl.spamcop.net",
                   "DNS block lists that are asked daily about our addresses, with commas", Kind::kNames},
    RunTimeSetting{"delivery.probe_hosts", "", "servers whose port 25 is tried by the delivery check, with commas", Kind::kNames},
    RunTimeSetting{"alerts.mail", "", "who is told of alerts, with commas; empty: the postmaster of the first domain",
                   Kind::kMailAddresses},
    RunTimeSetting{"alerts.webhook", "", "URL that is told of alerts as JSON: https, or http on this machine itself",
                   Kind::kWebhook},
    RunTimeSetting{"alerts.certificate_days", "14", "alert when a certificate ends within so many days; 0: never", Kind::kNumber,
                   false, "", 3650},
    RunTimeSetting{"alerts.disk_percent", "10", "alert when less of the disk is free, in per cent; 0: never", Kind::kNumber,
                   false, "", 100},
    RunTimeSetting{"alerts.queue_copies", "1000", "alert when more copies wait for other servers; 0: never"},
    RunTimeSetting{"alerts.destination_minutes", "120", "alert when mail for a destination waits longer; 0: never"},
    RunTimeSetting{"alerts.refused_sign_ins", "200", "alert when more sign-ins are refused within ten minutes; 0: never"},
    RunTimeSetting{"alerts.clock_seconds", "30", "alert when the clock is wrong by more, in seconds; 0: never"},
    RunTimeSetting{"alerts.interval_seconds", "60", "how often it is looked; less than 60 is for tests", Kind::kNumber, false, "",
                   3600},
};
constexpr std::size_t kMaxAddresses = 16;
constexpr std::size_t kMaxMailAddresses = 16;
constexpr std::size_t kMaxNames = 32;
constexpr std::size_t kMaxSecret = 1000;  // a TSIG key takes some 130
constexpr std::size_t kMaxText = 1000;

const RunTimeSetting* find(std::string_view name) {
  const auto it = std::find_if(kSettings.begin(), kSettings.end(), [name](const RunTimeSetting& s) { return s.name == name; });
  return it == kSettings.end() ? nullptr : it;
}

using Check = bool (*)(std::string_view item);

bool is_address(std::string_view text) { return parse_ip_address(text).has_value(); }

bool is_name(std::string_view text) {
  const auto name = mail::normalise_domain(text);
  return name && *name == text && !mail::is_domain_literal(text);
}

bool is_endpoint(std::string_view text) {
  const std::size_t at = text.find('@');
  const auto port = at == std::string_view::npos ? 53 : ascii::parse_decimal<std::uint16_t>(text.substr(at + 1)).value_or(0);
  return port != 0 && is_address(text.substr(0, at));
}

Result<> check_items(std::string_view value, Check is_good, std::size_t most, std::string_view what) {
  std::size_t count = 0;
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view text = ascii::trim(value.substr(0, comma));
    if (!is_good(text)) return fail(ErrorKind::kInvalid, "'" + std::string(text.substr(0, 100)) + "' is no " + std::string(what));
    if (++count > most) return fail(ErrorKind::kInvalid, "too many of them");
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return {};
}

Result<> check_text(const RunTimeSetting& setting, std::string_view value) {
  const auto refuse = [&](std::string_view what) {
    return fail(ErrorKind::kInvalid, std::string(setting.name) + " must be " + std::string(what));
  };
  const bool is_printable = std::ranges::all_of(value, [](char c) { return c > ' ' && c <= '~'; });
  if (!is_printable || value.size() > kMaxText)
    return refuse("printable, without spaces, at most " + std::to_string(kMaxText) + " bytes");
  if (setting.kind == Kind::kHttps && !value.starts_with("https://")) return refuse("a URL that begins with https://");
  if (setting.kind == Kind::kMailAddress && !mail::parse_mailbox(value, mail::Utf8::kRefuse)) return refuse("a mail address");
  return {};
}

bool is_mail_address(std::string_view text) { return mail::parse_mailbox(text, mail::Utf8::kRefuse).has_value(); }

// WHY http to this machine only: what an alert says is nobody's business on the way.
bool is_webhook(std::string_view url) {
  const auto is_allowed = [](char c) { return c > ' ' && c <= '~' && c != '#' && c != '\\' && c != '"'; };
  if (!std::ranges::all_of(url, is_allowed) || url.size() > kMaxText) return false;
  if (url.starts_with("https://")) return url.size() > 8 && url[8] != '/';
  if (!url.starts_with("http://")) return false;
  std::string_view host = url.substr(7);
  host = host.substr(0, std::min(host.find_first_of("/?"), host.size()));
  if (host.starts_with("[::1]")) return host.size() == 5 || host[5] == ':';
  host = host.substr(0, host.find(':'));
  const auto address = parse_ip_address(host);
  return host == "localhost" || (address && !address->is_v6 && address->bytes[0] == 127);
}

Result<> check_choice(const RunTimeSetting& setting, std::string_view value) {
  const std::string words = " " + std::string(setting.choices) + " ";
  const bool is_word =
      value.find(' ') == std::string_view::npos && words.find(" " + std::string(value) + " ") != std::string::npos;
  if (is_word) return {};
  return fail(ErrorKind::kInvalid, std::string(setting.name) + " must be one of: " + std::string(setting.choices));
}

Result<> check_secret(std::string_view value) {
  const bool is_text = std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (is_text && value.size() <= kMaxSecret) return {};
  return fail(ErrorKind::kInvalid, "not a text without spaces of at most " + std::to_string(kMaxSecret) + " bytes");
}

Result<> check_number(const RunTimeSetting& setting, std::string_view value) {
  const auto number = ascii::parse_decimal<std::uint64_t>(value);
  if (number && *number <= setting.maximum) return {};
  return fail(ErrorKind::kInvalid, std::string(setting.name) + " must be a number from 0 to " + std::to_string(setting.maximum));
}

}  // namespace

std::span<const RunTimeSetting> run_time_settings() { return kSettings; }

Result<std::string> normalise_setting_name(std::string_view name) {
  const std::size_t at = name.find('@');
  const RunTimeSetting* const setting = find(name.substr(0, at));
  if (!setting) return fail(ErrorKind::kNotFound, "there is no setting '" + std::string(name.substr(0, 100)) + "'");
  if (at == std::string_view::npos) return std::string(name);
  if (!setting->is_per_destination) return fail(ErrorKind::kInvalid, std::string(setting->name) + " holds for all destinations");
  const std::string_view domain = name.substr(at + 1);
  if (mail::is_domain_literal(domain)) return std::string(name);
  const auto normalised = mail::normalise_domain(domain);
  if (!normalised) return fail(ErrorKind::kInvalid, "'" + std::string(domain.substr(0, 300)) + "' is no domain");
  return std::string(setting->name) + "@" + *normalised;
}

Result<> check_setting(std::string_view name, std::string_view value) {
  const RunTimeSetting* const setting = find(name.substr(0, name.find('@')));
  if (!setting) return fail(ErrorKind::kNotFound, std::string(name.substr(0, 100)));
  if (value.empty()) return {};
  switch (setting->kind) {
    case Kind::kNumber: return check_number(*setting, value);
    case Kind::kAddresses: return check_items(value, is_address, kMaxAddresses, "IP address");
    case Kind::kNames: return check_items(value, is_name, kMaxNames, "domain name");
    case Kind::kEndpoint: return check_items(value, is_endpoint, 1, "server like 192.0.2.1 or 192.0.2.1@53");
    case Kind::kChoice: return check_choice(*setting, value);
    case Kind::kSecret: return check_secret(value);
    case Kind::kMailAddresses: return check_items(value, is_mail_address, kMaxMailAddresses, "mail address");
    case Kind::kWebhook:
      if (is_webhook(value)) return {};
      return fail(ErrorKind::kInvalid,
                  "a webhook is a URL that begins with https://, or with http:// and an address of this machine");
    case Kind::kHttps:
    case Kind::kMailAddress:
    case Kind::kText: return check_text(*setting, value);
  }
  return {};
}

}  // namespace posthus::store
