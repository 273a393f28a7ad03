// Mailbox names on the wire. See mailbox_name.h.
#include "imap/mailbox_name.h"

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/ascii.h"
#include "core/mail/encoded_word.h"
#include "core/mail/nfc.h"
#include "imap/limits.h"
#include "imap/scanner.h"

namespace posthus::imap {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
constexpr char32_t kReplacement = 0xfffd;

bool is_direct(char32_t c) { return c >= 0x20 && c <= 0x7e; }

/// Decodes one character at `position` and moves past it; broken bytes give U+FFFD, one byte at a time.
char32_t next_character(std::string_view text, std::size_t& position) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(position++);
  if (lead < 0x80) return lead;
  const int extra = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  if (lead < 0xc2 || lead > 0xf4 || text.size() - position < static_cast<std::size_t>(extra)) return kReplacement;
  char32_t value = lead & (0x3f >> extra);
  for (int i = 0; i < extra; ++i) {
    if ((byte(position + static_cast<std::size_t>(i)) & 0xc0) != 0x80) return kReplacement;
    value = value << 6 | (byte(position + static_cast<std::size_t>(i)) & 0x3f);
  }
  position += static_cast<std::size_t>(extra);
  return value;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3f));
    }
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

/// Modified base64 of UTF-16: bits wait in a buffer until six are there.
class Base64Writer {
 public:
  explicit Base64Writer(std::string& out) : out_(out) {}
  void put(char32_t c) {
    if (c >= 0x10000) {
      put_unit(0xd800 + ((c - 0x10000) >> 10));
      put_unit(0xdc00 + ((c - 0x10000) & 0x3ff));
    } else {
      put_unit(c);
    }
  }
  void finish() {
    if (count_ > 0) out_.push_back(kAlphabet[bits_ << (6 - count_) & 0x3f]);
    count_ = 0;
  }

 private:
  void put_unit(std::uint32_t unit) {
    bits_ = bits_ << 16 | unit;
    for (count_ += 16; count_ >= 6; count_ -= 6) out_.push_back(kAlphabet[bits_ >> (count_ - 6) & 0x3f]);
  }
  std::string& out_;
  std::uint64_t bits_ = 0;
  int count_ = 0;
};

/// The UTF-16 units of one shifted run; nothing when padding bits are set or a character is not in the alphabet.
std::optional<std::vector<std::uint16_t>> decode_shifted(std::string_view run) {
  std::vector<std::uint16_t> units;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : run) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0x3f'ffff;
    count += 6;
    if (count < 16) continue;
    count -= 16;
    units.push_back(static_cast<std::uint16_t>(bits >> count));
  }
  if (count >= 6 || (bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return units;
}

/// False for lone surrogates and for characters that must represent themselves.
bool append_units(std::string& out, const std::vector<std::uint16_t>& units) {
  for (std::size_t i = 0; i < units.size(); ++i) {
    char32_t c = units[i];
    if (c >= 0xd800 && c < 0xdc00 && i + 1 < units.size() && units[i + 1] >= 0xdc00 && units[i + 1] < 0xe000) {
      c = 0x10000 + ((c - 0xd800) << 10) + (units[++i] - 0xdc00u);
    } else if (c >= 0xd800 && c < 0xe000) {
      return false;
    }
    if (is_direct(c)) return false;
    append_utf8(out, c);
  }
  return true;
}

bool begins_with_inbox(std::string_view name) {
  return name.size() >= 5 && ascii::equal_ignoring_case(name.substr(0, 5), "INBOX") &&
         (name.size() == 5 || name[5] == kHierarchySeparator);
}

}  // namespace

std::string to_modified_utf7(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size();) {
    if (utf8[i] == '&') {
      out.append("&-");
      ++i;
      continue;
    }
    if (is_direct(static_cast<unsigned char>(utf8[i]))) {
      out.push_back(utf8[i++]);
      continue;
    }
    out.push_back('&');
    Base64Writer writer(out);
    while (i < utf8.size() && !is_direct(static_cast<unsigned char>(utf8[i]))) writer.put(next_character(utf8, i));
    writer.finish();
    out.push_back('-');
  }
  return out;
}

std::optional<std::string> from_modified_utf7(std::string_view text) {
  std::string out;
  bool after_shift = false;  // "&…-&…-" is a superfluous shift
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (!is_direct(static_cast<unsigned char>(c))) return std::nullopt;
    if (c != '&') {
      out.push_back(c);
      ++i;
      after_shift = false;
      continue;
    }
    const auto end = text.find('-', i);
    if (end == std::string_view::npos) return std::nullopt;
    const auto run = text.substr(i + 1, end - i - 1);
    i = end + 1;
    if (run.empty()) {
      out.push_back('&');
      after_shift = false;
      continue;
    }
    if (after_shift) return std::nullopt;
    const auto units = decode_shifted(run);
    if (!units || units->empty() || !append_units(out, *units)) return std::nullopt;
    after_shift = true;
  }
  return out;
}

std::optional<std::string> decode_mailbox_name(std::string_view wire, NameForm form) {
  if (wire.empty() || wire.size() > kMaxMailboxName) return std::nullopt;
  bool has_8bit = false;
  for (const char c : wire) has_8bit = has_8bit || static_cast<unsigned char>(c) >= 0x80;
  std::string name(wire);
  // QUIRK(various): rev1 clients send raw UTF-8 names; 8-bit bytes cannot be modified UTF-7, so nothing is ambiguous.
  if (form == NameForm::kModifiedUtf7 && !has_8bit) {
    auto decoded = from_modified_utf7(wire);
    if (!decoded) return std::nullopt;
    name = std::move(*decoded);
  }
  if (!mail::is_valid_utf8(name)) return std::nullopt;
  for (const char c : name) {
    if (is_ctl(c)) return std::nullopt;
  }
  return name;
}

std::string normalise_mailbox_name(std::string_view utf8) {
  std::string name = mail::to_nfc(utf8);
  if (begins_with_inbox(name)) name.replace(0, 5, "INBOX");
  return name;
}

std::optional<std::string> to_mailbox_name(std::string_view wire, NameForm form) {
  const auto decoded = decode_mailbox_name(wire, form);
  if (!decoded) return std::nullopt;
  return normalise_mailbox_name(*decoded);
}

bool matches_pattern(std::string_view name, std::string_view pattern) {
  if (pattern.size() > kMaxListPattern) return false;
  const std::size_t inbox_end = begins_with_inbox(name) ? 5 : 0;
  // reached[p]: the first p characters of the pattern match the name read so far.
  std::array<bool, kMaxListPattern + 1> reached{};
  const auto pass_wildcards = [&] {
    for (std::size_t p = 0; p < pattern.size(); ++p) {
      if (reached[p] && is_list_wildcard(pattern[p])) reached[p + 1] = true;
    }
  };
  reached[0] = true;
  pass_wildcards();
  for (std::size_t n = 0; n < name.size(); ++n) {
    for (std::size_t p = pattern.size(); p > 0; --p) {
      const char want = pattern[p - 1];
      if (is_list_wildcard(want)) {
        reached[p] = reached[p] && (want == '*' || name[n] != kHierarchySeparator);
      } else {
        const bool equal = n < inbox_end ? ascii::to_lower(want) == ascii::to_lower(name[n]) : want == name[n];
        reached[p] = reached[p - 1] && equal;
      }
    }
    reached[0] = false;
    pass_wildcards();
  }
  return reached[pattern.size()];
}

}  // namespace posthus::imap
