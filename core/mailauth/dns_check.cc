// Judging hosts, services and certificates; the texts are judged in dns_check_texts.cc.
#include "core/mailauth/dns_check.h"

#include <algorithm>

#include "core/base/hash.h"
#include "core/dns/record_text.h"
#include "core/mailauth/dns_check_parts.h"

namespace posthus::mailauth {

using dns::Answer;
using dns::Purpose;
using dns::RecordType;
using dns::Status;

std::string_view to_string(RecordState state) {
  switch (state) {
    case RecordState::kOk: return "ok";
    case RecordState::kMissing: return "missing";
    case RecordState::kWrong: return "wrong";
    case RecordState::kUnknown: return "unknown";
  }
  return "?";
}

std::pair<const Answer*, Judgement> ask_for(const Judging& judging, const std::string& name, RecordType type) {
  const Answer* const answer = judging.answers.ask(name, type);
  if (!answer) return {nullptr, {RecordState::kUnknown, "Not asked yet."}};
  if (answer->status == Status::kTemporary) {
    return {nullptr,
            {RecordState::kUnknown,
             "The DNS did not answer (" + (answer->reason.empty() ? "no reason" : answer->reason) + "); try again later."}};
  }
  if (answer->status == Status::kBogus) {
    return {nullptr,
            {RecordState::kUnknown,
             "The answer does not pass DNSSEC (" + answer->reason + "): the zone's signatures must be repaired first."}};
  }
  return {answer, {}};
}

std::optional<std::vector<IpAddress>> addresses_of(const std::string& name, dns::Answers& answers) {
  std::vector<IpAddress> addresses;
  bool is_known = true;
  for (const RecordType type : {RecordType::kA, RecordType::kAaaa}) {
    const Answer* const answer = answers.ask(name, type);
    const bool has_answer = answer && answer->status != Status::kTemporary && answer->status != Status::kBogus;
    is_known = is_known && has_answer;
    if (has_answer) addresses.insert(addresses.end(), answer->addresses.begin(), answer->addresses.end());
  }
  return is_known ? std::optional(std::move(addresses)) : std::nullopt;
}

std::optional<bool> leads_to_us(const Judging& judging, const std::string& name) {
  auto ours = judging.input.facts.addresses;
  if (ours.empty()) {
    const auto of_host = addresses_of(judging.input.facts.hostname, judging.answers);
    if (!of_host) return std::nullopt;
    ours = *of_host;
  }
  const auto addresses = addresses_of(name, judging.answers);
  if (!addresses) return std::nullopt;
  return std::ranges::any_of(*addresses, [&](const IpAddress& a) { return std::ranges::find(ours, a) != ours.end(); });
}

std::string texts_of(const std::vector<IpAddress>& addresses) {
  std::string out;
  for (const IpAddress& address : addresses) out += (out.empty() ? "" : ", ") + to_string(address);
  return out;
}

namespace {

Judgement unknown() { return {RecordState::kUnknown, "The DNS did not answer; try again later."}; }

void note(Judgement& judgement, std::string value) {
  if (judgement.found.size() < kMaxFound) judgement.found.push_back(std::move(value));
}

// RFC 2181 §10.3: the name in an MX record must not be an alias.
Judgement judge_exchange_name(const Judging& judging, Judgement good) {
  const auto [alias, open] = ask_for(judging, judging.input.facts.hostname, RecordType::kCname);
  if (!alias) return open;
  if (alias->status != Status::kFound) return good;
  good.state = RecordState::kWrong;
  good.meaning = judging.input.facts.hostname +
                 " is an alias (CNAME), which the name in an MX record must not be: give it A and AAAA records.";
  good.is_about_name = false;
  return good;
}

Judgement judge_exchangers(const Judging& judging) {
  const auto [answer, open] = ask_for(judging, judging.record.name, RecordType::kMx);
  if (!answer) return open;
  if (answer->exchanges.empty()) return missing("Nobody knows where mail for the domain goes: none arrives here.");
  Judgement result{RecordState::kWrong, "Mail for the domain goes to another server, not to this one."};
  const dns::MxRecord* ours = nullptr;
  std::uint16_t best = 65'535;
  for (const dns::MxRecord& exchange : answer->exchanges) {
    note(result, std::to_string(exchange.preference) + " " + exchange.exchange + ".");
    best = std::min(best, exchange.preference);
    if (exchange.exchange == judging.input.facts.hostname) ours = &exchange;
  }
  if (answer->exchanges.front().exchange.empty()) {
    result.meaning = "The domain says that it takes no mail at all (null MX).";
    return result;
  }
  if (ours) {
    result.state = RecordState::kOk;
    result.meaning = "Mail for the domain comes to this server.";
    if (ours->preference > best && !judging.input.facts.is_backup)
      result.meaning = "Mail comes here only when the servers before it do not answer.";
    return judge_exchange_name(judging, std::move(result));
  }
  for (const dns::MxRecord& exchange : answer->exchanges) {
    const auto is_ours = leads_to_us(judging, exchange.exchange);
    if (!is_ours) return {RecordState::kUnknown, unknown().meaning, result.found};
    if (!*is_ours) continue;
    result.meaning = "Mail comes to this server, but by the name " + exchange.exchange +
                     ": others will not find that name in our certificate and policy.";
  }
  return result;
}

Judgement judge_host_address(const Judging& judging) {
  const auto [answer, open] = ask_for(judging, judging.record.name, judging.record.type);
  if (!answer) return open;
  if (answer->addresses.empty()) return missing("The name of this server does not lead to this address.");
  Judgement result{RecordState::kWrong, "The name of this server leads elsewhere."};
  for (const IpAddress& address : answer->addresses) {
    note(result, to_string(address));
    if (to_string(address) != judging.record.value) continue;
    result.state = RecordState::kOk;
    result.meaning = "The name of this server leads to it.";
  }
  return result;
}

// RFC 1912 §2.1: the name of the address leads back to it; and it is what we say in EHLO (RFC 5321 §4.1.1.1).
Judgement judge_reverse(const Judging& judging) {
  const auto [answer, open] = ask_for(judging, judging.record.name, RecordType::kPtr);
  if (!answer) return open;
  if (answer->names.empty())
    return missing("The address has no name: many servers refuse mail from it. Ask your provider to set it.");
  const std::string& host = judging.input.facts.hostname;
  Judgement result{RecordState::kWrong,
                   "The address has another name than the one this server greets with (" + host +
                       "): some servers refuse that. Ask your provider to change it, or change the server's host name."};
  for (const std::string& name : answer->names) note(result, name + ".");
  if (std::ranges::find(answer->names, host) == answer->names.end()) return result;
  const auto back = addresses_of(host, judging.answers);
  if (!back) return {RecordState::kUnknown, unknown().meaning, result.found};
  const bool agrees = std::ranges::any_of(*back, [&](const IpAddress& a) { return dns::reverse_name(a) == judging.record.name; });
  result.state = agrees ? RecordState::kOk : RecordState::kWrong;
  result.meaning = agrees ? "Address and name agree, and it is the name this server greets with."
                          : "The address has the right name, but that name does not lead back to the address: put the A or AAAA "
                            "record of the name right.";
  result.is_about_name = agrees;
  return result;
}

Judgement judge_service(const Judging& judging) {
  const auto [answer, open] = ask_for(judging, judging.record.name, RecordType::kSrv);
  if (!answer) return open;
  const bool is_offered = judging.record.value != "0 0 0 .";
  if (answer->services.empty()) {
    return missing(is_offered ? "Mail programs that look for this service here do not find it."
                              : "Nothing is said about this service; that does no harm.");
  }
  Judgement result{RecordState::kWrong,
                   is_offered ? "Mail programs are sent elsewhere." : "Mail programs are sent to a service that is not there."};
  for (const dns::SrvRecord& service : answer->services) {
    note(result, std::to_string(service.priority) + " " + std::to_string(service.weight) + " " + std::to_string(service.port) +
                     " " + service.target + ".");
    const std::string end = " " + std::to_string(service.port) + " " + service.target + ".";
    if (!judging.record.value.ends_with(end)) continue;
    result.state = RecordState::kOk;
    result.meaning = is_offered ? "Mail programs find the service." : "Mail programs are told that the service is not offered.";
  }
  return result;
}

Judgement judge_name_of_ours(const Judging& judging) {
  const auto addresses = addresses_of(judging.record.name, judging.answers);
  const auto is_ours = leads_to_us(judging, judging.record.name);
  if (!addresses || !is_ours) return unknown();
  if (addresses->empty()) return missing("Mail programs that look here do not find their settings.");
  Judgement result{RecordState::kOk, "The name leads to this server."};
  for (const IpAddress& address : *addresses) note(result, to_string(address));
  if (!*is_ours)
    result.state = RecordState::kWrong, result.meaning = "The name leads to another server, which knows nothing of this domain.";
  return result;
}

Judgement judge_tlsa(const Judging& judging) {
  const auto [answer, open] = ask_for(judging, judging.record.name, RecordType::kTlsa);
  if (!answer) return open;
  const std::string unsigned_zone = answer->is_secure ? "" : " The zone is not signed (DNSSEC), so nobody looks at it.";
  if (answer->tlsa.empty()) return missing("Others do not know the key of this server by the DNS." + unsigned_zone);
  Judgement result{RecordState::kWrong,
                   "The key of this server is another one: servers that look at this send no mail." + unsigned_zone};
  for (const dns::TlsaRecord& tlsa : answer->tlsa) {
    const std::string value = std::to_string(tlsa.usage) + " " + std::to_string(tlsa.selector) + " " +
                              std::to_string(tlsa.matching_type) + " " + to_hex(tlsa.data);
    note(result, value);
    if (value != judging.record.value) continue;
    result.state = RecordState::kOk;
    result.meaning = "Others know this server by its key." + unsigned_zone;
  }
  return result;
}

// RFC 8659 §3: the records of the nearest name upwards that has any.
Judgement judge_caa(const Judging& judging) {
  std::string name = judging.record.name;
  while (!name.empty()) {
    const auto [answer, open] = ask_for(judging, name, RecordType::kCaa);
    if (!answer) return open;
    if (!answer->authorities.empty()) {
      Judgement result{RecordState::kWrong,
                       "The authority named here may not issue a certificate for this server: renewal will fail."};
      for (const dns::CaaRecord& caa : answer->authorities) {
        note(result, std::to_string(caa.flags) + " " + caa.tag + " \"" + caa.value + "\"");
        const std::string wanted = "0 issue \"" + caa.value.substr(0, caa.value.find(';')) + "\"";
        if (caa.tag != "issue" || wanted != judging.record.value) continue;
        result.state = RecordState::kOk;
        result.meaning = "The authority may issue certificates for this server.";
      }
      return result;
    }
    const std::size_t dot = name.find('.');
    name = dot == std::string::npos ? "" : name.substr(dot + 1);
  }
  return missing("Any authority may issue certificates for this server.");
}

Judgement judge(const Judging& judging) {
  switch (judging.record.purpose) {
    case Purpose::kMailExchanger: return judge_exchangers(judging);
    case Purpose::kHostAddress: return judge_host_address(judging);
    case Purpose::kReverse: return judge_reverse(judging);
    case Purpose::kSpf:
    case Purpose::kHelloSpf: return judge_spf(judging);
    case Purpose::kDkim: return judge_key(judging, judging.record.name, judging.record.value);
    case Purpose::kDmarc: return judge_dmarc(judging);
    case Purpose::kStsRecord: return judge_sts_record(judging);
    case Purpose::kStsHost: return judge_sts_host(judging);
    case Purpose::kTlsReports: return judge_tls_reports(judging);
    case Purpose::kService: return judge_service(judging);
    case Purpose::kAutoconfig:
    case Purpose::kAutodiscover: return judge_name_of_ours(judging);
    case Purpose::kTlsa: return judge_tlsa(judging);
    case Purpose::kCaa: return judge_caa(judging);
  }
  return {};
}

RecordFinding finding_of(const dns::PublishedRecord& record, Judgement judgement) {
  RecordFinding finding{
      .record = record, .state = judgement.state, .found = std::move(judgement.found), .meaning = std::move(judgement.meaning)};
  finding.is_about_name = judgement.is_about_name;
  finding.better_value = judgement.value;
  const bool can_be_pasted =
      judgement.is_about_name && (finding.state == RecordState::kMissing || finding.state == RecordState::kWrong);
  if (can_be_pasted) {
    dns::PublishedRecord better = record;
    if (!judgement.value.empty()) better.value = judgement.value;
    finding.paste = dns::zone_line(better);
  }
  return finding;
}

}  // namespace

std::vector<RecordFinding> check_publication(const CheckInput& input, dns::Answers& answers) {
  std::vector<RecordFinding> findings;
  for (const dns::PublishedRecord& record : dns::publication(input.facts)) {
    findings.push_back(finding_of(record, judge({input, answers, record})));
  }
  return findings;
}

RecordFinding check_key(const dns::PublicationFacts& facts, const dns::OfferedKey& key, dns::Answers& answers) {
  const dns::PublishedRecord record{.purpose = Purpose::kDkim,
                                    .name = key.selector + "._domainkey." + facts.domain,
                                    .type = RecordType::kTxt,
                                    .value = key.record};
  const CheckInput input{facts, "", std::nullopt};
  return finding_of(record, judge_key({input, answers, record}, record.name, record.value));
}

}  // namespace posthus::mailauth
