// See transfer_encoder.h.
#include "core/mail/transfer_encoder.h"

#include "core/base/base64.h"

namespace posthus::mail {
namespace {

constexpr std::size_t kMaxEncoderLine = 76;  // RFC 2045 §6.7 rule 5, §6.8
constexpr std::size_t kBytesPerLine = 57;    // as base64: 76 characters
constexpr std::string_view kHex = "0123456789ABCDEF";

void append_escape(std::string& out, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  out.push_back('=');
  out.push_back(kHex[value >> 4]);
  out.push_back(kHex[value & 15]);
}

}  // namespace

// Leaves room for the '=' of a soft line break.
void QuotedPrintableEncoder::make_room(std::string& out, std::size_t length) {
  if (column_ + length < kMaxEncoderLine) return;
  out.append("=\r\n");
  column_ = 0;
}

void QuotedPrintableEncoder::literal(std::string& out, char byte) {
  make_room(out, 1);
  if (column_ == 0 && byte == '-') return escaped(out, byte);
  out.push_back(byte);
  ++column_;
}

void QuotedPrintableEncoder::escaped(std::string& out, char byte) {
  make_room(out, 3);
  append_escape(out, byte);
  column_ += 3;
}

void QuotedPrintableEncoder::put(std::string& out, char byte) {
  if (held_ == '\r' && byte == '\n') {
    out.append("\r\n");
    column_ = 0;
    held_ = 0;
    return;
  }
  if (held_ == '\r' || (held_ != 0 && byte == '\r')) {
    // WHY: white space before a line end does not survive transport; before a bare CR it is encoded for nothing, which is right
    // too.
    escaped(out, held_);
  } else if (held_ != 0) {
    literal(out, held_);
  }
  held_ = 0;
  if (byte == '\r' || byte == ' ' || byte == '\t') {
    held_ = byte;
  } else if (byte > ' ' && byte < 0x7F && byte != '=') {
    literal(out, byte);
  } else {
    escaped(out, byte);
  }
}

void QuotedPrintableEncoder::append(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) put(out, byte);
}

void QuotedPrintableEncoder::finish(std::string& out) {
  if (held_ != 0) escaped(out, held_);
  *this = QuotedPrintableEncoder{};
}

void Base64Encoder::put_line(std::string& out, std::string_view bytes) {
  if (!is_first_) out.append("\r\n");
  is_first_ = false;
  out.append(base64_encode(bytes));
}

void Base64Encoder::append(std::string& out, std::string_view bytes) {
  if (held_.size() + bytes.size() >= kBytesPerLine && !held_.empty()) {
    const std::size_t wanted = kBytesPerLine - held_.size();
    held_.append(bytes.substr(0, wanted));
    bytes.remove_prefix(wanted);
    put_line(out, held_);
    held_.clear();
  }
  for (; bytes.size() >= kBytesPerLine; bytes.remove_prefix(kBytesPerLine)) put_line(out, bytes.substr(0, kBytesPerLine));
  held_.append(bytes);
}

void Base64Encoder::finish(std::string& out) {
  if (!held_.empty()) put_line(out, held_);
  *this = Base64Encoder{};
}

void HighOctetEscaper::append(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) {
    const bool is_high = static_cast<unsigned char>(byte) >= 0x80;
    if (is_high && column_ + 4 > kMaxEncoderLine) {
      out.append("=\r\n");
      column_ = 0;
    }
    if (is_high) {
      append_escape(out, byte);
    } else {
      out.push_back(byte);
    }
    column_ = byte == '\n' ? 0 : column_ + (is_high ? 3 : 1);
  }
}

}  // namespace posthus::mail
