// What a CA answers, parsed from its JSON. RFC 8555 §7.1 (resources), §6.7 (problems), RFC 9773 §4.2 (renewal information).
// Hostile input: URLs are https and bounded, texts are bounded, lists are short, wrong types refuse the whole answer.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace posthus::acme {

inline constexpr std::size_t kMaxAnswer = 64 * 1024;  // JSON; real answers have 1 to 3 KiB
inline constexpr std::size_t kMaxChain = 128 * 1024;  // PEM; real chains have 4 to 8 KiB
inline constexpr std::size_t kMaxUrl = 1024;
inline constexpr std::size_t kMaxAuthorizations = 10;  // one hostname needs one
inline constexpr std::size_t kMaxDetail = 400;         // of what a CA says, for people

struct Directory {
  std::string new_nonce, new_account, new_order;
  std::string renewal_info;  // empty: not offered
  std::string terms;         // URL; empty: none
  bool needs_external_account = false;
};
Result<Directory> parse_directory(std::string_view json);

/// An error document (RFC 9457). `type` is without "urn:ietf:params:acme:error:", e.g. "badNonce"; "" when it is another one.
struct Problem {
  std::string type, detail;
};
/// Always something: what is no problem document has neither type nor detail.
Problem parse_problem(std::string_view json);

enum class Status : std::uint8_t { kPending, kReady, kProcessing, kValid, kInvalid, kOther };

struct Order {
  Status status = Status::kOther;
  std::vector<std::string> authorizations;  // URLs
  std::string finalize, certificate;        // URLs; certificate when valid
  std::optional<Problem> error;
};
Result<Order> parse_order(std::string_view json);

struct Challenge {
  std::string type, url, token;
  Status status = Status::kOther;
  std::optional<Problem> error;
};
struct Authorization {
  Status status = Status::kOther;
  std::string hostname;
  std::vector<Challenge> challenges;  // those with URL and a token as it must be (RFC 8555 §8.3)
};
Result<Authorization> parse_authorization(std::string_view json);

struct RenewalInfo {
  Timestamp start, end;         // renew within
  std::string explanation_url;  // for people; may be empty
};
Result<RenewalInfo> parse_renewal_info(std::string_view json);

/// Retry-After (RFC 9110 §10.2.3) as seconds from `now`, at least 0 and at most a week; nothing when it says nothing.
std::optional<std::int64_t> parse_retry_after(std::string_view value, Timestamp now);

/// For people: what the CA said of `hostname` and what to do.
std::string explain(const Problem& problem, std::string_view hostname);

}  // namespace posthus::acme
