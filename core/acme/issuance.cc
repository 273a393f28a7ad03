// The phases of an order. Read answered() first, then the on_* functions in order. RFC 8555 §7.
#include "core/acme/issuance.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/base64.h"

namespace posthus::acme {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kFirstPause = 1, kLongestPause = 15;  // seconds between looks, when the CA does not say
constexpr std::size_t kMaxNonce = 256;

// RFC 8555 §6.5.1: Replay-Nonce = 1*base64url
bool is_nonce(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= kMaxNonce && std::ranges::all_of(text, is_allowed);
}

bool is_https(std::string_view url) { return url.starts_with("https://") && url.size() <= kMaxUrl; }

}  // namespace

std::string_view to_string(Proof proof) { return proof == Proof::kHttp ? "http-01" : "tls-alpn-01"; }

Issuance::Issuance(IssuanceOrder order, const AccountKey& key, std::string account_url, const Clock& clock)
    : order_(std::move(order)), key_(key), clock_(clock), account_url_(std::move(account_url)) {
  had_account_ = !account_url_.empty();
  send();
}

void Issuance::fail_with(ErrorKind kind, std::string words) {
  failure_.error = {kind, std::move(words)};
  need_ = Need::kFailed;
}

void Issuance::enter(Phase phase) {
  phase_ = phase;
  watches_ = 0;
  send();
}

void Issuance::get(WebRequest::Method method, const std::string& url) {
  request_ = {.method = method, .url = url, .body = {}};
  need_ = Need::kRequest;
  if (++requests_ > kMaxRequests) fail_with(ErrorKind::kTimeout, "the CA did not come to an end");
}

void Issuance::send_signed(const std::string& url, std::string_view payload) {
  if (nonce_.empty()) {
    awaits_nonce_ = true;
    return get(WebRequest::Method::kHead, directory_.new_nonce);
  }
  // RFC 8555 §6.2: newAccount shows the key, all else names the account.
  const ProtectedHead head{
      .nonce = std::exchange(nonce_, {}), .url = url, .account_url = phase_ == Phase::kAccount ? std::string() : account_url_};
  auto body = signed_request(key_, head, payload);
  if (!body) return fail_with(body.error().kind, body.error().context);
  get(WebRequest::Method::kPost, url);
  request_.body = std::move(*body);
  if (phase_ == Phase::kChain) request_.limit = kMaxChain;
}

std::string Issuance::new_account_payload() const {
  Json json{{"termsOfServiceAgreed", true}};
  if (!order_.contact.empty()) json["contact"] = Json::array({order_.contact});
  if (order_.external_account) {
    json["externalAccountBinding"] =
        Json::parse(external_account_binding(key_, *order_.external_account, directory_.new_account));
  }
  return json_text(json);
}

std::string Issuance::new_order_payload() const {
  Json json;
  json["identifiers"] = Json::array({Json{{"type", "dns"}, {"value", order_.hostname}}});
  if (!order_.replaces.empty() && !directory_.renewal_info.empty()) json["replaces"] = order_.replaces;
  return json_text(json);
}

// The request of the phase, from its beginning: also after a pause and after a rejected nonce.
void Issuance::send() {
  switch (phase_) {
    case Phase::kDirectory: return get(WebRequest::Method::kGet, order_.directory);
    case Phase::kAccount: return send_signed(directory_.new_account, new_account_payload());
    case Phase::kOrder: return send_signed(directory_.new_order, new_order_payload());
    case Phase::kAuthorization:
    case Phase::kWatchProof: return send_signed(authorizations_.back(), "");
    case Phase::kChallenge: return send_signed(challenge_.url, "{}");
    case Phase::kFinalize:
      return send_signed(finalize_url_, json_text(Json{{"csr", base64url_encode(order_.certificate_request)}}));
    case Phase::kWatchOrder: return send_signed(order_url_, "");
    case Phase::kChain: return send_signed(certificate_url_, "");
  }
}

void Issuance::resumed() {
  if (need_ == Need::kPublish) return enter(Phase::kChallenge);
  if (need_ == Need::kPause) send();
}

void Issuance::wait(const WebAnswer& answer) {
  const std::int64_t usual = std::min(kLongestPause, kFirstPause << std::min(watches_++, 4));
  pause_ = std::max(kFirstPause, parse_retry_after(answer.retry_after, clock_.now()).value_or(usual));
  paused_ += pause_;
  need_ = Need::kPause;
  if (paused_ <= kMaxPause) return;
  failure_.retry_after = pause_;
  fail_with(ErrorKind::kTimeout, "the CA has not finished with " + order_.hostname + " in time; it is tried again later");
}

void Issuance::answered(const Result<WebAnswer>& answer) {
  if (need_ != Need::kRequest) return;
  if (!answer) {
    const std::string url = request_.url.substr(0, 200);
    return fail_with(answer.error().kind, "the CA cannot be asked (" + url + "): " + answer.error().context);
  }
  if (is_nonce(answer->replay_nonce)) nonce_ = answer->replay_nonce;
  if (std::exchange(awaits_nonce_, false)) {
    if (answer->status / 100 == 2 && !nonce_.empty()) return send();
    return fail_with(ErrorKind::kUnavailable, "the CA gives no nonce (HTTP status " + std::to_string(answer->status) + ")");
  }
  if (answer->status / 100 != 2) return refused(*answer);
  nonce_retries_ = 0;
  accepted(*answer);
}

void Issuance::refused(const WebAnswer& answer) {
  const Problem problem = parse_problem(answer.body);
  if (problem.type == "badNonce" && ++nonce_retries_ <= kMaxNonceRetries) return send();
  // RFC 8555 §7.3.6: what an account that was ended asks for is "unauthorized". So may other things be; asking for the account
  // tells.
  const bool is_doubtful = problem.type == "unauthorized" && phase_ == Phase::kOrder && had_account_;
  const bool is_forgotten = problem.type == "accountDoesNotExist" && phase_ != Phase::kAccount;
  if ((is_forgotten || is_doubtful) && !std::exchange(has_registered_again_, true)) {
    account_url_.clear();
    return begin_account();
  }
  // RFC 9773 §5: the CA may refuse that this certificate replaces that one (it did already, or knows neither).
  if (phase_ == Phase::kOrder && !order_.replaces.empty() && problem.type != "rateLimited") {
    order_.replaces.clear();
    return send();
  }
  if (problem.type == "unauthorized" && phase_ == Phase::kAccount && had_account_) {
    failure_.is_account = true;
    return fail_with(ErrorKind::kDenied, "the CA has ended this server's account" +
                                             (problem.detail.empty() ? std::string() : ": " + problem.detail) +
                                             ". At the next attempt one with a new key is registered");
  }
  failure_.retry_after = parse_retry_after(answer.retry_after, clock_.now());
  failure_.is_proof = phase_ == Phase::kChallenge;
  const bool is_ours = problem.type == "malformed" || problem.type == "unauthorized" || problem.type == "caa";
  Problem said = problem;
  if (said.type.empty() && said.detail.empty()) said.detail = "HTTP status " + std::to_string(answer.status);
  fail_with(is_ours ? ErrorKind::kDenied : ErrorKind::kUnavailable, explain(said, order_.hostname));
}

void Issuance::accepted(const WebAnswer& answer) {
  switch (phase_) {
    case Phase::kDirectory: return on_directory(answer);
    case Phase::kAccount: return on_account(answer);
    case Phase::kOrder:
    case Phase::kFinalize:
    case Phase::kWatchOrder: return on_order(answer);
    case Phase::kAuthorization:
    case Phase::kWatchProof: return on_authorization(answer);
    case Phase::kChallenge: return on_challenge(answer);
    case Phase::kChain: return on_chain(answer);
  }
}

void Issuance::on_directory(const WebAnswer& answer) {
  auto directory = parse_directory(answer.body);
  if (!directory) return fail_with(directory.error().kind, directory.error().context);
  directory_ = std::move(*directory);
  if (!account_url_.empty()) return enter(Phase::kOrder);
  begin_account();
}

void Issuance::begin_account() {
  if (!directory_.terms.empty() && !order_.accepts_terms) {
    return fail_with(ErrorKind::kDenied, "the terms of the CA must be accepted first: read " + directory_.terms +
                                             ", then set acme.accept_terms to 1");
  }
  if (directory_.needs_external_account && !order_.external_account) {
    return fail_with(ErrorKind::kDenied, explain({.type = "externalAccountRequired", .detail = ""}, order_.hostname));
  }
  enter(Phase::kAccount);
}

// 200: the key had an account already (RFC 8555 §7.3.1).
void Issuance::on_account(const WebAnswer& answer) {
  if (!is_https(answer.location)) return fail_with(ErrorKind::kInvalid, "the CA does not say where the account is");
  account_url_ = answer.location;
  enter(Phase::kOrder);
}

void Issuance::on_order(const WebAnswer& answer) {
  if (phase_ == Phase::kOrder) order_url_ = answer.location;
  if (!is_https(order_url_)) return fail_with(ErrorKind::kInvalid, "the CA does not say where the order is");
  const auto order = parse_order(answer.body);
  if (!order) return fail_with(order.error().kind, order.error().context);
  if (phase_ == Phase::kOrder) {
    finalize_url_ = order->finalize;
    authorizations_ = order->authorizations;
    if (order->status == Status::kPending && authorizations_.empty()) {
      return fail_with(ErrorKind::kInvalid, "the CA's order has no authorization");
    }
    if (order->status == Status::kPending) return enter(Phase::kAuthorization);
  }
  order_known(*order, answer);
}

void Issuance::order_known(const Order& order, const WebAnswer& answer) {
  switch (order.status) {
    case Status::kReady:
      // WHY once: finalize that leaves the order ready is the CA's trouble; asking for ever would not end it.
      if (!std::exchange(has_finalized_, true)) return enter(Phase::kFinalize);
      break;
    case Status::kPending:
    case Status::kProcessing: break;
    case Status::kValid:
      if (order.certificate.empty()) return fail_with(ErrorKind::kInvalid, "the CA does not say where the certificate is");
      certificate_url_ = order.certificate;
      return enter(Phase::kChain);
    case Status::kInvalid:
    case Status::kOther:
      return fail_with(ErrorKind::kDenied,
                       explain(order.error.value_or(Problem{{}, "the order became invalid"}), order_.hostname));
  }
  if (phase_ != Phase::kWatchOrder) watches_ = 0;
  phase_ = Phase::kWatchOrder;
  wait(answer);
}

void Issuance::proof_failed(const std::optional<Problem>& problem) {
  failure_.is_proof = true;
  Problem said = problem.value_or(Problem{});
  if (said.detail.empty()) said.detail = "the proof by " + std::string(to_string(order_.proof)) + " failed";
  fail_with(ErrorKind::kDenied, explain(said, order_.hostname));
}

void Issuance::on_authorization(const WebAnswer& answer) {
  const auto authorization = parse_authorization(answer.body);
  if (!authorization) return fail_with(authorization.error().kind, authorization.error().context);
  if (authorization->hostname != order_.hostname) {
    return fail_with(ErrorKind::kInvalid, "the CA wants a proof for another name than " + order_.hostname);
  }
  if (authorization->status == Status::kValid) {
    authorizations_.pop_back();
    return enter(authorizations_.empty() ? Phase::kWatchOrder : Phase::kAuthorization);
  }
  const auto& challenges = authorization->challenges;
  const auto found = std::ranges::find(challenges, to_string(order_.proof), &Challenge::type);
  if (authorization->status != Status::kPending) {
    return proof_failed(found == challenges.end() ? std::nullopt : found->error);
  }
  if (found == challenges.end()) {
    return proof_failed(Problem{{}, "the CA does not offer " + std::string(to_string(order_.proof))});
  }
  if (found->status == Status::kInvalid) return proof_failed(found->error);
  if (phase_ == Phase::kWatchProof) return wait(answer);
  challenge_ = *found;
  need_ = Need::kPublish;
}

void Issuance::on_challenge(const WebAnswer& answer) {
  phase_ = Phase::kWatchProof;
  watches_ = 0;
  wait(answer);
}

void Issuance::on_chain(const WebAnswer& answer) {
  if (answer.content_type != kChainType) return fail_with(ErrorKind::kInvalid, "the CA sent no certificate chain");
  chain_ = answer.body;
  need_ = Need::kDone;
}

}  // namespace posthus::acme
