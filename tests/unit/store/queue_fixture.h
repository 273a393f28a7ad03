// Samples of outgoing mail for tests of requests and of whole stores.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "store/write_request.h"

namespace posthus::store {

inline QueuedRecipient recipient_at(const std::string& address) {
  QueuedRecipient recipient;
  recipient.address = address;
  recipient.domain = address.substr(address.rfind('@') + 1);
  return recipient;
}

inline std::vector<QueuedRecipient> recipients_at(std::initializer_list<const char*> addresses) {
  std::vector<QueuedRecipient> all;
  for (const char* address : addresses) all.push_back(recipient_at(address));
  return all;
}

/// Makes of a message one that is queued for `recipients` under `id`.
inline AddMessage queued(AddMessage message, std::uint64_t id, std::vector<QueuedRecipient> recipients) {
  message.id = QueueId(id);
  message.queue = QueueEntry();
  message.queue->reverse_path = "anna@example.org";
  message.recipients = std::move(recipients);
  return message;
}

inline RecipientOutcome done(std::uint16_t number) { return {.number = number, .kind = RecipientOutcome::Kind::kDone}; }
inline RecipientOutcome deferred(std::uint16_t number, Timestamp next_attempt) {
  return {.number = number,
          .kind = RecipientOutcome::Kind::kDeferred,
          .next_attempt = next_attempt,
          .last_host = "mx.elsewhere.test",
          .last_reply = "451 4.3.0 later"};
}

inline RecordAttempt attempt(std::uint64_t id, std::vector<RecipientOutcome> outcomes, std::vector<std::string> trace = {}) {
  return {.id = QueueId(id), .outcomes = std::move(outcomes), .trace = std::move(trace), .report = nullptr};
}

inline ChangeQueue change(QueueAction action, QueueFilter filter, std::string text = {}) {
  return {.filter = std::move(filter), .action = action, .text = std::move(text), .trace = {}};
}

}  // namespace posthus::store
