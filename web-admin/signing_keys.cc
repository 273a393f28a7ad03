// Making, exchanging and removing DKIM keys. Thread rule: workers only.
// WHY a new pair is pending first: a signature whose record is not in the DNS yet fails at every receiver, so the admin publishes
// the records, then activates. WHY the old pair is kept: RFC 6376 §5.2.
#include "web-admin/signing_keys.h"

#include <algorithm>
#include <chrono>

#include "core/base/log.h"
#include "store/directory_reader.h"
#include "store/queue_reader.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kDomainsAtOnce = 100;
constexpr std::int64_t kDaySeconds = 86'400;

bool is_over(const store::DkimKeyRecord& key, Timestamp now) { return key.retires.microseconds > 0 && key.retires <= now; }

store::DkimAlgorithm stored_algorithm(mailauth::SigningAlgorithm algorithm) {
  return algorithm == mailauth::SigningAlgorithm::kRsaSha256 ? store::DkimAlgorithm::kRsaSha256
                                                             : store::DkimAlgorithm::kEd25519Sha256;
}

/// "r20261122", or with "b", "c", … when the domain has that already.
std::string new_selector(char prefix, const std::vector<store::DkimKeyRecord>& keys, Timestamp now) {
  using namespace std::chrono;
  const year_month_day date(floor<days>(sys_seconds(seconds(now.seconds()))));
  const unsigned month = static_cast<unsigned>(date.month()), day = static_cast<unsigned>(date.day());
  std::string base(1, prefix);
  base += std::to_string(static_cast<int>(date.year()) * 10'000 + static_cast<int>(month * 100 + day));
  std::string selector = base;
  for (char letter = 'b'; letter <= 'z'; ++letter) {
    if (std::ranges::none_of(keys, [&](const store::DkimKeyRecord& key) { return key.selector == selector; })) break;
    selector = base + letter;
  }
  return selector;
}

Result<std::vector<store::DkimKeyRecord>> stored_keys(const store::Store& store, const std::string& domain) {
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  return store::QueueReader(*snapshot).dkim_keys(domain);
}

Result<> remove_keys_that_are_over(store::Store& store, const std::string& domain, Timestamp now) {
  for (const store::DkimKeyRecord& key : POSTHUS_TRY(stored_keys(store, domain))) {
    if (is_over(key, now)) POSTHUS_TRY(store.apply(store::RemoveDkimKey{domain, key.selector}));
  }
  return {};
}

}  // namespace

KeyState key_state(const store::DkimKeyRecord& key) {
  if (key.retires.microseconds > 0) return KeyState::kRetiring;
  return key.is_active ? KeyState::kActive : KeyState::kPending;
}

Result<std::vector<store::DkimKeyRecord>> listed_keys(const store::Snapshot& snapshot, std::string_view domain, Timestamp now) {
  auto keys = POSTHUS_TRY(store::QueueReader(snapshot).dkim_keys(domain));
  std::erase_if(keys, [&](const store::DkimKeyRecord& key) { return is_over(key, now); });
  for (store::DkimKeyRecord& key : keys) wipe(key.private_key);
  return keys;
}

Result<> add_key_pair(store::Store& store, const std::string& domain, NewKeys kind, const KeyMaker& make, Timestamp now) {
  POSTHUS_TRY_VOID(remove_keys_that_are_over(store, domain, now));
  const auto present = POSTHUS_TRY(stored_keys(store, domain));
  for (const auto algorithm : {mailauth::SigningAlgorithm::kRsaSha256, mailauth::SigningAlgorithm::kEd25519Sha256}) {
    const bool is_rsa = algorithm == mailauth::SigningAlgorithm::kRsaSha256;
    const mailauth::NewKey made = POSTHUS_TRY(make(algorithm));
    store::DkimKeyRecord key{.domain = domain,
                             .selector = new_selector(is_rsa ? 'r' : 'e', present, now),
                             .algorithm = stored_algorithm(algorithm),
                             .private_key = std::string(made.private_key.reveal()),
                             .public_key = made.public_key,
                             .is_active = kind == NewKeys::kActive,
                             .created = now};
    POSTHUS_TRY(store.apply(store::PutDkimKey{std::move(key)}));
  }
  return {};
}

Result<> activate_pending_keys(store::Store& store, const std::string& domain, Timestamp now) {
  auto keys = POSTHUS_TRY(stored_keys(store, domain));
  const auto is_pending = [](const store::DkimKeyRecord& key) { return key_state(key) == KeyState::kPending; };
  if (std::ranges::none_of(keys, is_pending)) return fail(ErrorKind::kNotFound, domain + " has no pending keys");
  // New ones first: in between, both sign, which is right, while none would not be.
  std::ranges::partition(keys, is_pending);
  for (store::DkimKeyRecord& key : keys) {
    const KeyState state = key_state(key);
    if (state == KeyState::kRetiring) continue;
    key.is_active = state == KeyState::kPending;
    if (state == KeyState::kActive) key.retires = Timestamp::from_seconds(now.seconds() + kKeyOverlapDays * kDaySeconds);
    POSTHUS_TRY(store.apply(store::PutDkimKey{std::move(key)}));
  }
  return {};
}

Result<std::size_t> tend_keys(store::Store& store, const KeyMaker& make, Timestamp now) {
  std::size_t count = 0;
  std::string after;
  do {
    const auto snapshot = POSTHUS_TRY(store.snapshot());
    const auto page = POSTHUS_TRY(store::DirectoryReader(*snapshot).domains(after, kDomainsAtOnce));
    for (const store::DomainRecord& domain : page.items) {
      POSTHUS_TRY_VOID(remove_keys_that_are_over(store, domain.name, now));
      if (domain.is_without_keys) continue;
      if (!POSTHUS_TRY(store::QueueReader(*snapshot).dkim_keys(domain.name)).empty()) continue;
      const auto added = add_key_pair(store, domain.name, NewKeys::kActive, make, now);
      if (!added && added.error().kind == ErrorKind::kNotFound) continue;  // removed meanwhile
      if (!added) return std::unexpected(added.error());
      log::info("dkim.keys_made", {{"domain", domain.name}});
      ++count;
    }
    after = page.next;
  } while (!after.empty());
  return count;
}

}  // namespace posthus::web_admin
