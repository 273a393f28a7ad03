// The consistency check: every table, every reference. Never stops at the first bad record.
#include "store/check.h"
#include "store/sending_record.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "core/base/hash.h"
#include "core/mail/summary.h"
#include "store/canonical_address.h"
#include "store/file_segments.h"
#include "store/key.h"
#include "store/long_value.h"
#include "store/record_directory.h"
#include "store/record_mailbox.h"
#include "store/rows.h"
#include "store/sent_today.h"
#include "store/store_state.h"

namespace posthus::store {
namespace {

constexpr std::uint64_t kReadStep = 1024 * 1024;

std::string kind_and_number(std::string_view kind, std::uint64_t number) {
  return std::string(kind) + " " + std::to_string(number);
}

std::string compared(std::string_view what, std::uint64_t stored, std::uint64_t counted) {
  return std::string(what) + ": " + std::to_string(stored) + " stored, " + std::to_string(counted) + " found";
}

/// Keys in findings, printable whatever they hold.
std::string printable(std::string_view key) {
  const bool is_text = std::ranges::all_of(key, [](char c) { return c >= ' ' && c < 127; });
  return is_text ? std::string(key) : to_hex(key);
}

}  // namespace

CheckReport Checker::run() {
  check_domains();
  check_users();
  check_logins();
  check_aliases();
  check_sending();
  check_sent_today();
  check_tokens();
  check_tls();
  check_certificates();
  check_identity();
  check_watch();
  check_grants();
  check_mailboxes();
  check_mailbox_names();
  check_mailbox_rows(Table::kKeywords, "keywords");
  check_expunged();
  check_messages();
  check_counts();
  check_usage();
  check_queue();
  check_outgoing_settings();
  check_trace();
  check_blobs();
  check_summary_owners();
  check_segments();
  check_counter(meta_key::kNextBlob, highest_blob_);
  return std::move(report_);
}

void Checker::find(std::string where, std::string what) {
  ++report_.findings_total;
  if (report_.findings.size() < kMaxFindings) report_.findings.push_back({std::move(where), std::move(what)});
}

void Checker::scan(Table table, std::string_view name, FunctionRef<void(std::string_view, std::string_view)> row) {
  const Result<> scanned = snapshot_.scan(table, "", "", [&](std::string_view key, std::string_view value) {
    row(key, value);
    return Visit::kContinue;
  });
  if (!scanned) find("table " + std::string(name), scanned.error().context);
}

void Checker::check_domains() {
  scan(Table::kDomains, "domains", [this](std::string_view key, std::string_view value) {
    ++report_.domains;
    const auto record = decode_domain_record(value);
    if (!record) return find("domain " + printable(key), record.error().context);
    if (domain_key(record->name) != key) find("domain " + printable(key), "is stored under another name: " + record->name);
    if (record->alias_of.empty()) return;
    const auto home = get_domain(snapshot_, record->alias_of);
    const bool has_home = home && *home && (*home)->alias_of.empty() && (*home)->kind == DomainKind::kMailboxes;
    if (!has_home) find("domain " + record->name, "is an alias of " + record->alias_of + ", which has no mailboxes");
    const auto has_addresses = has_prefix(snapshot_, Table::kLogins, address_prefix(record->name));
    if (!has_addresses || *has_addresses) find("domain " + record->name, "is an alias and has users");
  });
}

void Checker::check_users() {
  scan(Table::kUsers, "users", [this](std::string_view key, std::string_view value) {
    ++report_.users;
    const auto account = account_of_key(key);
    if (account) accounts_.insert(account->value);
    const auto user = decode_user_record(value);
    if (!account || !user) return find("user " + printable(key), user ? "key" : user.error().context);
    const std::string where = "user " + user->address;
    if (user->account != *account) find(where, compared("account", user->account.value, account->value));
    const auto address = canonical_address(user->address, CatchAll::kRefuse);
    if (!address) return find(where, "address does not parse");
    if (const auto domain = get_domain(snapshot_, address->domain); !domain || !*domain) find(where, "domain is missing");
    const auto login = get_login(snapshot_, address->lookup);
    if (!login || !*login || **login != *account) find(where, "login does not lead to him");
    const auto inbox = get_mailbox(snapshot_, user->inbox);
    if (!inbox || !*inbox || (*inbox)->account != *account)
      find(where, kind_and_number("has no INBOX: mailbox", user->inbox.value));
  });
  const std::string prefix(meta::kRemovingPrefix);
  const Result<> scanned =
      snapshot_.scan(Table::kMeta, prefix, end_of_prefix(prefix), [this](std::string_view, std::string_view value) {
        if (const auto account = account_of_key(value)) removing_.insert(account->value);
        return Visit::kContinue;
      });
  if (!scanned) find("users being removed", scanned.error().context);
}

void Checker::check_logins() {
  scan(Table::kLogins, "logins", [this](std::string_view key, std::string_view value) {
    const auto account = account_of_key(value);
    if (!account || !accounts_.contains(account->value)) find("login " + printable(key), "leads to no user");
  });
}

void Checker::check_aliases() {
  scan(Table::kAliases, "aliases", [this](std::string_view key, std::string_view) {
    if (key.size() < 2 || !key.ends_with(std::string_view("\0\0", 2))) return;  // a later row of a long one
    std::string buffer;
    const auto value = get_long_value(snapshot_, Table::kAliases, key.substr(0, key.size() - 2), buffer);
    if (!value) return find("alias " + printable(key), value.error().context);
    const auto alias = decode_alias_record(*value);
    if (!alias) return find("alias " + printable(key), alias.error().context);
    const auto address = canonical_address(alias->address, CatchAll::kAllow);
    if (!address || alias_key(address->lookup) != key.substr(0, key.size() - 2)) find("alias " + alias->address, "key");
    if (alias->owner.value != 0 && !accounts_.contains(alias->owner.value))
      find("alias " + alias->address, "who made it is gone");
  });
}

void Checker::check_sending() {
  scan(Table::kSending, "sending", [this](std::string_view key, std::string_view value) {
    const auto account = account_of_key(key);
    const auto record = decode_sending_record(value);
    if (!account || !record) return find("sending of " + printable(key), record ? "key" : record.error().context);
    if (!accounts_.contains(account->value) && !removing_.contains(account->value)) {
      find(kind_and_number("sending of account", account->value), "there is no such account");
    }
  });
}

void Checker::check_sent_today() {
  scan(Table::kSentToday, "sent today", [this](std::string_view key, std::string_view value) {
    const auto record = decode_sent_today(value);
    if (!record) return find("a sum of a day", record.error().context);
    if (sent_today_key(record->name) != key) find("a sum of a day", "is stored under another name: " + record->name);
  });
}

void Checker::check_tokens() {
  scan(Table::kTokens, "tokens", [this](std::string_view key, std::string_view value) {
    if (const auto token = decode_token_record(value); !token) find("token " + printable(key), token.error().context);
  });
}

void Checker::check_mailboxes() {
  scan(Table::kMailboxes, "mailboxes", [this](std::string_view key, std::string_view value) {
    ++report_.mailboxes;
    const auto id = mailbox_of_key(key);
    if (!id) return find("mailbox " + printable(key), "key");
    Counts& counts = mailboxes_[id->value];
    const auto record = decode_mailbox_record(value);
    if (!record) return find(kind_and_number("mailbox", id->value), record.error().context);
    counts.record = *record;
    const std::string where = kind_and_number("mailbox", id->value);
    if (record->mailbox != *id) find(where, compared("id", record->mailbox.value, id->value));
    if (!accounts_.contains(record->account.value) && !removing_.contains(record->account.value)) {
      find(where, kind_and_number("belongs to no user: account", record->account.value));
    }
    const auto name = get_mailbox_name(snapshot_, record->account, record->name);
    if (!name || !*name || **name != *id) find(where, "its name does not lead to it: " + record->name);
  });
}

void Checker::check_mailbox_names() {
  scan(Table::kMailboxNames, "mailbox names", [this](std::string_view key, std::string_view value) {
    const auto id = mailbox_of_key(value);
    const auto found = id ? mailboxes_.find(id->value) : mailboxes_.end();
    if (found == mailboxes_.end()) return find("mailbox name " + printable(key), "leads to no mailbox");
    const MailboxRecord& record = found->second.record;
    if (mailbox_name_key(record.account, record.name) != key)
      find("mailbox name " + printable(key), "the mailbox has another name");
  });
}

void Checker::check_mailbox_rows(Table table, std::string_view name) {
  scan(table, name, [&](std::string_view key, std::string_view) {
    const auto id = mailbox_of_key(key.substr(0, 4));
    if (!id || !mailboxes_.contains(id->value)) find(std::string(name) + " " + printable(key), "belong to no mailbox");
  });
}

void Checker::check_expunged() {
  check_mailbox_rows(Table::kExpunged, "tombstones");
  scan(Table::kExpunged, "tombstones", [this](std::string_view key, std::string_view value) {
    const auto modseq = modseq_of_expunged_key(key);
    if (!modseq) return find("tombstones " + printable(key), "key");
    if (modseq->value == 0) return;  // how far back they reach
    if (const auto row = decode_expunged_row(value); !row) find("tombstones " + printable(key), row.error().context);
  });
}

void Checker::check_messages() {
  scan(Table::kMessages, "messages", [this](std::string_view key, std::string_view value) {
    const auto mailbox = mailbox_of_key(key.substr(0, 4));
    const auto first = first_uid_of_page_key(key);
    if (!mailbox || !first) return find("page " + printable(key), "key");
    check_page(*mailbox, first->value, value);
  });
}

void Checker::check_page(MailboxId mailbox, std::uint32_t first, std::string_view value) {
  const std::string where = kind_and_number("mailbox", mailbox.value) + kind_and_number(" page", first);
  const auto found = mailboxes_.find(mailbox.value);
  if (found == mailboxes_.end()) return find(where, "belongs to no mailbox");
  const auto page = MessagePageView::open(value);
  if (!page) return find(where, page.error().context);
  if (page->size() == 0) return find(where, "is empty");
  if (page->uid(0).value < first) find(where, kind_and_number("begins with uid", page->uid(0).value));
  std::uint64_t highest = 0;
  for (std::size_t i = 0; i < page->size(); ++i) {
    const MessageRecord message = page->record(i);
    highest = std::max(highest, message.modseq.value);
    check_message(found->second, message);
  }
  if (highest != page->highest_modseq().value) find(where, compared("highest ModSeq", page->highest_modseq().value, highest));
}

void Checker::check_message(Counts& counts, const MessageRecord& message) {
  ++report_.messages;
  const MailboxRecord& mailbox = counts.record;
  const std::string where = kind_and_number("mailbox", mailbox.mailbox.value) + kind_and_number(" uid", message.uid.value);
  if (message.uid.value <= counts.last_uid) find(where, "is out of order");
  counts.last_uid = std::max(counts.last_uid, message.uid.value);
  counts.highest_modseq = std::max(counts.highest_modseq, message.modseq.value);
  ++counts.messages;
  counts.bytes += message.size;
  if ((message.flags & flag::kSeen) == 0) ++counts.unseen;
  if ((message.flags & flag::kDeleted) != 0) ++counts.deleted;
  if (message.uid >= mailbox.uid_next)
    find(where, compared("UIDNEXT of the mailbox", mailbox.uid_next.value, message.uid.value + 1ull));
  references_.push_back(message.blob.value);
  const auto blob = get_blob(snapshot_, message.blob);
  if (!blob || !*blob) return find(where, kind_and_number("its text is missing: blob", message.blob.value));
  if ((*blob)->length != message.size) find(where, compared("size", message.size, (*blob)->length));
}

void Checker::check_counts() {
  for (const auto& [id, counts] : mailboxes_) {
    const MailboxRecord& record = counts.record;
    const std::string where = kind_and_number("mailbox", id);
    if (record.messages != counts.messages) find(where, compared("messages", record.messages, counts.messages));
    if (record.unseen != counts.unseen) find(where, compared("unseen", record.unseen, counts.unseen));
    if (record.deleted != counts.deleted) find(where, compared("deleted", record.deleted, counts.deleted));
    if (record.bytes != counts.bytes) find(where, compared("bytes", record.bytes, counts.bytes));
    if (record.highest_modseq.value < counts.highest_modseq) {
      find(where, compared("HIGHESTMODSEQ", record.highest_modseq.value, counts.highest_modseq));
    }
  }
}

void Checker::check_usage() {
  std::unordered_map<std::uint32_t, Usage> counted;
  for (const auto& [id, counts] : mailboxes_) {
    counted[counts.record.account.value].bytes += counts.bytes;
    counted[counts.record.account.value].messages += counts.messages;
  }
  for (const std::uint32_t account : accounts_) {
    const auto usage = get_usage(snapshot_, AccountId(account));
    const std::string where = kind_and_number("account", account);
    if (!usage) {
      find(where, usage.error().context);
      continue;
    }
    if (usage->bytes != counted[account].bytes) find(where, compared("usage in bytes", usage->bytes, counted[account].bytes));
    if (usage->messages != counted[account].messages)
      find(where, compared("usage in messages", usage->messages, counted[account].messages));
  }
}

void Checker::check_blobs() {
  scan(Table::kSegments, "segments", [this](std::string_view key, std::string_view value) {
    const auto record = decode_segment_record(value);
    if (!record) return find("segment " + printable(key), record.error().context);
    segment_rows_[ByteReader(key).u32()] = *record;
  });
  std::ranges::sort(references_);
  scan(Table::kBlobs, "blobs", [this](std::string_view key, std::string_view value) {
    ++report_.blobs;
    const auto blob = blob_of_key(key);
    const auto record = decode_blob_record(value);
    if (!blob || !record) return find("blob " + printable(key), record ? "key" : record.error().context);
    highest_blob_ = std::max(highest_blob_, blob->value);
    const auto references = std::ranges::equal_range(references_, blob->value);
    check_blob(*blob, *record, references.size());
  });
}

void Checker::check_blob(BlobId blob, const BlobRecord& record, std::uint64_t references) {
  const std::string where = kind_and_number("blob", blob.value);
  report_.bytes += record.length;
  live_[record.segment] += record.length;
  if (record.references != references) find(where, compared("references", record.references, references));
  const auto segment = segment_rows_.find(record.segment);
  if (segment == segment_rows_.end()) return find(where, kind_and_number("lies in no segment of the index:", record.segment));
  if (record.offset + record.length > segment->second.written)
    find(where, kind_and_number("lies behind the end of segment", record.segment));
  check_summary(blob, record);
  if (reads_(record.segment)) check_text(blob, record);
}

void Checker::check_summary(BlobId blob, const BlobRecord& record) {
  std::string buffer;
  const auto bytes = get_long_value(snapshot_, Table::kSummaries, blob_key(blob), buffer);
  if (!bytes) return find(kind_and_number("blob", blob.value), "summary: " + bytes.error().context);
  const auto summary = mail::SummaryView::create(*bytes);
  if (!summary) return find(kind_and_number("blob", blob.value), "summary: " + summary.error().context);
  if (summary->size() != record.length)
    find(kind_and_number("blob", blob.value), compared("size in the summary", summary->size(), record.length));
}

void Checker::check_text(BlobId blob, const BlobRecord& record) {
  std::uint32_t checksum = 0;
  std::string bytes;
  for (std::uint64_t at = 0; at < record.length; at += kReadStep) {
    bytes.clear();
    const auto read = segments_.read(record.segment, record.offset + at, std::min(kReadStep, record.length - at), bytes);
    if (!read) return find(kind_and_number("blob", blob.value), "text: " + read.error().context);
    checksum = crc32c(bytes, checksum);
  }
  if (checksum != record.checksum)
    find(kind_and_number("blob", blob.value), kind_and_number("text is damaged in segment", record.segment));
}

void Checker::check_summary_owners() {
  std::uint64_t last = 0;
  scan(Table::kSummaries, "summaries", [&](std::string_view key, std::string_view) {
    const std::uint64_t blob = ByteReader(key).u64();
    if (blob == last) return;
    last = blob;
    const auto record = get_blob(snapshot_, BlobId(blob));
    if (!record || !*record) find(kind_and_number("summary of blob", blob), "the blob is missing");
  });
}

void Checker::check_segments() {
  for (const auto& [segment, record] : segment_rows_) {
    const std::string where = kind_and_number("segment", segment);
    if (record.live != live_[segment]) find(where, compared("live bytes", record.live, live_[segment]));
    if (!files_) continue;
    struct stat info{};
    if (::stat(files_->path_of(segment).c_str(), &info) != 0) {
      find(where, files_->path_of(segment) + " is missing");
    } else if (static_cast<std::uint64_t>(info.st_size) < record.written) {
      find(where, compared("length", record.written, static_cast<std::uint64_t>(info.st_size)));
    }
  }
}

void Checker::check_counter(std::string_view name, std::uint64_t least) {
  const auto row = snapshot_.get(Table::kMeta, name);
  if (!row) return find("counter " + std::string(name), row.error().context);
  const std::uint64_t next = *row ? ByteReader(**row).u64() : 1;
  if (next <= least) find("counter " + std::string(name), compared("next", next, least + 1));
}

Result<CheckReport> check(const Store& store, Depth depth) {
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  snapshot->begin_walk();
  const Store::State& state = StoreParts::of(store);
  return Checker(*snapshot, *state.segments, state.files, [depth](std::uint32_t) { return depth == Depth::kBytes; }).run();
}

}  // namespace posthus::store
