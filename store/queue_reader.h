// Reads the queue, routes, signing keys and the trace in one snapshot.
// Thread rule: as the snapshot. REQUIRES: the snapshot outlives the reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/function_ref.h"
#include "core/base/result.h"
#include "store/directory_reader.h"
#include "store/engine.h"
#include "store/queue_records.h"

namespace posthus::store {

/// A row of kQueueDue: a recipient whose next attempt has its time. `destination` is destination_hash(domain).
struct DueRecipient {
  std::uint64_t destination = 0;
  Timestamp next_attempt;
  QueueId id;
  std::uint16_t number = 0;
};
/// Eight bytes of SHA-256 of the normalised domain: due rows of one destination stand together, so that one that does not
/// answer never stands before another.
std::uint64_t destination_hash(std::string_view domain);

/// The name of a route as it is stored: "*", "from:" and a normalised domain, or a normalised domain. Errors: kInvalid.
Result<std::string> normalise_route_name(std::string_view name);

struct QueuedMessage {
  QueueEntry entry;
  std::vector<QueuedRecipient> recipients;
};

/// One event of a message's life. `number` 0 is how it came; then whatever happened, in order.
struct TraceEvent {
  QueueId id;
  std::uint16_t number = 0;
  std::string json;  // one JSON object
};

inline constexpr std::size_t kMaxVisitedEvents = 500;  // of one message in a search: a page of work stays bounded

class QueueReader {
 public:
  explicit QueueReader(const Snapshot& snapshot) : snapshot_(snapshot) {}

  Result<std::optional<QueueEntry>> entry(QueueId id) const;
  Result<std::optional<QueuedRecipient>> recipient(QueueId id, std::uint16_t number) const;
  /// Recipients in order, from `first_number` on, at most `limit`.
  Result<std::vector<QueuedRecipient>> recipients(QueueId id, std::uint16_t first_number, std::size_t limit) const;
  /// Messages in order of acceptance after `after`, at most `limit`, each with at most `recipient_limit` recipients.
  Result<std::vector<QueuedMessage>> messages(QueueId after, std::size_t limit, std::size_t recipient_limit) const;

  /// The message accepted last before `before`, with at most `recipient_limit` recipients; nothing when it was the first.
  Result<std::optional<QueuedMessage>> message_before(QueueId before, std::size_t recipient_limit) const;
  /// The largest message that is smaller than `size`, or as large and accepted before `before`; as above.
  Result<std::optional<QueuedMessage>> message_smaller(std::uint64_t size, QueueId before, std::size_t recipient_limit) const;

  /// Due rows of one destination with next_attempt in (`after`, `until`], in order, at most `limit`.
  /// Rows of held messages are not there, but for recipients that must_bounce. Rows that cannot be read are passed over:
  /// `check` tells.
  Result<std::vector<DueRecipient>> due(std::uint64_t destination, DueRecipient after, Timestamp until, std::size_t limit) const;
  /// Due rows of all destinations.
  Result<std::uint64_t> due_rows() const;
  /// Is this very row there?
  Result<bool> has_due(const DueRecipient& row) const;
  /// The row of the destination whose next attempt is last: where some have been tried and others not, one that was tried.
  Result<std::optional<DueRecipient>> last_due(std::uint64_t destination) const;
  /// The first due row of each destination, by skipping from one to the next: cost by destinations, not by recipients.
  /// Visits at most `limit` destinations from `from` on; the hash to go on with, nothing at the end.
  Result<std::optional<std::uint64_t>> destinations(std::uint64_t from, std::size_t limit,
                                                    FunctionRef<void(const DueRecipient& first)> visit) const;
  /// The same with how many due rows each has, counted up to `most`, at least 1: cost by the rows counted.
  Result<std::optional<std::uint64_t>> counted_destinations(
      std::uint64_t from, std::size_t limit, std::size_t most,
      FunctionRef<void(const DueRecipient& first, std::size_t counted)> visit) const;

  /// How many recipients wait for mail of an account, or of a reverse-path that no account stands for.
  Result<std::uint32_t> waiting_of(AccountId account, std::string_view reverse_path) const;
  /// How many copies wait that this address forwards.
  Result<std::uint32_t> waiting_forwards_of(const std::string& forwarder) const;

  /// Whether `copies` more that never leave this server may wait for an account, or for a forwarder when `account` is none. WHY
  /// half of what may wait for a sender (queue.copies_per_sender): they must not keep out his mail for others.
  Result<bool> may_wait_here(AccountId account, const std::string& forwarder, std::size_t copies) const;

  Result<std::optional<RouteRecord>> route(std::string_view name) const;
  Result<Page<RouteRecord>> routes(std::string_view after, std::size_t limit) const;

  Result<std::vector<DkimKeyRecord>> dkim_keys(std::string_view domain) const;

  /// Every event of a message, in order: at most 65 536, each at most kMaxTraceEvent bytes.
  Result<std::vector<TraceEvent>> trace(QueueId id) const { return trace(id, 0, SIZE_MAX); }
  Result<std::vector<TraceEvent>> trace(QueueId id, std::uint16_t first_number, std::size_t limit) const;
  /// Messages from newest to oldest, older than `before` (0: from the newest on): visit gets the id and its first
  /// kMaxVisitedEvents events and says whether to go on.
  Result<> traces(QueueId before, FunctionRef<Visit(QueueId id, const std::vector<TraceEvent>& events)> visit) const;

  /// A run-time setting as it was put; nothing when it was not.
  Result<std::optional<std::string>> setting(std::string_view name) const;

 private:
  const Snapshot& snapshot_;
};

}  // namespace posthus::store
