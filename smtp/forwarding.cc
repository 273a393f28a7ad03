// Forward addresses and the directory; see forwarding.h.
#include "smtp/forwarding.h"

#include <vector>

#include "core/base/base64.h"
#include "core/base/random.h"
#include "core/mail/forward_address.h"
#include "store/directory_reader.h"
#include "store/queue_reader.h"

namespace posthus::smtp {
namespace {

constexpr std::size_t kSecretBytes = 32;  // as many as the hash has (RFC 2104 §3)

/// The first in use, then older ones.
Result<std::vector<std::string>> secrets(const store::Snapshot& snapshot) {
  std::vector<std::string> all;
  const auto setting = POSTHUS_TRY(store::QueueReader(snapshot).setting(kForwardSecretSetting));
  std::string_view left = setting ? std::string_view(*setting) : std::string_view();
  while (!left.empty()) {
    const std::size_t end = std::min(left.find(' '), left.size());
    if (auto secret = base64_decode(left.substr(0, end)); secret && !secret->empty()) all.push_back(*std::move(secret));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return all;
}

}  // namespace

Result<> prepare_forward_secret(store::Store& store) {
  {
    const auto snapshot = POSTHUS_TRY(store.snapshot());
    if (POSTHUS_TRY(store::QueueReader(*snapshot).setting(kForwardSecretSetting))) return {};
  }
  POSTHUS_TRY(store.apply(store::PutSetting{std::string(kForwardSecretSetting), base64_encode(random_bytes(kSecretBytes))}));
  return {};
}

Result<std::string> forward_reverse_path(const store::Snapshot& snapshot, const ReversePath& sender,
                                         const mail::Address& forwarder, Timestamp now) {
  if (!sender || forwarder.domain.empty()) return std::string();
  // A relay domain's mailboxes are elsewhere: its SPF record need not name us.
  const auto domain = POSTHUS_TRY(store::DirectoryReader(snapshot).domain(sender->domain));
  if (domain && domain->kind != store::DomainKind::kRelay) return std::string();
  const auto all = POSTHUS_TRY(secrets(snapshot));
  if (all.empty()) return std::string();
  // WHY too long is no failure: the next host may take the sender's own address all the same.
  const auto path = mail::forward_address(*sender, forwarder.domain, all.front(), now);
  return path ? mail::to_string(*path) : std::string();
}

Result<std::optional<mail::Address>> forwarded_sender(const store::Snapshot& snapshot, const mail::Address& recipient,
                                                      Timestamp now) {
  if (!mail::is_forward_address(recipient.local_part)) return std::nullopt;
  if (!POSTHUS_TRY(store::DirectoryReader(snapshot).domain(recipient.domain))) return std::nullopt;
  const auto all = POSTHUS_TRY(secrets(snapshot));
  const std::vector<std::string_view> views(all.begin(), all.end());
  auto sender = mail::original_sender(recipient, views, now);
  if (!sender) return std::nullopt;
  return *std::move(sender);
}

}  // namespace posthus::smtp
