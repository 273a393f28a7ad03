// Rebuilding the index from the segments. What can still be read of the old index helps: the directory and the
// mailboxes (with their UIDVALIDITY and UIDNEXT), and which mailboxes name a text with which flags. Without it owners,
// mailboxes and dates come from the segment records; users made that way have no password. Messages get new UIDs above
// UIDNEXT. Mail that waits for other servers, and the trace, are in the index only: they are taken over when it can be read.
// Known limits: when the old index is lost, messages deleted but not yet reclaimed come back, and the queue is empty.
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <set>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/base/queue_id.h"
#include "core/base/random.h"
#include "store/alias_domain.h"
#include "store/apply.h"
#include "store/canonical_address.h"
#include "store/directory_reader.h"
#include "store/key.h"
#include "store/maintenance.h"
#include "store/message_page.h"
#include "store/queue_rows.h"
#include "store/recovery.h"
#include "store/rows.h"
#include "store/segment_walk.h"
#include "store/store_open.h"
#include "store/store_state.h"

namespace posthus::store {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kMaxTextInMemory = 1ull << 30;  // no message is longer; a broken head may claim anything
constexpr std::uint64_t kBatchBytes = 16 * 1024 * 1024;
constexpr std::size_t kBatchRecords = 200;

/// Tables that are taken over as they are.
constexpr Table kDirectoryTables[] = {Table::kMeta,         Table::kDomains,         Table::kUsers,        Table::kLogins,
                                      Table::kAliases,      Table::kTokens,          Table::kMailboxNames, Table::kSubscriptions,
                                      Table::kKeywords,     Table::kDkimKeys,        Table::kSettings,     Table::kRoutes,
                                      Table::kSending,      Table::kKnownRecipients, Table::kAdministered, Table::kSecondFactors,
                                      Table::kAppPasswords, Table::kAudit,           Table::kCertificates, Table::kAcmeAccounts,
                                      Table::kGrants,       Table::kDelegations,     Table::kPasskeys,     Table::kSignIns,
                                      Table::kDnsChecks,    Table::kLoginBlocks,     Table::kSentToday};
constexpr std::size_t kTraceRowsPerCommit = 10'000;

struct Place {
  MailboxId mailbox;
  std::uint8_t flags = 0;
  std::uint64_t keywords = 0;
};
struct Found {
  std::string path;
  WalkedRecord record;
  std::uint32_t segment = 0;
};

class Rebuilder {
 public:
  Rebuilder(Engine& engine, Timestamp now) : engine_(engine), now_(now) {}
  /// Takes over what can be read. Damage ends a table, not the rebuild.
  Result<> take_directory(const Snapshot& old);
  void take_places(const Snapshot& old);
  /// REQUIRES: `old` lives until take_segments has ended.
  Result<> take_queue(const Snapshot& old);
  Result<> take_segments(const std::string& directory);
  std::uint64_t messages() const { return messages_; }

 private:
  Result<> take_segment(const std::string& path, std::uint32_t segment);
  Result<> take_batch(const std::vector<Found>& batch);
  Result<> take_record(WriteTransaction& transaction, const Found& found);
  Result<> take_trace(const Snapshot& old);
  void add_queue(AddMessage& request, BlobId blob) const;
  Result<std::vector<Target>> targets_of(WriteTransaction& transaction, const Found& found, const Origin& origin);
  Result<MailboxId> mailbox_of(WriteTransaction& transaction, const Owner& owner);
  Result<AccountId> account_of(WriteTransaction& transaction, const std::string& address);
  Result<WriteOutcome> run(WriteTransaction& transaction, WriteRequest request);
  Result<> put_meta();

  Engine& engine_;
  const Timestamp now_;
  bool has_directory_ = false, has_places_ = false;
  std::uint64_t old_next_blob_ = 0;
  std::unordered_map<std::uint64_t, std::vector<Place>> places_;  // by blob, of the old index
  std::unordered_map<std::uint64_t, QueueId> queued_;             // the same
  const Snapshot* old_ = nullptr;
  std::string store_uuid_;
  std::uint64_t messages_ = 0, damaged_ = 0, highest_blob_ = 0;
  std::map<std::uint32_t, SegmentRecord> segments_;
};

Result<> Rebuilder::take_directory(const Snapshot& old) {
  return engine_.commit([&](WriteTransaction& transaction) -> Result<> {
    Result<> put;
    const auto copy = [&](Table table, FunctionRef<Result<>(std::string_view, std::string_view)> row) -> Result<> {
      const Result<> scanned = old.scan(table, "", "", [&](std::string_view key, std::string_view value) {
        put = row(key, value);
        return put ? Visit::kContinue : Visit::kStop;
      });
      if (!scanned) log::warning("store.rebuild", {{"unreadable", scanned.error().context}});
      return put;
    };
    for (const Table table : kDirectoryTables) {
      POSTHUS_TRY_VOID(
          copy(table, [&](std::string_view key, std::string_view value) { return transaction.put(table, key, value); }));
    }
    POSTHUS_TRY_VOID(copy(Table::kUsers, [&](std::string_view key, std::string_view) -> Result<> {
      const auto account = account_of_key(key);
      return account ? put_usage(transaction, *account, {}) : Result<>();
    }));
    POSTHUS_TRY_VOID(copy(Table::kMailboxes, [&](std::string_view key, std::string_view) -> Result<> {
      const auto id = mailbox_of_key(key);
      auto mailbox = id ? get_mailbox(old, *id) : Result<std::optional<MailboxRecord>>(std::nullopt);
      if (!mailbox || !*mailbox) return {};
      (*mailbox)->messages = (*mailbox)->unseen = (*mailbox)->deleted = 0;
      (*mailbox)->bytes = 0;
      has_directory_ = true;
      return put_mailbox(transaction, **mailbox);
    }));
    return {};
  });
}

void Rebuilder::take_places(const Snapshot& old) {
  if (const auto row = old.get(Table::kMeta, meta_key::kNextBlob); row && *row) old_next_blob_ = ByteReader(**row).u64();
  bool is_whole = has_directory_ && old_next_blob_ != 0;
  const Result<> scanned = old.scan(Table::kMessages, "", "", [&](std::string_view key, std::string_view value) {
    const auto mailbox = mailbox_of_key(key.substr(0, 4));
    const auto page = MessagePageView::open(value);
    if (!mailbox || !page) {
      is_whole = false;
      return Visit::kContinue;
    }
    for (std::size_t i = 0; i < page->size(); ++i) {
      places_[page->blob(i).value].push_back({*mailbox, page->flags(i), page->keywords(i)});
    }
    return Visit::kContinue;
  });
  has_places_ = is_whole && scanned;
}

Result<> Rebuilder::take_queue(const Snapshot& old) {
  old_ = &old;
  const Result<> scanned = old.scan(Table::kQueue, "", "", [this](std::string_view key, std::string_view) {
    const auto parsed = key.size() > 2 ? parse_numbered_key(key.substr(0, key.size() - 2)) : std::nullopt;
    if (!parsed || parsed->number != kEntryNumber || !key.ends_with(std::string_view("\0\0", 2))) return Visit::kContinue;
    const auto entry = get_queue_entry(*old_, parsed->id);
    if (entry && *entry) queued_[(*entry)->blob.value] = parsed->id;
    return Visit::kContinue;
  });
  if (!scanned) log::warning("store.rebuild", {{"unreadable", scanned.error().context}});
  return take_trace(old);
}

/// A piece at a time: it may be the largest table of all.
Result<> Rebuilder::take_trace(const Snapshot& old) {
  std::string from;
  for (bool has_more = true; has_more;) {
    has_more = false;
    std::vector<std::pair<std::string, std::string>> rows;
    const Result<> scanned = old.scan(Table::kTrace, from, "", [&](std::string_view key, std::string_view value) {
      has_more = rows.size() == kTraceRowsPerCommit;
      if (!has_more) rows.emplace_back(key, value);
      return has_more ? Visit::kStop : Visit::kContinue;
    });
    if (!scanned) log::warning("store.rebuild", {{"unreadable", scanned.error().context}});
    if (rows.empty()) return {};
    from = rows.back().first + std::string(1, '\0');
    POSTHUS_TRY_VOID(engine_.commit([&rows](WriteTransaction& transaction) -> Result<> {
      for (const auto& [key, value] : rows) POSTHUS_TRY_VOID(transaction.put(Table::kTrace, key, value));
      return {};
    }));
  }
  return {};
}

Result<> Rebuilder::take_segments(const std::string& directory) {
  std::error_code error;
  std::map<std::uint32_t, std::string> paths;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const auto segment = parse_segment_file_name(entry.path().filename().string());
    if (segment) paths[*segment] = entry.path().string();
  }
  if (error) return fail(ErrorKind::kIo, directory + ": " + error.message());
  for (const auto& [segment, path] : paths) {
    const auto header = read_segment_header(path);
    if (header && store_uuid_.empty()) store_uuid_ = header->store_uuid;
  }
  for (const auto& [segment, path] : paths) POSTHUS_TRY_VOID(take_segment(path, segment));
  POSTHUS_TRY_VOID(put_meta());
  log::info("store.rebuilt", {{"messages", messages_}, {"damaged", damaged_}});
  return {};
}

Result<> Rebuilder::take_segment(const std::string& path, std::uint32_t segment) {
  segments_[segment] = {.written = fs::file_size(path), .live = 0, .is_sealed = true};
  std::vector<Found> batch;
  std::uint64_t bytes = 0;
  Result<> taken;
  const auto walked = walk_segment(path, store_uuid_, UINT64_MAX, WalkRule::kSearch, [&](const WalkedRecord& record) {
    batch.push_back({path, record, segment});
    bytes += record.head.text_length;
    if (batch.size() < kBatchRecords && bytes < kBatchBytes) return Visit::kContinue;
    taken = take_batch(batch);
    batch.clear();
    bytes = 0;
    return taken ? Visit::kContinue : Visit::kStop;
  });
  if (!taken) return taken;
  if (!walked) return std::unexpected(walked.error());
  damaged_ += walked->damaged_places;
  return batch.empty() ? Result<>() : take_batch(batch);
}

Result<> Rebuilder::take_batch(const std::vector<Found>& batch) {
  const std::uint64_t messages = messages_, damaged = damaged_;
  const auto segments = segments_;
  return engine_.commit([&](WriteTransaction& transaction) -> Result<> {
    messages_ = messages;
    damaged_ = damaged;
    segments_ = segments;
    for (const Found& found : batch) POSTHUS_TRY_VOID(take_record(transaction, found));
    return {};
  });
}

Result<> Rebuilder::take_record(WriteTransaction& transaction, const Found& found) {
  const RecordHead& head = found.record.head;
  highest_blob_ = std::max(highest_blob_, head.blob.value);
  if (POSTHUS_TRY(get_blob(transaction, head.blob))) return {};  // moved by reclaiming: the text is there twice
  const auto damaged = [&](std::string_view what) -> Result<> {
    ++damaged_;
    log::warning("store.rebuild", {{"blob", head.blob.value}, {"path", found.path}, {"what", what}});
    return {};
  };
  const bool is_nowhere = has_places_ && head.blob.value < old_next_blob_ && !places_.contains(head.blob.value);
  // Known to have been deleted: its room may have been punched.
  if (is_nowhere && !queued_.contains(head.blob.value)) return {};
  if (head.text_length > kMaxTextInMemory) return damaged("length");
  const auto text = read_range(found.path, found.record.text_offset, head.text_length);
  const auto origin_bytes = read_range(found.path, found.record.text_offset + head.text_length, head.origin_length);
  if (!text || crc32c(*text) != head.text_checksum) return damaged("text");
  const auto origin =
      origin_bytes && crc32c(*origin_bytes) == head.origin_checksum ? decode_origin(*origin_bytes) : Result<Origin>(Origin());
  if (!origin) return damaged("origin");

  AddMessage request{.message = IncomingMessage("", nullptr),
                     .targets = {},
                     .internal_date = head.internal_date,
                     .reverse_path = origin->reverse_path,
                     .trace = ""};
  add_queue(request, head.blob);
  if (!is_nowhere) request.targets = POSTHUS_TRY(targets_of(transaction, found, *origin));
  if (request.targets.empty() && !request.queue) {
    // It was for other servers only; whether they have it by now, nobody knows any more.
    return origin->owners.empty() ? Result<>() : damaged("no owner");
  }
  POSTHUS_TRY_VOID(request.message.append(*text));
  POSTHUS_TRY_VOID(request.message.finish());
  ApplyContext context{.transaction = transaction, .now = now_, .placement = {}, .progress = {}};
  context.placement = BlobPlacement{head.blob, found.segment, found.record.text_offset, head.text_length};
  POSTHUS_TRY(posthus::store::apply(context, std::move(request)));
  segments_[found.segment].live += head.text_length;
  ++messages_;
  return {};
}

/// Whom elsewhere the message still waits for, as the old index has it.
void Rebuilder::add_queue(AddMessage& request, BlobId blob) const {
  const auto found = queued_.find(blob.value);
  if (found == queued_.end()) return;
  auto entry = get_queue_entry(*old_, found->second);
  auto recipients = QueueReader(*old_).recipients(found->second, 1, kMaxQueuedRecipients);
  if (!entry || !*entry || !recipients || recipients->empty()) {
    log::warning("store.rebuild", {{"unreadable", "queue " + to_text(found->second)}});
    return;
  }
  request.id = found->second;
  request.queue = **std::move(entry);
  request.recipients = *std::move(recipients);
  request.queue_rule = QueueRule::kRestored;
}

Result<std::vector<Target>> Rebuilder::targets_of(WriteTransaction& transaction, const Found& found, const Origin& origin) {
  std::vector<Target> targets;
  if (const auto known = places_.find(found.record.head.blob.value); has_directory_ && known != places_.end()) {
    for (const Place& place : known->second) {
      if (!POSTHUS_TRY(get_mailbox(transaction, place.mailbox))) continue;
      Target target{.mailbox = place.mailbox, .flags = place.flags, .keywords = {}};
      const auto names = POSTHUS_TRY(get_keywords(transaction, place.mailbox));
      for (std::size_t bit = 0; bit < names.size(); ++bit) {
        if ((place.keywords >> bit & 1) != 0) target.keywords.push_back(names[bit]);
      }
      targets.push_back(std::move(target));
    }
  }
  if (!targets.empty()) return targets;
  for (const Owner& owner : origin.owners) {
    // An owner that cannot be made any more (say, an address this version refuses) does not keep the others.
    const auto mailbox = mailbox_of(transaction, owner);
    if (!mailbox) log::warning("store.rebuild", {{"owner", owner.address}, {"error", mailbox.error().context}});
    if (mailbox) targets.push_back({.mailbox = *mailbox, .flags = owner.flags, .keywords = {}});
  }
  return targets;
}

Result<MailboxId> Rebuilder::mailbox_of(WriteTransaction& transaction, const Owner& owner) {
  if (has_directory_) {
    const auto mailbox = POSTHUS_TRY(get_mailbox(transaction, owner.mailbox));
    if (mailbox && mailbox->account == owner.account && POSTHUS_TRY(get_user(transaction, owner.account))) return owner.mailbox;
  }
  const AccountId account = POSTHUS_TRY(account_of(transaction, owner.address));
  if (const auto mailbox = POSTHUS_TRY(find_mailbox(transaction, account, owner.mailbox_name))) return *mailbox;
  const auto made = POSTHUS_TRY(run(transaction, CreateMailbox{.account = account, .name = owner.mailbox_name}));
  return made.mailbox;
}

Result<AccountId> Rebuilder::account_of(WriteTransaction& transaction, const std::string& address) {
  const mail::Address parsed = POSTHUS_TRY(mail::parse_mailbox(address, mail::Utf8::kAllow));
  const mail::Address home = POSTHUS_TRY(at_home(transaction, parsed));
  const CanonicalAddress canonical = POSTHUS_TRY(canonical_address(mail::to_string(home), CatchAll::kRefuse));
  if (const auto account = POSTHUS_TRY(get_login(transaction, canonical.lookup))) return *account;
  if (!POSTHUS_TRY(get_domain(transaction, canonical.domain))) {
    POSTHUS_TRY(run(transaction, PutDomain{.domain = {.name = canonical.domain, .created = now_}}));
  }
  UserRecord user;
  user.address = canonical.text;
  user.created = now_;
  return POSTHUS_TRY(run(transaction, PutUser{.user = user})).account;
}

Result<WriteOutcome> Rebuilder::run(WriteTransaction& transaction, WriteRequest request) {
  ApplyContext context{.transaction = transaction, .now = now_, .placement = {}, .progress = {}};
  return posthus::store::apply(context, request);
}

Result<> Rebuilder::put_meta() {
  return engine_.commit([&](WriteTransaction& transaction) -> Result<> {
    for (const auto& [segment, record] : segments_) {
      POSTHUS_TRY_VOID(transaction.put(Table::kSegments, segment_key(segment), encode_segment_record(record)));
    }
    const auto old_uuid = POSTHUS_TRY(transaction.get(Table::kMeta, meta_key::kStoreUuid));
    if (store_uuid_.empty()) store_uuid_ = old_uuid ? std::string(*old_uuid) : random_bytes(kStoreUuidBytes);
    std::string format, next_blob;
    append_u32(format, kFormatVersion);
    append_u64(next_blob, std::max(highest_blob_ + 1, old_next_blob_));
    POSTHUS_TRY_VOID(transaction.put(Table::kMeta, meta_key::kFormat, format));
    POSTHUS_TRY_VOID(transaction.put(Table::kMeta, meta_key::kStoreUuid, store_uuid_));
    return transaction.put(Table::kMeta, meta_key::kNextBlob, next_blob);
  });
}

Result<> set_aside(const std::string& directory, Timestamp now, std::string& aside) {
  aside = directory + "/index.damaged-" + std::to_string(now.seconds());
  while (fs::exists(aside)) aside += "x";
  std::error_code error;
  fs::rename(index_directory(directory), aside, error);
  if (error) return fail(ErrorKind::kIo, aside + ": " + error.message());
  return make_store_directories(directory);
}

/// As far as it goes: what the old index lacks is found in the segments.
void replay_into(Engine& old, const std::string& aside, const std::string& segments) {
  const auto replayed = [&]() -> Result<> {
    const auto snapshot = POSTHUS_TRY(old.snapshot());
    const std::string uuid(POSTHUS_TRY(snapshot->get(Table::kMeta, meta_key::kStoreUuid)).value_or(""));
    POSTHUS_TRY(replay_journal(old, aside, segments, uuid));
    return {};
  }();
  if (!replayed) log::warning("store.rebuild", {{"journal", replayed.error().context}});
}

}  // namespace

Result<std::uint64_t> rebuild_index(const StoreOptions& options, const Clock& clock) {
  POSTHUS_TRY_VOID(make_store_directories(options.directory));
  const UniqueFd lock = POSTHUS_TRY(lock_store(options.directory));
  std::string aside;
  const std::string index = index_directory(options.directory), segments = segments_directory(options.directory);
  const bool is_restored = restore_checkpoint(index).value_or(false);
  if (const Result<> replayed = replay_segments(index, segments); !replayed) {
    log::warning("store.rebuild", {{"journal", replayed.error().context}});
  }
  POSTHUS_TRY_VOID(set_aside(options.directory, clock.now(), aside));
  const auto engine = POSTHUS_TRY(LmdbEngine::open(index_directory(options.directory), options.map_bytes));
  Rebuilder rebuilder(*engine, clock.now());
  const auto old = LmdbEngine::open(aside, options.map_bytes);
  std::unique_ptr<Snapshot> snapshot;
  if (old && is_restored) replay_into(**old, aside, segments);
  if (old) {
    snapshot = POSTHUS_TRY((*old)->snapshot());
    POSTHUS_TRY_VOID(rebuilder.take_directory(*snapshot));
    rebuilder.take_places(*snapshot);
    POSTHUS_TRY_VOID(rebuilder.take_queue(*snapshot));
  } else {
    log::warning("store.rebuild", {{"old_index", old.error().context}});
  }
  POSTHUS_TRY_VOID(rebuilder.take_segments(segments));
  return rebuilder.messages();
}

}  // namespace posthus::store
