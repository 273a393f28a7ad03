// What to publish, and why. See publication.h.
#include "core/dns/publication.h"

#include "core/dns/record_text.h"

namespace posthus::dns {
namespace {

constexpr std::uint16_t kPreference = 10, kBackupPreference = 20;

/// Collects rows of one domain.
class Rows {
 public:
  explicit Rows(const PublicationFacts& facts) : facts_(facts) {}
  void add(Purpose purpose, Importance importance, std::string name, RecordType type, std::string value, std::string why) {
    rows_.push_back({purpose, importance, std::move(name), type, std::move(value), 3600, std::move(why)});
  }
  std::string host() const { return facts_.hostname + "."; }
  std::string below(std::string_view labels) const { return std::string(labels) + "." + facts_.domain; }
  std::vector<PublishedRecord> take() { return std::move(rows_); }

 private:
  const PublicationFacts& facts_;
  std::vector<PublishedRecord> rows_;
};

void add_hosts(const PublicationFacts& facts, Rows& rows) {
  for (const IpAddress& address : facts.addresses) {
    rows.add(Purpose::kHostAddress, Importance::kRequired, facts.hostname, address.is_v6 ? RecordType::kAaaa : RecordType::kA,
             to_string(address), "Other servers and your mail programs find this server by it.");
  }
  for (const IpAddress& address : facts.addresses) {
    rows.add(Purpose::kReverse, Importance::kRequired, reverse_name(address), RecordType::kPtr, rows.host(),
             "Many servers refuse mail from an address without a name; whoever gave you the address sets this.");
  }
}

void add_senders(const PublicationFacts& facts, Rows& rows) {
  rows.add(Purpose::kSpf, Importance::kRequired, facts.domain, RecordType::kTxt, "v=spf1 mx ~all",
           "It says that mail of this domain comes from its mail servers.");
  if (facts.hostname != facts.domain) {
    rows.add(Purpose::kHelloSpf, Importance::kRecommended, facts.hostname, RecordType::kTxt, "v=spf1 a -all",
             "Delivery reports have no sender; they are judged by the name of the server.");
  }
  for (const OfferedKey& key : facts.keys) {
    const bool is_retiring = key.state == OfferedKey::State::kRetiring;
    rows.add(Purpose::kDkim, is_retiring ? Importance::kRecommended : Importance::kRequired,
             rows.below(key.selector + "._domainkey"), RecordType::kTxt, key.record,
             is_retiring ? "Mail signed with this old key may still be on its way; keep it until the key is gone."
                         : "With it others verify the signature of your mail.");
  }
  const std::string reports = facts.report_address.empty() ? "" : "; rua=mailto:" + facts.report_address;
  rows.add(Purpose::kDmarc, Importance::kRecommended, rows.below("_dmarc"), RecordType::kTxt, "v=DMARC1; p=quarantine" + reports,
           "It tells others what to do with mail that only pretends to be yours; large receivers demand it.");
}

void add_transport(const PublicationFacts& facts, Rows& rows) {
  if (!facts.sts_id.empty()) {
    rows.add(Purpose::kStsRecord, Importance::kRecommended, rows.below("_mta-sts"), RecordType::kTxt,
             "v=STSv1; id=" + facts.sts_id + ";", "It says that there is a policy: mail to you is to be encrypted.");
    rows.add(Purpose::kStsHost, Importance::kRecommended, rows.below("mta-sts"), RecordType::kCname, rows.host(),
             "Other servers fetch the policy for encryption from here; this server needs a certificate for that name.");
  }
  if (!facts.report_address.empty()) {
    rows.add(Purpose::kTlsReports, Importance::kRecommended, rows.below("_smtp._tls"), RecordType::kTxt,
             "v=TLSRPTv1; rua=mailto:" + facts.report_address, "Others report to you when encryption on the way to you fails.");
  }
}

void add_clients(const PublicationFacts& facts, Rows& rows) {
  rows.add(Purpose::kAutoconfig, Importance::kRecommended, rows.below("autoconfig"), RecordType::kCname, rows.host(),
           "Thunderbird and many others find their settings by it.");
  rows.add(Purpose::kAutodiscover, Importance::kRecommended, rows.below("autodiscover"), RecordType::kCname, rows.host(),
           "Outlook finds its settings by it.");
  for (const OfferedService& service : facts.services) {
    const bool is_offered = service.port != 0;
    // RFC 6186 §3.4: "." says that the service is not there, so that clients do not guess.
    rows.add(Purpose::kService, is_offered ? Importance::kRecommended : Importance::kOptional,
             rows.below(std::string(service.label) + "._tcp"), RecordType::kSrv,
             is_offered ? "0 1 " + std::to_string(service.port) + " " + rows.host() : "0 0 0 .",
             is_offered ? "Mail programs find this service by it." : "It says that this service is not offered.");
  }
}

void add_certificates(const PublicationFacts& facts, Rows& rows) {
  if (!facts.key_digest.empty()) {
    rows.add(
        Purpose::kTlsa, Importance::kOptional, "_25._tcp." + facts.hostname, RecordType::kTlsa, "3 1 1 " + facts.key_digest,
        "Only of use when the zone is signed (DNSSEC): others know this server by its key; change it before the key changes.");
  }
  for (const std::string& authority : facts.authorities) {
    rows.add(Purpose::kCaa, Importance::kOptional, facts.hostname, RecordType::kCaa, "0 issue \"" + authority + "\"",
             "Nobody else may issue certificates for this server.");
  }
}

void append_section(std::string& out, std::string_view title, const std::string& lines) {
  if (lines.empty()) return;
  if (!title.empty()) out.append("\n; ").append(title).append("\n");
  out += lines;
}

}  // namespace

std::string_view to_string(Purpose purpose) {
  switch (purpose) {
    case Purpose::kMailExchanger: return "mail_exchanger";
    case Purpose::kHostAddress: return "host_address";
    case Purpose::kReverse: return "reverse";
    case Purpose::kSpf: return "spf";
    case Purpose::kHelloSpf: return "hello_spf";
    case Purpose::kDkim: return "dkim";
    case Purpose::kDmarc: return "dmarc";
    case Purpose::kStsRecord: return "mta_sts";
    case Purpose::kStsHost: return "mta_sts_host";
    case Purpose::kTlsReports: return "tls_reports";
    case Purpose::kService: return "service";
    case Purpose::kAutoconfig: return "autoconfig";
    case Purpose::kAutodiscover: return "autodiscover";
    case Purpose::kTlsa: return "tlsa";
    case Purpose::kCaa: return "caa";
  }
  return "?";
}

std::string_view to_string(Importance importance) {
  switch (importance) {
    case Importance::kRequired: return "required";
    case Importance::kRecommended: return "recommended";
    case Importance::kOptional: return "optional";
  }
  return "?";
}

std::vector<PublishedRecord> publication(const PublicationFacts& facts) {
  Rows rows(facts);
  const std::uint16_t preference = facts.is_backup ? kBackupPreference : kPreference;
  rows.add(Purpose::kMailExchanger, Importance::kRequired, facts.domain, RecordType::kMx,
           std::to_string(preference) + " " + rows.host(),
           facts.is_backup ? "Mail for the domain comes here when its own server cannot be reached."
                           : "Mail for the domain comes to this server.");
  add_hosts(facts, rows);
  if (facts.is_backup) return rows.take();
  add_senders(facts, rows);
  add_transport(facts, rows);
  add_clients(facts, rows);
  add_certificates(facts, rows);
  return rows.take();
}

bool is_within(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

std::string zone_line(const PublishedRecord& record) {
  std::string line = record.name + ". " + std::to_string(record.time_to_live) + " IN ";
  line.append(to_string(record.type)).append(" ");
  const std::string value = record.type == RecordType::kTxt ? quote_text(record.value) : record.value;
  const bool has_pieces = value.find("\" \"") != std::string::npos;
  return line + (has_pieces ? "( " + value + " )" : value) + "\n";
}

std::string zone_file(const PublicationFacts& facts, const std::vector<PublishedRecord>& records) {
  std::string own, elsewhere, reverse;
  for (const PublishedRecord& record : records) {
    std::string line = zone_line(record);
    if (record.purpose == Purpose::kReverse) {
      reverse += "; " + line;
    } else if (!is_within(record.name, facts.domain)) {
      elsewhere += "; " + line;
    } else {
      own += line;
    }
  }
  std::string out = "; Records of " + facts.domain + " for the mail server " + facts.hostname + "\n";
  append_section(out, "", own);
  append_section(out, "These belong into the zone of the host name:", elsewhere);
  append_section(out, "These are set by whoever gave you the addresses:", reverse);
  return out;
}

}  // namespace posthus::dns
