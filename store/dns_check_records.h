// What the last live check of a domain's DNS records found, and what was different from the check before: "this was right and is
// wrong now, since then". Bounded: a domain has some twenty records, and the oldest changes go. Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace posthus::store {

/// As mailauth::RecordState has them.
enum class DnsRecordState : std::uint8_t { kOk, kMissing, kWrong, kUnknown, kCount };

struct DnsFinding {
  std::string type, name;  // "TXT", "_dmarc.example.org"
  std::string purpose;     // "dmarc", see dns::to_string
  DnsRecordState state = DnsRecordState::kUnknown;

  bool is_same_record(const DnsFinding& other) const {
    return type == other.type && name == other.name && purpose == other.purpose;
  }
};
struct DnsChange {
  Timestamp time;
  DnsFinding finding;  // as it is since then
  DnsRecordState before = DnsRecordState::kUnknown;
};

struct DnsCheckRecord {
  std::string domain;
  Timestamp checked;
  std::vector<DnsFinding> findings;  // of records of which nothing could be learned, what was known before
  std::vector<DnsChange> changes;    // the newest first
};
inline constexpr std::size_t kMaxDnsFindings = 200;  // a domain with keys in rotation has some thirty
inline constexpr std::size_t kMaxDnsChanges = 60;    // a zone that was lost and came back twice
inline constexpr std::size_t kMaxDnsNameBytes = 255;

/// A check has ended: changes are found and noted. kNotFound when the domain is not ours.
struct PutDnsCheck {
  std::string domain;
  std::vector<DnsFinding> findings;
};

}  // namespace posthus::store
