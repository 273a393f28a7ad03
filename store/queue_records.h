// The records of outgoing mail as the rest of the program sees them: what waits for other servers, routes, signing keys.
// One QueueEntry per message, one QueuedRecipient per recipient elsewhere. Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace posthus::store {

enum class BodyKind : std::uint8_t { k7Bit, k8BitMime, kBinaryMime };  // RFC 6152, RFC 3030
enum class ReturnContent : std::uint8_t { kUnset, kFull, kHeaders };   // RET, RFC 3461 §4.3
enum class QueueOrigin : std::uint8_t {
  kSubmission,  // one of our users sent it
  kRelay,       // from another server, for a domain we are backup MX of
  kForward,     // an alias or user of ours forwards it outside
  kReport,      // a report of our own (null reverse-path)
};

/// Bits of NOTIFY (RFC 3461 §4.1); 0: the client did not say.
namespace notify {
inline constexpr std::uint8_t kUnset = 0, kNever = 1, kSuccess = 2, kFailure = 4, kDelay = 8;
}

/// A message that waits for at least one recipient elsewhere.
struct QueueEntry {
  QueueId id;
  std::string reverse_path;  // "local@domain", quoted as RFC 5321 needs it; "" is the null reverse-path
  BlobId blob;               // assigned by the store
  std::uint64_t size = 0;    // of the stored text; assigned by the store
  /// The first bytes of the stored text are ours alone and do not leave: the Return-Path field (RFC 5321 §4.4). What leaves,
  /// and what is signed, begins after them.
  std::uint32_t local_header_bytes = 0;
  Timestamp accepted;
  std::string envelope_id;  // ENVID, decoded; empty: none
  ReturnContent return_content = ReturnContent::kUnset;
  BodyKind body = BodyKind::k7Bit;
  bool is_utf8 = false;             // needs SMTPUTF8 whoever the recipient is; older versions also said so of a recipient
  bool requires_tls = false;        // REQUIRETLS, RFC 8689
  bool ignores_tls_policy = false;  // "TLS-Required: No" (RFC 8689 §3): DANE and MTA-STS do not hold it up
  QueueOrigin origin = QueueOrigin::kSubmission;
  AccountId account;  // of kSubmission and kForward; 0: none
  std::string
      extra_header;  // put before the stored text when it leaves (DKIM-Signature fields with CRLF); at most kMaxExtraHeader
  std::string signing_domain;  // of our own signatures in extra_header; empty: it has none, or an older version wrote it
  bool is_held = false;        // nothing is attempted until it is released
  std::string hold_reason;     // store/hold_reason.h
};
inline constexpr std::size_t kMaxForwarder = 1000;           // bytes: addresses are below 700 however they are quoted
inline constexpr std::size_t kMaxTraceEvent = 64 * 1024;     // bytes of JSON: a trace may name each of many recipients
inline constexpr std::size_t kMaxExtraHeader = 8 * 1024;     // two signatures with a long list of fields are 2 KiB
inline constexpr std::size_t kMaxQueuedRecipients = 10'000;  // of one message, as for targets
inline constexpr std::size_t kMaxRemoteWords = 500;  // of another server's reply that we keep (RFC 5321 §4.5.3.1.5: 512 octets)

// Values of QueuedRecipient::next_attempt that are no times: what is due comes in their order. What an admin asks for comes
// before all that waits for the destination: he may mean the newest of a thousand, and most of their hosts do not answer.
inline constexpr Timestamp kAskedFor{0};   // and the values up to kAtOnce, in turn: an attempt may run at what was asked for
inline constexpr Timestamp kAtOnce{1000};  // 0 in what older versions queued

struct QueuedRecipient {
  std::uint16_t number = 0;        // 1.. within the message; assigned by the store
  std::string address;             // for RCPT TO: "local@domain", quoted as needed
  std::string domain;              // normalised, or an address literal "[192.0.2.1]": the destination
  std::string original_recipient;  // ORCPT, "rfc822;anna@example.test", decoded; empty: none
  /// For MAIL FROM instead of the entry's, when an alias or user of ours forwards the message outside (SRS); empty: the
  /// entry's. Reports go to the entry's in any case: only other servers need this one.
  std::string reverse_path;
  /// The address here that sends the message on to this recipient (Resolution::forwarder): the copy counts for it, and not for
  /// the sender, who may be a stranger. Empty: nobody forwards, or who does was not noted yet.
  std::string forwarder;
  std::uint8_t notify = notify::kUnset;
  std::uint32_t attempts = 0;
  Timestamp next_attempt = kAtOnce;
  Timestamp last_attempt;             // 0: never
  bool is_delay_reported = false;     // the sender has been told that it takes long
  bool must_bounce = false;           // an admin wants it returned at the next attempt, also while the message is held
  std::string route;                  // reroute: "smtp://host:port" instead of the routing; empty: none
  std::string last_host, last_reply;  // of the last attempt; empty: none
};

/// How mail to a destination, of a sender or of everybody goes to a named server instead of the MX of its domain.
/// `name`: "example.org" (recipient domain), "from:example.test" (sender domain), "*" (everybody). Most special first:
/// recipient domain, sender domain, "*".
struct RouteRecord {
  std::string name;
  /// kRequired, kImplicit: certificate checked. With a login kOpportunistic means kRequired, but for loopback.
  enum class Tls : std::uint8_t { kNever, kOpportunistic, kRequired, kImplicit };
  struct Hop {
    std::string host;  // name or IP address, used as it is, no MX lookup
    std::uint16_t port = 25;
    Tls tls = Tls::kOpportunistic;
  };
  std::vector<Hop> hops;        // tried in order
  std::string login, password;  // AUTH, only inside TLS; empty: none. The password never leaves the store through the API
  Timestamp created;
};

enum class DkimAlgorithm : std::uint8_t { kRsaSha256, kEd25519Sha256 };  // RFC 6376 §3.3, RFC 8463
struct DkimKeyRecord {
  std::string domain, selector;
  DkimAlgorithm algorithm = DkimAlgorithm::kRsaSha256;
  std::string private_key;  // PKCS #8 DER; never leaves the store through the API
  std::string public_key;   // what p= of the DNS record holds, raw
  bool is_active = true;    // signs; a key that was rotated out is kept for its overlap, so that its record stays shown
  Timestamp created;
  Timestamp retires;  // 0: never; removed then
};

}  // namespace posthus::store
