// Resolver: the seam to the DNS. What it answers is data; what to do about it is the caller's. RFC 1034, 1035, 4033.
// Implementations: unbound_resolver (libunbound), memory_resolver (tests).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/ip_address.h"

namespace posthus::dns {

enum class RecordType : std::uint16_t {
  kA = 1,
  kCname = 5,
  kPtr = 12,
  kMx = 15,
  kTxt = 16,
  kAaaa = 28,
  kSrv = 33,
  kTlsa = 52,
  kCaa = 257
};

enum class Status : std::uint8_t {
  kFound,      // at least one record of the type asked for (aliases followed)
  kNoData,     // the name is there, but not with this type
  kNoName,     // NXDOMAIN
  kTemporary,  // no server answered, SERVFAIL, time was up: ask again later, never a reason to return mail
  kBogus,      // DNSSEC says the answer is forged or broken: as kTemporary, and worth a word
};

struct MxRecord {
  std::uint16_t preference = 0;
  std::string exchange;  // normalised, without final dot; empty: "." (null MX, RFC 7505)
};
/// RFC 6698 §2.1, as raw numbers: unknown ones are the caller's to ignore.
struct TlsaRecord {
  std::uint8_t usage = 0, selector = 0, matching_type = 0;
  std::string data;
};
struct SrvRecord {
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string target;
};
/// RFC 8659 §4.1.
struct CaaRecord {
  std::uint8_t flags = 0;
  std::string tag, value;  // "issue", "letsencrypt.org"; the tag in lower case
};

/// Only the vector of the type asked for is filled, with at most kMaxRecords.
struct Answer {
  Status status = Status::kTemporary;
  bool is_secure = false;  // DNSSEC-validated, also for kNoData and kNoName
  std::chrono::seconds time_to_live{0};
  std::string canonical_name;        // after CNAMEs; the name asked for without any
  std::string reason;                // for people, when there is something to say: "SERVFAIL", "signature expired"
  std::vector<IpAddress> addresses;  // kA, kAaaa
  std::vector<MxRecord> exchanges;   // kMx, as they came
  std::vector<std::string> texts;    // kTxt, the strings of each record joined
  std::vector<std::string> names;    // kPtr, kCname
  std::vector<TlsaRecord> tlsa;
  std::vector<SrvRecord> services;
  std::vector<CaaRecord> authorities;  // kCaa
};
inline constexpr std::size_t kMaxRecords = 256;  // an MX set of 1000 hosts is an attack, not a mail system

/// Called exactly once, from any thread, possibly before resolve() returns; must not block or throw.
using AnswerDone = std::move_only_function<void(Answer)>;

/// Thread rule: any thread.
class Resolver {
 public:
  virtual ~Resolver() = default;
  /// `name`: a normalised domain name (A-labels), without final dot.
  virtual void resolve(std::string name, RecordType type, AnswerDone done) = 0;
};

}  // namespace posthus::dns
