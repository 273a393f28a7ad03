// LmdbEngine: see the header. The only file that includes lmdb.h.
#include "store/lmdb_engine.h"

#include <lmdb.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "store/lmdb_file.h"
#include "store/mapped_pages.h"

namespace posthus::store {
namespace {

constexpr std::size_t kTables = static_cast<std::size_t>(Table::kCount);
constexpr std::size_t kPooledTransactions = 64;  // a few per worker
constexpr std::uint64_t kMaxGrowthOfOneCommit = 16 * 1024 * 1024;

// The names in the file; they never change. Same order as Table.
constexpr std::array<const char*, kTables> kTableNames = {
    "meta",         "domains",        "users",         "logins",     "aliases",          "tokens",       "usage",
    "mailboxes",    "mailbox_names",  "subscriptions", "keywords",   "messages",         "expunged",     "summaries",
    "blobs",        "segments",       "dkim_keys",     "queue",      "queue_due",        "trace",        "settings",
    "routes",       "sts_policies",   "tls_tallies",   "sending",    "known_recipients", "certificates", "acme_accounts",
    "administered", "second_factors", "app_passwords", "audit",      "history",          "alerts",       "grants",
    "delegations",  "passkeys",       "sign_ins",      "dns_checks", "queue_senders",    "login_blocks", "sent_today",
    "queue_sizes"};
static_assert(kTableNames.back() != nullptr, "a table without a name would be the unnamed one, which lists the others");

/// Are new keys nearly always behind all that are there?
bool is_ascending(Table table) {
  return table == Table::kBlobs || table == Table::kSummaries || table == Table::kTrace || table == Table::kQueue;
}

Error lmdb_error(int code, std::string_view what) {
  ErrorKind kind = ErrorKind::kIo;
  switch (code) {
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case ENOMEM: kind = ErrorKind::kUnavailable; break;
    case MDB_READERS_FULL: kind = ErrorKind::kBusy; break;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL: kind = ErrorKind::kCorrupt; break;
    case MDB_VERSION_MISMATCH: kind = ErrorKind::kDenied; break;
    case MDB_BAD_VALSIZE: kind = ErrorKind::kInvalid; break;
    default: break;
  }
  return {kind, "index: " + std::string(what) + ": " + mdb_strerror(code)};
}
std::unexpected<Error> fail_lmdb(int code, std::string_view what) { return std::unexpected(lmdb_error(code, what)); }

MDB_val to_val(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
std::string_view to_view(const MDB_val& val) { return {static_cast<const char*>(val.mv_data), val.mv_size}; }

/// No stored key is longer, so cutting a bound one byte after the longest key does not change what it bounds.
std::string_view cut_bound(std::string_view bound) { return bound.substr(0, kMaxKey + 1); }

/// Pages of the free list (LMDB keeps it as table 0: transaction -> count, pages). 0 when it cannot be read.
std::uint64_t count_free_pages(MDB_env* environment, MappedPages& mapped) {
  MDB_txn* transaction = nullptr;
  if (mdb_txn_begin(environment, nullptr, MDB_RDONLY, &transaction) != 0) return 0;
  std::uint64_t pages = 0;
  MDB_cursor* cursor = nullptr;
  if (mdb_cursor_open(transaction, 0, &cursor) == 0) {
    MDB_val key, value;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
      std::size_t count = 0;
      if (value.mv_size >= sizeof count) std::memcpy(&count, value.mv_data, sizeof count);
      pages += count;
      mapped.touched(MapReader::kWalk, MappedPages::kPageWindow);
    }
    mdb_cursor_close(cursor);
  }
  mdb_txn_abort(transaction);
  return pages;
}

using Dbis = std::array<MDB_dbi, kTables>;

class Cursor {
 public:
  ~Cursor() {
    if (cursor_) mdb_cursor_close(cursor_);
  }
  Cursor() = default;
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  int open(MDB_txn* transaction, MDB_dbi dbi) { return mdb_cursor_open(transaction, dbi, &cursor_); }
  int get(MDB_val& key, MDB_val& value, MDB_cursor_op operation) { return mdb_cursor_get(cursor_, &key, &value, operation); }

 private:
  MDB_cursor* cursor_ = nullptr;
};

/// Is it what clients read of mailboxes, over and over?
bool is_mail(Table table) { return table >= Table::kMailboxes && table <= Table::kBlobs; }
/// Is it what deliveries go through, and the panel's pages of them?
bool is_queue(Table table) { return table == Table::kQueue || table == Table::kQueueDue || table == Table::kQueueSizes; }

/// What reading is the same in snapshots and transactions. Tells `pages` what may have become resident by it.
struct Reading {
  /// `reader`: kMail is one who reads mailboxes and the queue, but whatever else he reads is a walk.
  Reading(MDB_txn* of, const Dbis& tables, MappedPages& pages, MapReader reader)
      : transaction(of), dbis(tables), pages_(pages), reader_(reader) {}
  ~Reading() {
    for (const MapReader reader : {MapReader::kWalk, MapReader::kWriterAndQueue, MapReader::kMail}) tell(reader);
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  MDB_txn* const transaction;
  const Dbis& dbis;

  MDB_dbi dbi(Table table) const { return dbis[static_cast<std::size_t>(table)]; }

  void begin_walk() { reader_ = MapReader::kWalk; }

  /// Some place in a table was read: the pages above it mostly are resident already.
  void touch_place(Table table) const { touch(table, MappedPages::kPageWindow); }
  /// A walk came by this row. WHY so much: in the worst case neighbours in a table are nowhere near each other in the file.
  void touch_row(Table table, const MDB_val& key, const MDB_val& value) const {
    touch(table, (key.mv_size + value.mv_size) * (MappedPages::kPageWindow / kSmallestPage));
  }

  Result<std::optional<std::string_view>> get(Table table, std::string_view key) const {
    if (key.empty() || key.size() > kMaxKey) return std::nullopt;
    MDB_val key_val = to_val(key), value;
    touch_place(table);
    const int code = mdb_get(transaction, dbi(table), &key_val, &value);
    if (code == MDB_NOTFOUND) return std::nullopt;
    if (code != 0) return fail_lmdb(code, "get");
    return to_view(value);
  }

  Result<> scan(Table table, std::string_view from, std::string_view to, RowVisitor visit) const {
    from = cut_bound(from);
    Cursor cursor;
    touch_place(table);
    if (const int code = cursor.open(transaction, dbi(table)); code != 0) return fail_lmdb(code, "cursor");
    MDB_val key = to_val(from), value;
    int code = cursor.get(key, value, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
    while (code == 0 && (to.empty() || to_view(key) < to)) {
      touch_row(table, key, value);
      if (visit(to_view(key), to_view(value)) == Visit::kStop) return {};
      code = cursor.get(key, value, MDB_NEXT);
    }
    if (code != 0 && code != MDB_NOTFOUND) return fail_lmdb(code, "scan");
    return {};
  }

  Result<> scan_backward(Table table, std::string_view from, std::string_view to, RowVisitor visit) const {
    to = cut_bound(to);
    Cursor cursor;
    touch_place(table);
    if (const int code = cursor.open(transaction, dbi(table)); code != 0) return fail_lmdb(code, "cursor");
    MDB_val key = to_val(to), value;
    int code = to.empty() ? MDB_NOTFOUND : cursor.get(key, value, MDB_SET_RANGE);
    code = code == 0 ? cursor.get(key, value, MDB_PREV) : code == MDB_NOTFOUND ? cursor.get(key, value, MDB_LAST) : code;
    while (code == 0 && to_view(key) >= from) {
      touch_row(table, key, value);
      if (visit(to_view(key), to_view(value)) == Visit::kStop) return {};
      code = cursor.get(key, value, MDB_PREV);
    }
    if (code != 0 && code != MDB_NOTFOUND) return fail_lmdb(code, "scan");
    return {};
  }

  Result<TableSize> size(Table table) const {
    MDB_stat stat{};
    if (const int code = mdb_stat(transaction, dbi(table), &stat); code != 0) return fail_lmdb(code, "size");
    const std::size_t pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    return TableSize{.rows = stat.ms_entries, .bytes = pages * stat.ms_psize};
  }

 private:
  MapReader reader_of(Table table) const {
    if (reader_ != MapReader::kMail || is_mail(table)) return reader_;
    return is_queue(table) ? MapReader::kWriterAndQueue : MapReader::kWalk;
  }
  // WHY gathered: the count that all readers share is a cache line that would wander between the cores with every row.
  void touch(Table table, std::uint64_t bytes) const {
    const MapReader reader = reader_of(table);
    std::uint64_t& touched = touched_[static_cast<std::size_t>(reader)];
    touched += bytes;
    if (touched >= kTellAfter) tell(reader);
  }
  void tell(MapReader reader) const {
    const std::uint64_t touched = std::exchange(touched_[static_cast<std::size_t>(reader)], 0);
    if (touched > 0) pages_.touched(reader, touched);
  }
  static constexpr std::uint64_t kTellAfter = MappedPages::kLookAfterAtLeast;
  static constexpr std::uint64_t kSmallestPage = 4096;

  MappedPages& pages_;
  MapReader reader_;
  mutable std::array<std::uint64_t, 3> touched_{};  // by MapReader
};

class LmdbTransaction final : public WriteTransaction {
 public:
  LmdbTransaction(MDB_txn* transaction, const Dbis& dbis, MappedPages& pages)
      : reading_(transaction, dbis, pages, MapReader::kWriterAndQueue) {}

  Result<std::optional<std::string_view>> get(Table table, std::string_view key) const override {
    return reading_.get(table, key);
  }
  Result<> scan(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    return reading_.scan(table, from, to, visit);
  }
  Result<> scan_backward(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    return reading_.scan_backward(table, from, to, visit);
  }
  Result<TableSize> size(Table table) const override { return reading_.size(table); }
  Result<> put(Table table, std::string_view key, std::string_view value) override {
    POSTHUS_TRY_VOID(check_row_limits(key, value));
    // WHY a copy: key and value may be views of a page that this very put moves about.
    std::array<char, kMaxKeyAndValue> row;
    std::ranges::copy(key, row.begin());
    std::ranges::copy(value, row.begin() + static_cast<std::ptrdiff_t>(key.size()));
    MDB_val key_val{key.size(), row.data()}, value_val{value.size(), row.data() + key.size()};
    reading_.touch_place(table);
    int code = MDB_KEYEXIST;
    // WHY: a row behind the last one then fills its page to the end; otherwise LMDB splits pages in the middle, and twice as many
    // are written.
    if (is_ascending(table)) code = mdb_put(reading_.transaction, reading_.dbi(table), &key_val, &value_val, MDB_APPEND);
    if (code == MDB_KEYEXIST) code = mdb_put(reading_.transaction, reading_.dbi(table), &key_val, &value_val, 0);
    return code == 0 ? Result<>() : broken(code, "put");
  }
  Result<> erase(Table table, std::string_view key) override {
    if (key.empty() || key.size() > kMaxKey) return {};
    const std::string copy(key);
    reading_.touch_place(table);
    MDB_val key_val = to_val(copy);
    const int code = mdb_del(reading_.transaction, reading_.dbi(table), &key_val, nullptr);
    return code == 0 || code == MDB_NOTFOUND ? Result<>() : broken(code, "erase");
  }
  /// The first failed change: LMDB refuses to commit after it, whatever `apply` makes of it.
  const std::optional<Error>& broken_by() const { return broken_by_; }

 private:
  Result<> broken(int code, std::string_view what) {
    Error error = lmdb_error(code, what);
    if (!broken_by_) broken_by_ = error;
    return std::unexpected(std::move(error));
  }
  Reading reading_;
  std::optional<Error> broken_by_;
};

}  // namespace

struct LmdbEngine::State {
  explicit State(std::string directory_path)
      : directory(std::move(directory_path)), data_path(directory + "/data.mdb"), room(data_path) {}
  ~State() {
    for (MDB_txn* transaction : pool) mdb_txn_abort(transaction);
    if (environment) mdb_env_close(environment);
  }
  Result<> create(std::uint64_t map_bytes);
  void ensure_room();
  bool is_broken() const;

  std::string directory, data_path;
  LmdbRoom room;
  bool has_room = false;  // after the last ensure_room()
  MDB_env* environment = nullptr;
  SystemClock clock;
  MappedPages pages{clock};
  Dbis dbis{};
  mutable std::mutex mutex;
  std::vector<MDB_txn*> pool;           // reset read transactions; guarded by mutex
  std::multiset<std::uint64_t> living;  // commits that snapshots show; guarded by mutex
};

namespace {

class LmdbSnapshot final : public Snapshot {
 public:
  LmdbSnapshot(LmdbEngine::State& state, MDB_txn* transaction)
      : state_(state), reading_(transaction, state.dbis, state.pages, MapReader::kMail), commit_(mdb_txn_id(transaction)) {}
  ~LmdbSnapshot() override {
    mdb_txn_reset(reading_.transaction);
    const std::lock_guard lock(state_.mutex);
    state_.living.erase(state_.living.find(commit_));
    if (state_.pool.size() < kPooledTransactions) {
      state_.pool.push_back(reading_.transaction);
    } else {
      mdb_txn_abort(reading_.transaction);
    }
  }
  Result<std::optional<std::string_view>> get(Table table, std::string_view key) const override {
    return reading_.get(table, key);
  }
  Result<> scan(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    return reading_.scan(table, from, to, visit);
  }
  Result<> scan_backward(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    return reading_.scan_backward(table, from, to, visit);
  }
  Result<TableSize> size(Table table) const override { return reading_.size(table); }
  void begin_walk() override { reading_.begin_walk(); }

 private:
  LmdbEngine::State& state_;
  Reading reading_;
  const std::uint64_t commit_;
};

}  // namespace

namespace {

class ReadTransaction final : public LmdbPin {
 public:
  explicit ReadTransaction(MDB_txn* transaction) : transaction_(transaction) {}
  ~ReadTransaction() override { mdb_txn_abort(transaction_); }

 private:
  MDB_txn* transaction_;
};

}  // namespace

Result<> LmdbEngine::State::create(std::uint64_t map_bytes) {
  if (const int code = mdb_env_create(&environment); code != 0) return fail_lmdb(code, "create");
  mdb_env_set_maxdbs(environment, kTables);
  mdb_env_set_maxreaders(environment, kMaxReaders);
  if (const int code = mdb_env_set_mapsize(environment, map_bytes); code != 0) return fail_lmdb(code, "map size");
  if (const int code = mdb_env_open(environment, directory.c_str(), MDB_NOTLS, 0600); code != 0)
    return fail_lmdb(code, directory);
  pages.watch(data_path);
  int dead = 0;
  if (const int code = mdb_reader_check(environment, &dead); code != 0) return fail_lmdb(code, "reader check");
  if (dead > 0) log::info("store.dead_readers", {{"count", dead}});

  ensure_room();
  MDB_txn* transaction = nullptr;
  if (const int code = mdb_txn_begin(environment, nullptr, 0, &transaction); code != 0) return fail_lmdb(code, "begin");
  for (std::size_t i = 0; i < kTables; ++i) {
    const int code = mdb_dbi_open(transaction, kTableNames[i], MDB_CREATE, &dbis[i]);
    if (code == 0) continue;
    mdb_txn_abort(transaction);
    return fail_lmdb(code, kTableNames[i]);
  }
  if (const int code = mdb_txn_commit(transaction); code != 0) return fail_lmdb(code, "commit");
  return {};
}

void LmdbEngine::State::ensure_room() {
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(environment, &info);
  mdb_env_stat(environment, &stat);
  const std::uint64_t used = (info.me_last_pgno + 1) * stat.ms_psize;
  has_room = room.ensure(used);
  pages.file_has(used);
}

bool LmdbEngine::State::is_broken() const {
  MDB_txn* transaction = nullptr;
  const int code = mdb_txn_begin(environment, nullptr, 0, &transaction);
  if (code == 0) mdb_txn_abort(transaction);
  return code == MDB_PANIC;
}

LmdbEngine::LmdbEngine(std::unique_ptr<State> state) : state_(std::move(state)) {}
LmdbEngine::~LmdbEngine() = default;

Result<std::unique_ptr<LmdbEngine>> LmdbEngine::open(const std::string& directory, std::uint64_t map_bytes) {
  POSTHUS_TRY_VOID(check_lmdb_file(directory + "/data.mdb"));
  auto state = std::make_unique<State>(directory);
  POSTHUS_TRY_VOID(state->create(map_bytes));
  return std::unique_ptr<LmdbEngine>(new LmdbEngine(std::move(state)));
}

Result<std::unique_ptr<Snapshot>> LmdbEngine::snapshot() {
  // WHY under the lock: statistics() must not miss a snapshot between its begin and its entry in `living`.
  const std::lock_guard lock(state_->mutex);
  MDB_txn* transaction = nullptr;
  if (!state_->pool.empty()) {
    transaction = state_->pool.back();
    state_->pool.pop_back();
    if (const int code = mdb_txn_renew(transaction); code != 0) {
      mdb_txn_abort(transaction);
      return fail_lmdb(code, "snapshot");
    }
  } else if (const int code = mdb_txn_begin(state_->environment, nullptr, MDB_RDONLY, &transaction); code != 0) {
    return fail_lmdb(code, "snapshot");
  }
  state_->living.insert(mdb_txn_id(transaction));
  return std::make_unique<LmdbSnapshot>(*state_, transaction);
}

bool LmdbEngine::has_room() const { return state_->has_room; }

Result<> LmdbEngine::commit(FunctionRef<Result<>(WriteTransaction&)> apply) {
  state_->ensure_room();
  MDB_txn* transaction = nullptr;
  if (const int code = mdb_txn_begin(state_->environment, nullptr, 0, &transaction); code != 0) return fail_lmdb(code, "begin");
  LmdbTransaction writing(transaction, state_->dbis, state_->pages);
  const Result<> applied = apply(writing);
  if (!applied || writing.broken_by()) {
    mdb_txn_abort(transaction);
    return applied ? std::unexpected(*writing.broken_by()) : applied;
  }
  const int code = mdb_txn_commit(transaction);
  if (code == 0) return {};
  Error error = lmdb_error(code, "commit");
  // QUIRK(LMDB 0.9): a write cut short by a full disk is reported as EIO.
  struct statvfs disk{};
  const bool is_full = ::statvfs(state_->directory.c_str(), &disk) == 0 && disk.f_bavail * disk.f_frsize < kMaxGrowthOfOneCommit;
  if (code == EIO && is_full) error.kind = ErrorKind::kUnavailable;
  // QUIRK(LMDB 0.9): after a failed write of the meta page, whatever the reason, it refuses every further transaction.
  if (state_->is_broken()) error.kind = ErrorKind::kIo;
  return std::unexpected(std::move(error));
}

void LmdbEngine::sync_on_demand() { mdb_env_set_flags(state_->environment, MDB_NOSYNC, 1); }

Result<> LmdbEngine::sync() {
  const int code = mdb_env_sync(state_->environment, 1);
  return code == 0 ? Result<>() : fail(ErrorKind::kIo, "sync of " + state_->data_path + ": " + mdb_strerror(code));
}

Result<std::unique_ptr<LmdbPin>> LmdbEngine::pin() {
  MDB_txn* transaction = nullptr;
  const int code = mdb_txn_begin(state_->environment, nullptr, MDB_RDONLY, &transaction);
  if (code != 0) return fail_lmdb(code, "pin");
  return std::make_unique<ReadTransaction>(transaction);
}

const std::string& LmdbEngine::data_path() const { return state_->data_path; }

EngineStatistics LmdbEngine::statistics() const {
  EngineStatistics out;
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(state_->environment, &info);
  mdb_env_stat(state_->environment, &stat);
  {
    const std::lock_guard lock(state_->mutex);
    mdb_env_info(state_->environment, &info);
    out.last_commit = info.me_last_txnid;
    out.oldest_snapshot =
        state_->living.empty() ? out.last_commit : std::min<std::uint64_t>(*state_->living.begin(), out.last_commit);
  }
  out.oldest_snapshot_age_commits = out.last_commit - out.oldest_snapshot;
  out.free_bytes = count_free_pages(state_->environment, state_->pages) * stat.ms_psize;
  const std::uint64_t all = (info.me_last_pgno + 1) * stat.ms_psize;
  out.used_bytes = all - std::min(all, out.free_bytes);
  return out;
}

Result<> LmdbEngine::copy_to(const std::string& directory) const {
  const int code = mdb_env_copy2(state_->environment, directory.c_str(), MDB_CP_COMPACT);
  return code == 0 ? Result<>() : fail_lmdb(code, directory);
}

}  // namespace posthus::store
