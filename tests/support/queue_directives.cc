// See queue_directives.h.
#include "tests/support/queue_directives.h"

#include <regex>

#include "core/base/ascii.h"
#include "core/base/check.h"
#include "store/queue_reader.h"
#include "store/sending_reader.h"

namespace posthus::testing {
namespace {

constexpr std::size_t kMost = 10'000;  // of messages in the queue of a test

const char* name_of(store::QueueOrigin origin) {
  switch (origin) {
    case store::QueueOrigin::kSubmission: return "submission";
    case store::QueueOrigin::kRelay: return "relay";
    case store::QueueOrigin::kForward: return "forward";
    case store::QueueOrigin::kReport: return "report";
  }
  return "";
}

const char* name_of(store::BodyKind body) {
  switch (body) {
    case store::BodyKind::k7Bit: return "7bit";
    case store::BodyKind::k8BitMime: return "8bitmime";
    case store::BodyKind::kBinaryMime: return "binarymime";
  }
  return "";
}

const char* name_of(store::ReturnContent content) {
  switch (content) {
    case store::ReturnContent::kUnset: return "";
    case store::ReturnContent::kFull: return "full";
    case store::ReturnContent::kHeaders: return "hdrs";
  }
  return "";
}

/// What a directive may ask of a queued recipient, by name.
std::map<std::string, std::string> facts_of(const store::QueueEntry& entry, const store::QueuedRecipient& recipient) {
  const auto yes = [](bool value) { return std::string(value ? "yes" : "no"); };
  return {{"from", recipient.reverse_path.empty() ? entry.reverse_path : recipient.reverse_path},
          {"reports", entry.reverse_path},
          {"domain", recipient.domain},
          {"notify", std::to_string(recipient.notify)},
          {"orcpt", recipient.original_recipient},
          {"envid", entry.envelope_id},
          {"ret", name_of(entry.return_content)},
          {"body", name_of(entry.body)},
          {"utf8", yes(entry.is_utf8)},
          {"tls", yes(entry.requires_tls)},
          {"tlspolicy", entry.ignores_tls_policy ? "ignored" : "kept"},
          {"origin", name_of(entry.origin)},
          {"held", yes(entry.is_held)},
          {"forwarder", recipient.forwarder},
          {"signed", entry.signing_domain},
          {"account", yes(entry.account.value != 0)}};
}

std::vector<store::QueuedMessage> queue_of(World& world) {
  const auto snapshot = world.store->snapshot();
  CHECK(snapshot.has_value());
  auto messages = store::QueueReader(**snapshot).messages(QueueId{}, kMost, kMost);
  CHECK(messages.has_value());
  return *std::move(messages);
}

// @queue-has RECIPIENT [fact=REGEX ...]
std::string queue_has(World& world, const std::vector<std::string>& words) {
  std::string seen;
  for (const store::QueuedMessage& message : queue_of(world)) {
    for (const store::QueuedRecipient& recipient : message.recipients) {
      seen += " " + recipient.address;
      if (recipient.address != words[0]) continue;
      std::string wrong;
      const auto facts = facts_of(message.entry, recipient);
      for (std::size_t i = 1; i < words.size(); ++i) {
        const std::size_t equals = words[i].find('=');
        const auto fact = facts.find(words[i].substr(0, equals));
        if (equals == std::string::npos || fact == facts.end()) return "no such fact: " + words[i];
        if (!std::regex_match(fact->second, std::regex(words[i].substr(equals + 1))))
          wrong += " " + fact->first + "=" + fact->second;
      }
      if (wrong.empty()) return {};
      seen += " (" + wrong + " )";
    }
  }
  return "not in the queue; there is:" + seen;
}

std::string queue_count(World& world, const std::vector<std::string>& words) {
  std::size_t count = 0;
  for (const store::QueuedMessage& message : queue_of(world)) count += message.recipients.size();
  return std::to_string(count) == words[0] ? "" : "the queue has " + std::to_string(count) + " recipients";
}

// @trace-has TEXT: some event of some message has it
std::string trace_has(World& world, const std::vector<std::string>& words) {
  const auto snapshot = world.store->snapshot();
  CHECK(snapshot.has_value());
  std::string seen;
  const auto read = store::QueueReader(**snapshot).traces(QueueId{}, [&](QueueId, const std::vector<store::TraceEvent>& events) {
    for (const store::TraceEvent& event : events) seen += event.json + "\n";
    return store::Visit::kContinue;
  });
  CHECK(read.has_value());
  return seen.find(words[0]) != std::string::npos ? "" : "not in the trace:\n" + seen;
}

std::string set_relay(World& world, const std::vector<std::string>& words) {
  store::DomainRecord domain{.name = words[0], .kind = store::DomainKind::kRelay};
  domain.checks_recipients = words.size() > 1 && words[1] == "check";
  return world.store->apply(store::PutDomain{domain, store::PutRule::kCreate}) ? "" : "the domain was refused";
}

/// Changes the record of a user.
template <class Change>
std::string change_user(World& world, const std::string& address, Change change) {
  std::optional<store::UserRecord> user;
  {
    const auto snapshot = world.store->snapshot();
    CHECK(snapshot.has_value());
    user = store::DirectoryReader(**snapshot).user(address).value();
  }
  if (!user) return "no such user";
  change(*user);
  return world.store->apply(store::PutUser{*user, store::PutRule::kReplace}) ? "" : "the user was refused";
}

// @forward ADDRESS keep|move TARGET...
std::string set_forward(World& world, const std::vector<std::string>& words) {
  return change_user(world, words[0], [&words](store::UserRecord& user) {
    user.keeps_copy = words[1] == "keep";
    user.forward_to.assign(words.begin() + 2, words.end());
  });
}

// @limits ADDRESS MESSAGES NEW-RECIPIENTS
std::string set_limits(World& world, const std::vector<std::string>& words) {
  return change_user(world, words[0], [&words](store::UserRecord& user) {
    user.limits.messages_per_day = ascii::parse_decimal<std::uint32_t>(words[1]);
    user.limits.new_recipients_per_day = ascii::parse_decimal<std::uint32_t>(words[2]);
  });
}

// @domain-limits DOMAIN MESSAGES NEW-RECIPIENTS
std::string set_domain_limits(World& world, const std::vector<std::string>& words) {
  std::optional<store::DomainRecord> domain;
  {
    const auto snapshot = world.store->snapshot();
    CHECK(snapshot.has_value());
    domain = store::DirectoryReader(**snapshot).domain(words[0]).value();
  }
  if (!domain) return "no such domain";
  domain->total_limits.messages_per_day = ascii::parse_decimal<std::uint32_t>(words[1]);
  domain->total_limits.new_recipients_per_day = ascii::parse_decimal<std::uint32_t>(words[2]);
  return world.store->apply(store::PutDomain{*domain, store::PutRule::kReplace}) ? "" : "the domain was refused";
}

// @limit-met NAME messages|new_recipients|forwards LIMIT: the admins are told of it today. @limit-met none: of nothing
std::string limit_met(World& world, const std::vector<std::string>& words) {
  std::string met;
  const auto snapshot = world.store->snapshot();
  CHECK(snapshot.has_value());
  for (const store::SentToday& record : store::SendingReader(**snapshot).limits_met(world.clock.now()).value()) {
    met += " " + record.name + " " + std::string(to_string(record.met)) + " " + std::to_string(record.met_limit);
  }
  std::string wanted;
  for (const std::string& word : words) wanted += " " + word;
  return met == wanted || (met.empty() && wanted == " none") ? "" : "met:" + met;
}

/// What sessions handed to the store without waiting is there: the Writer goes by order.
std::string settle(World& world, const std::vector<std::string>&) {
  return world.store->apply(store::PutSetting{"test.settled", "yes"}) ? "" : "the setting was refused";
}

std::string make_admin(World& world, const std::vector<std::string>& words) {
  return change_user(world, words[0], [](store::UserRecord& user) { user.role = store::Role::kServerAdmin; });
}

std::string release(World& world, const std::vector<std::string>& words) {
  AccountId account;
  const std::string wrong = change_user(world, words[0], [&account](store::UserRecord& user) { account = user.account; });
  if (!wrong.empty()) return wrong;
  return world.store->apply(store::HoldAccount{.account = account, .is_held = false, .reason = {}}) ? "" : "was not released";
}

struct Directive {
  std::string_view name;
  std::size_t least_words;
  std::string (*perform)(World& world, const std::vector<std::string>& words);
};
constexpr Directive kDirectives[] = {
    {"@queue-has", 1, queue_has},
    {"@queue-count", 1, queue_count},
    {"@trace-has", 1, trace_has},
    {"@relay", 1, set_relay},
    {"@forward", 2, set_forward},
    {"@limits", 3, set_limits},
    {"@domain-limits", 3, set_domain_limits},
    {"@limit-met", 1, limit_met},
    {"@release", 1, release},
    {"@settle", 0, settle},
    {"@admin", 1, make_admin},
};

}  // namespace

std::optional<std::string> queue_directive(World& world, const std::string& name, const std::vector<std::string>& words) {
  if (name == "@setting" && words.size() == 2) {
    return world.store->apply(store::PutSetting{words[0], words[1]}) ? "" : "the setting was refused";
  }
  for (const Directive& directive : kDirectives) {
    if (directive.name == name && words.size() >= directive.least_words) return directive.perform(world, words);
  }
  return std::nullopt;
}

}  // namespace posthus::testing
