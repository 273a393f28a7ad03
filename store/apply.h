// apply: what one WriteRequest does to the tables. The seam between the Writer (groups, segments, durability) and the
// apply_*.cc files (one per family of kinds).
//
// Rules of the seam:
//  - apply checks every precondition first, then puts. A refused request (an error is returned) leaves no puts behind; the
//    Writer counts them, and when a refused request has put something it runs the group again without that request.
//  - apply may run more than once for the same request (a group that is run again): it must not consume or change the
//    request, and everything it reports goes into the ApplyContext, which is new for every run.
//  - The Writer has written nothing for a refused request; the bytes of the message of an accepted request lie at
//  context.placement
//    and are durable before the transaction commits.
//  - Who puts what. apply: kBlobs and kSummaries rows (of a new message; and erases both when the last reference goes),
//    and every table of the directory, of mailboxes and of outgoing mail, and the id counters of accounts, mailboxes and
//    UIDVALIDITY in kMeta (own names, apart from meta_key in blob_record.h). The Writer: kSegments, meta_key::kNextBlob.
// Thread rule: the Writer's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "store/blob_record.h"
#include "store/engine.h"
#include "store/write_request.h"

namespace posthus::store {

/// Where the text of this request's message lies: copy segment, offset, length into the BlobRecord.
struct BlobPlacement {
  BlobId blob;
  std::uint32_t segment = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// Where bulk work goes on with its next slice. The meaning of the fields belongs to the kind that set them. Small: the
/// Writer keeps it between slices, while the tables may change under it (so each slice looks at them anew).
struct SliceProgress {
  std::uint32_t phase = 0;
  std::uint64_t position = 0;  // e.g. the next uid
  std::uint64_t other = 0;     // e.g. a mailbox, or the ModSeq the whole STORE has
};

struct ApplyContext {
  WriteTransaction& transaction;
  Timestamp now;
  /// Set when the request carries a message (message_of), else nothing.
  std::optional<BlobPlacement> placement;
  /// Nothing on the first slice, later what the slice before left in `next`.
  std::optional<SliceProgress> progress;

  // ---- filled by apply ----
  /// Mailboxes whose watchers are to be woken after the commit. Doubles do no harm.
  std::vector<MailboxId> changed{};
  /// Blobs whose last reference went (rows already erased); the Writer takes them off their segments' live counts.
  std::vector<BlobRecord> released{};
  /// Set when there is more to do: the slice commits, other requests get their turn, then apply is called again with it.
  std::optional<SliceProgress> next{};
};

/// Applies `request`, or its next slice of about kSliceMessages messages. The outcome is of this slice only: the Writer
/// joins slices (uids and added are appended in order, the other fields are those of the last slice that set them).
/// An error in a later slice ends the request with that error; what earlier slices did stays done.
Result<WriteOutcome> apply(ApplyContext& context, const WriteRequest& request);

/// The account a mailbox belongs to and its owner's address, for the segment record (rebuilding the index). kNotFound
/// when there is none. Cheap: two gets.
struct MailboxOwner {
  AccountId account;
  std::string address;
  std::string mailbox_name;
};
Result<MailboxOwner> find_mailbox_owner(const Snapshot& snapshot, MailboxId mailbox);

}  // namespace posthus::store
