// Dialer: the seam through which protocol code opens connections without knowing sockets. core/main gives it the network;
// tests give it sessions in memory. The session is an ordinary one whose peer happens to be a server; kStartTls makes a
// client handshake.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/session/session.h"

namespace posthus::session {

/// What the certificate of a server we connected to says of itself; nothing of it is proved. Times in seconds since 1970.
struct CertificateFacts {
  std::string subject, issuer;     // one line, as OpenSSL writes names
  std::vector<std::string> names;  // DNS names and addresses, at most kMaxCertificateNames
  std::int64_t not_before = 0, not_after = 0;
};
inline constexpr std::size_t kMaxCertificateNames = 20;  // as many as people read

/// What a peer's certificate must prove. The handshake fails when it does not (Session::tls_failed tells why).
struct PeerVerification {
  enum class Kind : std::uint8_t {
    kNone,  // any certificate; TlsFacts::is_peer_verified still says whether `names` and the system's roots hold
    kPkix,  // a chain to the system's roots, and one of `names` (RFC 6125, RFC 8461 §4.1)
    kDane,  // one of `tlsa` matches (RFC 7672 §3.1; DANE-EE without names, DANE-TA with)
  };
  struct Tlsa {
    std::uint8_t usage = 0, selector = 0, matching_type = 0;
    std::string data;
  };
  Kind kind = Kind::kNone;
  std::vector<std::string> names;
  std::vector<Tlsa> tlsa;
  /// Told of the certificate after a handshake, before Session::tls_started, on its thread; may be empty.
  std::function<void(const CertificateFacts&)> certificate_seen;
};

enum class DialTls : std::uint8_t { kNone, kStartTls, kImplicit };

struct DialOptions {
  std::string address;  // an IP address, not a name
  std::uint16_t port = 25;
  std::string bind_address;  // the source address; empty: the system chooses
  std::chrono::seconds connect_deadline{30};
  DialTls tls = DialTls::kStartTls;
  std::string server_name;  // for SNI; may be empty
  PeerVerification verification;
};

/// Why no connection came about; empty when there was one and its session has ended.
using DialDone = std::move_only_function<void(std::string failure)>;

/// Thread rule: any thread. `done` is called exactly once, after the session's end or instead of it.
class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual void dial(DialOptions options, SessionFactory make_session, DialDone done) = 0;
};

}  // namespace posthus::session
