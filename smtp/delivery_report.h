// Delivery reports on their way to the sender: into his inbox when he is one of ours, else into the queue with the null
// reverse-path. RFC 3461 §6, RFC 5321 §4.5.5. Thread rule: any thread; reads the store, so never an io thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/mail/dsn.h"
#include "smtp/signing.h"
#include "store/queue_requests.h"
#include "store/store.h"

namespace posthus::smtp {

inline constexpr std::uint64_t kMaxReturnedText = 1ull << 20;  // RET=FULL: of larger messages only the header comes back

struct ReportRequest {
  store::Store& store;
  const store::Snapshot& snapshot;
  std::string hostname;
  const store::QueueEntry& entry;
  std::vector<mail::ReportedRecipient> recipients;  // at least one
  Timestamp now;
  SigningKeys* signing = nullptr;  // signs a report that leaves; none: it is not
};

struct ReportMessage {
  std::unique_ptr<store::AddMessage> message;  // null: nobody can be told, `event` says why
  std::string event;                           // for the trace of the message that is reported on
  std::string destination;                     // of a report that leaves; empty: it stays here
};

/// REQUIRES: the entry's reverse-path is not null. Errors: of the store.
Result<ReportMessage> make_report(ReportRequest request);

}  // namespace posthus::smtp
