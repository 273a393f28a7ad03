// Does the DNS hold what a domain of ours should publish (core/dns/publication.h)? Judged by meaning, not by letter: an SPF
// record is right when it passes our addresses, a key when it is ours. A restartable pure function over the answers known so far;
// what could not be asked is unknown, never missing. RFC 7208, 6376, 7489, 8461, 8460, 6186, 7672, 8659, RFC 2181 §10.3. Thread
// rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/dns/answers.h"
#include "core/dns/publication.h"

namespace posthus::mailauth {

enum class RecordState : std::uint8_t { kOk, kMissing, kWrong, kUnknown };
std::string_view to_string(RecordState state);  // "ok"

struct RecordFinding {
  dns::PublishedRecord record;  // what should be there
  RecordState state = RecordState::kUnknown;
  std::vector<std::string> found;  // values as in a zone, at most kMaxFound
  std::string meaning;             // for people: what it means
  std::string paste;               // the line of a zone file that puts it right; empty: nothing is to be done
  std::string better_value;        // a value that suits what is there better than record.value; empty: there is none
  bool is_about_name = true;       // false: the name is right, but not what is found behind it (the policy's host)
};
inline constexpr std::size_t kMaxFound = 20;

struct CheckInput {
  const dns::PublicationFacts& facts;
  std::string policy;  // our MTA-STS policy; empty: none
  /// What came of fetching it as others do; nothing: not tried, or not yet.
  std::optional<Result<std::string>> fetched_policy;
};

/// One finding per record of dns::publication(facts), in its order. While answers.lacking() is not empty it is not the last word.
std::vector<RecordFinding> check_publication(const CheckInput& input, dns::Answers& answers);

/// The same for one key: is the record of `selector` what `record` says? For the activation of keys.
RecordFinding check_key(const dns::PublicationFacts& facts, const dns::OfferedKey& key, dns::Answers& answers);

}  // namespace posthus::mailauth
