// /api/v1/trace: what happened to messages. A search walks from the newest back; each page looks at a bounded number of
// messages and may be empty though the search goes on.
// Known limit: addresses and Message-IDs are compared as they stand in the trace, ASCII case aside.
#include <algorithm>
#include <optional>

#include "core/base/ascii.h"
#include "core/base/queue_id.h"
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "core/mail/encoded_word.h"
#include "store/queue_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/problem.h"
#include "web-admin/resources.h"
#include "web-admin/trace_view.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kMaxTraceVisited = 5000;         // messages looked at for one page
constexpr std::size_t kMaxVisitedBytes = 16ull << 20;  // and bytes of their events
constexpr std::size_t kMaxWanted = 1000;               // bytes of a text that is searched for

/// What a search wants; all needles are lower case and written as in JSON.
struct Search {
  std::vector<std::string> addresses;  // spellings of one, with quotes: a whole value; of "@domain" the end of one
  std::string message_id;              // the whole member
  std::string subject;                 // a part of the value, folded
  std::string state;                   // "delivered", "waiting" or "failed"; empty: any
  QueueId from{0}, before{0};
};

/// As a JSON string with its quotes, lower case.
std::string needle(std::string_view text) { return ascii::to_lower(JsonWriter().text(text).take()); }

/// As it was written, and with its domain in A-labels, as the trace has most (RFC 5890 §2.3.2.1).
std::vector<std::string> address_needles(const std::string& address) {
  std::vector<std::string> needles{needle(address)};
  const std::size_t at = address.rfind('@');
  if (at != std::string::npos) {
    const auto domain = mail::normalise_domain(std::string_view(address).substr(at + 1));
    const std::string other = domain ? needle(address.substr(0, at + 1) + *domain) : needles[0];
    if (other != needles[0]) needles.push_back(other);
  }
  if (address.starts_with('@')) {
    for (std::string& one : needles) one.erase(0, 1);
  }
  return needles;
}

Result<const std::string*> wanted_word(const Target& target, std::string_view name) {
  const std::string* value = target.parameter(name);
  if (value && (value->empty() || value->size() > kMaxWanted)) {
    return fail(ErrorKind::kInvalid,
                "parameter '" + std::string(name) + "' must have 1 to " + std::to_string(kMaxWanted) + " bytes");
  }
  return value;
}

/// The smallest id of a message accepted at `time` (core/base/queue_id.h).
Result<QueueId> id_at(const Target& target, std::string_view name) {
  const std::string* text = target.parameter(name);
  if (!text) return QueueId(0);
  const auto time = mail::parse_rfc3339(*text);
  if (!time || time->microseconds <= 0) {
    return fail(ErrorKind::kInvalid, "parameter '" + std::string(name) + "' must be a time like 2026-01-31T12:00:00Z");
  }
  return QueueId(static_cast<std::uint64_t>(time->microseconds) << 12);
}

Result<Search> read_search(const Target& target, const ListRange& range) {
  Search search;
  if (const std::string* address = POSTHUS_TRY(wanted_word(target, "address"))) {
    search.addresses = address_needles(*address);
  }
  if (const std::string* id = POSTHUS_TRY(wanted_word(target, "message_id"))) {
    search.message_id = "\"message_id\":" + needle(id->starts_with('<') ? *id : "<" + *id + ">");
  }
  if (const std::string* subject = POSTHUS_TRY(wanted_word(target, "subject"))) {
    const std::string quoted = JsonWriter().text(*subject).take();
    search.subject = mail::fold_for_search(std::string_view(quoted).substr(1, quoted.size() - 2));
  }
  if (const std::string* state = target.parameter("state")) {
    if (*state != "delivered" && *state != "waiting" && *state != "failed") {
      return fail(ErrorKind::kInvalid, "parameter 'state' must be delivered, waiting or failed");
    }
    search.state = *state;
  }
  search.from = POSTHUS_TRY(id_at(target, "from"));
  search.before = POSTHUS_TRY(id_at(target, "until"));
  if (range.after.empty()) return search;
  const auto after = parse_queue_id(range.after);
  if (!after) return fail(ErrorKind::kInvalid, "parameter 'after' is not what a list gave as 'next'");
  if (search.before.value == 0 || *after < search.before) search.before = *after;
  return search;
}

/// The value of the first member "subject", as it stands in JSON.
std::string_view subject_of(std::string_view json) {
  constexpr std::string_view kMember = "\"subject\":\"";
  const std::size_t member = json.find(kMember);
  if (member == std::string_view::npos) return {};
  const std::string_view value = json.substr(member + kMember.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\') {
      ++i;
    } else if (value[i] == '"') {
      return value.substr(0, i);
    }
  }
  return {};
}

bool trace_matches(const Search& search, const std::vector<store::TraceEvent>& events) {
  const std::string& first = events.front().json;
  if (!search.message_id.empty() && !ascii::to_lower(first).contains(search.message_id)) return false;
  if (!search.subject.empty() && !mail::fold_for_search(subject_of(first)).contains(search.subject)) return false;
  if (search.addresses.empty()) return true;
  return std::ranges::any_of(events, [&search](const store::TraceEvent& event) {
    const std::string text = ascii::to_lower(event.json);
    return std::ranges::any_of(search.addresses, [&text](const std::string& one) { return text.contains(one); });
  });
}

/// Does somebody not get it? Events are written by this server; within strings quotation marks are escaped.
bool has_failed(const std::vector<store::TraceEvent>& events) {
  return std::ranges::any_of(events, [](const store::TraceEvent& event) {
    return event.json.contains("\"event\":\"failed\"") || event.json.contains("\"event\":\"expired\"") ||
           event.json.contains("\"event\":\"bounced\"");
  });
}

void append_event(JsonWriter& json, const store::TraceEvent& event) {
  // What is stored was written as JSON by this server.
  const bool is_object = event.json.starts_with('{') && event.json.ends_with('}');
  is_object ? json.raw(event.json) : json.text(event.json);
}

/// The events as `view` lets them be seen, all of them without one; none when the message is not to be seen.
std::vector<store::TraceEvent> seen(TraceView* view, const std::vector<store::TraceEvent>& events) {
  std::vector<store::TraceEvent> out;
  if (events.empty() || events.front().number != 0 || !view->begin(events.front().json)) return out;
  for (const store::TraceEvent& event : events) {
    if (auto json = view->narrowed(event.json)) out.push_back({event.id, event.number, *std::move(json)});
  }
  return out;
}

/// Walks and writes what a page shows.
class Page {
 public:
  /// `view` null: everything is shown.
  Page(const Search& search, const store::QueueReader& reader, std::size_t limit, TraceView* view)
      : search_(search), reader_(reader), limit_(limit), view_(view) {}

  store::Visit visit(QueueId id, const std::vector<store::TraceEvent>& events) {
    if (id < search_.from) return stop(true);
    if (shown_ == limit_ || visited_ == kMaxTraceVisited || bytes_ > kMaxVisitedBytes) return stop(false);
    last_ = id;
    ++visited_;
    for (const store::TraceEvent& event : events) bytes_ += event.json.size();
    // WHY before it is compared: a search must not tell of what is not shown.
    if (view_) {
      const auto narrowed = seen(view_, events);
      return narrowed.empty() || !matches(id, narrowed) ? store::Visit::kContinue : show(id, narrowed);
    }
    return events.empty() || !matches(id, events) ? store::Visit::kContinue : show(id, events);
  }
  /// Where the next page begins; empty at the end.
  std::string next() const { return is_end_ ? std::string() : to_text(last_); }

  JsonWriter json;

 private:
  bool matches(QueueId id, const std::vector<store::TraceEvent>& events) const {
    if (!trace_matches(search_, events)) return false;
    if (search_.state.empty()) return true;
    const bool failed = has_failed(events);
    if (search_.state == "failed" || failed) return failed && search_.state == "failed";
    const auto entry = reader_.entry(id);
    return (entry && *entry) == (search_.state == "waiting");
  }
  store::Visit show(QueueId id, const std::vector<store::TraceEvent>& events) {
    ++shown_;
    json.begin_object().key("id").text(to_text(id)).key("events").number(events.size()).key("first");
    append_event(json, events.front());
    json.key("last");
    append_event(json, events.back());
    json.end_object();
    return store::Visit::kContinue;
  }
  store::Visit stop(bool is_end) {
    is_end_ = is_end;
    return store::Visit::kStop;
  }

  const Search& search_;
  const store::QueueReader& reader_;
  const std::size_t limit_;
  TraceView* const view_;
  std::size_t shown_ = 0, visited_ = 0, bytes_ = 0;
  QueueId last_;
  bool is_end_ = true;
};

/// What a domain admin may see; nothing for who may see everything.
std::optional<TraceView> view_of_domains(const Call& call) {
  if (call.principal.reaches_all) return std::nullopt;
  return TraceView([&call](std::string_view address) { return call.principal.may_reach_address(address); });
}

/// What somebody may see of his own mail: sent by him, or to an address that leads to him. `snapshot` outlives the view.
TraceView view_of_account(const store::Snapshot& snapshot, AccountId account) {
  return TraceView([&snapshot, account](std::string_view text) {
    const auto address = mail::parse_mailbox(text, mail::Utf8::kAllow);
    const auto is_his = address ? store::DirectoryReader(snapshot).is_address_of(account, *address) : Result<bool>(false);
    return is_his && *is_his;
  });
}

Result<Response> search(const Call& call, const store::Snapshot& snapshot, TraceView* view) {
  POSTHUS_TRY_VOID(
      check_parameters(call.target, {"limit", "after", "address", "message_id", "subject", "from", "until", "state"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const Search wanted_word = POSTHUS_TRY(read_search(call.target, range));
  const store::QueueReader reader(snapshot);
  Page page(wanted_word, reader, range.limit, view);
  page.json.begin_object().key("items").begin_array();
  POSTHUS_TRY_VOID(reader.traces(
      wanted_word.before, [&page](QueueId id, const std::vector<store::TraceEvent>& events) { return page.visit(id, events); }));
  page.json.end_array();
  append_next(page.json, page.next());
  return json_response(200, page.json.end_object().take());
}

Result<Response> timeline(const Call& call, const store::Snapshot& snapshot, TraceView* view) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"limit", "after"}));
  const ListRange range = POSTHUS_TRY(list_range(call.target));
  const auto id = parse_queue_id(call.path[0]);
  if (!id) return fail(ErrorKind::kInvalid, "'" + call.path[0].substr(0, 50) + "' is not a queue id");
  const auto first = range.after.empty() ? std::uint16_t{0} : ascii::parse_decimal<std::uint16_t>(range.after);
  if (!first) return fail(ErrorKind::kInvalid, "parameter 'after' is not what a list gave as 'next'");
  const store::QueueReader reader(snapshot);
  auto events = POSTHUS_TRY(reader.trace(*id, *first, range.limit + 1));
  const auto beginning = view ? POSTHUS_TRY(reader.trace(*id, 0, 1)) : std::vector<store::TraceEvent>();
  const bool is_hidden = view && (beginning.empty() || !view->begin(beginning.front().json));
  if (is_hidden || (events.empty() && *first == 0)) return fail(ErrorKind::kNotFound, "there is no trace of " + to_text(*id));
  std::string next;
  if (events.size() > range.limit) {
    next = std::to_string(events.back().number);
    events.pop_back();
  }
  JsonWriter json;
  json.begin_object().key("id").text(to_text(*id)).key("queued").boolean(POSTHUS_TRY(reader.entry(*id)).has_value());
  json.key("items").begin_array();
  for (store::TraceEvent& event : events) {
    auto shown = view ? view->narrowed(event.json) : std::move(event.json);
    if (shown) append_event(json, {event.id, event.number, *std::move(shown)});
  }
  json.end_array();
  append_next(json, next);
  return json_response(200, json.end_object().take());
}

using Look = Result<Response> (*)(const Call& call, const store::Snapshot& snapshot, TraceView* view);

Result<Response> look_at_domains(const Call& call, Look look) {
  auto view = view_of_domains(call);
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  return look(call, *snapshot, view ? &*view : nullptr);
}

Result<Response> look_at_own(const Call& call, Look look) {
  if (!call.principal.session) return problem(404, "There is no browser's session here.");
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  TraceView view = view_of_account(*snapshot, call.principal.session->account);
  return look(call, *snapshot, &view);
}

}  // namespace

Response search_trace(const Call& call) { return answer(look_at_domains(call, search)); }
Response get_trace(const Call& call) { return answer(look_at_domains(call, timeline)); }
Response search_own_trace(const Call& call) { return answer(look_at_own(call, search)); }
Response get_own_trace(const Call& call) { return answer(look_at_own(call, timeline)); }

}  // namespace posthus::web_admin
