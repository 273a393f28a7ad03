// The records a mail domain of ours should have in the DNS: what, why, and how much it matters; as rows and as a zone file.
// RFC 5321 §5.1 (MX), RFC 7208 (SPF), RFC 6376 (DKIM), RFC 7489 (DMARC), RFC 8461 (MTA-STS), RFC 8460 (TLSRPT), RFC 6186 and
// RFC 8314 §5.1 (SRV), RFC 7672 §3.1.1 (TLSA), RFC 8659 (CAA), RFC 1912 §2.1 (PTR). Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip_address.h"
#include "core/dns/resolver.h"

namespace posthus::dns {

/// What a record is for; one kind is checked one way.
enum class Purpose : std::uint8_t {
  kMailExchanger,
  kHostAddress,
  kReverse,
  kSpf,       // of the domain
  kHelloSpf,  // of the host name, which is the identity of mail with the null reverse-path (RFC 7208 §2.4)
  kDkim,
  kDmarc,
  kStsRecord,
  kStsHost,
  kTlsReports,
  kService,  // SRV
  kAutoconfig,
  kAutodiscover,
  kTlsa,
  kCaa,
};
enum class Importance : std::uint8_t { kRequired, kRecommended, kOptional };
std::string_view to_string(Purpose purpose);        // "mail_exchanger"
std::string_view to_string(Importance importance);  // "required"

struct PublishedRecord {
  Purpose purpose = Purpose::kMailExchanger;
  Importance importance = Importance::kRequired;
  std::string name;  // A-labels, without final dot
  RecordType type = RecordType::kTxt;
  std::string value;  // as in a zone file, names with final dot; TXT whole and without quotes
  std::uint32_t time_to_live = 3600;
  std::string why;  // one plain sentence
};

/// A service as clients are told of it. Port 0: we do not offer it.
struct OfferedService {
  std::string_view label;  // "_imaps"
  std::uint16_t port = 0;
};
/// A DKIM key as the DNS is to hold it.
struct OfferedKey {
  std::string selector, record;
  enum class State : std::uint8_t { kActive, kPending, kRetiring } state = State::kActive;
};

struct PublicationFacts {
  std::string domain, hostname;      // A-labels
  std::vector<IpAddress> addresses;  // under which the world sees us; may be empty: not known
  bool is_backup = false;            // the mailboxes are elsewhere: only an MX of lower preference is of any use
  std::vector<OfferedKey> keys;
  std::vector<OfferedService> services;  // with those that are off
  std::string report_address;            // for DMARC and TLS reports; empty: none are asked for
  std::string sts_id;                    // of the MTA-STS policy; empty: there is none
  std::string key_digest;                // hex SHA-256 of the served key (SubjectPublicKeyInfo); empty: not known
  std::vector<std::string> authorities;  // that may issue certificates for the host; empty: no CAA record
};

/// In the order in which people enter them: what mail does not work without comes first.
std::vector<PublishedRecord> publication(const PublicationFacts& facts);

/// A zone file with all records, absolute names (RFC 1035 §5.1). Those that cannot stand in the domain's own zone (reverse
/// names, a host name elsewhere) are comments.
std::string zone_file(const PublicationFacts& facts, const std::vector<PublishedRecord>& records);
/// One line of it.
std::string zone_line(const PublishedRecord& record);
/// Is `name` the domain itself or below it?
bool is_within(std::string_view name, std::string_view domain);

}  // namespace posthus::dns
