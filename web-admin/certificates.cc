// /api/v1/certificates: the certificates of our hostnames: ordered from a CA (ACME), uploaded, what they are and how long they
// hold; and the answers to http-01 challenges. Keys go in and never come out. RFC 8555 §8.3.
#include <algorithm>

#include "core/mail/date_time.h"
#include "core/net/certificate_facts.h"
#include "store/certificate_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::int64_t kDay = 86'400;

void append_certificate_time(JsonWriter& json, std::string_view key, Timestamp time) {
  json.key(key);
  if (time.microseconds <= 0) {
    json.null();
  } else {
    json.text(mail::format_rfc3339(time));
  }
}

void append_text(JsonWriter& json, std::string_view key, const std::string& text) {
  json.key(key);
  if (text.empty()) {
    json.null();
  } else {
    json.text(text);
  }
}

/// What the certificate says of itself; nulls without one.
void append_facts(JsonWriter& json, const std::string& chain, Timestamp now) {
  const auto facts = net::certificate_facts(chain);
  if (!facts) {
    for (const char* key : {"names", "issuer", "serial", "key", "not_before", "not_after", "days_left"}) json.key(key).null();
    return;
  }
  json.key("names").texts(facts->names).key("issuer").text(facts->issuer).key("serial").text(facts->serial);
  json.key("key").text(facts->key);
  append_certificate_time(json, "not_before", Timestamp::from_seconds(facts->not_before));
  append_certificate_time(json, "not_after", Timestamp::from_seconds(facts->not_after));
  json.key("days_left").number(static_cast<std::uint64_t>(std::max<std::int64_t>(0, facts->not_after - now.seconds()) / kDay));
}

/// "ordered": none yet, "failing": none yet and the last order failed; with a certificate "valid", "expired", or "renewal
/// failing".
std::string_view certificate_state(const store::CertificateRecord& record, Timestamp now) {
  const bool is_failing = record.failures > 0;
  if (record.chain.empty()) return is_failing ? "failing" : "ordered";
  const auto end = net::certificate_not_after(record.chain);
  if (!end || *end <= now.seconds()) return "expired";
  return is_failing ? "renewal_failing" : "valid";
}

void append_certificate(JsonWriter& json, const store::CertificateRecord& record, Timestamp now) {
  const bool is_acme = record.source == store::CertificateSource::kAcme;
  json.begin_object().key("hostname").text(record.hostname).key("source").text(is_acme ? "acme" : "upload");
  json.key("state").text(certificate_state(record, now));
  append_facts(json, record.chain, now);
  append_certificate_time(json, "obtained", record.obtained);
  append_certificate_time(json, "next_attempt", is_acme ? record.next_attempt : Timestamp{});
  append_certificate_time(json, "last_attempt", record.last_attempt);
  json.key("failures").number(record.failures);
  append_text(json, "last_error", record.last_error);
  append_text(json, "renewal_explanation", record.explanation_url);
  json.end_object();
}

Result<Response> one(const Call& call, int status, const std::string& hostname) {
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto record = POSTHUS_TRY(store::CertificateReader(*snapshot).certificate(hostname));
  if (!record) return fail(ErrorKind::kNotFound, "there is no certificate of " + hostname);
  JsonWriter json;
  append_certificate(json, *record, call.context.clock.now());
  return json_response(status, json.take());
}

Result<Response> listed_certificates(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const Timestamp now = call.context.clock.now();
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto page = POSTHUS_TRY(store::CertificateReader(*snapshot).certificates(range.after, range.limit));
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const store::CertificateRecord& record : page.items) append_certificate(json, record, now);
  json.end_array();
  append_next(json, page.next);
  json.key("passed_over").begin_array();
  for (const PassedOverName& name : call.context.passed_over_names()) {
    json.begin_object().key("hostname").text(name.hostname).key("reason").text(name.reason);
    json.key("kind").text(name.kind).key("facts").texts(name.facts).end_object();
  }
  json.end_array();
  const DefaultCertificate found = call.context.default_certificate();
  json.key("default");
  if (found.source.empty()) {
    json.null();
  } else {
    json.begin_object().key("source").text(found.source);
    append_facts(json, found.chain, now);
    json.end_object();
  }
  return json_response(200, json.end_object().take());
}

Result<Response> shown_certificate(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  return one(call, 200, POSTHUS_TRY(store::normalise_certificate_name(call.path[0])));
}

// A certificate that is there stays in use until the new one has come.
Result<Response> order(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("hostname");
  const std::string named = fields.text("hostname").value_or("");
  POSTHUS_TRY_VOID(fields.finish());
  const std::string hostname = POSTHUS_TRY(store::normalise_certificate_name(named));
  {
    const std::lock_guard lock(call.directory);
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    auto record = POSTHUS_TRY(store::CertificateReader(*snapshot).certificate(hostname)).value_or(store::CertificateRecord{});
    record.hostname = hostname;
    record.source = store::CertificateSource::kAcme;
    record.next_attempt = {};
    POSTHUS_TRY(call.context.store.apply(store::PutCertificate{std::move(record)}));
  }
  call.context.certificates_changed();
  return one(call, 202, hostname);
}

Result<> check_upload(const net::CertificateAndKey& pair, const std::string& hostname, Timestamp now) {
  POSTHUS_TRY_VOID(net::check_pair(pair));
  const auto facts = POSTHUS_TRY(net::certificate_facts(pair.certificate_pem));
  const bool is_for =
      hostname.starts_with("*.") ? std::ranges::find(facts.names, hostname) != facts.names.end() : facts.covers(hostname);
  if (!is_for) {
    std::string names;
    for (const std::string& name : facts.names) names += (names.empty() ? "" : ", ") + name;
    return fail(ErrorKind::kInvalid,
                "the certificate is not for " + hostname + " but for " + (names.empty() ? "no name" : names));
  }
  if (facts.not_after <= now.seconds()) {
    return fail(ErrorKind::kInvalid,
                "the certificate has expired at " + mail::format_rfc3339(Timestamp::from_seconds(facts.not_after)));
  }
  if (facts.not_before > now.seconds()) {
    return fail(ErrorKind::kInvalid, "the certificate is not valid before " +
                                         mail::format_rfc3339(Timestamp::from_seconds(facts.not_before)) +
                                         "; is the clock right?");
  }
  return {};
}

Result<Response> upload(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const std::string hostname = POSTHUS_TRY(store::normalise_certificate_name(call.path[0]));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("chain");
  fields.require("key");
  const std::string chain = fields.text("chain").value_or("");
  const Secret key(fields.text("key").value_or(""));
  POSTHUS_TRY_VOID(fields.finish());
  const Timestamp now = call.context.clock.now();
  POSTHUS_TRY_VOID(check_upload({chain, key.clone()}, hostname, now));
  store::CertificateRecord record{.hostname = hostname,
                                  .source = store::CertificateSource::kUpload,
                                  .chain = chain,
                                  .private_key = std::string(key.reveal()),
                                  .obtained = now};
  {
    const std::lock_guard lock(call.directory);
    POSTHUS_TRY(call.context.store.apply(store::PutCertificate{std::move(record)}));
  }
  call.context.certificates_changed();
  return one(call, 200, hostname);
}

Result<Response> removed_certificate(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  const std::string hostname = POSTHUS_TRY(store::normalise_certificate_name(call.path[0]));
  {
    const std::lock_guard lock(call.directory);
    POSTHUS_TRY(call.context.store.apply(store::RemoveCertificate{hostname}));
  }
  call.context.certificates_changed();
  return no_content();
}

}  // namespace

Result<> retry_orders(const Call& call) {
  const std::lock_guard lock(call.directory);
  std::string after;
  do {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    auto page = POSTHUS_TRY(store::CertificateReader(*snapshot).certificates(after, kMaxPage));
    for (store::CertificateRecord& record : page.items) {
      if (record.failures == 0) continue;
      record.next_attempt = {};
      POSTHUS_TRY(call.context.store.apply(store::PutCertificate{std::move(record), true}));
    }
    after = page.next;
  } while (!after.empty());
  call.context.certificates_changed();
  return {};
}

Response list_certificates(const Call& call) { return answer(listed_certificates(call)); }
Response get_certificate(const Call& call) { return answer(shown_certificate(call)); }
Response order_certificate(const Call& call) { return answer(order(call)); }
Response upload_certificate(const Call& call) { return answer(upload(call)); }
Response remove_certificate(const Call& call) { return answer(removed_certificate(call)); }

Response get_acme_challenge(const Call& call) {
  auto found = call.context.http_challenge(call.path[0]);
  if (!found) return problem(404, "No challenge with this token is under way.");
  return {.status = 200, .content_type = "application/octet-stream", .body = std::move(*found)};
}

}  // namespace posthus::web_admin
