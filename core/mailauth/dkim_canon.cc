// Relaxed canonicalization (RFC 6376 §3.4.2, §3.4.4). Thread rule: as the header says.
// WHY one state machine over bytes: the body comes as the network cuts it, and a cut inside a line end or inside white space
// must not show. A CR or LF alone is text (RFC 6376 §5.3 wants such mail put right before it is signed).
#include "core/mailauth/dkim_canon.h"

#include <algorithm>
#include <map>

#include "core/base/ascii.h"
#include "core/mail/header.h"

namespace posthus::mailauth {
namespace {

constexpr std::size_t kOutput = 4096;  // one call of the hash for this much costs next to nothing per byte

bool is_text(char c) { return static_cast<unsigned char>(c) > ' ' || (c != ' ' && c != '\t' && c != '\r'); }

/// Where the bytes from `at` on, which are text, stop being their own canonical form: single spaces and single line ends with
/// text on both sides are.
std::size_t end_of_same(std::string_view bytes, std::size_t at) {
  for (;;) {
    while (at < bytes.size() && is_text(bytes[at])) ++at;
    if (at + 2 >= bytes.size()) return at;
    if (bytes[at] == ' ' && is_text(bytes[at + 1])) {
      ++at;
    } else if (bytes[at] == '\r' && bytes[at + 1] == '\n' && is_text(bytes[at + 2])) {
      at += 2;
    } else {
      return at;
    }
  }
}

/// Appends `value` unfolded, white space as one space, none at the ends.
void append_relaxed_value(std::string& out, std::string_view value) {
  bool is_space_due = false;
  const std::size_t begin = out.size();
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (value.substr(i, 2) == "\r\n") {  // a fold, or the end of the field
      ++i;
      is_space_due = true;
      continue;
    }
    if (ascii::is_space_or_tab(c)) {
      is_space_due = true;
      continue;
    }
    if (is_space_due && out.size() > begin) out.push_back(' ');
    is_space_due = false;
    out.push_back(c);
  }
}

void append_relaxed(std::string& out, std::string_view raw) {
  const std::size_t colon = std::min(raw.find(':'), raw.size());
  out += ascii::to_lower(ascii::trim(raw.substr(0, colon)));
  out.push_back(':');
  append_relaxed_value(out, raw.substr(std::min(raw.size(), colon + 1)));
}

struct IgnoringCase {
  bool operator()(std::string_view a, std::string_view b) const {
    return std::ranges::lexicographical_compare(
        a, b, {}, [](char c) { return ascii::to_lower(c); }, [](char c) { return ascii::to_lower(c); });
  }
};

}  // namespace

void RelaxedBody::put(char c) {
  if (out_.size() >= kOutput) {
    hash_.update(out_);
    out_.clear();
  }
  out_.push_back(c);
}

void RelaxedBody::put_text(std::string_view bytes) {
  if (out_.size() + bytes.size() > kOutput) {
    hash_.update(out_);
    out_.clear();
  }
  if (bytes.size() > kOutput) {
    hash_.update(bytes);
  } else {
    out_ += bytes;
  }
}

/// What was held back counts, since text follows.
void RelaxedBody::end_pending() {
  for (; pending_lines_ > 0; --pending_lines_) put_text("\r\n");
  if (is_space_pending_) put(' ');
  is_space_pending_ = false;
  has_text_ = true;
}

void RelaxedBody::append(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const char c = bytes[at];
    if (is_cr_pending_) {
      is_cr_pending_ = false;
      if (c == '\n') {
        ++pending_lines_;
        is_space_pending_ = false;
        ++at;
        continue;
      }
      end_pending();
      put('\r');
    }
    if (c == '\r') {
      is_cr_pending_ = true;
      ++at;
    } else if (ascii::is_space_or_tab(c)) {
      is_space_pending_ = true;
      ++at;
    } else {
      const std::size_t end = end_of_same(bytes, at);
      end_pending();
      put_text(bytes.substr(at, end - at));
      at = end;
    }
  }
}

Sha256Digest RelaxedBody::finish() {
  if (is_cr_pending_) {
    end_pending();
    put('\r');
  }
  if (has_text_) put_text("\r\n");  // the last line end, there or not; further ones are empty lines
  hash_.update(out_);
  out_.clear();
  pending_lines_ = 0;
  is_space_pending_ = is_cr_pending_ = has_text_ = false;
  return hash_.finish();
}

std::string relaxed_field(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  append_relaxed(out, raw);
  return out += "\r\n";
}

std::string signed_header(std::string_view header, const std::vector<std::string_view>& names, std::string_view signature_field) {
  std::map<std::string_view, std::vector<std::string_view>, IgnoringCase> fields;
  for (const std::string_view name : names) fields.try_emplace(name);
  mail::for_each_field(header, [&](const mail::HeaderField& field) {
    if (const auto found = fields.find(field.name); found != fields.end()) found->second.push_back(field.raw);
    return true;
  });
  std::string out;
  for (const std::string_view name : names) {
    std::vector<std::string_view>& left = fields[name];
    if (left.empty()) continue;
    append_relaxed(out, left.back());
    out += "\r\n";
    left.pop_back();
  }
  append_relaxed(out, signature_field);
  return out;
}

}  // namespace posthus::mailauth
