// Checker: the consistency check over one snapshot, table by table. check() of maintenance.h runs it whole; backup()
// compares checksums only in the segments it has just copied. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "store/blob_record.h"
#include "store/engine.h"
#include "store/maintenance.h"
#include "store/message_page.h"
#include "store/queue_records.h"
#include "store/segments.h"

namespace posthus::store {

class FileSegments;

class Checker {
 public:
  /// Whether the texts of a segment are to be read and compared with their checksums.
  using ReadsSegment = std::function<bool(std::uint32_t segment)>;
  /// `files` is null for a store in memory. REQUIRES: all outlive it; no bytes the snapshot names are reclaimed.
  Checker(const Snapshot& snapshot, Segments& segments, const FileSegments* files, ReadsSegment reads)
      : snapshot_(snapshot), segments_(segments), files_(files), reads_(std::move(reads)) {}
  CheckReport run();

 private:
  struct Counts {
    MailboxRecord record;
    std::uint32_t messages = 0, unseen = 0, deleted = 0;
    std::uint64_t bytes = 0;
    std::uint32_t last_uid = 0;
    std::uint64_t highest_modseq = 0;
  };

  void find(std::string where, std::string what);
  /// Scans a whole table; an error of the engine is a finding.
  void scan(Table table, std::string_view name, FunctionRef<void(std::string_view key, std::string_view value)> row);

  void check_domains();
  void check_users();
  void check_logins();
  void check_aliases();
  void check_sending();
  void check_sent_today();
  void check_tokens();
  void check_tls();           // check_tls.cc
  void check_certificates();  // check_certificates.cc
  void check_identity();      // check_identity.cc
  void check_watch();         // check_watch.cc
  void check_grants();        // check_grants.cc
  void check_mailboxes();
  void check_mailbox_names();
  void check_mailbox_rows(Table table, std::string_view name);
  void check_expunged();
  void check_messages();
  void check_page(MailboxId mailbox, std::uint32_t first, std::string_view value);
  void check_message(Counts& counts, const MessageRecord& message);
  void check_counts();
  void check_usage();
  /// Every long value of a table, by its base key.
  void scan_long(Table table, std::string_view name, FunctionRef<void(std::string_view base, std::string_view value)> visit);
  void check_queue();  // this and the next five: check_queue.cc
  std::optional<QueueEntry> check_queue_entry(QueueId id, std::string_view value);
  void check_due(std::uint64_t expected);
  void check_sizes();
  void check_senders(const std::map<std::uint64_t, std::uint64_t>& waiting);
  void check_outgoing_settings();
  void check_trace();
  void check_blobs();
  void check_blob(BlobId blob, const BlobRecord& record, std::uint64_t references);
  void check_text(BlobId blob, const BlobRecord& record);
  void check_summary(BlobId blob, const BlobRecord& record);
  void check_summary_owners();
  void check_segments();
  void check_counter(std::string_view name, std::uint64_t least);

  const Snapshot& snapshot_;
  Segments& segments_;
  const FileSegments* files_;
  ReadsSegment reads_;
  CheckReport report_;

  std::unordered_set<std::uint32_t> accounts_, removing_;
  std::unordered_map<std::uint32_t, Counts> mailboxes_;
  std::vector<std::uint64_t> references_;  // a blob once per message and queue entry that name it; sorted later
  std::map<std::uint32_t, SegmentRecord> segment_rows_;
  std::map<std::uint32_t, std::uint64_t> live_;  // by segment, summed over kBlobs
  std::uint64_t highest_blob_ = 0;
};

}  // namespace posthus::store
