// TransferDecoder. See transfer_decoder.h.
#include "imap/transfer_decoder.h"

#include "core/base/ascii.h"

namespace posthus::imap {
namespace {

constexpr std::size_t kMaxHeld = 80;  // a quoted-printable line has 76 characters: no soft break is longer

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int hex_value(char c) {
  if (ascii::is_digit(c)) return c - '0';
  const char lower = ascii::to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::optional<TransferEncoding> transfer_encoding(std::string_view name) {
  const auto is = [name](std::string_view known) { return ascii::equal_ignoring_case(name, known); };
  if (name.empty() || is("7bit") || is("8bit") || is("binary")) return TransferEncoding::kIdentity;
  if (is("base64")) return TransferEncoding::kBase64;
  if (is("quoted-printable")) return TransferEncoding::kQuotedPrintable;
  return std::nullopt;
}

void TransferDecoder::append(std::string_view encoded, std::string& out) {
  for (const char c : encoded) {
    switch (encoding_) {
      case TransferEncoding::kIdentity: put(c, out); break;
      case TransferEncoding::kBase64: base64(c, out); break;
      case TransferEncoding::kQuotedPrintable: quoted_printable(c, out); break;
    }
  }
}

void TransferDecoder::finish(std::string& out) {
  for (const char c : held_) put(c, out);
  held_.clear();
  if (after_cr_) out.push_back('\n');
  after_cr_ = false;
}

void TransferDecoder::put(char c, std::string& out) {
  if (line_ends_ == LineEnds::kAsTheyAre) return out.push_back(c);
  if (c == '\n') {
    if (!after_cr_) out.push_back('\r');
  } else if (after_cr_) {
    out.push_back('\n');
  }
  out.push_back(c);
  after_cr_ = c == '\r';
}

void TransferDecoder::base64(char c, std::string& out) {
  if (c == '=') {
    bit_count_ = 0;
    return;
  }
  const int value = base64_value(c);
  if (value < 0) return;
  bits_ = (bits_ << 6 | static_cast<std::uint32_t>(value)) & 0xffff;
  bit_count_ += 6;
  if (bit_count_ < 8) return;
  bit_count_ -= 8;
  put(static_cast<char>(bits_ >> bit_count_), out);
}

void TransferDecoder::quoted_printable(char c, std::string& out) {
  if (held_.empty()) {
    if (c == '=') {
      held_ = "=";
    } else {
      put(c, out);
    }
    return;
  }
  held_.push_back(c);
  if (held_.size() == 3 && hex_value(held_[1]) >= 0 && hex_value(c) >= 0) {
    put(static_cast<char>(hex_value(held_[1]) << 4 | hex_value(c)), out);
    held_.clear();
    return;
  }
  const bool is_soft_break = held_[1] == '\r' || held_[1] == '\n' || ascii::is_space_or_tab(held_[1]);
  if (is_soft_break && c == '\n') {  // "=" *white CRLF
    held_.clear();
    return;
  }
  if (is_soft_break && held_.size() < kMaxHeld && (c == '\r' || ascii::is_space_or_tab(c))) return;
  if (held_.size() == 2 && hex_value(c) >= 0) return;
  // Not an escape: as it stands, except that the last byte may begin another one.
  std::string literal;
  literal.swap(held_);
  for (std::size_t i = 0; i + 1 < literal.size(); ++i) put(literal[i], out);
  quoted_printable(literal.back(), out);
}

}  // namespace posthus::imap
