// Encodings of MTA-STS policies and TLS tallies; see record_tls.h.
#include "store/record_tls.h"

#include "core/base/bytes.h"
#include "store/key.h"
#include "store/record_fields.h"

namespace posthus::store {
namespace {

constexpr std::uint8_t kTlsVersion = 1;

// A list: its count, then its items. WHY no reserve: the count is not to be believed; the loop ends with the bytes.
template <class T, class Read>
std::vector<T> read_list(ByteReader& reader, Read read) {
  std::vector<T> items;
  for (std::uint32_t left = reader.u32(); left > 0 && reader.ok(); --left) items.push_back(read(reader));
  return items;
}

void append_failure(std::string& out, const TlsFailureTally& failure) {
  append_u8(out, failure.result);
  for (const std::string* text : {&failure.sending_address, &failure.receiving_host, &failure.receiving_greeting,
                                  &failure.receiving_address, &failure.reason}) {
    append_text(out, *text);
  }
  append_u64(out, failure.count);
}

TlsFailureTally read_failure(ByteReader& reader) {
  TlsFailureTally failure;
  failure.result = reader.u8();
  for (std::string* text : {&failure.sending_address, &failure.receiving_host, &failure.receiving_greeting,
                            &failure.receiving_address, &failure.reason}) {
    *text = reader.text();
  }
  failure.count = reader.u64();
  return failure;
}

TlsPolicyTally read_policy(ByteReader& reader) {
  TlsPolicyTally policy;
  policy.kind = static_cast<TlsPolicyTally::Kind>(reader.u8());
  policy.text = read_texts(reader);
  policy.mx_patterns = read_texts(reader);
  policy.successes = reader.u64();
  policy.failures = reader.u64();
  policy.details = read_list<TlsFailureTally>(reader, read_failure);
  return policy;
}

}  // namespace

// version, domain, id, text, fetched, expires
std::string encode_sts_policy(const StsPolicyRecord& record) {
  std::string out;
  append_u8(out, kTlsVersion);
  append_text(out, record.domain);
  append_text(out, record.id);
  append_text(out, record.text);
  append_timestamp(out, record.fetched);
  append_timestamp(out, record.expires);
  return out;
}

Result<StsPolicyRecord> decode_sts_policy(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_known = reader.u8() == kTlsVersion;
  StsPolicyRecord record;
  record.domain = reader.text();
  record.id = reader.text();
  record.text = reader.text();
  record.fetched = read_timestamp(reader);
  record.expires = read_timestamp(reader);
  if (!is_known || !reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "MTA-STS policy");
  return record;
}

// version, day u32, domain, count of policies, each: kind u8, texts, patterns, successes u64, failures u64, details
std::string encode_tls_tally(const TlsTallyRecord& record) {
  std::string out;
  append_u8(out, kTlsVersion);
  append_u32(out, record.day);
  append_text(out, record.domain);
  append_u32(out, static_cast<std::uint32_t>(record.policies.size()));
  for (const TlsPolicyTally& policy : record.policies) {
    append_u8(out, static_cast<std::uint8_t>(policy.kind));
    append_texts(out, policy.text);
    append_texts(out, policy.mx_patterns);
    append_u64(out, policy.successes);
    append_u64(out, policy.failures);
    append_u32(out, static_cast<std::uint32_t>(policy.details.size()));
    for (const TlsFailureTally& failure : policy.details) append_failure(out, failure);
  }
  return out;
}

Result<TlsTallyRecord> decode_tls_tally(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_known = reader.u8() == kTlsVersion;
  TlsTallyRecord record;
  record.day = reader.u32();
  record.domain = reader.text();
  record.policies = read_list<TlsPolicyTally>(reader, read_policy);
  bool is_good = is_known && reader.ok() && reader.at_end();
  for (const TlsPolicyTally& policy : record.policies) is_good = is_good && policy.kind <= TlsPolicyTally::Kind::kMtaSts;
  if (!is_good) return fail(ErrorKind::kCorrupt, "TLS tally");
  return record;
}

std::string sts_policy_key(std::string_view domain) { return domain_key(domain) + '\0'; }

std::string tls_tally_key(std::uint32_t day, std::string_view domain) {
  std::string key;
  append_u32(key, day);
  return key + domain_key(domain) + '\0';
}

}  // namespace posthus::store
