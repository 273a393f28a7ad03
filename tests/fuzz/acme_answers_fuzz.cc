// LINK: posthus_core_acme
// What a CA answers: parsed or refused, bounded, and an issuance fed with it comes to an end.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/acme/answers.h"
#include "core/acme/issuance.h"

using namespace posthus;
using namespace posthus::acme;

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void check_urls(const Authorization& authorization) {
  for (const Challenge& challenge : authorization.challenges) {
    check(challenge.url.starts_with("https://") && challenge.url.size() <= kMaxUrl);
    check(challenge.token.find_first_of("/.\r\n") == std::string::npos);
  }
}

// The answers follow one another, separated by lines of "--"; the last one comes again and again.
void drive(std::string_view input) {
  static const AccountKey key = *AccountKey::make();
  static const ManualClock clock(Timestamp::from_seconds(1'800'000'000));
  Issuance issuance({.directory = "https://ca.test/dir", .hostname = "mail.example.test", .accepts_terms = true}, key, "", clock);
  for (int i = 0; i < 2000; ++i) {
    if (issuance.need() == Issuance::Need::kDone || issuance.need() == Issuance::Need::kFailed) return;
    if (issuance.need() != Issuance::Need::kRequest) {
      issuance.resumed();
      continue;
    }
    const std::size_t end = std::min(input.find("\n--\n"), input.size());
    const std::string body(input.substr(0, end));
    if (end < input.size()) input.remove_prefix(end + 4);
    issuance.answered(WebAnswer{.status = body.starts_with("4") ? 400 : 200,
                                .content_type = std::string(kChainType),
                                .body = body,
                                .replay_nonce = "nonce",
                                .location = "https://ca.test/1",
                                .retry_after = body.substr(0, 8)});
  }
  std::abort();  // it did not end
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_directory(input));
  const Problem problem = parse_problem(input);
  check(problem.detail.size() <= 2 * kMaxDetail + 3);
  static_cast<void>(explain(problem, "mail.example.test"));
  if (const auto order = parse_order(input)) check(order->authorizations.size() <= kMaxAuthorizations);
  if (const auto authorization = parse_authorization(input)) check_urls(*authorization);
  if (const auto info = parse_renewal_info(input)) check(info->start < info->end);
  const auto seconds = parse_retry_after(input, Timestamp::from_seconds(1'800'000'000));
  check(!seconds || (*seconds >= 0 && *seconds <= 7 * 86'400));
  drive(input);
  return 0;
}
