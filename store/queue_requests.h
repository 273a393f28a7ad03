// The changes of outgoing mail (store/write_request.h holds the variant).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/queue_records.h"

namespace posthus::store {

struct AddMessage;

/// What became of one recipient. kDone: delivered, failed or expired, its row goes (the trace tells); kDeferred: waits
/// until next_attempt.
struct RecipientOutcome {
  enum class Kind : std::uint8_t { kDone, kDeferred };
  std::uint16_t number = 0;
  Kind kind = Kind::kDeferred;
  Timestamp next_attempt;
  /// The row's next_attempt when the attempt began. When it is another by now an admin asked for something meanwhile
  /// (kRetryNow, kReroute, kRelease): his time stands.
  std::optional<Timestamp> was_due_at = std::nullopt;
  bool was_attempted = true;       // counts as an attempt; false: put off because its destination rests
  bool is_delay_reported = false;  // from now on
  std::string last_host, last_reply;
};

/// The end of an attempt. Recipients that are gone by now (removed by an admin) are passed over. When the last recipient
/// goes, the entry and its reference to the blob go too. `report` (a DSN, targets here or a queue entry of its own) is
/// stored in the same transaction. Outcome: added, of the report.
struct RecordAttempt {
  QueueId id;
  std::vector<RecipientOutcome> outcomes;
  std::vector<std::string> trace;  // events, JSON objects
  std::unique_ptr<AddMessage> report;
  std::uint32_t failures = 0;  // recipients who failed for good: they count for the habits of the sender's account
};

/// An account's mail is queued as held from now on, or no longer: then it counts as its habit whatever it was held for. What
/// is in the queue already is ChangeQueue's business. kNotFound when there is no such account.
struct HoldAccount {
  AccountId account;
  bool is_held = true;
  std::string reason;  // store/hold_reason.h
};

/// Which of the queue; what is empty or 0 does not restrict. All empty is refused (kInvalid) unless `everything`.
/// kNotFound when `id` (or its `number`) is not in the queue.
struct QueueFilter {
  QueueId id;
  std::uint16_t number = 0;  // of this recipient only; kInvalid for kHold and kRelease
  std::string recipient_domain;
  std::string reverse_path;  // ASCII case does not count; "<>": the null reverse-path
  AccountId account;
  bool everything = false;
  /// Of kRelease: what was held because of its account, not what an admin held by himself (HoldCode::kAdmin), unless for this
  /// very reason: older versions wrote an account's like that.
  std::optional<std::string> held_for_account = std::nullopt;
};
/// kHold and kRelease take whole messages, whoever of their recipients matches; kRetryNow and kReroute make nothing due
/// that is held.
enum class QueueAction : std::uint8_t {
  kHold,      // `text`: the reason
  kRelease,   // what was held is due at once
  kRetryNow,  // due at once
  kRemove,    // gone without a report
  kBounce,    // returned to the sender at once (must_bounce, due even when held)
  kReroute,   // `text`: "smtp://host:port", empty takes it back; due at once
};
/// What is made due gets another time than it had, even when it was due already: an attempt under way sees that.
/// In slices of whole messages. Outcome: `messages`, how many recipients it touched; `destinations`, of those it made due.
struct ChangeQueue {
  QueueFilter filter;
  QueueAction action = QueueAction::kRetryNow;
  std::string text;
  std::string trace;  // event for each message touched, a JSON object; empty: none
};

/// Adds an event to a message's trace (e.g. "deferred since the destination rests"). kNotFound when it has no trace.
struct AddTrace {
  QueueId id;
  std::string json;
};

struct PutRoute {
  RouteRecord route;
};
struct RemoveRoute {
  std::string name;
};
/// kNotFound when the domain is not ours. Replaces a key of the same selector.
struct PutDkimKey {
  DkimKeyRecord key;
};
struct RemoveDkimKey {
  std::string domain, selector;
};
/// Run-time settings; an empty value removes it.
struct PutSetting {
  std::string name, value;
};

}  // namespace posthus::store
