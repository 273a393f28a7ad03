// Issuance: how one certificate is obtained from a CA, as a pure state machine: requests out, answers in. RFC 8555 §7.4, §7.5,
// RFC 8737 (tls-alpn-01), RFC 9773 §5 (replaces).
//
//   directory -> [account] -> order -> authorization -> (publish) -> challenge -> poll -> finalize -> poll -> chain
//
// A rejected nonce is tried again with the one that came with the refusal, at most kMaxNonceRetries times in a row; an account
// the CA does not know any more is registered anew, once. Requests and pauses are bounded (kMaxRequests, kMaxPause).
// Known limit: a changed contact is not told to a CA where the account exists already.
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/acme/account_key.h"
#include "core/acme/answers.h"
#include "core/acme/signed_request.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace posthus::acme {

/// How we prove that a name is ours. RFC 8555 §8.3, RFC 8737 §3.
enum class Proof : std::uint8_t { kHttp, kTlsAlpn };
std::string_view to_string(Proof proof);  // "http-01", "tls-alpn-01"

/// In a row, of one request. Each costs one request and no pause; a CA whose frontends do not know each other's nonces may reject
/// every third, and of some thirty requests of an order not one may end it: 0.3^11 is 2 in a million.
inline constexpr int kMaxNonceRetries = 10;
inline constexpr int kMaxRequests = 100;        // of one issuance; ordinary are 10 to 20
inline constexpr std::int64_t kMaxPause = 600;  // seconds of pauses in all: what takes longer is tried again later
inline constexpr std::string_view kChainType = "application/pem-certificate-chain";

struct IssuanceOrder {
  std::string directory;  // URL
  std::string hostname;   // normalised, no wildcard
  std::string contact;    // "mailto:..."; may be empty
  bool accepts_terms = false;
  std::optional<ExternalAccount> external_account;
  Proof proof = Proof::kHttp;
  std::string certificate_request;  // PKCS #10, DER
  std::string replaces;             // ARI certificate id of the certificate this one follows; may be empty
};

struct WebRequest {
  enum class Method : std::uint8_t { kGet, kHead, kPost };
  Method method = Method::kGet;
  std::string url;
  std::string body;  // application/jose+json
  std::size_t limit = kMaxAnswer;
};
struct WebAnswer {
  int status = 0;
  std::string content_type, body;                   // the type without parameters, lower case
  std::string replay_nonce, location, retry_after;  // values of the fields; empty without
};

class Issuance {
 public:
  enum class Need : std::uint8_t {
    kRequest,  // send request(), then answered()
    kPause,    // wait pause() seconds, then resumed()
    kPublish,  // make token() answer with key_authorization(), then resumed()
    kDone,     // chain() is there
    kFailed,   // failure() says why
  };
  struct Failure {
    Error error;                              // for people
    std::optional<std::int64_t> retry_after;  // seconds; what the CA asks for
    bool is_proof = false;                    // the proof failed: another one may succeed
    bool is_account = false;                  // the CA has ended the account: only one with another key may succeed
  };

  /// `account_url`: empty when the key is not registered yet. REQUIRES: `key` and `clock` outlive it.
  Issuance(IssuanceOrder order, const AccountKey& key, std::string account_url, const Clock& clock);

  Need need() const { return need_; }
  const WebRequest& request() const { return request_; }
  std::int64_t pause() const { return pause_; }
  const std::string& token() const { return challenge_.token; }
  std::string key_authorization() const { return acme::key_authorization(key_, challenge_.token); }

  void answered(const Result<WebAnswer>& answer);
  void resumed();

  /// The account at the CA as far as it is known; to be kept.
  const std::string& account_url() const { return account_url_; }
  /// PEM as the CA sent it, not checked. REQUIRES: kDone.
  const std::string& chain() const { return chain_; }
  const Failure& failure() const { return failure_; }

 private:
  enum class Phase : std::uint8_t {
    kDirectory,
    kAccount,
    kOrder,
    kAuthorization,
    kChallenge,
    kWatchProof,
    kFinalize,
    kWatchOrder,
    kChain
  };

  void enter(Phase phase);
  void send();
  void send_signed(const std::string& url, std::string_view payload);
  void get(WebRequest::Method method, const std::string& url);
  void fail_with(ErrorKind kind, std::string words);
  void refused(const WebAnswer& answer);
  void accepted(const WebAnswer& answer);
  void wait(const WebAnswer& answer);
  std::string new_account_payload() const;
  std::string new_order_payload() const;

  void begin_account();
  void on_directory(const WebAnswer& answer);
  void on_account(const WebAnswer& answer);
  void on_order(const WebAnswer& answer);
  void order_known(const Order& order, const WebAnswer& answer);
  void on_authorization(const WebAnswer& answer);
  void on_challenge(const WebAnswer& answer);
  void on_chain(const WebAnswer& answer);
  void proof_failed(const std::optional<Problem>& problem);

  IssuanceOrder order_;
  const AccountKey& key_;
  const Clock& clock_;
  std::string account_url_;
  Phase phase_ = Phase::kDirectory;
  Need need_ = Need::kRequest;
  WebRequest request_;
  Failure failure_;
  Directory directory_;
  std::string nonce_;
  bool awaits_nonce_ = false, has_registered_again_ = false, has_finalized_ = false, had_account_ = false;
  int nonce_retries_ = 0, requests_ = 0, watches_ = 0;
  std::int64_t pause_ = 0, paused_ = 0;
  std::string order_url_, finalize_url_, certificate_url_;
  std::vector<std::string> authorizations_;  // not valid yet, the last one is worked at
  Challenge challenge_;
  std::string chain_;
};

}  // namespace posthus::acme
