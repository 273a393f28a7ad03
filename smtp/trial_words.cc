// See trial_words.h.
#include "smtp/trial_words.h"

#include <array>
#include <utility>

#include "core/base/ascii.h"
#include "core/mail/date_time.h"
#include "smtp/reply_parser.h"

namespace posthus::smtp {
namespace {

using Mark = TrialStep::Mark;
using session::PeerVerification;

constexpr std::size_t kMaxShown = 40;  // lines of a step: all that is ever looked at, and no answer of 256 records

TrialStep step(std::string_view stage, Mark mark, std::string meaning, std::vector<std::string> lines = {}) {
  return {.stage = stage, .mark = mark, .host = {}, .meaning = std::move(meaning), .lines = std::move(lines)};
}

// ---- the way ----

std::string_view type_name(dns::RecordType type) {
  switch (type) {
    case dns::RecordType::kA: return "A";
    case dns::RecordType::kAaaa: return "AAAA";
    case dns::RecordType::kMx: return "MX";
    default: return "?";
  }
}

std::string found(const dns::Answer& answer) {
  std::string text;
  const auto add = [&text](const std::string& item) { text += (text.empty() ? "" : ", ") + item; };
  for (const dns::MxRecord& record : answer.exchanges) {
    add(std::to_string(record.preference) + " " + (record.exchange.empty() ? "." : record.exchange));
    if (text.size() > ReplyParser::kMaxLine) return text + ", …";
  }
  for (const IpAddress& address : answer.addresses) add(to_string(address));
  return text;
}

std::string status_text(const dns::Answer& answer) {
  const std::string reason = answer.reason.empty() ? "" : " (" + answer.reason + ")";
  switch (answer.status) {
    case dns::Status::kFound: return found(answer);
    case dns::Status::kNoData: return "none";
    case dns::Status::kNoName: return "the name does not exist";
    case dns::Status::kTemporary: return "no answer" + reason;
    case dns::Status::kBogus: return "forged or broken, says DNSSEC" + reason;
  }
  return {};
}

std::string describe_answer(const Question& question, const dns::Answer& answer) {
  std::string line = question.name + " " + std::string(type_name(question.type)) + ": " + status_text(answer);
  const bool is_aliased = !answer.canonical_name.empty() && answer.canonical_name != question.name;
  if (is_aliased) line += ", alias of " + answer.canonical_name;
  const bool is_answered = answer.status != dns::Status::kTemporary && answer.status != dns::Status::kBogus;
  if (is_answered) line += answer.is_secure ? " [DNSSEC: secure]" : " [DNSSEC: not signed]";
  return line;
}

std::string hops_sentence(const RouteFacts& facts, const RoutePlan& plan) {
  const std::string count = std::to_string(plan.hops.size()) + (plan.hops.size() == 1 ? " address" : " addresses");
  const std::string order = count + (plan.hops.size() == 1 ? " to try." : " to try, in this order.");
  if (plan.hops.front().is_from_route) return "The route " + facts.route->name + " says where this mail goes: " + order;
  if (plan.hops.front().is_from_mx) return "Mail exchangers of " + facts.domain + ": " + order;
  return "The domain names no mail exchanger, so its own address counts as one: " + order;
}

// ---- the dialog ----

/// What replies to a command mean: when it is done, put off, refused.
struct Meaning {
  std::string_view stage, done, later, refused;
};
constexpr std::array kMeanings{
    Meaning{"greeting", "A mail server answers.", "The host takes no mail for now.", "The host takes no mail from us."},
    Meaning{"EHLO", "The host tells what it can do.", "The host does not want to talk now.",
            "The host does not know EHLO, or does not want to talk to us."},
    Meaning{"HELO", "The host speaks the old way, without extensions.", "The host does not want to talk now.",
            "The host does not want to talk to us."},
    Meaning{"STARTTLS", "The host is ready to encrypt the connection.", "The host cannot encrypt for now.",
            "The host refuses to encrypt."},
    Meaning{"AUTH", "The login was taken.", "The login cannot be checked for now.", "The login was refused."},
    Meaning{"MAIL", "The host takes mail from this sender.", "The host takes no mail from this sender for now.",
            "The host refuses mail from this sender."},
    Meaning{"RCPT", "The host takes mail for this recipient.", "The host takes no mail for this recipient for now.",
            "The host refuses mail for this recipient."},
    Meaning{"RSET", "The host forgets the dry run: nothing was sent.", "The host could not forget the dry run; nothing was sent.",
            "The host could not forget the dry run; nothing was sent."},
    Meaning{"QUIT", "The end.", "The end.", "The end."},
};

const Meaning& meaning_of(const std::string& command) {
  const std::string_view verb = std::string_view(command).substr(0, command.find(' '));
  if (command.empty()) return kMeanings[0];
  for (const Meaning& meaning : kMeanings) {
    if (meaning.stage == verb) return meaning;
  }
  return kMeanings[4];  // the words of a login
}

// ---- TLS ----

std::string what_holds(const session::TlsFacts& facts, PeerVerification::Kind demanded) {
  if (facts.is_peer_verified && demanded == PeerVerification::Kind::kDane)
    return "Encrypted; the certificate is the one the DNS names.";
  if (facts.is_peer_verified) return "Encrypted, and the certificate proves the host's name.";
  const std::string why = facts.peer_error.empty() ? std::string() : ": " + facts.peer_error;
  return "Encrypted, but the certificate proves nothing" + why + ".";
}

}  // namespace

std::string to_text(const Hop& hop) { return hop.host + " [" + to_string(hop.address) + "]:" + std::to_string(hop.port); }

TrialStep describe_way(const RouteFacts& facts, const Answers& answers, const RoutePlan& plan) {
  std::vector<std::string> lines;
  // MX first, as it was asked first.
  for (const bool is_mx : {true, false}) {
    for (const auto& [question, answer] : answers) {
      if ((question.type == dns::RecordType::kMx) == is_mx) lines.push_back(describe_answer(question, answer));
    }
  }
  if (plan.kind != RoutePlan::Kind::kHops) return step("route", Mark::kBad, plan.explanation, std::move(lines));
  for (const Hop& hop : plan.hops) lines.push_back(to_text(hop));
  if (lines.size() > kMaxShown) lines.resize(kMaxShown);
  return step("route", Mark::kGood, hops_sentence(facts, plan), std::move(lines));
}

TrialStep describe_policy(const TlsPolicy& policy, const Hop& hop) {
  if (!policy.may_connect)
    return step("policy", Mark::kBad, "Nothing may be sent to this host now: " + policy.reason + ".", policy.text);
  if (hop.tls == TlsUse::kNever) return step("policy", Mark::kNote, "The route says: no TLS.");
  if (hop.tls == TlsUse::kRequired || hop.tls == TlsUse::kImplicit) {
    return step("policy", Mark::kGood, "The route demands TLS and a certificate that proves the host's name.");
  }
  switch (policy.kind) {
    case TlsPolicy::Kind::kDane:
      return step("policy", Mark::kGood,
                  policy.requirement == mailauth::TlsRequirement::kDane
                      ? "DANE: the DNS names the certificate the host must show."
                      : "DANE: TLS is demanded, but no TLSA record can be used to check the certificate.",
                  policy.text);
    case TlsPolicy::Kind::kMtaSts:
      return step("policy", policy.is_testing ? Mark::kNote : Mark::kGood,
                  policy.is_testing ? "MTA-STS in testing: what does not hold is reported, the mail goes all the same."
                                    : "MTA-STS: TLS and a certificate that proves the host's name are demanded.",
                  policy.text);
    case TlsPolicy::Kind::kNone: break;
  }
  return step("policy", Mark::kNote, "Neither DANE nor MTA-STS: TLS is used when the host offers it.");
}

TrialStep describe_no_connection(const std::string& failure) {
  return step("connect", Mark::kBad, "No connection: " + failure + ".");
}

TrialStep describe_exchange(const Exchange& exchange) {
  const Meaning& meaning = meaning_of(exchange.command);
  TrialStep out = step(meaning.stage, Mark::kGood, std::string(meaning.done));
  if (!exchange.command.empty()) out.lines.push_back("> " + exchange.command);
  for (const std::string& line : exchange.reply) {
    if (out.lines.size() < kMaxShown) out.lines.push_back("< " + line);
  }
  const char digit = exchange.reply.empty() || exchange.reply.back().empty() ? '?' : exchange.reply.back()[0];
  if (digit == '2' || (digit == '3' && meaning.stage == "AUTH")) return out;
  const bool is_over = meaning.stage == "RSET" || meaning.stage == "QUIT";
  out.mark = is_over ? Mark::kNote : Mark::kBad;
  out.meaning = digit == '4'   ? meaning.later
                : digit == '5' ? meaning.refused
                               : "The host answers something that is no answer here.";
  return out;
}

TrialStep describe_certificate(const session::TlsFacts& facts, const std::optional<session::CertificateFacts>& seen,
                               PeerVerification::Kind demanded, Timestamp now) {
  const bool is_demanded = demanded != PeerVerification::Kind::kNone;
  const Mark otherwise = is_demanded ? Mark::kBad : Mark::kNote;
  TrialStep out = step("certificate", facts.is_peer_verified ? Mark::kGood : otherwise, what_holds(facts, demanded));
  out.lines.push_back(facts.version + " " + facts.cipher);
  if (!seen) return out;
  const session::CertificateFacts& certificate = *seen;
  std::string names;
  for (const std::string& name : certificate.names) names += (names.empty() ? "" : ", ") + washed(name);
  out.lines.push_back("subject: " + washed(certificate.subject));
  out.lines.push_back("names: " + (names.empty() ? "none" : names));
  out.lines.push_back("issuer: " + washed(certificate.issuer));
  const bool is_over = certificate.not_after < now.seconds();
  out.lines.push_back("valid: " + mail::format_rfc3339(Timestamp::from_seconds(certificate.not_before)) + " to " +
                      mail::format_rfc3339(Timestamp::from_seconds(certificate.not_after)) + (is_over ? " (over)" : ""));
  return out;
}

TrialStep describe_tls_failure(const std::string& reason) {
  return step("STARTTLS", Mark::kBad,
              "The connection is not as the policy demands, or could not be encrypted: " + washed(reason));
}

}  // namespace posthus::smtp
