// See world.h.
#include "tests/support/world.h"

#include <mutex>
#include <utility>

#include "core/base/check.h"
#include "core/main/store_credentials.h"

namespace posthus::testing {

namespace {

const sasl::PasswordRecord& password_record(std::string_view password) {
  static std::mutex mutex;
  static std::map<std::string, sasl::PasswordRecord, std::less<>> made;
  const std::lock_guard lock(mutex);
  const auto found = made.find(password);
  if (found != made.end()) return found->second;
  return made.emplace(std::string(password), sasl::make_password_record(Secret(std::string(password)), kCheapCost)).first->second;
}

// 2026-11-21T12:00:00Z
constexpr std::int64_t kStart = 1'795'262'400;

}  // namespace

Result<mailauth::NewKey> key_made_once(mailauth::SigningAlgorithm algorithm) {
  static const mailauth::NewKey rsa = mailauth::make_signing_key(mailauth::SigningAlgorithm::kRsaSha256).value();
  static const mailauth::NewKey ed25519 = mailauth::make_signing_key(mailauth::SigningAlgorithm::kEd25519Sha256).value();
  const mailauth::NewKey& key = algorithm == mailauth::SigningAlgorithm::kRsaSha256 ? rsa : ed25519;
  return mailauth::NewKey{key.private_key.clone(), key.public_key};
}

World::World() : World(+[](const Clock& c) { return store::Store::create_in_memory(c); }) {}

World::World(std::unique_ptr<store::Store> (*make_store)(const Clock&))
    : clock(Timestamp::from_seconds(kStart)), store(make_store(clock)) {
  credentials = std::make_unique<main::StoreCredentials>(*store);
  authenticator = std::make_unique<sasl::Authenticator>(*credentials, clock, sasl::AuthenticatorOptions{.cost = kCheapCost});
  add_domain("example.test");
}

World::~World() = default;

void World::add_domain(std::string_view name) {
  store::DomainRecord domain;
  domain.name = std::string(name);
  domain.created = clock.now();
  CHECK(store->apply(store::PutDomain{std::move(domain)}).has_value());
}

void World::add_user(std::string_view address, std::string_view password, std::uint64_t quota) {
  const sasl::PasswordRecord& record = password_record(password);
  store::UserRecord user;
  user.address = std::string(address);
  user.password_hash = record.password_hash;
  user.scram_iterations = record.scram.iterations;
  user.scram_salt = record.scram.salt;
  user.scram_stored_key = record.scram.stored_key;
  user.scram_server_key = record.scram.server_key;
  user.quota_bytes = quota;
  user.created = clock.now();
  CHECK(store->apply(store::PutUser{std::move(user)}).has_value());
}

namespace {

template <class Change>
void change_user(store::Store& store, std::string_view address, Change change) {
  store::UserRecord record;
  {
    const auto snapshot = store.snapshot();
    CHECK(snapshot.has_value());
    const auto user = store::DirectoryReader(**snapshot).user(address);
    CHECK(user && *user);
    record = **user;
  }
  change(record);
  CHECK(store.apply(store::PutUser{std::move(record), store::PutRule::kReplace}).has_value());
}

}  // namespace

void World::disable_user(std::string_view address) {
  change_user(*store, address, [](store::UserRecord& user) { user.is_disabled = true; });
}

void World::set_pop3_retention(std::string_view address, std::uint32_t days) {
  change_user(*store, address, [days](store::UserRecord& user) { user.pop3_retention_days = days; });
}

void World::add_alias(std::string_view address, std::vector<std::string> targets) {
  store::AliasRecord alias{std::string(address), std::move(targets), clock.now()};
  CHECK(store->apply(store::PutAlias{std::move(alias)}).has_value());
}

void World::add_group(std::string_view address, store::GroupWriters writers, std::vector<std::string> members) {
  store::AliasRecord group{std::string(address), std::move(members), clock.now(), store::GroupTraits{"Group", writers}};
  CHECK(store->apply(store::PutAlias{std::move(group)}).has_value());
}

void World::add_grant(std::string_view owner, std::string_view delegate, store::MailboxAccess access, bool may_send) {
  CHECK(store->apply(store::PutGrant{{account(owner), account(delegate), access, may_send, clock.now()}}).has_value());
}

void World::remove_grant(std::string_view owner, std::string_view delegate) {
  CHECK(store->apply(store::RemoveGrant{account(owner), account(delegate)}).has_value());
}

AccountId World::account(std::string_view address) {
  const auto snapshot = store->snapshot();
  CHECK(snapshot.has_value());
  const auto user = store::DirectoryReader(**snapshot).user(address);
  CHECK(user && *user);
  return (*user)->account;
}

MailboxId World::mailbox(std::string_view address, std::string_view name) {
  const auto snapshot = store->snapshot();
  CHECK(snapshot.has_value());
  const auto user = store::DirectoryReader(**snapshot).user(address);
  CHECK(user && *user);
  const auto found = store::find_mailbox(**snapshot, (*user)->account, name);
  CHECK(found && *found);
  return **found;
}

Uid World::deliver(std::string_view address, std::string_view message, std::string_view mailbox_name, std::uint8_t flags,
                   Came came) {
  store::AddMessage add{store->begin_message(), {store::Target{mailbox(address, mailbox_name), flags, {}}}};
  CHECK(add.message.append(with_crlf(message)).has_value());
  if (came == Came::kInternationalized) add.message.declare_internationalized();
  CHECK(add.message.finish().has_value());
  add.internal_date = clock.now();
  const auto outcome = store->apply(std::move(add));
  CHECK(outcome && outcome->added.size() == 1);
  return outcome->added.front().uid;
}

std::vector<std::string> World::messages(std::string_view address, std::string_view mailbox_name) {
  const MailboxId id = mailbox(address, mailbox_name);
  const auto snapshot = store->snapshot();
  CHECK(snapshot.has_value());
  const auto reader = store::MailboxReader::open(**snapshot, id);
  CHECK(reader.has_value());
  std::vector<std::string> texts;
  const auto visited = reader->for_each(Uid{1}, Uid{UINT32_MAX}, [&](const store::MessageRecord& message) {
    std::string text;
    CHECK(store->read_message(**snapshot, message.blob, 0, message.size, text).has_value());
    texts.push_back(std::move(text));
    return store::Visit::kContinue;
  });
  CHECK(visited.has_value());
  return texts;
}

std::string with_crlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 40);
  char previous = 0;
  for (const char c : text) {
    if (c == '\n' && previous != '\r') out.push_back('\r');
    out.push_back(c);
    previous = c;
  }
  return out;
}

}  // namespace posthus::testing
