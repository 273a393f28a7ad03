// The envelope's inboxes and its trace record. Thread rule: pure functions.
#include "smtp/envelope.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/base/ascii.h"

namespace posthus::smtp {
namespace {

// A JSON string (RFC 8259 §7), cut at `limit` bytes of `text`. Bytes above 127 are UTF-8 where they can come here:
// addresses are parsed as such.
void append_json_string(std::string& out, std::string_view text, std::size_t limit) {
  constexpr char kHex[] = "0123456789abcdef";
  if (text.size() > limit) {
    // WHY: never in the middle of a UTF-8 character.
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
    text = text.substr(0, limit);
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 32 || c == 127) {
      out.append("\\u00");
      out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHex[c & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

constexpr std::size_t kMaxTraceText = 160;  // bytes of one client-given text in the trace

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (out.back() != '{') out.push_back(',');
  out.push_back('"');
  out.append(name);
  out.append("\":");
  append_json_string(out, value, kMaxTraceText);
}

void append_notify(std::string& out, std::uint8_t bits) {
  std::string value;
  const auto add = [&value](std::string_view name) {
    if (!value.empty()) value.push_back(',');
    value.append(name);
  };
  if (bits & notify::kNever) add("NEVER");
  if (bits & notify::kSuccess) add("SUCCESS");
  if (bits & notify::kFailure) add("FAILURE");
  if (bits & notify::kDelay) add("DELAY");
  append_member(out, "notify", value);
}

// The recipients that fit; returns how many.
std::size_t append_recipients(std::string& out, const std::vector<Recipient>& recipients) {
  constexpr std::size_t kClosing = 40;  // "],\"more\":<20 digits>}"
  std::size_t count = 0;
  out.append(",\"to\":[");
  for (const Recipient& recipient : recipients) {
    const std::size_t before = out.size();
    if (count > 0) out.push_back(',');
    out.push_back('{');
    append_member(out, "address", to_string(recipient.address));
    append_notify(out, recipient.parameters.notify);
    append_member(out, "orcpt", recipient.parameters.original_recipient);
    out.push_back('}');
    if (out.size() + kClosing > kMaxTrace) {
      out.resize(before);
      break;
    }
    ++count;
  }
  out.push_back(']');
  return count;
}

}  // namespace

void Envelope::sort() {
  std::sort(inboxes.begin(), inboxes.end());
  inboxes.erase(std::unique(inboxes.begin(), inboxes.end()), inboxes.end());
  std::unordered_set<std::string_view> seen;
  seen.reserve(elsewhere.size());
  std::vector<store::QueuedRecipient> once;
  once.reserve(elsewhere.size());
  // WHY two passes: the set views the addresses, which must not move while it lives.
  std::vector<bool> is_first;
  is_first.reserve(elsewhere.size());
  for (const store::QueuedRecipient& recipient : elsewhere) is_first.push_back(seen.insert(recipient.address).second);
  for (std::size_t i = 0; i < elsewhere.size(); ++i) {
    if (is_first[i]) once.push_back(std::move(elsewhere[i]));
  }
  elsewhere = std::move(once);
}

std::vector<std::string> Envelope::destinations() const {
  std::vector<std::string> domains;
  domains.reserve(elsewhere.size());
  for (const store::QueuedRecipient& recipient : elsewhere) domains.push_back(recipient.domain);
  std::sort(domains.begin(), domains.end());
  domains.erase(std::unique(domains.begin(), domains.end()), domains.end());
  return domains;
}

store::QueuedRecipient to_queued(const mail::Address& address, const RcptParameters& parameters) {
  store::QueuedRecipient recipient;
  recipient.address = mail::to_string(address);
  recipient.domain = address.domain;
  recipient.original_recipient = parameters.original_recipient;
  recipient.notify = parameters.notify;
  return recipient;
}

store::QueueEntry queue_entry(const Envelope& envelope, const MessageFacts& facts) {
  store::QueueEntry entry;
  entry.reverse_path = to_text(envelope.reverse_path);
  entry.accepted = facts.accepted;
  entry.envelope_id = envelope.parameters.envelope_id;
  if (envelope.parameters.ret != Ret::kUnset) {
    entry.return_content = envelope.parameters.ret == Ret::kFull ? store::ReturnContent::kFull : store::ReturnContent::kHeaders;
  }
  // What it is, not what the client said of it: many say nothing, and a needless word may cost a conversion.
  if (facts.has_8bit) entry.body = store::BodyKind::k8BitMime;
  if (envelope.parameters.body == Body::kBinaryMime) entry.body = store::BodyKind::kBinaryMime;
  bool has_8bit_address = ascii::has_high_bit(entry.reverse_path);
  for (const store::QueuedRecipient& recipient : envelope.elsewhere) {
    has_8bit_address = has_8bit_address || ascii::has_high_bit(recipient.address);
  }
  // A forward may lead to a non-ASCII address whatever the client said.
  entry.is_utf8 = has_8bit_address || (envelope.parameters.is_utf8 && facts.has_8bit_header);
  entry.origin = facts.origin;
  entry.account = facts.account;
  entry.local_header_bytes = facts.local_header_bytes;
  return entry;
}

std::string to_text(const ReversePath& path) { return path ? to_string(*path) : std::string(); }

std::string trace_json(const Envelope& envelope, const TraceFacts& facts) {
  std::string out;
  out.reserve(400);
  out.append("{\"event\":\"accepted\"");
  append_member(out, "id", facts.id);
  append_member(out, "client", facts.remote_address);
  append_member(out, "helo", facts.helo);
  append_member(out, "with", facts.with);
  append_member(out, "login", facts.login);
  append_member(out, "envid", envelope.parameters.envelope_id);
  if (envelope.parameters.ret != Ret::kUnset) {
    append_member(out, "ret", envelope.parameters.ret == Ret::kFull ? "FULL" : "HDRS");
  }
  out.append(",\"size\":").append(std::to_string(facts.size));
  out.append(",\"from\":");
  append_json_string(out, to_text(envelope.reverse_path), 2 * kMaxTraceText);
  const std::size_t written = append_recipients(out, envelope.recipients);
  const std::size_t more = envelope.recipients.size() - written;
  if (more > 0) out.append(",\"more\":").append(std::to_string(more));
  out.push_back('}');
  return out;
}

}  // namespace posthus::smtp
