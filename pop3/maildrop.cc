// See maildrop.h.
#include "pop3/maildrop.h"

#include <limits>

#include "core/base/check.h"
#include "store/directory_reader.h"
#include "store/mailbox_reader.h"

namespace posthus::pop3 {

Result<std::unique_ptr<Maildrop>> Maildrop::open(const store::Snapshot& snapshot, AccountId account, MaildropLock lock) {
  const store::DirectoryReader directory(snapshot);
  const auto user = POSTHUS_TRY(directory.user(account));
  if (!user) return fail(ErrorKind::kNotFound, "account");
  const std::uint32_t retention = POSTHUS_TRY(directory.pop3_retention_days(account));
  const auto reader = POSTHUS_TRY(store::MailboxReader::open(snapshot, user->inbox));
  std::vector<Entry> entries;
  entries.reserve(reader.record().messages);
  POSTHUS_TRY_VOID(
      reader.for_each(Uid(1), Uid(std::numeric_limits<std::uint32_t>::max()), [&](const store::MessageRecord& message) {
        CHECK(message.blob.value < 1ull << 63);
        entries.push_back(Entry{message.blob.value, 0, message.uid.value, message.size});
        return store::Visit::kContinue;
      }));
  auto maildrop = std::make_unique<Maildrop>(std::move(lock), std::move(entries));
  maildrop->mailbox_ = user->inbox;
  maildrop->modseq_ = reader.record().highest_modseq;
  maildrop->uid_validity_ = reader.record().uid_validity;
  maildrop->retention_days_ = retention;
  return maildrop;
}

const Maildrop::Entry* Maildrop::find(std::uint32_t number) const {
  if (number == 0 || number > entries_.size() || entries_[number - 1].is_deleted) return nullptr;
  return &entries_[number - 1];
}

Maildrop::Maildrop(MaildropLock lock, std::vector<Entry> entries) : lock_(std::move(lock)), entries_(std::move(entries)) {
  for (const Entry& entry : entries_) octets_ += entry.size;
}

void Maildrop::mark_deleted(std::uint32_t number) {
  CHECK(find(number) != nullptr);
  Entry& entry = entries_[number - 1];
  entry.is_deleted = 1;
  octets_ -= entry.size;
  deleted_.push_back(number);
}

void Maildrop::reset() {
  for (const std::uint32_t number : deleted_) {
    Entry& entry = entries_[number - 1];
    entry.is_deleted = 0;
    octets_ += entry.size;
  }
  deleted_ = {};
}

store::UidSet Maildrop::deleted() const {
  store::UidSet uids;
  for (const Entry& entry : entries_) {
    if (!entry.is_deleted) continue;
    if (!uids.empty() && uids.back().last.value + 1 == entry.uid)
      uids.back().last = Uid(entry.uid);
    else
      uids.push_back({Uid(entry.uid), Uid(entry.uid)});
  }
  return uids;
}

void Maildrop::append_unique_id(std::string& out, const Entry& entry) const {
  constexpr char kDigits[] = "0123456789abcdef";
  const std::uint64_t id = (std::uint64_t{uid_validity_} << 32) | entry.uid;
  for (int shift = 60; shift >= 0; shift -= 4) out.push_back(kDigits[(id >> shift) & 15]);
}

}  // namespace posthus::pop3
