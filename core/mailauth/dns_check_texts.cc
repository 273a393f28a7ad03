// Judging what stands in TXT records: SPF, DKIM, DMARC, MTA-STS, TLSRPT. By meaning: what would another server make of it?
#include <algorithm>

#include "core/base/ascii.h"
#include "core/mailauth/dns_check_parts.h"
#include "core/mailauth/spf.h"
#include "core/mailauth/tag_list.h"
#include "core/mailauth/tls_policy.h"

namespace posthus::mailauth {
namespace {

using dns::Answer;
using dns::RecordType;
using dns::Status;

constexpr std::size_t kShown = 1000;  // bytes of a text that is shown

std::vector<std::string> shown(const std::vector<std::string>& texts) {
  std::vector<std::string> out;
  for (const std::string& text : texts) {
    if (out.size() < kMaxFound) out.push_back(text.substr(0, kShown));
  }
  return out;
}

/// The value of a tag in "a=b; c=d" as DKIM and DMARC have them (RFC 6376 §3.2); white space in the value is dropped.
std::optional<std::string> tag_value(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view field = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos || !ascii::equal_ignoring_case(ascii::trim(field.substr(0, equals)), name)) continue;
    std::string value;
    for (const char c : field.substr(equals + 1)) {
      if (!ascii::is_space_or_tab(c)) value.push_back(c);
    }
    return value;
  }
  return std::nullopt;
}

/// The texts whose first tag is v=`version`.
std::vector<std::string> of_version(const std::vector<std::string>& texts, std::string_view version) {
  std::vector<std::string> out;
  for (const std::string& text : texts) {
    const std::string_view first = ascii::trim(std::string_view(text).substr(0, text.find(';')));
    if (tag_value(first, "v").value_or("") == version) out.push_back(text);
  }
  return out;
}

// ---- SPF ----

/// The record with "mx" (of a host name: "a") put first, so that it passes us whatever else it says.
std::string with_us(const std::string& record, bool is_host) {
  constexpr std::size_t kVersion = 6;
  return record.substr(0, kVersion) + (is_host ? " a" : " mx") + record.substr(kVersion);
}

/// Several records as one: what each lets pass, and us.
std::string merged(const std::vector<std::string>& records, bool is_host) {
  std::vector<std::string> terms{is_host ? "a" : "mx"};
  for (const std::string& record : records) {
    for (std::string_view left = std::string_view(record).substr(6); !(left = ascii::trim(left)).empty();) {
      const std::string_view term = left.substr(0, left.find(' '));
      left.remove_prefix(term.size());
      const bool is_last_word = ascii::to_lower(term).ends_with("all") || ascii::to_lower(term).starts_with("redirect=");
      if (!is_last_word && terms.size() < kMaxSpfTerms && std::ranges::find(terms, term) == terms.end()) terms.emplace_back(term);
    }
  }
  std::string out = "v=spf1";
  for (const std::string& term : terms) out += " " + term;
  return out + " ~all";
}

/// Does each of our addresses pass? Those that do not go to `refused`. Nothing: not known yet or now.
std::optional<bool> passes_us(const Judging& judging, const std::string& domain, std::vector<IpAddress>& refused) {
  auto addresses = judging.input.facts.addresses;
  if (addresses.empty()) addresses = addresses_of(judging.input.facts.hostname, judging.answers).value_or(addresses);
  bool is_known = !addresses.empty();
  for (const IpAddress& address : addresses) {
    const auto verdict = check_host({address, "postmaster@" + domain, judging.input.facts.hostname}, domain, judging.answers);
    if (!verdict || verdict->result == SpfResult::kTempError) is_known = false;
    if (verdict && verdict->result != SpfResult::kPass && verdict->result != SpfResult::kTempError) refused.push_back(address);
  }
  if (!refused.empty()) return false;
  return is_known ? std::optional(true) : std::nullopt;
}

/// Would anybody pass? An address of a block that is for documents only (RFC 5737) stands for anybody.
std::optional<bool> passes_anybody(const Judging& judging, const std::string& domain) {
  const auto verdict =
      check_host({*parse_ip_address("198.51.100.254"), "postmaster@" + domain, "nobody.invalid"}, domain, judging.answers);
  if (!verdict) return std::nullopt;
  return verdict->result == SpfResult::kPass;
}

Judgement judge_one_spf(const Judging& judging, const std::string& record) {
  const bool is_host = judging.record.purpose == dns::Purpose::kHelloSpf;
  const std::string& domain = judging.record.name;
  Judgement result{.found = {record.substr(0, kShown)}};
  std::vector<IpAddress> refused;
  const auto passes = passes_us(judging, domain, refused);
  const auto cost = spf_cost(domain, judging.answers);
  const auto anybody = passes_anybody(judging, domain);
  if (!passes || !cost || !anybody) {
    result.meaning = judging.input.facts.addresses.empty() ? "Which addresses this server has is not known: set public.addresses."
                                                           : "Not all that the record refers to could be asked; try again later.";
    return result;
  }
  result.state = RecordState::kWrong;
  const std::string lookups = std::to_string(cost->lookups) + " of the 10 lookups it may cost";
  if (cost->lookups > kMaxSpfLookups) {
    result.meaning = "The record costs " + std::to_string(cost->lookups) +
                     " lookups; others stop after 10 and take it for broken. Remove includes that are not needed.";
  } else if (!*passes) {
    result.meaning = "Mail from this server does not pass (" + texts_of(refused) + ")" +
                     (cost->reason.empty() ? "." : ": " + cost->reason + ".");
    result.value = with_us(record, is_host);
  } else if (*anybody) {
    result.meaning = "The record lets everybody send as this domain (+all): others distrust it.";
  } else {
    result.state = RecordState::kOk;
    result.meaning = "Mail from this server passes; the record takes " + lookups + ".";
  }
  return result;
}

}  // namespace

Judgement judge_spf(const Judging& judging) {
  const auto [answer, open] = ask_for(judging, judging.record.name, RecordType::kTxt);
  if (!answer) return open;
  const auto records = spf_records(answer->texts);
  if (records.empty()) return missing("Others cannot tell your mail from mail that only pretends to be yours.");
  if (records.size() == 1) return judge_one_spf(judging, records.front());
  return {RecordState::kWrong,
          "There are " + std::to_string(records.size()) +
              " SPF records; with more than one none counts (RFC 7208 §4.5). Make one of them.",
          shown(records), merged(records, judging.record.purpose == dns::Purpose::kHelloSpf)};
}

// ---- DKIM ----

Judgement judge_key(const Judging& judging, std::string_view name, std::string_view expected) {
  const auto [answer, open] = ask_for(judging, std::string(name), RecordType::kTxt);
  if (!answer) return open;
  if (answer->texts.empty()) return missing("Nobody can verify what is signed with this key.");
  Judgement result{RecordState::kWrong, "", shown(answer->texts)};
  if (answer->texts.size() > 1) {
    result.meaning = "There is more than one text under this name; others may take the wrong one (RFC 6376 §3.6.2.2).";
    return result;
  }
  const std::string& text = answer->texts.front();
  const auto key = tag_value(text, "p"), wanted = tag_value(expected, "p");
  const std::string kind = tag_value(text, "k").value_or("rsa");
  if (!key) {
    result.meaning = "This is no key record.";
  } else if (key->empty()) {
    result.meaning = "The record says that the key was withdrawn: every signature of it fails.";
  } else if (key != wanted || kind != tag_value(expected, "k").value_or("rsa")) {
    result.meaning =
        "Another key is published than the one that signs: every signature of it fails. (Was a long text cut or split wrong?)";
  } else if (const auto flags = tag_value(text, "t"); flags && flags->find('y') != std::string::npos) {
    result.meaning = "The key is right, but marked as a test (t=y): others may ignore the signatures.";
  } else {
    result.state = RecordState::kOk;
    result.meaning = "The published key is the one that signs.";
  }
  return result;
}

// ---- DMARC ----

namespace {

Judgement judge_dmarc_record(const std::string& text, std::vector<std::string> found, const std::string& where) {
  Judgement result{RecordState::kOk, "", std::move(found)};
  const std::string policy = ascii::to_lower(tag_value(text, "p").value_or(""));
  if (policy == "none") {
    result.meaning = where +
                     "Others are asked to report only; mail that pretends to be yours is delivered. Go on to p=quarantine when "
                     "your own mail passes.";
  } else if (policy == "quarantine" || policy == "reject") {
    result.meaning =
        where + "Mail that pretends to be yours is " + (policy == "reject" ? "refused." : "put aside as suspicious.");
  } else {
    result.state = RecordState::kWrong;
    result.meaning = "The record has no valid policy (p=none, quarantine or reject): others ignore it.";
  }
  return result;
}

/// The record of the nearest parent counts for a domain below another one (RFC 7489 §6.6.3); the public suffix is not asked.
Judgement judge_dmarc_of_parents(const Judging& judging) {
  std::string name = judging.input.facts.domain;
  for (std::size_t dot = name.find('.'); dot != std::string::npos && name.find('.', dot + 1) != std::string::npos;
       dot = name.find('.')) {
    name.erase(0, dot + 1);
    const auto [answer, open] = ask_for(judging, "_dmarc." + name, RecordType::kTxt);
    if (!answer) return open;
    const auto records = of_version(answer->texts, "DMARC1");
    if (records.size() != 1) continue;
    const std::string own = tag_value(records[0], "sp").value_or("");
    const std::string text = own.empty() ? records[0] : "v=DMARC1;p=" + own;
    return judge_dmarc_record(text, shown(records), "The record of " + name + " counts. ");
  }
  return missing("Others are not told what to do with mail that only pretends to be yours; large receivers demand that.");
}

}  // namespace

Judgement judge_dmarc(const Judging& judging) {
  const auto [answer, open] = ask_for(judging, judging.record.name, RecordType::kTxt);
  if (!answer) return open;
  const auto records = of_version(answer->texts, "DMARC1");
  if (records.empty()) return judge_dmarc_of_parents(judging);
  if (records.size() > 1) return {RecordState::kWrong, "There is more than one DMARC record; then none counts.", shown(records)};
  return judge_dmarc_record(records.front(), shown(records), "");
}

// ---- MTA-STS and TLSRPT ----

Judgement judge_sts_record(const Judging& judging) {
  const auto [answer, open] = ask_for(judging, judging.record.name, RecordType::kTxt);
  if (!answer) return open;
  if (answer->texts.empty()) return missing("Others do not know that mail to you is to be encrypted.");
  Judgement result{RecordState::kWrong, "This is no valid record (v=STSv1; id=...), or there is more than one: others ignore it.",
                   shown(answer->texts)};
  const auto id = find_sts_id(answer->texts);
  if (!id) return result;
  const bool is_current = *id == judging.input.facts.sts_id;
  result.state = is_current ? RecordState::kOk : RecordState::kWrong;
  result.meaning = is_current ? "Others know that there is a policy, and which."
                              : "The policy has changed since: others keep the old one until the id changes.";
  return result;
}

// RFC 8461 §4.1: mail goes to no host that the policy does not name, whatever MX records there are.
Judgement judge_policy_hosts(const Judging& judging, const StsPolicy& policy, Judgement good) {
  const auto [answer, open] = ask_for(judging, judging.input.facts.domain, RecordType::kMx);
  if (!answer || policy.mode == StsMode::kNone) return good;
  for (const dns::MxRecord& exchange : answer->exchanges) {
    if (exchange.exchange.empty() || sts_allows(policy, exchange.exchange)) continue;
    const bool is_enforced = policy.mode == StsMode::kEnforce;
    good.state = is_enforced ? RecordState::kWrong : RecordState::kOk;
    good.is_about_name = false;
    good.meaning = "The policy does not name " + exchange.exchange + ", which is in the MX records: servers that keep to it " +
                   (is_enforced ? "deliver nothing there" : "report it") + ". Name it in the setting mta_sts.mx@" +
                   judging.input.facts.domain + ", or remove it from the MX records.";
    return good;
  }
  return good;
}

Judgement judge_sts_host(const Judging& judging) {
  const auto addresses = addresses_of(judging.record.name, judging.answers);
  const auto is_ours = leads_to_us(judging, judging.record.name);
  if (!addresses || !is_ours) return {RecordState::kUnknown, "The DNS did not answer; try again later."};
  if (addresses->empty()) return missing("Others cannot fetch the policy, and so ignore it.");
  Judgement result{RecordState::kOk, "The policy can be fetched, and it is ours."};
  for (const IpAddress& address : *addresses) result.found.push_back(to_string(address));
  const auto& fetched = judging.input.fetched_policy;
  if (!fetched) {
    result.state = *is_ours ? RecordState::kUnknown : RecordState::kWrong;
    result.meaning = *is_ours ? "The name leads to this server; whether others can fetch the policy was not tried."
                              : "The name leads to another server.";
    return result;
  }
  result.is_about_name = !*is_ours;
  if (*fetched) {
    const auto theirs = parse_sts_policy(**fetched), ours = parse_sts_policy(judging.input.policy);
    if (theirs && ours && *theirs == *ours) return judge_policy_hosts(judging, *ours, std::move(result));
    result.state = RecordState::kWrong;
    result.meaning = "What is served there is not the policy of this server: " +
                     (theirs ? std::string("another policy.") : theirs.error().context + ".");
    return result;
  }
  const Error& error = fetched->error();
  result.state = error.kind == ErrorKind::kBusy ? RecordState::kUnknown : RecordState::kWrong;
  result.meaning =
      error.kind == ErrorKind::kDenied
          ? "The certificate does not hold for " + judging.record.name + " (" + error.context + "): others ignore the policy."
          : "The policy cannot be fetched (" + error.context + "): others ignore it. Port 443 must lead to this server.";
  return result;
}

Judgement judge_tls_reports(const Judging& judging) {
  const auto [answer, open] = ask_for(judging, judging.record.name, RecordType::kTxt);
  if (!answer) return open;
  if (answer->texts.empty()) return missing("Nobody tells you when encryption on the way to you fails.");
  Judgement result{RecordState::kWrong, "This is no valid record (v=TLSRPTv1; rua=...), or there is more than one.",
                   shown(answer->texts)};
  const auto tags = find_only_record(answer->texts, "v=TLSRPTv1");
  const bool has_receiver = tags && std::ranges::any_of(*tags, [](const auto& tag) { return tag.first == "rua"; });
  if (has_receiver) result.state = RecordState::kOk, result.meaning = "Others know where to report failures of encryption.";
  return result;
}

}  // namespace posthus::mailauth
