// The trace narrowed; see trace_view.h. Events are JSON objects that this server wrote. RFC 8259.
#include "web-admin/trace_view.h"

#include <nlohmann/json.hpp>

namespace posthus::web_admin {
namespace {

using Json = nlohmann::ordered_json;

std::string_view text_of(const Json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

/// An element of "recipients" is an address, or an object with one.
std::string_view address_of(const Json& recipient) {
  if (recipient.is_string()) return recipient.get_ref<const std::string&>();
  return recipient.is_object() ? text_of(recipient, "recipient") : std::string_view();
}

Json parse_event(const std::string& event) { return Json::parse(event, nullptr, /*allow_exceptions=*/false); }

/// Of members passed over, those that are his or of an alias of his.
void narrow_skipped(Json& event, const TraceView::IsMine& is_mine) {
  const auto skipped = event.find("skipped");
  if (skipped == event.end() || !skipped->is_array()) return;
  Json kept = Json::array();
  for (Json& member : *skipped) {
    if (!member.is_object() || (!is_mine(text_of(member, "address")) && !is_mine(text_of(member, "via")))) continue;
    kept.push_back(std::move(member));
  }
  if (kept.empty()) {
    event.erase("skipped");
  } else {
    *skipped = std::move(kept);
  }
}

}  // namespace

bool TraceView::begin(const std::string& first_event) {
  is_sender_ = false;
  mine_.clear();
  const Json event = parse_event(first_event);
  if (!event.is_object()) return false;
  const std::string_view login = text_of(event, "login");
  is_sender_ = !login.empty() && is_mine_(login);
  const auto recipients = event.find("recipients");
  if (is_sender_ || recipients == event.end() || !recipients->is_array()) return is_sender_;
  for (const Json& recipient : *recipients) {
    const std::string_view address = address_of(recipient);
    const std::string_view via = recipient.is_object() ? text_of(recipient, "via") : std::string_view();
    if (!address.empty() && (is_mine_(address) || (!via.empty() && is_mine_(via)))) mine_.emplace(address);
  }
  return !mine_.empty();
}

std::optional<std::string> TraceView::narrowed(const std::string& text) const {
  if (is_sender_) return text;
  Json event = parse_event(text);
  if (!event.is_object() || !event.contains("recipients") || !event["recipients"].is_array()) return std::nullopt;
  Json kept = Json::array();
  for (Json& recipient : event["recipients"]) {
    if (mine_.contains(address_of(recipient))) kept.push_back(std::move(recipient));
  }
  if (kept.empty()) return std::nullopt;
  event["recipients"] = std::move(kept);
  narrow_skipped(event, is_mine_);
  event.erase("more_recipients");
  event.erase("more");
  event.erase("held");
  event.erase("by");
  if (event.contains("login")) {
    for (const char* member : {"login", "address", "helo", "tls", "cipher"}) event.erase(member);
  }
  return event.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace posthus::web_admin
