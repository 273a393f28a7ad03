// /api/v1/queue: mail that waits for other servers, and what an admin does to it. RFC 5321 §4.5.4.1.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "core/base/ascii.h"
#include "core/base/queue_id.h"
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "store/hold_reason.h"
#include "store/queue_reader.h"
#include "store/route_url.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/ranked.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kRecipientsShown = 10;       // of each message in a list
constexpr std::size_t kMaxVisitedMessages = 5000;  // messages looked at for one page, however few the filter lets through
constexpr std::size_t kMaxVisitedBySize = 1000;    // in that order: neighbours stand anywhere in the queue
constexpr std::size_t kRecipientsRead = 500;       // at once
constexpr std::size_t kMaxCounted = 1000;          // due rows counted of one destination
constexpr std::size_t kMaxCountedOfPage = 50'000;  // and of a page: it ends early then
constexpr std::size_t kMaxCountedOfAll = 200'000;  // and to put all destinations in order: some ten milliseconds
constexpr std::size_t kRowsWithReply = 3;          // first due rows in which a reply of the destination is looked for
constexpr std::size_t kMaxReason = 400;

struct NamedAction {
  std::string_view name;
  store::QueueAction action;
  std::string_view event;  // in the trace
};
constexpr std::array kActions{
    NamedAction{"hold", store::QueueAction::kHold, "held"},
    NamedAction{"release", store::QueueAction::kRelease, "released"},
    NamedAction{"retry", store::QueueAction::kRetryNow, "retried"},
    NamedAction{"remove", store::QueueAction::kRemove, "removed"},
    NamedAction{"bounce", store::QueueAction::kBounce, "bounced"},
    NamedAction{"reroute", store::QueueAction::kReroute, "rerouted"},
};

std::string_view to_string(store::QueueOrigin origin) {
  switch (origin) {
    case store::QueueOrigin::kSubmission: return "submission";
    case store::QueueOrigin::kRelay: return "relay";
    case store::QueueOrigin::kForward: return "forward";
    case store::QueueOrigin::kReport: return "report";
  }
  return "";
}

Result<QueueId> queue_id(std::string_view text) {
  const auto id = parse_queue_id(text);
  if (!id) return fail(ErrorKind::kInvalid, "'" + std::string(text.substr(0, 50)) + "' is not a queue id");
  return *id;
}

void append_queue_time(JsonWriter& json, std::string_view key, Timestamp time) {
  json.key(key);
  if (time.microseconds > 0) {
    json.text(mail::format_rfc3339(time));
  } else {
    json.null();
  }
}

std::vector<std::string> notify_words(std::uint8_t notify) {
  std::vector<std::string> words;
  if (notify & store::notify::kNever) words.emplace_back("never");
  if (notify & store::notify::kSuccess) words.emplace_back("success");
  if (notify & store::notify::kFailure) words.emplace_back("failure");
  if (notify & store::notify::kDelay) words.emplace_back("delay");
  return words;
}

/// Nothing when it is due at once.
Timestamp shown(Timestamp next_attempt) { return next_attempt <= store::kAtOnce ? Timestamp{} : next_attempt; }

/// When something is really attempted: rows of a destination that rests keep the time they had.
Timestamp next_attempt(const Call& call, std::uint64_t destination, Timestamp row) {
  return std::max(shown(row), call.context.rests_until(destination));
}

void append_recipient(JsonWriter& json, const Call& call, const store::QueueEntry& entry,
                      const store::QueuedRecipient& recipient) {
  json.begin_object().key("number").number(recipient.number).key("address").text(recipient.address);
  json.key("destination").text(recipient.domain);
  json.key("original_recipient").text_or_null(recipient.original_recipient);
  json.key("notify").texts(notify_words(recipient.notify)).key("attempts").number(recipient.attempts);
  const bool waits = !entry.is_held || recipient.must_bounce;
  append_queue_time(json, "next_attempt",
                    waits ? next_attempt(call, store::destination_hash(recipient.domain), recipient.next_attempt)
                          : shown(recipient.next_attempt));
  append_queue_time(json, "last_attempt", recipient.last_attempt);
  json.key("must_bounce").boolean(recipient.must_bounce);
  json.key("route").text_or_null(recipient.route);
  json.key("last_host").text_or_null(recipient.last_host);
  json.key("last_reply").text_or_null(recipient.last_reply);
  json.end_object();
}

/// "held", "deferred" (somebody shown has been tried in vain) or "queued".
std::string_view queue_state(const store::QueuedMessage& message) {
  if (message.entry.is_held) return "held";
  const auto was_tried = [](const store::QueuedRecipient& recipient) { return recipient.attempts > 0; };
  return std::ranges::any_of(message.recipients, was_tried) ? "deferred" : "queued";
}

/// What a list shows of a message, and more; the object is left open.
Result<> append_entry(JsonWriter& json, const store::Snapshot& snapshot, const store::QueuedMessage& message) {
  const store::QueueEntry& entry = message.entry;
  json.begin_object().key("id").text(to_text(entry.id)).key("from").text(entry.reverse_path);
  json.key("size").number(entry.size);
  append_queue_time(json, "accepted", entry.accepted);
  json.key("origin").text(to_string(entry.origin));
  const auto user = POSTHUS_TRY(store::DirectoryReader(snapshot).user(entry.account));
  json.key("account").text_or_null(user ? user->address : "");
  json.key("state").text(queue_state(message));
  append_hold(json, entry.is_held ? std::string_view(entry.hold_reason) : std::string_view());
  json.key("envelope_id").text_or_null(entry.envelope_id);
  return {};
}

/// May the one who asks see this message? A domain admin: when a user of his sent or forwards it, or all its recipients are at
/// domains of his (relay). Its reverse-path says nothing: anybody may claim one.
Result<bool> may_see(const Call& call, const store::Snapshot& snapshot, const store::QueueEntry& entry) {
  if (call.principal.reaches_all) return true;
  if (entry.account.value != 0) {
    const auto user = POSTHUS_TRY(store::DirectoryReader(snapshot).user(entry.account));
    return user && call.principal.may_reach_address(user->address);
  }
  const store::QueueReader reader(snapshot);
  for (std::uint32_t first = 1; first <= UINT16_MAX;) {
    const auto some = POSTHUS_TRY(reader.recipients(entry.id, static_cast<std::uint16_t>(first), kRecipientsRead));
    if (some.empty()) return first > 1;
    const auto is_his = [&call](const store::QueuedRecipient& recipient) { return call.principal.may_reach(recipient.domain); };
    if (!std::ranges::all_of(some, is_his)) return false;
    first = some.back().number + 1U;
  }
  return true;
}

struct QueueFilter {
  std::string domain, sender, state;
};

/// As queued recipients have it.
Result<std::string> destination(std::string_view text) {
  if (mail::is_domain_literal(text)) {
    return POSTHUS_TRY(mail::parse_mailbox("x@" + std::string(text), mail::Utf8::kRefuse)).domain;
  }
  auto name = mail::normalise_domain(text);
  if (!name) return fail(ErrorKind::kInvalid, "'" + std::string(text.substr(0, 300)) + "' is not a domain name");
  return name;
}

Result<QueueFilter> read_queue_filter(const Target& target) {
  QueueFilter filter;
  if (const std::string* domain = target.parameter("domain")) filter.domain = POSTHUS_TRY(destination(*domain));
  if (const std::string* sender = target.parameter("sender")) filter.sender = *sender;
  if (const std::string* state = target.parameter("state")) {
    filter.state = *state;
    if (*state != "held" && *state != "deferred" && *state != "queued") {
      return fail(ErrorKind::kInvalid, "parameter 'state' must be held, deferred or queued");
    }
  }
  return filter;
}

Result<bool> has_recipient_at(const store::QueueReader& reader, const store::QueuedMessage& message, std::string_view domain) {
  const auto is_there = [domain](const store::QueuedRecipient& recipient) { return recipient.domain == domain; };
  if (std::ranges::any_of(message.recipients, is_there)) return true;
  if (message.recipients.size() <= kRecipientsShown) return false;
  std::uint16_t last = message.recipients.back().number;
  while (last < UINT16_MAX) {
    const auto more = POSTHUS_TRY(reader.recipients(message.entry.id, static_cast<std::uint16_t>(last + 1), kRecipientsRead));
    if (more.empty()) return false;
    if (std::ranges::any_of(more, is_there)) return true;
    last = more.back().number;
  }
  return false;
}

Result<bool> message_matches(const store::QueueReader& reader, const QueueFilter& filter, const store::QueuedMessage& message) {
  if (!filter.state.empty() && queue_state(message) != filter.state) return false;
  const std::string_view sender = filter.sender == "<>" ? std::string_view() : filter.sender;
  if (!filter.sender.empty() && !ascii::equal_ignoring_case(sender, message.entry.reverse_path)) return false;
  return filter.domain.empty() || POSTHUS_TRY(has_recipient_at(reader, message, filter.domain));
}

Result<> append_listed(JsonWriter& json, const Call& call, const store::Snapshot& snapshot, const store::QueuedMessage& message) {
  POSTHUS_TRY_VOID(append_entry(json, snapshot, message));
  json.key("recipients").begin_array();
  for (std::size_t i = 0; i < std::min(message.recipients.size(), kRecipientsShown); ++i) {
    append_recipient(json, call, message.entry, message.recipients[i]);
  }
  json.end_array().key("has_more_recipients").boolean(message.recipients.size() > kRecipientsShown).end_object();
  return {};
}

enum class QueueOrder : std::uint8_t { kOldest, kNewest, kSize };

/// Where a page ended: the last message looked at.
struct QueuePlace {
  QueueId id;
  std::uint64_t size = 0;
};

/// The cursor is the id; where the size is the order, it stands before it.
std::string to_cursor(QueueOrder order, const QueuePlace& place) {
  return order == QueueOrder::kSize ? std::to_string(place.size) + " " + to_text(place.id) : to_text(place.id);
}

Result<QueuePlace> first_place(QueueOrder order, std::string_view cursor) {
  if (cursor.empty()) return order == QueueOrder::kOldest ? QueuePlace() : QueuePlace{QueueId(UINT64_MAX), UINT64_MAX};
  if (order != QueueOrder::kSize) return QueuePlace{.id = POSTHUS_TRY(queue_id(cursor))};
  const std::size_t space = std::min(cursor.find(' '), cursor.size() - 1);
  const auto size = ascii::parse_decimal<std::uint64_t>(cursor.substr(0, space));
  if (!size) return fail(ErrorKind::kInvalid, "parameter 'after' is not what this list gave as 'next'");
  return QueuePlace{POSTHUS_TRY(queue_id(cursor.substr(space + 1))), *size};
}

Result<std::optional<store::QueuedMessage>> next_message(const store::QueueReader& reader, QueueOrder order,
                                                         const QueuePlace& last) {
  if (order == QueueOrder::kNewest) return reader.message_before(last.id, kRecipientsShown + 1);
  if (order == QueueOrder::kSize) return reader.message_smaller(last.size, last.id, kRecipientsShown + 1);
  auto messages = POSTHUS_TRY(reader.messages(last.id, 1, kRecipientsShown + 1));
  if (messages.empty()) return std::nullopt;
  return std::move(messages[0]);
}

/// A page, as JSON, which looks at a bounded number of messages; the cursor of the next one.
Result<std::string> append_messages(const Call& call, const store::Snapshot& snapshot, const QueueFilter& filter,
                                    QueueOrder order, const ListRange& range, JsonWriter& json) {
  const store::QueueReader reader(snapshot);
  QueuePlace last = POSTHUS_TRY(first_place(order, range.after));
  const std::size_t most_visited = order == QueueOrder::kSize ? kMaxVisitedBySize : kMaxVisitedMessages;
  std::size_t shown = 0;
  for (std::size_t visited = 0; visited < most_visited && shown < range.limit; ++visited) {
    const auto message = POSTHUS_TRY(next_message(reader, order, last));
    if (!message) return std::string();
    last = {message->entry.id, message->entry.size};
    if (!POSTHUS_TRY(message_matches(reader, filter, *message)) || !POSTHUS_TRY(may_see(call, snapshot, message->entry)))
      continue;
    ++shown;
    POSTHUS_TRY_VOID(append_listed(json, call, snapshot, *message));
  }
  return POSTHUS_TRY(next_message(reader, order, last)) ? to_cursor(order, last) : std::string();
}

Result<Response> list_queued(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after", "domain", "sender", "state", "sort"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const QueueFilter filter = POSTHUS_TRY(read_queue_filter(call.target));
  const auto order = QueueOrder(POSTHUS_TRY(list_order(call.target, {"oldest", "newest", "size"})));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  const std::string next = POSTHUS_TRY(append_messages(call, *snapshot, filter, order, range, json));
  json.end_array();
  append_next(json, next);
  return json_response(200, json.end_object().take());
}

Result<Response> show_queued(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const QueueId id = POSTHUS_TRY(queue_id(call.path[0]));
  const auto after = range.after.empty() ? std::uint16_t{0} : ascii::parse_decimal<std::uint16_t>(range.after);
  if (!after || *after == UINT16_MAX) return fail(ErrorKind::kInvalid, "parameter 'after' is not what a list gave as 'next'");
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::QueueReader reader(*snapshot);
  auto entry = POSTHUS_TRY(reader.entry(id));
  if (!entry || !POSTHUS_TRY(may_see(call, *snapshot, *entry))) {
    return fail(ErrorKind::kNotFound, "there is no message " + to_text(id) + " in the queue");
  }
  auto recipients = POSTHUS_TRY(reader.recipients(id, static_cast<std::uint16_t>(*after + 1), range.limit + 1));
  const bool has_more = recipients.size() > range.limit;
  if (has_more) recipients.pop_back();
  const store::QueuedMessage message{*std::move(entry), std::move(recipients)};
  JsonWriter json;
  POSTHUS_TRY_VOID(append_entry(json, *snapshot, message));
  json.key("items").begin_array();
  for (const store::QueuedRecipient& recipient : message.recipients) append_recipient(json, call, message.entry, recipient);
  json.end_array();
  append_next(json, has_more ? std::to_string(message.recipients.back().number) : std::string());
  return json_response(200, json.end_object().take());
}

/// The fields that say which mail, put into `filter`; `account` is an address.
Result<> read_change_filter(const Call& call, JsonFields& fields, store::QueueFilter& filter) {
  const auto id = fields.text("id"), domain = fields.text("domain"), sender = fields.text("sender"),
             account = fields.text("account");
  const auto number = fields.number("recipient", UINT16_MAX);
  filter.everything = fields.boolean("everything").value_or(false);
  POSTHUS_TRY_VOID(fields.finish());
  if (id) filter.id = POSTHUS_TRY(queue_id(*id));
  if (number) filter.number = static_cast<std::uint16_t>(*number);
  if (domain) filter.recipient_domain = POSTHUS_TRY(destination(*domain));
  if (sender) filter.reverse_path = *sender;
  if (account) {
    if (!call.principal.may_reach_address(*account)) return fail(ErrorKind::kDenied, std::string(kOutOfReach));
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    const auto user = POSTHUS_TRY(store::DirectoryReader(*snapshot).user(*account));
    if (!user) return fail(ErrorKind::kNotFound, "there is no user " + *account);
    filter.account = user->account;
  }
  const bool restricts = id || domain || account || (sender && !sender->empty());
  if (!restricts && !filter.everything) {
    return fail(ErrorKind::kInvalid, "say which mail: 'id', 'domain', 'sender', 'account' or 'everything'");
  }
  if (number && !id) return fail(ErrorKind::kInvalid, "field 'recipient' goes with 'id'");
  return {};
}

/// The route of a reroute, as the queue has it: it says host, port and TLS from the first byte, no more.
Result<std::string> reroute_text(const std::optional<std::string>& route) {
  if (!route || route->empty()) return std::string();
  const auto hop = POSTHUS_TRY(store::parse_route_url(*route));
  if (hop.tls == store::RouteRecord::Tls::kNever || hop.tls == store::RouteRecord::Tls::kRequired) {
    return fail(ErrorKind::kInvalid, "a message is rerouted to smtp:// or smtps:// without '?tls='; set a route for that");
  }
  return store::to_text(hop);
}

/// Hold and release: no message is ever half held.
bool takes_whole_messages(store::QueueAction action) {
  return action == store::QueueAction::kHold || action == store::QueueAction::kRelease;
}

/// The event that each message gets: what was done, by whom, and to which recipients when not to all.
Result<std::string> event_of_change(const Call& call, std::string_view event, std::string_view detail,
                                    const store::ChangeQueue& request) {
  JsonWriter json;
  json.begin_object().key("time").text(mail::format_rfc3339(call.context.clock.now())).key("event").text(event);
  json.key("by").text(call.principal.name);
  if (!detail.empty()) json.key("detail").text(detail);
  const store::QueueFilter& filter = request.filter;
  if (takes_whole_messages(request.action)) return json.end_object().take();
  if (!filter.recipient_domain.empty()) json.key("domain").text(filter.recipient_domain);
  if (filter.number != 0) {
    const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
    const auto recipient = POSTHUS_TRY(store::QueueReader(*snapshot).recipient(filter.id, filter.number));
    if (recipient) json.key("recipients").texts({recipient->address});
  }
  return json.end_object().take();
}

/// What a domain admin may do: to one message of his, or to those of one user of his. Holding, releasing and other routes are the
/// server admins': what the server holds to protect itself would be let go, and mail sent wherever somebody likes.
Result<> check_reach(const Call& call, const store::ChangeQueue& request) {
  using Action = store::QueueAction;
  if (call.principal.reaches_all) return {};
  if (request.action != Action::kRetryNow && request.action != Action::kRemove && request.action != Action::kBounce) {
    return fail(ErrorKind::kDenied, "Only server admins may hold, release and reroute mail.");
  }
  if (request.filter.id.value == 0) {
    if (request.filter.account.value != 0) return {};
    return fail(ErrorKind::kDenied, "Say which message or which account; only server admins may change others.");
  }
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto entry = POSTHUS_TRY(store::QueueReader(*snapshot).entry(request.filter.id));
  if (entry && POSTHUS_TRY(may_see(call, *snapshot, *entry))) return {};
  return fail(ErrorKind::kNotFound, "that is not in the queue");
}

Result<Response> act(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {}));
  JsonFields fields = POSTHUS_TRY(JsonFields::parse(call.request.body));
  fields.require("action");
  const auto action = fields.text("action"), reason = fields.text("reason"), route = fields.text("route");
  store::ChangeQueue request;
  POSTHUS_TRY_VOID(read_change_filter(call, fields, request.filter));
  const auto named = std::ranges::find(kActions, std::string_view(*action), &NamedAction::name);
  if (named == kActions.end())
    return fail(ErrorKind::kInvalid, "field 'action' must be hold, release, retry, remove, bounce or reroute");
  request.action = named->action;
  if (takes_whole_messages(request.action) && request.filter.number != 0) {
    return fail(ErrorKind::kInvalid, "field 'recipient' does not go with hold and release, which take whole messages");
  }
  POSTHUS_TRY_VOID(check_reach(call, request));
  if (reason && request.action != store::QueueAction::kHold) return fail(ErrorKind::kInvalid, "field 'reason' goes with 'hold'");
  if (reason && reason->size() > kMaxReason) return fail(ErrorKind::kInvalid, "field 'reason' has more than 400 bytes");
  if (route && request.action != store::QueueAction::kReroute)
    return fail(ErrorKind::kInvalid, "field 'route' goes with 'reroute'");
  std::string detail;
  if (request.action == store::QueueAction::kHold) {
    const store::HoldReason why{.code = store::HoldCode::kAdmin, .text = reason.value_or("by " + call.principal.name)};
    request.text = store::encode_hold_reason(why);
    detail = store::hold_reason_words(why, mail::ReportLanguage::kEnglish);
  }
  if (request.action == store::QueueAction::kReroute) detail = request.text = POSTHUS_TRY(reroute_text(route));
  request.trace = POSTHUS_TRY(event_of_change(call, named->event, detail, request));
  const auto outcome = call.context.store.apply(std::move(request));
  if (!outcome && outcome.error().kind == ErrorKind::kNotFound) return fail(ErrorKind::kNotFound, "that is not in the queue");
  if (!outcome) return std::unexpected(outcome.error());
  wake_destinations(call, *outcome);
  return json_response(200, JsonWriter().begin_object().key("recipients").number(outcome->messages).end_object().take());
}

/// The newest words of a destination among its first due rows and the last one: what waits behind a dead host has not been
/// tried itself and stands first.
Result<store::QueuedRecipient> told_by(const store::QueueReader& reader, std::vector<store::DueRecipient> due) {
  store::QueuedRecipient found;
  due.resize(std::min(due.size(), kRowsWithReply));
  if (!due.empty()) {
    if (const auto last = POSTHUS_TRY(reader.last_due(due.front().destination))) due.push_back(*last);
  }
  for (const store::DueRecipient& row : due) {
    auto recipient = POSTHUS_TRY(reader.recipient(row.id, row.number));
    if (!recipient) continue;
    if (found.domain.empty() || recipient->last_attempt > found.last_attempt) found = *std::move(recipient);
  }
  return found;
}

Result<std::size_t> append_destination(JsonWriter& json, const Call& call, const store::QueueReader& reader,
                                       const store::DueRecipient& first) {
  const auto due = POSTHUS_TRY(reader.due(first.destination, {}, Timestamp{INT64_MAX}, kMaxCounted + 1));
  const store::QueuedRecipient told = POSTHUS_TRY(told_by(reader, due));
  json.begin_object().key("destination").text(told.domain);
  json.key("waiting").number(std::min(due.size(), kMaxCounted)).key("has_more").boolean(due.size() > kMaxCounted);
  append_queue_time(json, "next_attempt", next_attempt(call, first.destination, first.next_attempt));
  append_queue_time(json, "last_attempt", told.last_attempt);
  json.key("last_host").text_or_null(told.last_host);
  json.key("last_reply").text_or_null(told.last_reply);
  json.end_object();
  return due.size();
}

enum class DestinationOrder : std::uint8_t { kAny, kWaiting, kNextAttempt, kName };

std::uint64_t destination_rank(const Call& call, DestinationOrder order, const store::DueRecipient& first, std::size_t counted) {
  if (order == DestinationOrder::kName) return 0;
  if (order == DestinationOrder::kNextAttempt) return early_first(next_attempt(call, first.destination, first.next_attempt));
  return counted;
}

/// What a destination is called while they are ranked, and in what order equals stand: by name only where names are the order.
/// WHY: a name is read from a recipient's row, and those of a thousand destinations are all over a large queue.
Result<std::string> ranked_name(const store::QueueReader& reader, DestinationOrder order, const store::DueRecipient& first) {
  if (order != DestinationOrder::kName) return std::to_string(first.destination);
  const auto recipient = POSTHUS_TRY(reader.recipient(first.id, first.number));
  return recipient ? recipient->domain : std::string();
}

struct CountedDestination {
  store::DueRecipient first;
  std::size_t counted = 0;  // due rows, as far as they were counted
};

/// How many due rows of each destination are counted, so that the work is bounded: in a very large queue, the more destinations
/// there are, the sooner those with most waiting count as equals.
Result<std::size_t> most_counted(const store::QueueReader& reader, DestinationOrder order) {
  if (order != DestinationOrder::kWaiting) return 1;
  if (POSTHUS_TRY(reader.due_rows()) <= kMaxCountedOfAll) return kMaxCounted + 1;
  std::size_t destinations = 0;
  POSTHUS_TRY(reader.destinations(0, kMaxRanked, [&destinations](const store::DueRecipient&) { ++destinations; }));
  return std::clamp<std::size_t>(kMaxCountedOfAll / std::max<std::size_t>(destinations, 1), 10, kMaxCounted + 1);
}

struct DestinationsShown {
  std::string next;                  // the cursor of the next page
  std::optional<std::size_t> count;  // of all destinations, where they were counted
};

/// The destinations of a page in that order, as JSON.
Result<DestinationsShown> append_ranked_destinations(const Call& call, const store::QueueReader& reader, DestinationOrder order,
                                                     const ListRange& range, JsonWriter& json) {
  std::vector<CountedDestination> every;
  POSTHUS_TRY(reader.counted_destinations(
      0, kMaxRanked, POSTHUS_TRY(most_counted(reader, order)),
      [&every](const store::DueRecipient& first, std::size_t counted) { every.push_back({first, counted}); }));
  RankedPage ranked = POSTHUS_TRY(RankedPage::begin(range));
  std::map<std::string, store::DueRecipient> by_name;
  for (const CountedDestination& one : every) {
    const std::string name = POSTHUS_TRY(ranked_name(reader, order, one.first));
    if (name.empty()) continue;
    POSTHUS_TRY_VOID(ranked.add(destination_rank(call, order, one.first, one.counted), name));
    by_name.emplace(name, one.first);
  }
  const auto page = std::move(ranked).end();
  for (const Ranked& one : page.items) POSTHUS_TRY(append_destination(json, call, reader, by_name.at(one.name)));
  return DestinationsShown{page.next, every.size()};
}

Result<DestinationsShown> append_destinations(const Call& call, const store::QueueReader& reader, const ListRange& range,
                                              JsonWriter& json) {
  const auto from = range.after.empty() ? std::uint64_t{0} : ascii::parse_decimal<std::uint64_t>(range.after);
  if (!from) return fail(ErrorKind::kInvalid, "parameter 'after' is not what a list gave as 'next'");
  std::vector<store::DueRecipient> all;
  auto next =
      POSTHUS_TRY(reader.destinations(*from, range.limit, [&all](const store::DueRecipient& first) { all.push_back(first); }));
  std::size_t counted = 0;
  for (const store::DueRecipient& first : all) {
    if (counted >= kMaxCountedOfPage) {
      next = first.destination;
      break;
    }
    counted += POSTHUS_TRY(append_destination(json, call, reader, first));
  }
  if (next) return DestinationsShown{std::to_string(*next), std::nullopt};
  return DestinationsShown{{}, range.after.empty() ? std::optional(all.size()) : std::nullopt};
}

Result<Response> destinations(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after", "sort"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto order = DestinationOrder(POSTHUS_TRY(list_order(call.target, {"any", "waiting", "next_attempt", "name"})));
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const store::QueueReader reader(*snapshot);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  const DestinationsShown shown = order == DestinationOrder::kAny
                                      ? POSTHUS_TRY(append_destinations(call, reader, range, json))
                                      : POSTHUS_TRY(append_ranked_destinations(call, reader, order, range, json));
  json.end_array();
  json.key("recipients_waiting").number(POSTHUS_TRY(reader.due_rows())).key("destinations");
  if (shown.count) {
    json.number(*shown.count);
  } else {
    json.null();
  }
  append_next(json, shown.next);
  return json_response(200, json.end_object().take());
}

}  // namespace

void wake_destinations(const Call& call, const store::WriteOutcome& changed) {
  if (changed.has_more_destinations) return call.context.queue_changed({});
  if (!changed.destinations.empty()) call.context.queue_asked(changed.destinations);
}

Response list_queue(const Call& call) { return answer(list_queued(call)); }
Response change_queue(const Call& call) { return answer(act(call)); }
Response get_queued_message(const Call& call) { return answer(show_queued(call)); }
Response list_destinations(const Call& call) { return answer(destinations(call)); }

}  // namespace posthus::web_admin
