// Key building per table; see key.h.
#include "store/key.h"

#include "core/base/bytes.h"
#include "core/base/hash.h"

namespace posthus::store {

namespace {

constexpr std::size_t kDigestInKey = 16;  // 128 bits: nobody finds two names that collide

/// `text`, or its beginning and a hash of the whole when it is longer than `limit`.
void append_bounded(std::string& out, std::string_view text, std::size_t limit) {
  if (text.size() <= limit) {
    out.append(text);
    return;
  }
  out.append(text.substr(0, limit - kDigestInKey - 1));
  out.push_back('\xff');  // never in UTF-8: a cut name cannot equal a short one
  out.append(as_view(sha256(text)).substr(0, kDigestInKey));
}

std::uint64_t read_number(std::string_view bytes) { return ByteReader(bytes).big_endian(static_cast<int>(bytes.size())); }

}  // namespace

std::string end_of_prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

std::string account_key(AccountId account) {
  std::string key;
  append_u32(key, account.value);
  return key;
}

std::string mailbox_key(MailboxId mailbox) {
  std::string key;
  append_u32(key, mailbox.value);
  return key;
}

std::string mailbox_name_key(AccountId account, std::string_view name) {
  std::string key;
  key.reserve(4 + name.size());
  append_u32(key, account.value);
  key.append(name);
  return key;
}

std::string page_key(MailboxId mailbox, Uid first) {
  std::string key;
  append_u32(key, mailbox.value);
  append_u32(key, first.value);
  return key;
}

std::string expunged_key(MailboxId mailbox, ModSeq modseq, std::uint16_t row) {
  std::string key;
  append_u32(key, mailbox.value);
  append_u64(key, modseq.value);
  append_u16(key, row);
  return key;
}

std::string domain_key(std::string_view domain) {
  std::string key;
  append_bounded(key, domain, kMaxDomainInKey);
  return key;
}

std::string known_recipient_key(AccountId account, std::uint64_t recipient) {
  std::string key = account_key(account);
  append_u64(key, recipient);
  return key;
}

std::string token_key(std::string_view id) {
  std::string key;
  append_bounded(key, id, kMaxDomainInKey);
  return key;
}

std::string address_prefix(std::string_view domain) {
  std::string key = domain_key(domain);
  key.push_back('\0');
  return key;
}

std::string address_key(std::string_view lookup) {
  const std::size_t at = lookup.rfind('@');
  if (at == std::string_view::npos) return address_key(std::string(lookup) + "@");
  std::string key = address_prefix(lookup.substr(at + 1));
  append_bounded(key, lookup.substr(0, at), kMaxLocalPartInKey);
  return key;
}

std::string alias_key(std::string_view lookup) {
  std::string key = address_key(lookup);
  key.push_back('\0');
  return key;
}

std::optional<AccountId> account_of_key(std::string_view key) {
  if (key.size() != 4) return std::nullopt;
  return AccountId(static_cast<std::uint32_t>(read_number(key)));
}

std::optional<MailboxId> mailbox_of_key(std::string_view key) {
  if (key.size() != 4) return std::nullopt;
  return MailboxId(static_cast<std::uint32_t>(read_number(key)));
}

std::optional<Uid> first_uid_of_page_key(std::string_view key) {
  if (key.size() != 8) return std::nullopt;
  return Uid(static_cast<std::uint32_t>(read_number(key.substr(4))));
}

std::optional<ModSeq> modseq_of_expunged_key(std::string_view key) {
  if (key.size() != 14) return std::nullopt;
  return ModSeq(read_number(key.substr(4, 8)));
}

std::optional<BlobId> blob_of_key(std::string_view key) {
  if (key.size() != 8) return std::nullopt;
  return BlobId(read_number(key));
}

std::string_view name_of_key(std::string_view key) { return key.size() < 4 ? std::string_view{} : key.substr(4); }

}  // namespace posthus::store
