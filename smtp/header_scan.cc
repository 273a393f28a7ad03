// Scanning of a passing header. RFC 5322 §2.2. Thread rule: one thread at a time.
#include "smtp/header_scan.h"

#include <cstring>

#include "core/base/ascii.h"

namespace posthus::smtp {

void HeaderScan::end_of_name() {
  const std::string_view name(name_.data(), name_length_);
  if (name == "received") {
    ++received_fields_;
  } else if (name == "date") {
    has_date_ = true;
  } else if (name == "message-id") {
    has_message_id_ = true;
  } else if (name == "from" && from_fields_ == FromFields::kKeep) {
    is_in_from_ = true;
    if (!from_.empty()) from_.push_back(',');
  } else if (name == "tls-required") {
    is_in_tls_required_ = true;
    ++tls_required_fields_;
  }
  is_in_value_ = true;
}

void HeaderScan::keep_value(std::string_view text) {
  if (is_in_from_) keep_from(text);
  if (is_in_tls_required_) keep_tls_required(text);
}

// requiretls-field = "TLS-Required:" [FWS] "No" CRLF (RFC 8689 §3)
void HeaderScan::keep_tls_required(std::string_view text) {
  constexpr std::size_t kMaxTlsRequired = 3;  // one more than "no"
  for (const char c : text) {
    if (tls_required_.size() == kMaxTlsRequired) return;
    if (!ascii::is_space_or_tab(c) && c != '\r' && c != '\n') tls_required_.push_back(ascii::to_lower(c));
  }
}

void HeaderScan::keep_from(std::string_view text) {
  if (from_.size() + text.size() > kMaxFromKept) {
    is_from_cut_ = true;
    return;
  }
  from_.append(text);
}

std::size_t HeaderScan::read(std::string_view bytes) {
  std::size_t at = 0;
  if (is_holding_cr_ && !bytes.empty()) {
    is_holding_cr_ = false;
    if (bytes[0] == '\n') {
      has_ended_ = true;
      return 0;
    }
    is_in_value_ = true;
  }
  while (at < bytes.size()) {
    if (is_in_value_) {
      const void* lf = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
      const std::size_t end = lf ? static_cast<std::size_t>(static_cast<const char*>(lf) - bytes.data()) + 1 : bytes.size();
      keep_value(bytes.substr(at, end - at));
      at = end;
      if (!lf) break;
      is_in_value_ = false;
      has_blank_ = false;
      name_length_ = 0;
      continue;
    }
    const char c = bytes[at];
    if (name_length_ == 0 && !ascii::is_space_or_tab(c)) is_in_from_ = is_in_tls_required_ = false;
    if (name_length_ == 0 && c == '\r') {
      if (at + 1 == bytes.size()) {
        is_holding_cr_ = true;
        return at;
      }
      if (bytes[at + 1] == '\n') {
        has_ended_ = true;
        return at;
      }
      is_in_value_ = true;
    } else if (c == ':') {
      end_of_name();
    } else if (name_length_ > 0 && ascii::is_space_or_tab(c)) {
      // RFC 5322 §4.5: white space before the colon is obsolete, but read, however much of it there is.
      has_blank_ = true;
    } else if (has_blank_) {
      is_in_value_ = true;  // two words before the colon are no name
      continue;
    } else if (c == '\n' || name_length_ == name_.size() || (name_length_ == 0 && ascii::is_space_or_tab(c))) {
      // No field, a name longer than any we look for, or a continuation line. (A LF is looked at again as a value.)
      is_in_value_ = true;
      continue;
    } else {
      name_[name_length_++] = ascii::to_lower(c);
    }
    ++at;
  }
  return at;
}

void HeaderScan::finish() {
  has_ended_ = true;
  is_holding_cr_ = false;
}

}  // namespace posthus::smtp
