// The acceptance as JSON; see acceptance_trace.h. Whatever clients say becomes valid UTF-8 of bounded length.
#include "smtp/acceptance_trace.h"

#include "core/base/ascii.h"
#include "core/base/queue_id.h"
#include "core/mail/date_time.h"
#include "core/mail/encoded_word.h"
#include "core/mail/header.h"

namespace posthus::smtp {
namespace {

constexpr std::size_t kMaxTraceText = 200;  // bytes of one client-given text
constexpr std::size_t kMaxAddress = 1000;   // never cut: people search by address

void append_escaped(std::string& out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
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

// A JSON string (RFC 8259 §7), cut at `limit` bytes of `text`.
void append_json_string(std::string& out, std::string_view text, std::size_t limit) {
  const bool is_utf8 = mail::is_valid_utf8(text);
  if (text.size() > limit) {
    // WHY: never in the middle of a UTF-8 character.
    while (is_utf8 && limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
    text = text.substr(0, limit);
  }
  out.push_back('"');
  for (const char c : text) append_escaped(out, !is_utf8 && static_cast<unsigned char>(c) >= 128 ? '?' : c);
  out.push_back('"');
}

void append_member(std::string& out, std::string_view name, std::string_view value, std::size_t limit = kMaxTraceText) {
  if (value.empty()) return;
  if (out.back() != '{') out.push_back(',');
  out.push_back('"');
  out.append(name);
  out.append("\":");
  append_json_string(out, value, limit);
}

std::string notify_text(std::uint8_t bits) {
  std::string value;
  const auto add = [&value](std::string_view name) {
    if (!value.empty()) value.push_back(',');
    value.append(name);
  };
  if (bits & notify::kNever) add("NEVER");
  if (bits & notify::kSuccess) add("SUCCESS");
  if (bits & notify::kFailure) add("FAILURE");
  if (bits & notify::kDelay) add("DELAY");
  return value;
}

/// The list of recipients, as far as they fit.
class RecipientList {
 public:
  explicit RecipientList(std::string& out) : out_(out) { out_.append(",\"recipients\":["); }

  void add(const Recipient& recipient) {
    const std::string address = to_string(recipient.address);
    if (recipient.has_inbox) add(recipient, address, "delivered", {});
    if (recipient.is_elsewhere) add(recipient, address, "queued", {});
    for (const std::string& target : recipient.forwarded_to) add(recipient, target, "queued", address);
    for (const std::string& member : recipient.full_members) add(recipient, member, "queued", address);
  }
  void finish() {
    out_.push_back(']');
    if (left_out_ > 0) out_.append(",\"more_recipients\":").append(std::to_string(left_out_));
  }

 private:
  void add(const Recipient& recipient, std::string_view address, std::string_view event, std::string_view via) {
    constexpr std::size_t kClosing = 60;  // the end of the list and of the object
    const std::size_t before = out_.size();
    if (out_.back() != '[') out_.push_back(',');
    out_.push_back('{');
    append_member(out_, "recipient", address, kMaxAddress);
    append_member(out_, "event", event);
    append_member(out_, "via", via, kMaxAddress);
    append_member(out_, "notify", notify_text(recipient.parameters.notify));
    append_member(out_, "orcpt", recipient.parameters.original_recipient);
    out_.push_back('}');
    if (left_out_ == 0 && out_.size() + kClosing <= kMaxTrace) return;
    out_.resize(before);
    ++left_out_;
  }

  std::string& out_;
  std::size_t left_out_ = 0;
};

// Members of aliases who get nothing, as far as half of the room goes: the recipients come first.
void append_skipped(std::string& out, const std::vector<Recipient>& recipients) {
  bool is_first = true;
  for (const Recipient& recipient : recipients) {
    for (const store::SkippedMember& member : recipient.skipped) {
      if (out.size() > kMaxTrace / 2) break;
      out.append(is_first ? ",\"skipped\":[{" : ",{");
      is_first = false;
      append_member(out, "address", member.address, kMaxAddress);
      append_member(out, "reason", to_string(member.reason));
      append_member(out, "via", to_string(recipient.address), kMaxAddress);
      out.push_back('}');
    }
  }
  if (!is_first) out.push_back(']');
}

void append_header_facts(std::string& out, const AcceptanceFacts& facts) {
  if (const auto field = mail::find_field(facts.header, "message-id")) {
    append_member(out, "message_id", mail::decode_header_text(mail::unfold(field->value)), kMaxAddress);
  }
  if (!facts.shows_subject) return;
  if (const auto field = mail::find_field(facts.header, "subject")) {
    append_member(out, "subject", mail::decode_header_text(mail::unfold_to_spaces(field->value)));
  }
}

}  // namespace

std::string acceptance_trace(const Envelope& envelope, const AcceptanceFacts& facts) {
  std::string out;
  out.reserve(600);
  out.push_back('{');
  append_member(out, "time", mail::format_rfc3339(facts.time));
  append_member(out, "event", "accepted");
  append_member(out, "id", to_text(facts.id));
  append_member(out, "via", facts.role == ListenerRole::kSubmission ? "submission" : "smtp");
  append_member(out, "address", facts.remote_address);
  append_member(out, "helo", facts.helo);
  append_member(out, "with", facts.with);
  append_member(out, "tls", facts.tls_version);
  append_member(out, "cipher", facts.cipher);
  append_member(out, "login", facts.login, kMaxAddress);
  out.append(",\"from\":");
  append_json_string(out, to_text(envelope.reverse_path), kMaxAddress);
  append_member(out, "envid", envelope.parameters.envelope_id);
  if (envelope.parameters.ret != Ret::kUnset) {
    append_member(out, "ret", envelope.parameters.ret == Ret::kFull ? "FULL" : "HDRS");
  }
  if (envelope.parameters.requires_tls) {
    out.append(",\"requires_tls\":true");
  } else if (facts.asks_for_no_tls) {
    out.append(",\"ignores_tls_policy\":true");
  }
  out.append(",\"size\":").append(std::to_string(facts.size));
  append_header_facts(out, facts);
  append_member(out, "held", facts.hold_reason);
  append_skipped(out, envelope.recipients);
  RecipientList recipients(out);
  for (const Recipient& recipient : envelope.recipients) recipients.add(recipient);
  recipients.finish();
  out.push_back('}');
  return out;
}

}  // namespace posthus::smtp
