// What the parts of the check share; private to core/mailauth/dns_check*.cc. Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/mailauth/dns_check.h"

namespace posthus::mailauth {

/// One record being judged.
struct Judging {
  const CheckInput& input;
  dns::Answers& answers;
  const dns::PublishedRecord& record;
};
struct Judgement {
  RecordState state = RecordState::kUnknown;
  std::string meaning;
  std::vector<std::string> found = {};
  std::string value = {};  // to be pasted instead of the record's own
  bool is_about_name = true;
};

/// The answer when it says something; else the judgement that it does not (lacking, temporary, forged).
std::pair<const dns::Answer*, Judgement> ask_for(const Judging& judging, const std::string& name, dns::RecordType type);
inline Judgement missing(std::string meaning) { return {RecordState::kMissing, std::move(meaning)}; }

/// Addresses of `name`, both families; nothing while they are not known.
std::optional<std::vector<IpAddress>> addresses_of(const std::string& name, dns::Answers& answers);
/// Does `name` lead to one of our addresses? Nothing while that is not known.
std::optional<bool> leads_to_us(const Judging& judging, const std::string& name);
std::string texts_of(const std::vector<IpAddress>& addresses);

Judgement judge_spf(const Judging& judging);
Judgement judge_key(const Judging& judging, std::string_view name, std::string_view expected);
Judgement judge_dmarc(const Judging& judging);
Judgement judge_sts_record(const Judging& judging);
Judgement judge_sts_host(const Judging& judging);
Judgement judge_tls_reports(const Judging& judging);

}  // namespace posthus::mailauth
