// Encoded-words (RFC 2047 §2, §6), transfer encodings (RFC 2045 §6.7, §6.8) and charsets, for search and for people.
// Thread rule: pure functions. Known limits: kCharsets names what is converted; everything else becomes U+FFFD where it is not
// ASCII. WHY a list of charsets: iconv loads a module of the C library for whatever name it is given, and the name comes from
// outside.
#include "core/mail/encoded_word.h"

#include <iconv.h>
#include <unicase.h>
#include <unistr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/ascii.h"

namespace posthus::mail {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::size_t kMaxCharsetName = 40;                // longest of the IANA names in use

// Charsets of mail, by the beginning of their name (lower case).
constexpr std::array<std::string_view, 20> kCharsets = {
    "utf-", "utf",  "iso-8859-", "iso8859-",  "iso_8859-", "latin",       "windows-",    "cp",        "koi8-",   "gb",
    "big5", "euc-", "shift_jis", "shift-jis", "sjis",      "iso-2022-jp", "iso-2022-kr", "ks_c_5601", "tis-620", "macintosh"};

const std::uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

/// Valid sequences as they are, a U+FFFD for every byte that belongs to none.
std::string replace_invalid(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::uint8_t* const bad = u8_check(bytes_of(text), text.size());
    const std::size_t good = bad == nullptr ? text.size() : static_cast<std::size_t>(bad - bytes_of(text));
    out.append(text.substr(0, good));
    text.remove_prefix(good);
    if (text.empty()) break;
    out.append(kReplacement);
    text.remove_prefix(1);
  }
  return out;
}

/// ASCII as it is, U+FFFD for every other byte.
std::string replace_non_ascii(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80) {
      out.push_back(c);
    } else {
      out.append(kReplacement);
    }
  }
  return out;
}

class Converter {
 public:
  explicit Converter(const std::string& charset) : handle_(iconv_open("UTF-8", charset.c_str())) {}
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() {
    if (is_open()) iconv_close(handle_);
  }
  bool is_open() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  std::string convert(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 2);
    std::array<char, 4096> buffer;
    char* input = const_cast<char*>(bytes.data());  // WHY: iconv's signature; it does not write there
    std::size_t input_left = bytes.size();
    while (true) {
      char* output = buffer.data();
      std::size_t output_left = buffer.size();
      char** const source = input_left > 0 ? &input : nullptr;  // with nothing left: the state's last bytes
      const std::size_t status = iconv(handle_, source, &input_left, &output, &output_left);
      const int error = status == static_cast<std::size_t>(-1) ? errno : 0;
      out.append(buffer.data(), buffer.size() - output_left);
      if (error == 0 && source == nullptr) break;
      if (error == 0 || error == E2BIG) continue;
      out.append(kReplacement);
      if (error == EINVAL || input_left == 0) break;  // cut off within a character
      ++input;
      --input_left;
    }
    return out;
  }

 private:
  iconv_t handle_;
};

/// The name under which iconv knows `charset`; empty when it is none we convert.
std::string known_charset(std::string_view charset) {
  if (charset.empty() || charset.size() > kMaxCharsetName) return {};
  const std::string name = ascii::to_lower(charset);
  const bool is_clean = std::ranges::all_of(
      name, [](char c) { return ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '_' || c == '.'; });
  if (!is_clean || std::ranges::none_of(kCharsets, [&](std::string_view known) { return name.starts_with(known); })) return {};
  // QUIRK(Outlook): what it labels so are the supersets.
  if (name == "gb2312") return "gbk";
  if (name.starts_with("ks_c_5601")) return "cp949";
  if (name == "iso-8859-1") return "cp1252";
  return name;
}

constexpr std::string_view kBase64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<signed char, 256> make_base64_values() {
  std::array<signed char, 256> values{};
  for (auto& value : values) value = -1;
  for (std::size_t i = 0; i < kBase64Alphabet.size(); ++i) {
    values[static_cast<unsigned char>(kBase64Alphabet[i])] = static_cast<signed char>(i);
  }
  return values;
}
constexpr std::array<signed char, 256> kBase64Values = make_base64_values();

// RFC 2045 §6.8: characters outside the alphabet are ignored.
/// WHY not base64_decode: that one is strict, mail is not. '=' ends a group; what follows begins a new one.
std::string decode_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const int value = kBase64Values[static_cast<unsigned char>(c)];
    if (c == '=') bits = 0;
    if (value < 0) continue;
    group = (group << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>(group >> bits));
    }
  }
  return out;
}

std::optional<char> hex_octet(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const int high = ascii::hex_value(text[0]), low = ascii::hex_value(text[1]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

/// One line of quoted-printable without its line end; true when a soft line break ends it.
bool decode_quoted_printable_line(std::string& out, std::string_view line) {
  while (!line.empty() && ascii::is_space_or_tab(line.back())) line.remove_suffix(1);  // RFC 2045 §6.7 (3)
  const bool is_soft = line.ends_with('=');
  if (is_soft) line.remove_suffix(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::optional<char> octet = line[i] == '=' ? hex_octet(line.substr(i + 1)) : std::nullopt;
    out.push_back(octet.value_or(line[i]));
    if (octet) i += 2;
  }
  return is_soft;
}

std::string decode_quoted_printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    const bool has_line_end = end != std::string_view::npos;
    text.remove_prefix(has_line_end ? end + 1 : text.size());
    const bool has_cr = has_line_end && line.ends_with('\r');
    if (has_cr) line.remove_suffix(1);
    const bool is_soft = decode_quoted_printable_line(out, line);
    if (has_line_end && !is_soft) out.append(has_cr ? "\r\n" : "\n");
  }
  return out;
}

struct EncodedWord {
  std::string_view charset;
  std::string bytes;
  std::size_t length = 0;  // of the whole encoded-word
};

// encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
/// The encoded-word `text` begins with, or nothing.
std::optional<EncodedWord> encoded_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = text.find_first_of("? \t\r\n", 2);
  if (charset_end == std::string_view::npos || charset_end == 2 || text.size() < charset_end + 5) return std::nullopt;
  if (text[charset_end] != '?' || text[charset_end + 2] != '?') return std::nullopt;
  const char encoding = ascii::to_lower(text[charset_end + 1]);
  const std::size_t begin = charset_end + 3;
  const std::size_t end = text.find('?', begin);
  if (end == std::string_view::npos || end + 1 >= text.size() || text[end + 1] != '=') return std::nullopt;
  EncodedWord word;
  word.charset = text.substr(2, charset_end - 2);
  word.charset = word.charset.substr(0, word.charset.find('*'));  // RFC 2231 §5: "charset*language"
  word.length = end + 2;
  const std::string_view encoded = text.substr(begin, end - begin);
  if (encoding == 'b') {
    word.bytes = decode_base64(encoded);
  } else if (encoding == 'q') {
    std::string spaced(encoded);
    std::ranges::replace(spaced, '_', ' ');
    for (std::size_t i = 0; i < spaced.size(); ++i) {
      const std::optional<char> octet = spaced[i] == '=' ? hex_octet(std::string_view(spaced).substr(i + 1)) : std::nullopt;
      word.bytes.push_back(octet.value_or(spaced[i]));
      if (octet) i += 2;
    }
  } else {
    return std::nullopt;
  }
  return word;
}

std::size_t white_space_length(std::string_view text) { return std::min(text.find_first_not_of(" \t\r\n"), text.size()); }

}  // namespace

std::string decode_header_text(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  std::string_view plain = value.substr(0, 0);  // text before the next encoded-word, not yet written
  std::string pending_bytes, pending_charset;   // WHY: QUIRK(many): a character may be cut between two encoded-words
  const auto flush_plain = [&] { out += is_valid_utf8(plain) ? std::string(plain) : replace_invalid(plain); };
  const auto flush_pending = [&] {
    if (!pending_bytes.empty()) out += to_utf8(pending_bytes, pending_charset);
    pending_bytes.clear();
  };
  bool after_word = false;
  std::size_t at = 0, plain_begin = 0;
  while (at < value.size()) {
    const std::size_t next = value.find("=?", at);
    if (next == std::string_view::npos) break;
    std::optional<EncodedWord> word = encoded_word(value.substr(next));
    if (!word) {
      at = next + 2;
      continue;
    }
    plain = value.substr(plain_begin, next - plain_begin);
    // RFC 2047 §6.2: white space between two encoded-words is not shown.
    const bool is_adjacent = after_word && white_space_length(plain) == plain.size();
    if (!is_adjacent || !ascii::equal_ignoring_case(word->charset, pending_charset)) flush_pending();
    if (!is_adjacent) flush_plain();
    pending_charset = word->charset;
    pending_bytes += word->bytes;
    after_word = true;
    at = plain_begin = next + word->length;
  }
  flush_pending();
  plain = value.substr(plain_begin);
  flush_plain();
  return out;
}

std::string to_utf8(std::string_view bytes, std::string_view charset) {
  const bool is_utf8_name = ascii::equal_ignoring_case(charset, "utf-8") || ascii::equal_ignoring_case(charset, "us-ascii") ||
                            ascii::equal_ignoring_case(charset, "utf8") || charset.empty();
  if (is_utf8_name) return is_valid_utf8(bytes) ? std::string(bytes) : replace_invalid(bytes);
  const std::string name = known_charset(charset);
  if (name.empty()) return is_valid_utf8(bytes) ? std::string(bytes) : replace_non_ascii(bytes);
  Converter converter(name);
  if (!converter.is_open()) return replace_non_ascii(bytes);
  std::string out = converter.convert(bytes);
  return is_valid_utf8(out) ? out : replace_invalid(out);
}

std::string fold_for_search(std::string_view utf8) {
  if (!ascii::has_high_bit(utf8)) return ascii::to_lower(utf8);
  std::string out;
  out.reserve(utf8.size() + 8);
  while (!utf8.empty()) {
    ucs4_t character = 0;
    const int length = u8_mbtoucr(&character, bytes_of(utf8), utf8.size());
    std::uint8_t encoded[6];
    const int encoded_length = length > 0 ? u8_uctomb(encoded, uc_tolower(character), sizeof encoded) : -1;
    if (encoded_length > 0) {
      out.append(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(encoded_length));
      utf8.remove_prefix(static_cast<std::size_t>(length));
    } else {  // not UTF-8: the byte as it is
      out.push_back(utf8.front());
      utf8.remove_prefix(1);
    }
  }
  return out;
}

bool is_valid_utf8(std::string_view text) { return u8_check(bytes_of(text), text.size()) == nullptr; }

std::string decode_transfer_encoding(std::string_view body, std::string_view encoding) {
  if (ascii::equal_ignoring_case(encoding, "base64")) return decode_base64(body);
  if (ascii::equal_ignoring_case(encoding, "quoted-printable")) return decode_quoted_printable(body);
  return std::string(body);
}

}  // namespace posthus::mail
