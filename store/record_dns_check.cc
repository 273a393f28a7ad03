// The last check of a domain's DNS. See record_dns_check.h.
#include "store/record_dns_check.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "store/key.h"
#include "store/long_value.h"

namespace posthus::store {
namespace {

constexpr std::uint8_t kDnsCheckVersion = 1;

void append_finding(std::string& out, const DnsFinding& finding) {
  append_text(out, finding.type);
  append_text(out, finding.name);
  append_text(out, finding.purpose);
  append_u8(out, static_cast<std::uint8_t>(finding.state));
}

DnsFinding read_finding(ByteReader& reader) {
  DnsFinding finding;
  finding.type = reader.text();
  finding.name = reader.text();
  finding.purpose = reader.text();
  finding.state = static_cast<DnsRecordState>(reader.u8());
  return finding;
}

bool is_state(DnsRecordState state) { return state < DnsRecordState::kCount; }

}  // namespace

// version, domain, checked, count of findings u16, each: type, name, purpose, state u8; count of changes u16, each: time,
// finding, state before u8
std::string encode_dns_check(const DnsCheckRecord& record) {
  std::string out;
  append_u8(out, kDnsCheckVersion);
  append_text(out, record.domain);
  append_u64(out, static_cast<std::uint64_t>(record.checked.microseconds));
  append_u16(out, static_cast<std::uint16_t>(record.findings.size()));
  for (const DnsFinding& finding : record.findings) append_finding(out, finding);
  append_u16(out, static_cast<std::uint16_t>(record.changes.size()));
  for (const DnsChange& change : record.changes) {
    append_u64(out, static_cast<std::uint64_t>(change.time.microseconds));
    append_finding(out, change.finding);
    append_u8(out, static_cast<std::uint8_t>(change.before));
  }
  return out;
}

Result<DnsCheckRecord> decode_dns_check(std::string_view bytes) {
  ByteReader reader(bytes);
  bool is_known = reader.u8() == kDnsCheckVersion;
  DnsCheckRecord record;
  record.domain = reader.text();
  record.checked.microseconds = static_cast<std::int64_t>(reader.u64());
  for (std::size_t left = reader.u16(); left > 0 && reader.ok(); --left) {
    record.findings.push_back(read_finding(reader));
    is_known = is_known && is_state(record.findings.back().state);
  }
  for (std::size_t left = reader.u16(); left > 0 && reader.ok(); --left) {
    DnsChange change;
    change.time.microseconds = static_cast<std::int64_t>(reader.u64());
    change.finding = read_finding(reader);
    change.before = static_cast<DnsRecordState>(reader.u8());
    is_known = is_known && is_state(change.finding.state) && is_state(change.before);
    record.changes.push_back(std::move(change));
  }
  const bool is_bounded = record.findings.size() <= kMaxDnsFindings && record.changes.size() <= kMaxDnsChanges;
  if (!is_known || !is_bounded || !reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "DNS check");
  return record;
}

std::string dns_check_key(std::string_view domain) { return domain_key(domain) + '\0'; }

Result<std::optional<DnsCheckRecord>> read_dns_check(const Snapshot& snapshot, std::string_view domain) {
  std::string buffer;
  const auto bytes = get_long_value(snapshot, Table::kDnsChecks, dns_check_key(domain), buffer);
  if (!bytes && bytes.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!bytes) return std::unexpected(bytes.error());
  return POSTHUS_TRY(decode_dns_check(*bytes));
}

DnsCheckRecord after_dns_check(DnsCheckRecord before, std::vector<DnsFinding> findings, Timestamp now) {
  std::vector<DnsChange> changes;
  std::vector<bool> compared(before.findings.size());
  for (DnsFinding& finding : findings) {
    // Of several records with one name and type the first is compared with the first.
    auto known = before.findings.begin();
    while (known != before.findings.end() &&
           (compared[static_cast<std::size_t>(known - before.findings.begin())] || !known->is_same_record(finding))) {
      ++known;
    }
    if (known == before.findings.end()) continue;
    compared[static_cast<std::size_t>(known - before.findings.begin())] = true;
    if (finding.state == DnsRecordState::kUnknown) {
      finding.state = known->state;
    } else if (known->state != DnsRecordState::kUnknown && known->state != finding.state) {
      changes.push_back({.time = now, .finding = finding, .before = known->state});
    }
  }
  changes.insert(changes.end(), std::make_move_iterator(before.changes.begin()), std::make_move_iterator(before.changes.end()));
  if (changes.size() > kMaxDnsChanges) changes.resize(kMaxDnsChanges);
  return {.domain = std::move(before.domain), .checked = now, .findings = std::move(findings), .changes = std::move(changes)};
}

}  // namespace posthus::store
