// Authenticator: who may log in. Knows passwords (argon2id), SCRAM keys, the verification cache and the login throttle;
// sessions only carry bytes. One per process, shared by SMTP, POP3, IMAP and HTTP.
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/ip_address.h"
#include "core/base/result.h"
#include "core/base/secret.h"

namespace posthus {
class SharedAddresses;
}

namespace posthus::sasl {

/// Keys of RFC 5802 §3 for SCRAM-SHA-256, derived when the password is set.
struct ScramKeys {
  std::uint32_t iterations = 0;
  std::string salt, stored_key, server_key;  // raw bytes
};

/// A further password of the account, for mail programs only (never protocol "http").
struct AppCredential {
  std::string id;
  std::uint8_t protocols = 0;  // bits of app_protocol
  std::string secret_hash;     // SHA-256 of the password as app_password_text() has it, raw
  ScramKeys scram;             // of use with the salt and iterations of the account's other keys only
  Timestamp expires;           // 0: never
  Timestamp last_used;
};
namespace app_protocol {
inline constexpr std::uint8_t kImap = 1, kPop3 = 2, kSmtp = 4;
}
/// The bit of LoginFacts::protocol; 0 for those that app passwords are not for.
std::uint8_t app_protocol_of(std::string_view protocol);
/// What of an app password counts, however it is typed: without '-' and spaces, lower case.
std::string app_password_text(std::string_view typed);

/// What the directory knows about a login name.
struct Credentials {
  AccountId account;
  std::string login;          // the canonical login name, "anna@example.test"
  std::string password_hash;  // argon2id, PHC string format
  ScramKeys scram;
  bool is_disabled = false;
  std::vector<AppCredential> app_passwords = {};
  bool has_second_factor = false;  // the password alone signs no browser in: the success counts when the code was right
  /// Mail programs need an app password: the main one is refused to them as a wrong one is.
  bool needs_app_password = false;
};

/// The directory as the authenticator sees it (implemented over the store in core/main, in memory in tests).
/// Thread rule: any thread; reads may block briefly.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// Nothing for unknown logins. Errors: the directory cannot be read; the attempt ends as kUnavailable.
  virtual Result<std::optional<Credentials>> find(std::string_view login) const = 0;
  /// An app password was used, for the first time in an hour. Must not block.
  virtual void app_password_used(AccountId account, std::string_view id, std::string_view remote_address) const {
    static_cast<void>(account), static_cast<void>(id), static_cast<void>(remote_address);
  }
};

/// What guessing one password costs. The defaults are among the parameters that OWASP's Password Storage Cheat Sheet names for
/// argon2id (7 MiB, five passes, one lane: 25 to 50 ms of a server core), to it as good as 19 MiB in two passes. For SCRAM,
/// RFC 7677 §4 asks for at least 4096 iterations and "significantly higher" where mobile devices allow; most clients cache the
/// result, and who steals the directory must not find these keys far easier to guess than argon2id. Tests of other things take
/// less.
struct PasswordCost {
  std::uint32_t memory_kib = 7 * 1024;
  std::uint32_t passes = 5;
  std::uint32_t scram_iterations = 50'000;
};

/// Makes what is stored for a new password: argon2id hash and SCRAM keys. Blocking (tens of milliseconds).
struct PasswordRecord {
  std::string password_hash;
  ScramKeys scram;
};
/// `scram_salt`: that of the account's other SCRAM keys, so that one exchange fits them all; empty: a new one.
PasswordRecord make_password_record(const Secret& password, const PasswordCost& cost = {}, std::string_view scram_salt = {});
/// The keys of one more password of the account. Blocks.
ScramKeys make_further_keys(std::string_view password, std::string salt, std::uint32_t iterations);

/// Where a login attempt comes from; for the throttle and the log.
struct LoginFacts {
  std::string_view protocol;   // "smtp", "pop3", "imap", "http"
  std::string remote_address;  // empty: a Unix socket, never throttled
  bool is_tls = false;
  bool may_send_plaintext = false;  // mechanisms are announced without TLS as well (login.allow_plaintext)
  // Channel bindings of the TLS connection, raw; empty without (see session::TlsFacts).
  std::string tls_exporter, tls_unique, tls_server_end_point;
};

enum class LoginVerdict : std::uint8_t {
  kAccepted,
  kRejected,     // unknown user, wrong password, malformed exchange: never told apart
  kDisabled,     // right password, disabled account
  kThrottled,    // too many failures lately; not even looked at
  kAborted,      // the client sent "*"
  kUnavailable,  // the directory could not be read, or memory is short: nobody looked at the password
};

/// One AUTH exchange, the same in all protocols. The session moves base64; the exchange sees decoded bytes.
/// Not thread-safe; lives inside a session. The Authenticator must outlive it.
class LoginExchange {
 public:
  enum class State : std::uint8_t {
    kChallenge,  // send challenge(), then respond()
    kVerify,     // call verify() where blocking is allowed (RunCost::kBlocking), then look at the state again
    kDone,       // verdict()
  };
  virtual ~LoginExchange() = default;
  virtual State state() const = 0;
  /// Raw bytes (not base64). REQUIRES: kChallenge.
  virtual std::string_view challenge() const = 0;
  virtual void respond(std::string_view decoded) = 0;
  /// Blocks for one argon2id evaluation (tens of milliseconds), unknown users as well.
  virtual void verify() = 0;
  /// The client sent "*" instead of a response: kDone with kAborted, whatever the state was.
  virtual void abort() = 0;
  /// REQUIRES: kDone.
  virtual LoginVerdict verdict() const = 0;
  /// REQUIRES: kDone with kAccepted. login() is the canonical name.
  virtual AccountId account() const = 0;
  virtual const std::string& login() const = 0;
};

struct AuthenticatorOptions {
  std::vector<IpNetwork> exempt_networks;    // never throttled (login.exempt_networks)
  std::chrono::seconds cache_lifetime{300};  // a verified password is remembered (keyed hash, in memory only) this long
  std::size_t cache_entries = 20'000;
  SharedAddresses* shared = nullptr;  // is told of logins, and asked before an address is throttled; must outlive us
  PasswordCost cost;                  // what unknown users cost; as for the known ones
};

struct SignIn;
struct LoginBlock;

class Authenticator {
 public:
  Authenticator(const CredentialSource& source, const Clock& clock, AuthenticatorOptions options);
  ~Authenticator();

  /// Mechanisms to announce, strongest first: SCRAM-SHA-256-PLUS (only when `facts` has a channel binding),
  /// SCRAM-SHA-256, PLAIN, LOGIN. Empty without TLS (unless `facts` says may_send_plaintext). The view is of static text.
  std::vector<std::string_view> mechanisms(const LoginFacts& facts) const;

  /// Begins an exchange; nothing if the mechanism is not announced. Starts in kChallenge (perhaps with an empty
  /// challenge) unless `initial_response` (decoded) is given. The mechanism name may have any case.
  std::unique_ptr<LoginExchange> begin(std::string_view mechanism, std::optional<std::string_view> initial_response,
                                       LoginFacts facts);

  /// IMAP LOGIN, POP3 USER/PASS, HTTP Basic: a login name and a password. kVerify, or kDone at once when the
  /// verification cache knows the answer or the throttle refuses.
  std::unique_ptr<LoginExchange> begin_password(std::string_view login, Secret password, LoginFacts facts);

  /// The password or the state of the account changed: forget what the cache knows of it.
  void forget(std::string_view login);

  /// The second step of a sign-in with a browser. False: too many wrong codes of this account lately, from wherever they came.
  bool admits_code(std::string_view login);
  enum class CodeVerdict : std::uint8_t { kRight, kWrong };
  /// Counts a code for the throttle and lists the sign-in.
  void code_checked(std::string_view login, const LoginFacts& facts, CodeVerdict verdict);

  /// A browser proved itself with a passkey, or `reason` says why not. Lists the sign-in. WHY failures are not counted: nobody
  /// guesses a signature.
  void passkey_checked(std::string_view login, const LoginFacts& facts, std::string_view reason);

  /// Who signed in or tried to lately, newest first (core/sasl/sign_in_log.h).
  std::vector<SignIn> sign_ins() const;
  /// For keeping them over a restart; see SignInLog.
  void restore_sign_ins(std::vector<SignIn> kept);
  std::vector<SignIn> take_unsaved_sign_ins(std::size_t most);
  void put_back_sign_ins(const std::vector<SignIn>& taken);
  /// Who may not try now (core/sasl/login_throttle.h).
  std::vector<LoginBlock> blocks() const;
  /// For keeping them over a restart; see LoginThrottle. REQUIRES: before the first login.
  void restore_blocks(const std::vector<LoginBlock>& kept);
  /// False when there is no such block.
  bool unblock(std::string_view id);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace posthus::sasl
