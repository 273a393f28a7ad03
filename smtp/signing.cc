// Which keys sign a message, and keeping them parsed. Thread rule: any thread.
#include "smtp/signing.h"

#include <optional>
#include <utility>

#include "core/mail/address_list.h"
#include "store/directory_reader.h"
#include "store/queue_reader.h"

namespace posthus::smtp {
namespace {

constexpr std::size_t kMaxFromAddresses = 20;  // of which we ask the directory; messages have one, rarely two

mailauth::SigningAlgorithm algorithm_of(store::DkimAlgorithm algorithm) {
  return algorithm == store::DkimAlgorithm::kRsaSha256 ? mailauth::SigningAlgorithm::kRsaSha256
                                                       : mailauth::SigningAlgorithm::kEd25519Sha256;
}

std::vector<mail::Address> addresses_in(std::string_view from) {
  std::vector<mail::Address> addresses;
  mail::for_each_listed_address(from, [&](const mail::ListedAddress& listed) {
    if (listed.kind != mail::ListedKind::kMailbox || addresses.size() == kMaxFromAddresses) return;
    auto address =
        mail::parse_mailbox(mail::quote_local_part(listed.mailbox).append("@").append(listed.host), mail::Utf8::kAllow);
    if (address) addresses.push_back(*std::move(address));
  });
  return addresses;
}

}  // namespace

Result<std::shared_ptr<const mailauth::PrivateKey>> SigningKeys::parsed(const std::string& public_key,
                                                                        mailauth::SigningAlgorithm algorithm,
                                                                        std::string_view private_key) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = parsed_.find(public_key); found != parsed_.end()) return found->second;
  }
  auto key = POSTHUS_TRY(mailauth::PrivateKey::read(algorithm, private_key));
  const std::lock_guard lock(mutex_);
  if (parsed_.size() >= kMaxParsedKeys) parsed_.clear();
  return parsed_.emplace(public_key, std::move(key)).first->second;
}

Result<std::vector<mailauth::SigningKey>> SigningKeys::of_domain(const store::Snapshot& snapshot, std::string_view domain) {
  std::vector<mailauth::SigningKey> keys;
  std::vector<store::DkimKeyRecord> records = POSTHUS_TRY(store::QueueReader(snapshot).dkim_keys(domain));
  for (store::DkimKeyRecord& record : records) {
    if (record.is_active) {
      auto key = POSTHUS_TRY(parsed(record.public_key, algorithm_of(record.algorithm), record.private_key));
      keys.push_back({record.domain, record.selector, std::move(key)});
    }
    wipe(record.private_key);
  }
  return keys;
}

Result<std::vector<mailauth::SigningKey>> SigningKeys::of_message(const store::Snapshot& snapshot, AccountId account,
                                                                  std::string_view from, const ReversePath& reverse_path) {
  const store::DirectoryReader directory(snapshot);
  for (const mail::Address& address : addresses_in(from)) {
    auto keys = POSTHUS_TRY(of_domain(snapshot, address.domain));
    if (!keys.empty() && POSTHUS_TRY(directory.may_send_as(account, address))) return keys;
  }
  if (!reverse_path) return std::vector<mailauth::SigningKey>();
  return of_domain(snapshot, reverse_path->domain);
}

Result<Signature> SigningKeys::sign(const store::Snapshot& snapshot, std::string_view domain, std::string_view text,
                                    Timestamp now) {
  std::vector<mailauth::SigningKey> keys;
  for (std::string_view rest = domain; keys.empty() && rest.contains('.'); rest.remove_prefix(rest.find('.') + 1)) {
    keys = POSTHUS_TRY(of_domain(snapshot, rest));
  }
  if (keys.empty()) return Signature{};
  mailauth::DkimSigner signer;
  signer.append(text);
  return Signature{POSTHUS_TRY(signer.finish(keys, now)), keys.front().domain};
}

}  // namespace posthus::smtp
