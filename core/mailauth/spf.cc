// check_host(). RFC 7208 §4.6 (evaluation), §5 (mechanisms), §6 (modifiers), §7 (macros).
// Known limit: the macro "p" is always "unknown", which §7.3 allows.
#include "core/mailauth/spf.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/dns/record_text.h"
#include "core/mailauth/spf_macro.h"

namespace posthus::mailauth {
namespace {

constexpr int kMaxDepth = 10;            // of includes and redirects: each costs a lookup
constexpr std::size_t kMaxMxOrPtr = 10;  // names looked at, RFC 7208 §4.6.4
constexpr std::string_view kVersion = "v=spf1";

// term, taken apart: [ qualifier ] name [ ":" domain-spec ] [ "/" prefix [ "//" prefix ] ], or name "=" macro-string
struct Term {
  char qualifier = '+';
  std::string_view name, argument;  // argument: without the leading ':' or '='
  bool is_modifier = false;
  int prefix4 = 32, prefix6 = 128;
};

std::optional<int> prefix_of(std::string_view text, int most) {
  const auto number = ascii::parse_decimal<std::uint8_t>(text);
  return number && *number <= most ? std::optional<int>(*number) : std::nullopt;
}

// dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ] (RFC 7208 §5.6)
bool take_prefixes(std::string_view text, Term& term) {
  const std::size_t two = text.find("//");
  const std::string_view four = text.substr(0, two);
  if (!four.empty()) {
    const auto prefix = prefix_of(four.substr(1), 32);
    if (!prefix) return false;
    term.prefix4 = *prefix;
  }
  if (two == std::string_view::npos) return true;
  const auto prefix = prefix_of(text.substr(two + 2), 128);
  if (prefix) term.prefix6 = *prefix;
  return prefix.has_value();
}

bool is_modifier_name(std::string_view text) {
  return !text.empty() && ascii::is_alpha(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
    return ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '_' || c == '.';
  });
}

std::optional<Term> parse_term(std::string_view text) {
  Term term;
  const std::size_t end = std::min(text.find_first_of(":/="), text.size());
  if (end < text.size() && text[end] == '=') {
    term.name = text.substr(0, end);
    term.argument = text.substr(end + 1);
    term.is_modifier = true;
    return is_modifier_name(term.name) ? std::optional(term) : std::nullopt;
  }
  if (std::string_view("+-?~").find(text.front()) != std::string_view::npos) {
    term.qualifier = text.front();
    text.remove_prefix(1);
  }
  const std::size_t name_end = std::min(text.find_first_of(":/"), text.size());
  term.name = text.substr(0, name_end);
  std::string_view rest = text.substr(name_end);
  const bool is_address = ascii::equal_ignoring_case(term.name, "ip4") || ascii::equal_ignoring_case(term.name, "ip6");
  if (is_address) {
    if (!rest.starts_with(':')) return std::nullopt;
    term.argument = rest.substr(1);
    return term;
  }
  // WHY from the end of the macros: "{" may hold a '/' as delimiter (§7.1).
  const std::size_t brace = rest.rfind('}');
  const std::size_t slash = rest.find('/', brace == std::string_view::npos ? 0 : brace);
  if (rest.starts_with(':')) {
    term.argument = rest.substr(1, slash == std::string_view::npos ? slash : slash - 1);
    if (term.argument.empty()) return std::nullopt;
  }
  if (slash != std::string_view::npos && !take_prefixes(rest.substr(slash), term)) return std::nullopt;
  return is_modifier_name(term.name) ? std::optional(term) : std::nullopt;
}

SpfResult result_of(char qualifier) {
  if (qualifier == '-') return SpfResult::kFail;
  if (qualifier == '~') return SpfResult::kSoftFail;
  return qualifier == '?' ? SpfResult::kNeutral : SpfResult::kPass;
}

/// kWhole: every term is followed, for the count; kFirstMatch: as receivers do it.
enum class Walk : bool { kFirstMatch, kWhole };
enum class Match : std::uint8_t { kNo, kYes, kLacking, kTemporary, kPermanent };

class Evaluation {
 public:
  Evaluation(const SpfClient& client, dns::Answers& answers, Walk walk) : client_(client), answers_(answers), walk_(walk) {}

  std::optional<SpfVerdict> check(const std::string& domain, int depth);
  int lookups() const { return lookups_; }
  const std::string& first_problem() const { return problem_; }

 private:
  std::optional<SpfVerdict> terms(std::string_view record, const std::string& domain, int depth);
  std::optional<SpfVerdict> redirect(const std::string& target, int depth);
  Match matches(const Term& term, const std::string& domain, int depth);
  Match include(const std::string& target, int depth);
  Match address_matches(const std::string& name, const Term& term);
  Match exchange_matches(const std::string& name, const Term& term);
  Match pointer_matches(const std::string& target);
  Match exists(const std::string& name);
  Match network_matches(const Term& term);
  bool covers(const IpAddress& address, const Term& term) const;
  Match note(std::string reason, Match match = Match::kPermanent);
  /// Counts what found nothing; false beyond the limit.
  bool count_void(const dns::Answer& answer);
  std::optional<std::string> target_of(const Term& term, const std::string& domain) const;

  const SpfClient& client_;
  dns::Answers& answers_;
  const Walk walk_;
  int lookups_ = 0, void_lookups_ = 0;
  std::string problem_;
};

Match Evaluation::note(std::string reason, Match match) {
  if (problem_.empty()) problem_ = std::move(reason);
  return match;
}

bool is_temporary(const dns::Answer& answer) {
  return answer.status == dns::Status::kTemporary || answer.status == dns::Status::kBogus;
}

bool Evaluation::count_void(const dns::Answer& answer) {
  if (answer.status == dns::Status::kFound || is_temporary(answer)) return true;
  return ++void_lookups_ <= kMaxSpfVoidLookups;
}

bool Evaluation::covers(const IpAddress& address, const Term& term) const {
  if (address.is_v6 != client_.address.is_v6) return false;
  return IpNetwork{address, address.is_v6 ? term.prefix6 : term.prefix4}.contains(client_.address);
}

std::optional<std::string> Evaluation::target_of(const Term& term, const std::string& domain) const {
  if (term.argument.empty()) return domain;
  return expand_spf_macros(term.argument, {client_.address, client_.sender, client_.helo, domain});
}

Match Evaluation::network_matches(const Term& term) {
  const auto network = parse_ip_network(term.argument);
  const bool is_six = ascii::equal_ignoring_case(term.name, "ip6");
  if (!network || (network->address.is_v6 != is_six)) return note("'" + std::string(term.argument) + "' is no network");
  return network->contains(client_.address) ? Match::kYes : Match::kNo;
}

Match Evaluation::address_matches(const std::string& name, const Term& term) {
  const dns::Answer* const answer = answers_.ask(name, client_.address.is_v6 ? dns::RecordType::kAaaa : dns::RecordType::kA);
  if (!answer) return Match::kLacking;
  if (is_temporary(*answer)) return note("the addresses of " + name + " are not known now", Match::kTemporary);
  if (!count_void(*answer)) return note("more than 2 names without addresses");
  const bool is_one = std::ranges::any_of(answer->addresses, [&](const IpAddress& a) { return covers(a, term); });
  return is_one ? Match::kYes : Match::kNo;
}

Match Evaluation::exchange_matches(const std::string& name, const Term& term) {
  const dns::Answer* const answer = answers_.ask(name, dns::RecordType::kMx);
  if (!answer) return Match::kLacking;
  if (is_temporary(*answer)) return note("the MX of " + name + " is not known now", Match::kTemporary);
  if (!count_void(*answer)) return note("more than 2 names without records");
  if (answer->exchanges.size() > kMaxMxOrPtr) return note(name + " has more than 10 MX records");
  Match best = Match::kNo;
  // A copy: asking for addresses may move the answer.
  for (const dns::MxRecord& exchange : std::vector(answer->exchanges)) {
    if (exchange.exchange.empty()) continue;
    const Match match = address_matches(exchange.exchange, term);
    if (match == Match::kYes || match == Match::kPermanent) return match;
    if (match != Match::kNo) best = match;
  }
  return best;
}

// RFC 7208 §5.5: of at most ten names of the address, one that leads back to it and is within the target.
Match Evaluation::pointer_matches(const std::string& target) {
  const dns::Answer* const answer = answers_.ask(dns::reverse_name(client_.address), dns::RecordType::kPtr);
  if (!answer) return Match::kLacking;
  if (answer->status != dns::Status::kFound) return Match::kNo;
  Match best = Match::kNo;
  std::size_t count = 0;
  for (const std::string& name : std::vector(answer->names)) {
    if (++count > kMaxMxOrPtr) break;
    const bool is_below = name == target || name.ends_with("." + target);
    if (!is_below) continue;
    const dns::Answer* const back = answers_.ask(name, client_.address.is_v6 ? dns::RecordType::kAaaa : dns::RecordType::kA);
    if (!back) {
      best = Match::kLacking;
    } else if (std::ranges::find(back->addresses, client_.address) != back->addresses.end()) {
      return Match::kYes;
    }
  }
  return best;
}

Match Evaluation::exists(const std::string& name) {
  const dns::Answer* const answer = answers_.ask(name, dns::RecordType::kA);
  if (!answer) return Match::kLacking;
  if (is_temporary(*answer)) return note(name + " is not known now", Match::kTemporary);
  if (!count_void(*answer)) return note("more than 2 names without addresses");
  return answer->addresses.empty() ? Match::kNo : Match::kYes;
}

Match Evaluation::include(const std::string& target, int depth) {
  const auto inner = check(target, depth + 1);
  if (!inner) return Match::kLacking;
  switch (inner->result) {
    case SpfResult::kPass: return Match::kYes;
    case SpfResult::kTempError: return note(inner->reason, Match::kTemporary);
    case SpfResult::kPermError: return note(inner->reason);
    case SpfResult::kNone: return note(target + ", which is included, has no SPF record");
    default: return Match::kNo;
  }
}

Match Evaluation::matches(const Term& term, const std::string& domain, int depth) {
  const auto is = [&](std::string_view name) { return ascii::equal_ignoring_case(term.name, name); };
  if (is("all")) return Match::kYes;
  if (is("ip4") || is("ip6")) return network_matches(term);
  const bool needs_argument = is("include") || is("exists");
  if (!needs_argument && !is("a") && !is("mx") && !is("ptr")) return note("unknown term '" + std::string(term.name) + "'");
  const auto target = target_of(term, domain);
  if (!target || (needs_argument && term.argument.empty())) return note("broken term '" + std::string(term.name) + "'");
  if (++lookups_ > kMaxSpfLookups && walk_ == Walk::kFirstMatch) return note("more than 10 lookups");
  if (is("include")) return include(*target, depth);
  if (is("exists")) return exists(*target);
  if (is("a")) return address_matches(*target, term);
  return is("mx") ? exchange_matches(*target, term) : pointer_matches(*target);
}

std::optional<SpfVerdict> Evaluation::redirect(const std::string& target, int depth) {
  if (++lookups_ > kMaxSpfLookups && walk_ == Walk::kFirstMatch) {
    return SpfVerdict{SpfResult::kPermError, "more than 10 lookups"};
  }
  auto verdict = check(target, depth + 1);
  if (verdict && verdict->result == SpfResult::kNone) {
    note("the record of " + target + ", to which it redirects, is not there");
    return SpfVerdict{SpfResult::kPermError, problem_};
  }
  return verdict;
}

std::optional<SpfVerdict> Evaluation::terms(std::string_view record, const std::string& domain, int depth) {
  std::optional<std::string> redirect_to;
  std::optional<SpfVerdict> first;
  std::size_t count = 0;
  for (std::string_view left = record; !(left = ascii::trim(left)).empty();) {
    const std::size_t end = std::min(left.find(' '), left.size());
    const auto term = parse_term(left.substr(0, end));
    left.remove_prefix(end);
    if (!term || ++count > kMaxSpfTerms) {
      note("it cannot be understood");
      return SpfVerdict{SpfResult::kPermError, problem_};
    }
    if (term->is_modifier) {
      if (ascii::equal_ignoring_case(term->name, "redirect")) redirect_to = target_of(*term, domain);
      continue;
    }
    if (first && walk_ == Walk::kFirstMatch) continue;  // the rest is looked at for its form only
    const Match match = matches(*term, domain, depth);
    if (match == Match::kLacking && walk_ == Walk::kFirstMatch) return std::nullopt;
    if (match == Match::kTemporary && !first) first = SpfVerdict{SpfResult::kTempError, problem_};
    if (match == Match::kPermanent && !first) first = SpfVerdict{SpfResult::kPermError, problem_};
    if (match == Match::kYes && !first) first = SpfVerdict{result_of(term->qualifier), ""};
  }
  if (redirect_to && !first) return redirect(*redirect_to, depth);
  return first ? first : SpfVerdict{SpfResult::kNeutral, ""};
}

std::optional<SpfVerdict> Evaluation::check(const std::string& domain, int depth) {
  if (depth > kMaxDepth) {
    note("includes go in a circle, or too deep");
    return SpfVerdict{SpfResult::kPermError, problem_};
  }
  const dns::Answer* const answer = answers_.ask(domain, dns::RecordType::kTxt);
  if (!answer) return std::nullopt;
  if (is_temporary(*answer)) {
    note("the texts of " + domain + " are not known now");
    return SpfVerdict{SpfResult::kTempError, problem_};
  }
  const auto records = spf_records(answer->texts);
  if (records.empty()) return SpfVerdict{SpfResult::kNone, ""};
  if (records.size() > 1) {
    note(domain + " has more than one SPF record");
    return SpfVerdict{SpfResult::kPermError, problem_};
  }
  return terms(std::string_view(records.front()).substr(kVersion.size()), domain, depth);
}

}  // namespace

std::string_view to_string(SpfResult result) {
  switch (result) {
    case SpfResult::kNone: return "none";
    case SpfResult::kNeutral: return "neutral";
    case SpfResult::kPass: return "pass";
    case SpfResult::kFail: return "fail";
    case SpfResult::kSoftFail: return "softfail";
    case SpfResult::kTempError: return "temperror";
    case SpfResult::kPermError: return "permerror";
  }
  return "?";
}

std::vector<std::string> spf_records(const std::vector<std::string>& texts) {
  std::vector<std::string> records;
  for (const std::string& text : texts) {
    const bool is_spf = ascii::equal_ignoring_case(std::string_view(text).substr(0, kVersion.size()), kVersion) &&
                        (text.size() == kVersion.size() || text[kVersion.size()] == ' ');
    if (is_spf) records.push_back(text);
  }
  return records;
}

std::optional<SpfVerdict> check_host(const SpfClient& client, std::string_view domain, dns::Answers& answers) {
  Evaluation evaluation(client, answers, Walk::kFirstMatch);
  return evaluation.check(std::string(domain), 0);
}

std::optional<SpfCost> spf_cost(std::string_view domain, dns::Answers& answers) {
  // An address nobody has: so that no term matches but "all", and everything is followed.
  const SpfClient nobody{*parse_ip_address("192.0.2.0"), "postmaster@" + std::string(domain), std::string(domain)};
  Evaluation evaluation(nobody, answers, Walk::kWhole);
  evaluation.check(std::string(domain), 0);
  if (!answers.lacking().empty()) return std::nullopt;
  return SpfCost{evaluation.lookups(), evaluation.first_problem()};
}

}  // namespace posthus::mailauth
