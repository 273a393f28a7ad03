// TlsPolicies: the walk of one inquiry. RFC 7672 §2.2.2, §2.2.3; RFC 8461 §5; which of both holds: RFC 8461 §2.
#include "smtp/tls_policies.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "core/base/ascii.h"
#include "core/base/hash.h"
#include "core/mail/address.h"
#include "smtp/sts_policies.h"

namespace posthus::smtp {

using mailauth::TlsRequirement;
using session::PeerVerification;

struct TlsPolicies::State {
  State(const TlsPoliciesContext& given, TlsOutcomes* to)
      : context(given), outcomes(to), sts(given.store, given.resolver, given.fetcher, given.clock) {}

  TlsPoliciesContext context;
  TlsOutcomes* outcomes;
  StsPolicies sts;
  std::mutex mutex;  // of `open`
  std::condition_variable all_closed;
  std::size_t open = 0;  // inquiries
};

namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = ascii::trim(text.substr(0, end));
    if (!line.empty()) lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// RFC 6698 §2.2, RFC 8460 §4.5
std::string presentation(const dns::TlsaRecord& record) {
  return std::to_string(record.usage) + " " + std::to_string(record.selector) + " " + std::to_string(record.matching_type) + " " +
         to_hex(record.data);
}

}  // namespace

/// One question on its way. It owns itself through the callback that waits for its next answer.
class TlsPolicies::Inquiry {
 public:
  Inquiry(State& state, TlsQuestion question, TlsPolicyDone done)
      : state_(state), question_(std::move(question)), done_(std::move(done)) {
    host_ = {question_.host, question_.domain, question_.canonical_domain, question_.is_from_mx, question_.is_mx_secure};
    policy_.verification.names = {question_.host};
    policy_.server_name = question_.host;
    const std::lock_guard lock(state_.mutex);
    ++state_.open;
  }
  ~Inquiry() {
    const std::lock_guard lock(state_.mutex);
    if (--state_.open == 0) state_.all_closed.notify_all();
  }

  static void start(std::unique_ptr<Inquiry> self) {
    const std::string host = self->question_.host;
    if (host.empty() || mail::is_domain_literal(host) || parse_ip_address(host)) return finish(std::move(self));
    ask(std::move(self), host, dns::RecordType::kA, &Inquiry::have_addresses);
  }

 private:
  using Step = void (*)(std::unique_ptr<Inquiry>, dns::Answer);

  static void ask(std::unique_ptr<Inquiry> self, const std::string& name, dns::RecordType type, Step next) {
    dns::Resolver& resolver = self->state_.context.resolver;
    resolver.resolve(name, type,
                     [self = std::move(self), next](dns::Answer answer) mutable { next(std::move(self), std::move(answer)); });
  }

  static void have_addresses(std::unique_ptr<Inquiry> self, dns::Answer answer) {
    if (answer.status == dns::Status::kNoData && !self->has_asked_both_) {
      self->has_asked_both_ = true;
      const std::string host = self->question_.host;
      return ask(std::move(self), host, dns::RecordType::kAaaa, &Inquiry::have_addresses);
    }
    if (answer.status == dns::Status::kTemporary || answer.status == dns::Status::kBogus) {
      return refuse(std::move(self), "the addresses cannot be had: " + answer.reason);
    }
    self->addresses_ = std::move(answer);
    if (!mailauth::needs_alias(self->host_, self->addresses_)) return find_bases(std::move(self), nullptr);
    const std::string host = self->question_.host;
    ask(std::move(self), host, dns::RecordType::kCname, &Inquiry::have_alias);
  }

  static void have_alias(std::unique_ptr<Inquiry> self, dns::Answer answer) {
    if (answer.status == dns::Status::kTemporary || answer.status == dns::Status::kBogus) {
      return refuse(std::move(self), "the alias cannot be had: " + answer.reason);
    }
    find_bases(std::move(self), &answer);
  }

  static void find_bases(std::unique_ptr<Inquiry> self, const dns::Answer* alias) {
    self->bases_ = mailauth::tlsa_base_domains(self->host_, self->addresses_, alias);
    try_next_base(std::move(self));
  }

  static void try_next_base(std::unique_ptr<Inquiry> self) {
    if (self->next_base_ >= self->bases_.size()) return find_sts(std::move(self));
    const std::string name = mailauth::tlsa_name(self->bases_[self->next_base_], self->question_.port);
    ask(std::move(self), name, dns::RecordType::kTlsa, &Inquiry::have_tlsa);
  }

  static void have_tlsa(std::unique_ptr<Inquiry> self, dns::Answer answer) {
    auto dane = mailauth::dane_policy(self->host_, self->bases_[self->next_base_], answer);
    if (!dane) {
      self->policy_.kind = TlsPolicy::Kind::kDane;
      self->count(TlsResult::kDnssecInvalid, answer.reason);
      return refuse(std::move(self), dane.error().context);
    }
    if (dane->requirement == TlsRequirement::kOpportunistic) {
      ++self->next_base_;
      return try_next_base(std::move(self));
    }
    self->dane_ = *std::move(dane);
    for (const dns::TlsaRecord& record : answer.tlsa) {
      if (self->tlsa_text_.size() < mailauth::kMaxUsableTlsa) self->tlsa_text_.push_back(presentation(record));
    }
    if (self->host_.is_from_mx && !self->host_.is_mx_secure) return find_sts(std::move(self));
    use_dane(std::move(self));
  }

  // RFC 8461 §2: a policy of MTA-STS never takes the place of DANE. With an insecure MX answer DANE proves the host, but
  // not that the mail belongs there, which a policy to be enforced does.
  static void find_sts(std::unique_ptr<Inquiry> self) {
    StsPolicies& sts = self->state_.sts;
    const std::string domain = self->question_.domain;
    if (domain.empty() || mail::is_domain_literal(domain) || parse_ip_address(domain)) return have_sts(std::move(self), {});
    sts.find(domain, [self = std::move(self)](StsAnswer answer) mutable { have_sts(std::move(self), std::move(answer)); });
  }

  static void have_sts(std::unique_ptr<Inquiry> self, StsAnswer answer) {
    if (answer.failure) self->count_fetch_failure(*answer.failure);
    self->policy_.is_policy_unknown = answer.is_unknown;
    const bool is_enforced = answer.found && answer.found->policy.mode == mailauth::StsMode::kEnforce;
    if (self->dane_ && !is_enforced) return use_dane(std::move(self));
    if (!answer.found || answer.found->policy.mode == mailauth::StsMode::kNone) return finish(std::move(self));
    TlsPolicy& policy = self->policy_;
    policy.kind = TlsPolicy::Kind::kMtaSts;
    policy.text = lines_of(answer.found->text);
    policy.mx_patterns = answer.found->policy.mx;
    policy.is_testing = !is_enforced;
    policy.is_host_listed = mailauth::sts_allows(answer.found->policy, self->question_.host);
    if (is_enforced && !policy.is_host_listed) {
      self->count(TlsResult::kValidationFailure, "the host is not in the policy");
      std::string reason = "the MTA-STS policy of " + self->question_.domain + " does not name this host";
      return refuse(std::move(self), std::move(reason));
    }
    if (is_enforced) {
      policy.requirement = TlsRequirement::kPkix;
      policy.verification.kind = PeerVerification::Kind::kPkix;
    }
    finish(std::move(self));
  }

  static void use_dane(std::unique_ptr<Inquiry> self) {
    TlsPolicy& policy = self->policy_;
    policy.kind = TlsPolicy::Kind::kDane;
    policy.text = std::move(self->tlsa_text_);
    policy.requirement = self->dane_->requirement;
    policy.server_name = self->dane_->names.front();  // RFC 7672 §8.1
    policy.verification.names = std::move(self->dane_->names);
    for (dns::TlsaRecord& record : self->dane_->tlsa) {
      policy.verification.tlsa.push_back({record.usage, record.selector, record.matching_type, std::move(record.data)});
    }
    const bool is_usable = policy.requirement == TlsRequirement::kDane;
    policy.verification.kind = is_usable ? PeerVerification::Kind::kDane : PeerVerification::Kind::kNone;
    finish(std::move(self));
  }

  static void refuse(std::unique_ptr<Inquiry> self, std::string reason) {
    self->policy_.may_connect = false;
    self->policy_.reason = std::move(reason);
    finish(std::move(self));
  }

  static void finish(std::unique_ptr<Inquiry> self) { self->done_(std::move(self->policy_)); }

  void count(TlsResult result, std::string reason) {
    if (!state_.outcomes || !question_.is_counted) return;
    TlsOutcome outcome{.domain = question_.domain, .host = question_.host, .result = result};
    outcome.reason = std::move(reason);
    state_.outcomes->add(policy_, std::move(outcome));
  }

  void count_fetch_failure(const Error& error) {
    const TlsPolicy::Kind kind = std::exchange(policy_.kind, TlsPolicy::Kind::kMtaSts);
    const bool is_policy = error.kind == ErrorKind::kInvalid || error.kind == ErrorKind::kTooLarge;
    count(error.kind == ErrorKind::kDenied ? TlsResult::kStsWebpkiInvalid
          : is_policy                      ? TlsResult::kStsPolicyInvalid
                                           : TlsResult::kStsPolicyFetchError,
          error.context);
    policy_.kind = kind;
  }

  State& state_;
  TlsQuestion question_;
  TlsPolicyDone done_;
  mailauth::DaneHost host_;
  TlsPolicy policy_;
  bool has_asked_both_ = false;  // A and AAAA
  dns::Answer addresses_;
  std::vector<std::string> bases_;
  std::size_t next_base_ = 0;
  std::optional<mailauth::DanePolicy> dane_;
  std::vector<std::string> tlsa_text_;
};

TlsPolicies::TlsPolicies(TlsPoliciesContext context, TlsOutcomes* outcomes)
    : state_(std::make_unique<State>(context, outcomes)) {}

TlsPolicies::~TlsPolicies() {
  std::unique_lock lock(state_->mutex);
  state_->all_closed.wait(lock, [this] { return state_->open == 0; });
}

void TlsPolicies::policy_for(TlsQuestion question, TlsPolicyDone done) {
  Inquiry::start(std::make_unique<Inquiry>(*state_, std::move(question), std::move(done)));
}

void TlsPolicies::connected(const TlsPolicy& policy, TlsOutcome outcome) {
  if (state_->outcomes) state_->outcomes->add(policy, std::move(outcome));
}

void TlsPolicies::expire() { state_->sts.expire(); }

TlsResult tls_result_of(std::string_view peer_error) {
  const std::string words = ascii::to_lower(peer_error);
  const auto says = [&](std::string_view part) { return words.find(part) != std::string::npos; };
  if (says("expired") || says("not yet valid")) return TlsResult::kCertificateExpired;
  if (says("hostname mismatch") || says("address mismatch") || says("host name") || says("name does not match"))
    return TlsResult::kCertificateHostMismatch;
  if (says("tlsa")) return TlsResult::kTlsaInvalid;
  if (says("self-signed") || says("self signed") || says("issuer") || says("not trusted") || says("untrusted")) {
    return TlsResult::kCertificateNotTrusted;
  }
  return TlsResult::kValidationFailure;
}

}  // namespace posthus::smtp
