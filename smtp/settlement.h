// Settlement: what an attempt brought, made into what is recorded (the store's RecordAttempt), told (trace events) and
// reported (delivery reports). RFC 3461 §5.2, §6; RFC 5321 §4.5.5. Thread rule: pure functions over values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/mail/dsn.h"
#include "smtp/client_session.h"
#include "smtp/retry_schedule.h"
#include "store/queue_requests.h"

namespace posthus::smtp {

struct SettledRecipient {
  enum class Verdict : std::uint8_t {
    kRelayed,   // the host took it
    kDeferred,  // again later, or given up when its time is over
    kFailed,    // returned to the sender
  };
  store::QueuedRecipient recipient;
  Verdict verdict = Verdict::kDeferred;
  RemoteReply reply;        // the host's; code 0 when there was none
  std::string status;       // RFC 3463, when there was no reply
  std::string explanation;  // a sentence for people, when there was no reply
};

/// The result for some recipients of one message at one host (or at none).
struct Settlement {
  store::QueueEntry entry;
  std::string domain;
  RetryRules retry;
  std::string host, address;  // empty: none was reached
  std::uint16_t port = 0;
  bool is_own_listener = false;
  std::string tls;          // for people: "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty: none
  bool offers_dsn = false;  // the host reports success itself
  std::vector<SettledRecipient> recipients;
};

struct Record {
  std::uint32_t failures = 0;  // recipients another server refused for good: they count for the habits of the account
  std::vector<store::RecipientOutcome> outcomes;
  std::vector<std::string> trace;
  std::vector<mail::ReportedRecipient> reported;  // empty: nobody is told anything
};

/// `seed`: of the jitter.
Record make_record(const Settlement& settlement, Timestamp now, std::uint64_t seed);

}  // namespace posthus::smtp
