// Parsing of PROXY headers.
#include "core/net/proxy_header.h"

#include <algorithm>
#include <cstring>

#include "core/base/ascii.h"
#include "core/base/hash.h"

namespace posthus::net {
namespace {

using Parsed = Result<std::optional<ProxyHeader>>;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kLineBegin = "PROXY ";
constexpr std::size_t kFixedPart = 16;  // signature, version and command, family and transport, length
constexpr std::uint8_t kChecksumType = 0x03;
constexpr std::size_t kTlvHead = 3;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// The part of `line` up to the next space, which is taken away; nothing at its end.
std::optional<std::string_view> next_word(std::string_view& line) {
  if (line.empty()) return std::nullopt;
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, space);
  if (space + 1 == line.size()) return std::nullopt;  // a space at the end separates nothing
  line.remove_prefix(std::min(space + 1, line.size()));
  return word;
}

std::optional<IpAddress> address_of(std::string_view family, std::string_view text) {
  // WHY the colon: an IPv4-mapped IPv6 address is kept as IPv4, but comes as TCP6.
  if (text.contains(':') != (family == "TCP6")) return std::nullopt;
  return parse_ip_address(text);
}

// 0 to 65535 without heading zeroes
std::optional<std::uint16_t> port_of(std::string_view text) {
  if (text.size() > 1 && text.starts_with('0')) return std::nullopt;
  return ascii::parse_decimal<std::uint16_t>(text);
}

// "PROXY" SP ("TCP4" / "TCP6") SP source SP destination SP source-port SP destination-port CRLF
// "PROXY" SP "UNKNOWN" [SP anything] CRLF
Parsed parse_line(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, kMaxProxyLine).find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() >= kMaxProxyLine) return fail(ErrorKind::kInvalid, "the line is too long");
    return std::nullopt;
  }
  ProxyHeader header{.size = end + 2};
  std::string_view line = bytes.substr(kLineBegin.size(), end - kLineBegin.size());
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return header;
  const auto family = next_word(line);
  if (!family || (*family != "TCP4" && *family != "TCP6")) return fail(ErrorKind::kInvalid, "neither TCP4, TCP6 nor UNKNOWN");
  const auto source = next_word(line), destination = next_word(line), source_port = next_word(line);
  if (!source || !destination || !source_port) return fail(ErrorKind::kInvalid, "addresses and ports are missing");
  const auto client = address_of(*family, *source), server = address_of(*family, *destination);
  const auto client_port = port_of(*source_port), server_port = port_of(line);
  if (!client || !server) return fail(ErrorKind::kInvalid, "an address is none");
  if (!client_port || !server_port) return fail(ErrorKind::kInvalid, "a port is none");
  header.kind = ProxyHeader::Kind::kAddresses;
  header.client = {*client, *client_port};
  header.server = {*server, *server_port};
  return header;
}

// The checksum is of the whole header with zeroes in its own place (section 2.2.3).
bool holds_checksum(std::string_view header, std::size_t at) {
  std::string zeroed(header);
  std::fill_n(zeroed.begin() + static_cast<std::ptrdiff_t>(at), 4, '\0');
  const std::uint32_t given = std::uint32_t{number_at(header, at)} << 16 | number_at(header, at + 2);
  return crc32c(zeroed) == given;
}

// *(type length(2) value), from `at` to the end of the header
Result<> check_tlvs(std::string_view header, std::size_t at) {
  while (at < header.size()) {
    if (header.size() - at < kTlvHead) return fail(ErrorKind::kInvalid, "a TLV is cut off");
    const std::uint8_t type = byte_at(header, at);
    const std::size_t length = number_at(header, at + 1);
    at += kTlvHead;
    if (header.size() - at < length) return fail(ErrorKind::kInvalid, "a TLV is cut off");
    if (type == kChecksumType && (length != 4 || !holds_checksum(header, at))) {
      return fail(ErrorKind::kInvalid, "the checksum is wrong");
    }
    at += length;
  }
  return {};
}

IpAddress address_at(std::string_view bytes, std::size_t at, std::size_t length) {
  IpAddress address{.is_v6 = length == 16};
  std::memcpy(address.bytes.data(), bytes.data() + at, length);
  if (length != 16) return address;
  // IPv4-mapped addresses become IPv4.
  return to_ip_endpoint(to_socket_address(address, 0)).value_or(IpEndpoint{address, 0}).address;
}

enum Family : std::uint8_t { kUnspecified = 0, kInet = 1, kInet6 = 2, kUnix = 3 };
enum Transport : std::uint8_t { kNoTransport = 0, kStream = 1, kDatagram = 2 };

Parsed parse_addresses(std::string_view header, std::uint8_t family, std::uint8_t transport) {
  ProxyHeader out{.size = header.size()};
  const std::size_t sizes[] = {0, 12, 36, 216};  // by family: two addresses and, with IP, two ports
  const bool is_known = family != kUnspecified && transport != kNoTransport;
  if (!is_known) return out;
  if (header.size() - kFixedPart < sizes[family]) return fail(ErrorKind::kInvalid, "the addresses are cut off");
  POSTHUS_TRY_VOID(check_tlvs(header, kFixedPart + sizes[family]));
  if (family == kUnix || transport != kStream) return out;
  const std::size_t length = family == kInet ? 4 : 16;
  const std::size_t ports = kFixedPart + 2 * length;
  out.kind = ProxyHeader::Kind::kAddresses;
  out.client = {address_at(header, kFixedPart, length), number_at(header, ports)};
  out.server = {address_at(header, kFixedPart + length, length), number_at(header, ports + 2)};
  return out;
}

// signature(12) version-and-command(1) family-and-transport(1) length(2) addresses *tlv
Parsed parse_binary(std::string_view bytes) {
  constexpr std::uint8_t kVersion = 2, kLocalCommand = 0, kProxyCommand = 1;
  if (bytes.size() < kFixedPart) return std::nullopt;
  const std::uint8_t command = byte_at(bytes, 12) & 0x0F, family = byte_at(bytes, 13) >> 4, transport = byte_at(bytes, 13) & 0x0F;
  if (byte_at(bytes, 12) >> 4 != kVersion) return fail(ErrorKind::kInvalid, "the version is not 2");
  if (command > kProxyCommand) return fail(ErrorKind::kInvalid, "the command is not known");
  const std::size_t size = kFixedPart + number_at(bytes, 14);
  if (size > kMaxProxyHeader) return fail(ErrorKind::kInvalid, "the header is longer than 536 bytes");
  // WHY not for LOCAL: its block is to be passed over, whatever it is.
  if (command == kProxyCommand && (family > kUnix || transport > kDatagram)) {
    return fail(ErrorKind::kInvalid, "the address family is not known");
  }
  if (bytes.size() < size) return std::nullopt;
  if (command == kLocalCommand) return ProxyHeader{.kind = ProxyHeader::Kind::kLocal, .size = size, .client = {}, .server = {}};
  return parse_addresses(bytes.substr(0, size), family, transport);
}

// Do `bytes` begin with `begin`, or `begin` with them?
bool may_begin_with(std::string_view bytes, std::string_view begin) {
  const std::size_t count = std::min(bytes.size(), begin.size());
  return bytes.substr(0, count) == begin.substr(0, count);
}

}  // namespace

Parsed parse_proxy_header(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  if (may_begin_with(bytes, kLineBegin)) return bytes.size() < kLineBegin.size() ? Parsed(std::nullopt) : parse_line(bytes);
  if (may_begin_with(bytes, kSignature)) return parse_binary(bytes);
  return fail(ErrorKind::kInvalid, "there is no header");
}

}  // namespace posthus::net
