// MTA-STS records and policies (RFC 8461 §3.1, §3.2, §4.1); DANE for SMTP (RFC 7672 §2.2.2, §2.2.3, §3).
#include "core/mailauth/tls_policy.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/mail/address.h"
#include "core/mailauth/tag_list.h"

namespace posthus::mailauth {
namespace {

constexpr std::size_t kMaxStsId = 32;
constexpr std::size_t kMaxAgeDigits = 10;

bool is_alphanumeric(char c) { return ascii::is_alpha(c) || ascii::is_digit(c); }

// sts-policy-ext-name = (sts-policy-alphanum) *31(sts-policy-alphanum / "_" / "-" / ".")
bool is_field_name(std::string_view text) {
  return !text.empty() && text.size() <= 32 && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// sts-policy-mx-value = ["*."] Domain
std::optional<std::string> parse_pattern(std::string_view text) {
  const std::string_view prefix = text.starts_with("*.") ? "*." : "";
  text.remove_prefix(prefix.size());
  const auto domain = mail::normalise_domain(text);
  if (!domain || domain->empty() || mail::is_domain_literal(*domain)) return std::nullopt;
  return std::string(prefix) + *domain;
}

/// The fields seen so far; of all but mx the first counts.
struct StsFields {
  std::optional<std::string> version, mode, max_age;
  std::vector<std::string> mx;
};

Result<> add_field(std::string_view name, std::string_view value, StsFields& fields) {
  std::optional<std::string>* const single = name == "version"   ? &fields.version
                                             : name == "mode"    ? &fields.mode
                                             : name == "max_age" ? &fields.max_age
                                                                 : nullptr;
  if (single) {
    if (!*single) *single = value;
    return {};
  }
  if (name != "mx") return {};  // an extension
  auto pattern = parse_pattern(value);
  if (!pattern) return fail(ErrorKind::kInvalid, "mx is no host name");
  if (fields.mx.size() >= kMaxStsPatterns) return fail(ErrorKind::kTooLarge, "too many mx fields");
  fields.mx.push_back(std::move(*pattern));
  return {};
}

// sts-policy-field = name ":" *WSP value, then *WSP
Result<> add_line(std::string_view line, StsFields& fields) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_field_name(name)) return fail(ErrorKind::kInvalid, "a line is no field");
  const std::string_view value = ascii::trim(line.substr(colon + 1));
  if (value.empty() || has_control(value)) return fail(ErrorKind::kInvalid, "a field has no value");
  return add_field(name, value, fields);
}

Result<StsPolicy> finish(StsFields fields) {
  if (fields.version != "STSv1") return fail(ErrorKind::kInvalid, "version is not STSv1");
  StsPolicy policy;
  if (fields.mode == "enforce") {
    policy.mode = StsMode::kEnforce;
  } else if (fields.mode == "testing") {
    policy.mode = StsMode::kTesting;
  } else if (fields.mode != "none") {
    return fail(ErrorKind::kInvalid, "mode is not enforce, testing or none");
  }
  const std::string age = fields.max_age.value_or("");
  const auto seconds = age.size() <= kMaxAgeDigits ? ascii::parse_decimal<std::uint64_t>(age) : std::nullopt;
  if (!seconds) return fail(ErrorKind::kInvalid, "max_age is no number");
  policy.max_age = std::min(std::chrono::seconds(*seconds), kMaxStsAge);
  if (fields.mx.empty() && policy.mode != StsMode::kNone) return fail(ErrorKind::kInvalid, "there is no mx");
  policy.mx = std::move(fields.mx);
  return policy;
}

std::size_t digest_length(std::uint8_t matching_type) { return matching_type == 1 ? 32 : 64; }

}  // namespace

// sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim]
std::optional<std::string> find_sts_id(const std::vector<std::string>& texts) {
  const auto fields = find_only_record(texts, "v=STSv1");
  if (!fields) return std::nullopt;
  for (const auto& [name, value] : *fields) {
    if (name != "id") continue;
    const bool is_id = !value.empty() && value.size() <= kMaxStsId && std::all_of(value.begin(), value.end(), is_alphanumeric);
    return is_id ? std::optional(value) : std::nullopt;
  }
  return std::nullopt;
}

// sts-policy-record = sts-policy-field *WSP *(sts-policy-term sts-policy-field *WSP) [sts-policy-term]
// WHY: empty lines are passed over, though the grammar has none: editors leave them at the end of files.
Result<StsPolicy> parse_sts_policy(std::string_view body) {
  if (body.size() > kMaxStsPolicy) return fail(ErrorKind::kTooLarge, "policy");
  StsFields fields;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    std::string_view line = body.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!ascii::trim(line).empty()) POSTHUS_TRY_VOID(add_line(line, fields));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return finish(std::move(fields));
}

bool sts_allows(const StsPolicy& policy, std::string_view host) {
  const std::size_t dot = host.find('.');
  const std::string_view parent = dot == std::string_view::npos ? std::string_view{} : host.substr(dot + 1);
  return std::any_of(policy.mx.begin(), policy.mx.end(), [&](const std::string& pattern) {
    // A wildcard stands for exactly the left-most label.
    return pattern == host || (pattern.starts_with("*.") && !parent.empty() && dot > 0 && pattern.substr(2) == parent);
  });
}

bool needs_alias(const DaneHost& host, const dns::Answer& addresses) {
  return addresses.status == dns::Status::kFound && !addresses.is_secure && addresses.canonical_name != host.host;
}

std::vector<std::string> tlsa_base_domains(const DaneHost& host, const dns::Answer& addresses, const dns::Answer* alias) {
  if (addresses.status != dns::Status::kFound) return {};
  const bool is_alias = addresses.canonical_name != host.host && !addresses.canonical_name.empty();
  if (addresses.is_secure) {
    return is_alias ? std::vector{addresses.canonical_name, host.host} : std::vector{host.host};
  }
  const bool is_alias_secure = is_alias && alias && alias->status == dns::Status::kFound && alias->is_secure;
  return is_alias_secure ? std::vector{host.host} : std::vector<std::string>{};
}

std::string tlsa_name(std::string_view base_domain, std::uint16_t port) {
  return "_" + std::to_string(port) + "._tcp." + std::string(base_domain);
}

bool is_usable(const dns::TlsaRecord& record) {
  if (record.usage != 2 && record.usage != 3) return false;
  if (record.selector > 1 || record.matching_type > 2 || record.data.empty()) return false;
  return record.matching_type == 0 || record.data.size() == digest_length(record.matching_type);
}

Result<DanePolicy> dane_policy(const DaneHost& host, const std::string& base_domain, const dns::Answer& tlsa) {
  if (tlsa.status == dns::Status::kTemporary || tlsa.status == dns::Status::kBogus) {
    return fail(ErrorKind::kUnavailable, "the TLSA records cannot be had: " + tlsa.reason);
  }
  DanePolicy policy;
  if (tlsa.status != dns::Status::kFound || !tlsa.is_secure || tlsa.tlsa.empty()) return policy;
  for (const dns::TlsaRecord& record : tlsa.tlsa) {
    if (is_usable(record) && policy.tlsa.size() < kMaxUsableTlsa) policy.tlsa.push_back(record);
  }
  policy.requirement = policy.tlsa.empty() ? TlsRequirement::kEncrypted : TlsRequirement::kDane;
  const auto add_name = [&](const std::string& name) {
    const bool is_new = std::find(policy.names.begin(), policy.names.end(), name) == policy.names.end();
    if (!name.empty() && is_new) policy.names.push_back(name);
  };
  add_name(base_domain);
  // RFC 7672 §3.2.2: with an insecure MX answer the domain proves nothing.
  if (host.is_from_mx && !host.is_mx_secure) return policy;
  add_name(host.domain);
  add_name(host.canonical_domain);
  return policy;
}

}  // namespace posthus::mailauth
