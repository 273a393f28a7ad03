// Record data between text and wire; see record_text.h.
#include "core/dns/record_text.h"

#include <algorithm>
#include <vector>

#include "core/base/ascii.h"
#include "core/base/bytes.h"
#include "core/dns/record.h"

namespace posthus::dns {
namespace {

constexpr std::size_t kMaxString = 255;  // of a <character-string>, RFC 1035 §3.3
constexpr std::string_view kHex = "0123456789abcdef";

std::vector<std::string_view> blank_separated(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = ascii::trim(text)).empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

template <class T>
bool append_number(std::string& out, std::string_view word) {
  const auto number = ascii::parse_decimal<T>(word);
  if (!number) return false;
  if constexpr (sizeof(T) == 1) {
    out.push_back(static_cast<char>(*number));
  } else {
    append_u16(out, *number);
  }
  return true;
}

bool encode_name(std::string& out, std::string_view word) {
  if (word.ends_with('.')) word.remove_suffix(1);
  const auto name = name_to_wire(word);
  if (name) out += *name;
  return name.has_value();
}

bool append_hex(std::string& out, std::string_view word) {
  if (word.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < word.size(); i += 2) {
    const std::size_t high = kHex.find(ascii::to_lower(word[i])), low = kHex.find(ascii::to_lower(word[i + 1]));
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return true;
}

bool append_strings(std::string& out, std::string_view text) {
  do {
    const std::string_view piece = text.substr(0, kMaxString);
    out.push_back(static_cast<char>(piece.size()));
    out += piece;
    text.remove_prefix(piece.size());
  } while (!text.empty());
  return out.size() <= 65'535;
}

bool encode_caa(std::string& out, const std::vector<std::string_view>& words) {
  if (words.size() != 3 || words[1].empty() || words[1].size() > 15) return false;
  if (!append_number<std::uint8_t>(out, words[0])) return false;
  std::string_view value = words[2];
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
  out.push_back(static_cast<char>(words[1].size()));
  out.append(words[1]).append(value);
  return true;
}

bool encode_address(std::string& out, std::string_view word, bool is_v6) {
  const auto address = parse_ip_address(word);
  if (!address || address->is_v6 != is_v6) return false;
  for (std::size_t i = 0; i < (is_v6 ? 16u : 4u); ++i) out.push_back(static_cast<char>(address->bytes[i]));
  return true;
}

}  // namespace

std::string_view to_string(RecordType type) {
  switch (type) {
    case RecordType::kA: return "A";
    case RecordType::kCname: return "CNAME";
    case RecordType::kPtr: return "PTR";
    case RecordType::kMx: return "MX";
    case RecordType::kTxt: return "TXT";
    case RecordType::kAaaa: return "AAAA";
    case RecordType::kSrv: return "SRV";
    case RecordType::kTlsa: return "TLSA";
    case RecordType::kCaa: return "CAA";
  }
  return "?";
}

std::string reverse_labels(const IpAddress& address) {
  std::string out;
  for (std::size_t i = address.is_v6 ? 16 : 4; i-- > 0;) {
    const std::uint8_t octet = address.bytes[i];
    if (!out.empty()) out.push_back('.');
    if (address.is_v6) {
      out.append({kHex[octet & 15], '.', kHex[octet >> 4]});
    } else {
      out += std::to_string(octet);
    }
  }
  return out;
}

std::string reverse_name(const IpAddress& address) {
  return reverse_labels(address) + (address.is_v6 ? ".ip6.arpa" : ".in-addr.arpa");
}

std::string quote_text(std::string_view text) {
  std::string out;
  do {
    const std::string_view piece = text.substr(0, kMaxString);
    out += out.empty() ? "\"" : " \"";
    for (const char c : piece) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('"');
    text.remove_prefix(piece.size());
  } while (!text.empty());
  return out;
}

std::optional<std::string> name_to_wire(std::string_view name) {
  if (!name.empty() && !is_question_name(name)) return std::nullopt;
  std::string out;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('.'), name.size());
    out.push_back(static_cast<char>(end));
    out += ascii::to_lower(name.substr(0, end));
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  out.push_back('\0');
  return out;
}

std::optional<std::string> value_to_wire(RecordType type, std::string_view value) {
  std::string out;
  const auto words = blank_separated(value);
  const std::size_t count = words.size();
  bool is_good = false;
  switch (type) {
    case RecordType::kA: is_good = count == 1 && encode_address(out, words[0], false); break;
    case RecordType::kAaaa: is_good = count == 1 && encode_address(out, words[0], true); break;
    case RecordType::kCname:
    case RecordType::kPtr: is_good = count == 1 && encode_name(out, words[0]); break;
    case RecordType::kMx:
      is_good = count == 2 && append_number<std::uint16_t>(out, words[0]) && encode_name(out, words[1]);
      break;
    case RecordType::kTxt: is_good = append_strings(out, value); break;
    case RecordType::kSrv:
      is_good = count == 4 && append_number<std::uint16_t>(out, words[0]) && append_number<std::uint16_t>(out, words[1]) &&
                append_number<std::uint16_t>(out, words[2]) && encode_name(out, words[3]);
      break;
    case RecordType::kTlsa:
      is_good = count == 4 && append_number<std::uint8_t>(out, words[0]) && append_number<std::uint8_t>(out, words[1]) &&
                append_number<std::uint8_t>(out, words[2]) && append_hex(out, words[3]);
      break;
    case RecordType::kCaa: is_good = encode_caa(out, words); break;
  }
  return is_good ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace posthus::dns
