// Record data: RFC 1035 §3.3, RFC 2782, RFC 6698 §2.1, RFC 8659 §4.1.
#include "core/dns/record.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/bytes.h"

namespace posthus::dns {
namespace {

constexpr std::size_t kMaxWireName = 255;  // RFC 1035 §2.3.4

bool is_name_octet(char c) { return ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '_' || c == '/'; }

template <class T>
bool append(std::vector<T>& records, T record) {
  if (records.size() < kMaxRecords) records.push_back(std::move(record));
  return true;
}

bool append_address(std::string_view rdata, bool is_v6, Answer& into) {
  if (rdata.size() != (is_v6 ? 16u : 4u)) return false;
  IpAddress address{.is_v6 = is_v6};
  std::copy_n(rdata.begin(), rdata.size(), address.bytes.begin());
  // WHY: through the text, so that ::ffff:192.0.2.1 becomes IPv4 as everywhere else.
  const auto normal = parse_ip_address(to_string(address));
  return normal && append(into.addresses, *normal);
}

bool append_name(std::string_view rdata, Answer& into) {
  auto name = parse_name(rdata);
  return name && append(into.names, std::move(*name));
}

bool append_mx(std::string_view rdata, Answer& into) {
  ByteReader reader(rdata);
  MxRecord record{.preference = reader.u16()};
  auto name = parse_name(reader.rest());
  if (!reader.ok() || !name) return false;
  record.exchange = std::move(*name);
  if (into.exchanges.size() < kMaxRecords) return append(into.exchanges, std::move(record));
  // WHY: the order of the records is chance, so a cut by order would lose the preferred hosts now and then (RFC 5321 §5.1).
  auto worst = std::max_element(into.exchanges.begin(), into.exchanges.end(),
                                [](const MxRecord& a, const MxRecord& b) { return a.preference < b.preference; });
  if (record.preference < worst->preference) *worst = std::move(record);
  return true;
}

// <character-string>s, one after the other: an octet with the length, then that many. RFC 1035 §3.3.14; joined without
// anything between, as RFC 7208 §3.3, RFC 6376 §3.6.2.2 and RFC 8461 §3.1 want it.
bool append_text(std::string_view rdata, Answer& into) {
  ByteReader reader(rdata);
  std::string text;
  while (reader.ok() && !reader.at_end()) text += reader.take(reader.u8());
  return reader.ok() && !rdata.empty() && append(into.texts, std::move(text));
}

bool append_srv(std::string_view rdata, Answer& into) {
  ByteReader reader(rdata);
  SrvRecord record;
  record.priority = reader.u16();
  record.weight = reader.u16();
  record.port = reader.u16();
  auto name = parse_name(reader.rest());
  if (!reader.ok() || !name) return false;
  record.target = std::move(*name);
  return append(into.services, std::move(record));
}

bool append_tlsa(std::string_view rdata, Answer& into) {
  ByteReader reader(rdata);
  TlsaRecord record;
  record.usage = reader.u8();
  record.selector = reader.u8();
  record.matching_type = reader.u8();
  record.data = std::string(reader.rest());
  return reader.ok() && append(into.tlsa, std::move(record));
}

// RFC 8659 §4.1: flags, the length of the tag, the tag, and all that is left is the value.
bool append_caa(std::string_view rdata, Answer& into) {
  ByteReader reader(rdata);
  CaaRecord record{.flags = reader.u8()};
  const std::string_view tag = reader.take(reader.u8());
  const bool is_good = reader.ok() && !tag.empty() &&
                       std::all_of(tag.begin(), tag.end(), [](char c) { return ascii::is_alpha(c) || ascii::is_digit(c); });
  if (!is_good) return false;
  record.tag = ascii::to_lower(tag);
  record.value = std::string(reader.rest());
  return append(into.authorities, std::move(record));
}

}  // namespace

std::optional<std::string> parse_name(std::string_view wire) {
  std::string name;
  if (wire.size() > kMaxWireName) return std::nullopt;
  while (!wire.empty()) {
    const auto length = static_cast<std::uint8_t>(wire.front());
    wire.remove_prefix(1);
    if (length == 0) return wire.empty() ? std::optional(std::move(name)) : std::nullopt;
    if (length > kMaxLabel || length > wire.size()) return std::nullopt;
    const std::string_view label = wire.substr(0, length);
    if (!std::all_of(label.begin(), label.end(), is_name_octet)) return std::nullopt;
    if (!name.empty()) name.push_back('.');
    for (const char c : label) name.push_back(ascii::to_lower(c));
    wire.remove_prefix(length);
  }
  return std::nullopt;  // without the root label at its end
}

bool is_question_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameText) return false;
  std::size_t label = 0;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet <= 0x20 || octet >= 0x7F) return false;
    if (c == '.' && label == 0) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > kMaxLabel) return false;
  }
  return label > 0;
}

bool append_record(RecordType type, std::string_view rdata, Answer& into) {
  switch (type) {
    case RecordType::kA: return append_address(rdata, false, into);
    case RecordType::kAaaa: return append_address(rdata, true, into);
    case RecordType::kCname:
    case RecordType::kPtr: return append_name(rdata, into);
    case RecordType::kMx: return append_mx(rdata, into);
    case RecordType::kTxt: return append_text(rdata, into);
    case RecordType::kSrv: return append_srv(rdata, into);
    case RecordType::kTlsa: return append_tlsa(rdata, into);
    case RecordType::kCaa: return append_caa(rdata, into);
  }
  return false;
}

}  // namespace posthus::dns
