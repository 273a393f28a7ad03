// Random sequences of requests against a simple model: after them readers, counts, usage, tombstones and reference counts
// must say the same as maps do. Fixed seeds: a failure can be run again.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "core/base/ascii.h"
#include "store/rows.h"
#include "store/uid_set.h"
#include "tests/unit/store/request_fixture.h"

namespace posthus::store {
namespace {

struct ModelMessage {
  std::uint8_t flags = 0;
  std::set<std::string> keywords;  // lower case
  std::uint64_t modseq = 0;
  std::uint32_t size = 0;
  std::uint64_t blob = 0;
};
struct ModelMailbox {
  MailboxId id;
  std::uint32_t uid_next = 1;
  std::uint64_t modseq = 1;
  std::map<std::uint32_t, ModelMessage> messages;
  std::map<std::uint32_t, std::uint64_t> expunged;  // uid -> ModSeq
};

class RequestModelTest : public RequestTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  void SetUp() override {
    must(PutDomain{{.name = "example.org"}, PutRule::kCreate});
    account_ = add_user("anna@example.org");
    for (const MailboxListing& listing : list_mailboxes(*snapshot(), account_).value()) {
      model_[listing.record.name].id = listing.record.mailbox;
    }
  }

  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  std::uint8_t some_flags() { return static_cast<std::uint8_t>(below(32)); }
  std::vector<std::string> some_keywords() {
    static const std::vector<std::string> kNames{"alpha", "Alpha", "beta", "$Gamma", "delta"};
    std::vector<std::string> names;
    while (chance(30)) names.push_back(kNames[below(kNames.size())]);
    return names;
  }
  std::string any_name() { return std::next(model_.begin(), static_cast<std::ptrdiff_t>(below(model_.size())))->first; }
  UidSet some_uids(const ModelMailbox& box) {
    UidSet set;
    if (chance(15)) return every_uid();
    const std::size_t count = 1 + below(6);
    for (std::size_t i = 0; i < count; ++i) {
      const auto first = static_cast<std::uint32_t>(1 + below(box.uid_next + 3));
      set.push_back({Uid(first), Uid(first + static_cast<std::uint32_t>(chance(50) ? 0 : below(40)))});
    }
    normalise(set);
    return set;
  }
  static std::set<std::string> folded(const std::vector<std::string>& names) {
    std::set<std::string> lower;
    for (const std::string& name : names) lower.insert(ascii::to_lower(name));
    return lower;
  }

  void add_messages();
  void change_flags();
  void expunge();
  void copy();
  void make_or_delete();
  void rename();
  void remove(ModelMailbox& box, const std::vector<std::uint32_t>& gone) {
    if (gone.empty()) return;
    ++box.modseq;
    for (const std::uint32_t uid : gone) {
      box.messages.erase(uid);
      box.expunged[uid] = box.modseq;
    }
  }
  void compare();
  void compare_mailbox(const std::string& name, const ModelMailbox& box);

  std::mt19937 random_{GetParam()};
  AccountId account_;
  std::map<std::string, ModelMailbox> model_;
  int names_made_ = 0;
};

void RequestModelTest::add_messages() {
  for (std::size_t left = chance(10) ? 120 : 1 + below(4); left > 0; --left) {
    const auto size = static_cast<std::uint32_t>(20 + below(200));
    AddMessage request{.message = text_of(size)};
    const std::uint64_t blob = next_blob;
    for (std::size_t targets = chance(20) ? 3 : 1; targets > 0; --targets) {
      ModelMailbox& box = model_[any_name()];
      const Target target{box.id, some_flags(), some_keywords()};
      request.targets.push_back(target);
      box.messages[box.uid_next++] = {target.flags, folded(target.keywords), ++box.modseq, size, blob};
    }
    must(std::move(request));
  }
}

void RequestModelTest::change_flags() {
  ModelMailbox& box = model_[any_name()];
  ChangeFlags request{.mailbox = box.id,
                      .uids = some_uids(box),
                      .change = static_cast<FlagChange>(below(3)),
                      .flags = some_flags(),
                      .keywords = some_keywords()};
  if (chance(30)) request.unchanged_since = ModSeq(below(box.modseq + 2));
  const std::set<std::string> names = folded(request.keywords);
  const std::uint64_t modseq = box.modseq + 1;
  UidSet refused;
  bool has_changed = false;
  for (auto& [uid, message] : box.messages) {
    if (!contains(request.uids, Uid(uid))) continue;
    if (request.unchanged_since && message.modseq > request.unchanged_since->value) {
      append_uid(refused, Uid(uid));
      continue;
    }
    ModelMessage after = message;
    if (request.change == FlagChange::kReplace) {
      after.flags = request.flags;
      after.keywords = names;
    } else if (request.change == FlagChange::kAdd) {
      after.flags |= request.flags;
      after.keywords.insert(names.begin(), names.end());
    } else {
      after.flags = static_cast<std::uint8_t>(after.flags & ~request.flags);
      for (const std::string& name : names) after.keywords.erase(name);
    }
    if (after.flags == message.flags && after.keywords == message.keywords) continue;
    after.modseq = modseq;
    message = after;
    has_changed = true;
  }
  if (has_changed) box.modseq = modseq;
  const WriteOutcome outcome = must(request);
  EXPECT_EQ(outcome.uids, refused);
  EXPECT_EQ(outcome.modseq.value, box.modseq);
}

void RequestModelTest::expunge() {
  ModelMailbox& box = model_[any_name()];
  const Expunge request{box.id, some_uids(box), static_cast<ExpungeRule>(chance(50)), static_cast<Atomicity>(chance(50))};
  std::vector<std::uint32_t> gone;
  UidSet expected;
  for (const auto& [uid, message] : box.messages) {
    const bool is_named = contains(request.uids, Uid(uid));
    if (!is_named || (request.rule == ExpungeRule::kOnlyDeleted && (message.flags & flag::kDeleted) == 0)) continue;
    gone.push_back(uid);
    append_uid(expected, Uid(uid));
  }
  remove(box, gone);
  EXPECT_EQ(must(request).uids, expected);
}

void RequestModelTest::copy() {
  ModelMailbox &from = model_[any_name()], &to = model_[any_name()];
  const CopyMessages request{from.id, some_uids(from), to.id, chance(50)};
  std::vector<std::pair<std::uint32_t, ModelMessage>> chosen;
  for (const auto& [uid, message] : from.messages) {
    if (contains(request.uids, Uid(uid))) chosen.emplace_back(uid, message);
  }
  if (!chosen.empty()) ++to.modseq;
  std::vector<std::uint32_t> gone, made;
  for (auto& [uid, message] : chosen) {
    gone.push_back(uid);
    message.modseq = to.modseq;
    made.push_back(to.uid_next);
    to.messages[to.uid_next++] = message;
  }
  if (request.is_move) remove(from, gone);
  const WriteOutcome outcome = must(request);
  ASSERT_EQ(outcome.added.size(), made.size());
  for (std::size_t i = 0; i < made.size(); ++i) EXPECT_EQ(outcome.added[i].uid.value, made[i]);
  EXPECT_EQ(count_uids(outcome.uids), gone.size());
}

void RequestModelTest::make_or_delete() {
  const std::string name = any_name();
  if (chance(60) && model_.size() < 12) {
    const std::string made = (chance(40) ? name + "/" : std::string()) + "m" + std::to_string(names_made_++);
    model_[made].id = must(CreateMailbox{account_, made}).mailbox;
    return;
  }
  const bool has_inferiors = std::ranges::any_of(model_, [&](const auto& entry) { return entry.first.starts_with(name + "/"); });
  if (name == "INBOX") {
    EXPECT_EQ(refusal(DeleteMailbox{account_, name}), ErrorKind::kDenied);
  } else if (has_inferiors) {
    EXPECT_EQ(refusal(DeleteMailbox{account_, name}), ErrorKind::kExists);
  } else {
    must(DeleteMailbox{account_, name});
    model_.erase(name);
  }
}

void RequestModelTest::rename() {
  const std::string from = any_name(), to = "r" + std::to_string(names_made_++);
  const WriteOutcome outcome = must(RenameMailbox{account_, from, to});
  if (from == "INBOX") {
    ModelMailbox &inbox = model_[from], &made = model_[to];
    made.id = outcome.mailbox;
    std::vector<std::uint32_t> gone;
    if (!inbox.messages.empty()) ++made.modseq;
    for (auto [uid, message] : inbox.messages) {
      message.modseq = made.modseq;
      made.messages[made.uid_next++] = message;
      gone.push_back(uid);
    }
    remove(inbox, gone);
    return;
  }
  std::map<std::string, ModelMailbox> renamed;
  for (auto& [name, box] : model_) {
    const bool is_family = name == from || name.starts_with(from + "/");
    renamed[is_family ? to + name.substr(from.size()) : name] = std::move(box);
  }
  model_ = std::move(renamed);
}

void RequestModelTest::compare_mailbox(const std::string& name, const ModelMailbox& box) {
  const auto now = snapshot();
  const auto reader = MailboxReader::open(*now, box.id);
  ASSERT_TRUE(reader) << name;
  const MailboxRecord& record = reader->record();
  std::uint32_t unseen = 0, deleted = 0;
  std::uint64_t bytes = 0;
  UidSet expected;
  for (const auto& [uid, message] : box.messages) {
    unseen += (message.flags & flag::kSeen) == 0;
    deleted += (message.flags & flag::kDeleted) != 0;
    bytes += message.size;
    append_uid(expected, Uid(uid));
  }
  EXPECT_EQ(record.name, name);
  EXPECT_EQ(record.messages, box.messages.size());
  EXPECT_EQ(record.unseen, unseen);
  EXPECT_EQ(record.deleted, deleted);
  EXPECT_EQ(record.bytes, bytes);
  EXPECT_EQ(record.uid_next.value, box.uid_next);
  EXPECT_EQ(record.highest_modseq.value, box.modseq);
  EXPECT_EQ(reader->uids().value(), expected);

  const std::vector<std::string> names = reader->keywords().value();
  const auto same = [&](const MessageRecord& message) {
    const auto found = box.messages.find(message.uid.value);
    if (found == box.messages.end()) return false;
    std::set<std::string> keywords;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if ((message.keywords >> i & 1) != 0) keywords.insert(ascii::to_lower(names[i]));
    }
    const ModelMessage& model = found->second;
    return message.flags == model.flags && keywords == model.keywords && message.modseq.value == model.modseq &&
           message.size == model.size && message.blob.value == model.blob;
  };
  std::size_t seen = 0;
  ASSERT_TRUE(reader->for_each(Uid(1), Uid(UINT32_MAX), [&](const MessageRecord& message) {
    EXPECT_TRUE(same(message)) << name << " uid " << message.uid.value;
    ++seen;
    return Visit::kContinue;
  }));
  EXPECT_EQ(seen, box.messages.size());

  const std::uint64_t since = below(box.modseq + 1);
  std::set<std::uint32_t> changed_uids, expected_changed;
  ASSERT_TRUE(reader->for_each_changed(ModSeq(since), Uid(2), Uid(100), [&](const MessageRecord& message) {
    changed_uids.insert(message.uid.value);
    return Visit::kContinue;
  }));
  for (const auto& [uid, message] : box.messages) {
    if (uid >= 2 && uid <= 100 && message.modseq > since) expected_changed.insert(uid);
  }
  EXPECT_EQ(changed_uids, expected_changed);
  UidSet vanished;
  for (const auto& [uid, modseq] : box.expunged) {
    if (modseq > since) append_uid(vanished, Uid(uid));
  }
  EXPECT_EQ(reader->vanished_since(ModSeq(since)).value(), vanished);
}

void RequestModelTest::compare() {
  std::map<std::uint64_t, std::uint32_t> references;
  Usage usage;
  for (const auto& [name, box] : model_) {
    compare_mailbox(name, box);
    for (const auto& [uid, message] : box.messages) {
      ++references[message.blob];
      usage.bytes += message.size;
      ++usage.messages;
    }
  }
  const auto now = snapshot();
  EXPECT_EQ(list_mailboxes(*now, account_).value().size(), model_.size());
  EXPECT_EQ(DirectoryReader(*now).usage(account_).value().bytes, usage.bytes);
  EXPECT_EQ(DirectoryReader(*now).usage(account_).value().messages, usage.messages);
  EXPECT_EQ(rows(Table::kBlobs), references.size());
  for (const auto& [blob, count] : references) {
    const auto record = get_blob(*now, BlobId(blob)).value();
    ASSERT_TRUE(record) << "blob " << blob;
    EXPECT_EQ(record->references, count);
  }
  EXPECT_EQ(released.size() + references.size(), next_blob - 1);
}

TEST_P(RequestModelTest, AgreesWithTheModel) {
  for (int step = 0; step < 600 && !HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    switch (below(12)) {
      case 0:
      case 1:
      case 2: add_messages(); break;
      case 3:
      case 4:
      case 5: change_flags(); break;
      case 6:
      case 7: expunge(); break;
      case 8:
      case 9: copy(); break;
      case 10: make_or_delete(); break;
      default: chance(30) ? rename() : expunge();
    }
    if (step % 10 == 0) compare();
  }
  compare();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RequestModelTest, ::testing::Values(1u, 2u, 3u, 4u));

}  // namespace
}  // namespace posthus::store
