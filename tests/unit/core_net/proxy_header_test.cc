// The grammar of PROXY headers: both versions whole, cut anywhere, and everything that is none.
#include "core/net/proxy_header.h"

#include <gtest/gtest.h>

#include "core/base/hash.h"

namespace posthus::net {
namespace {

using HeaderKind = ProxyHeader::Kind;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string binary(std::string_view version_and_command, std::string_view family, const std::string& block) {
  std::string out = kSignature;
  out.append(version_and_command).append(family);
  out += static_cast<char>(block.size() >> 8);
  out += static_cast<char>(block.size() & 0xFF);
  return out + block;
}

const std::string kInetBlock("\xC0\x00\x02\x01\xC6\x33\x64\x02\x30\x39\x00\x19", 12);  // 192.0.2.1:12345 to 198.51.100.2:25
const std::string kInetHeader = binary("\x21", "\x11", kInetBlock);

ProxyHeader whole(std::string_view bytes) {
  const auto parsed = parse_proxy_header(bytes);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().context);
  EXPECT_TRUE(parsed && *parsed);
  return parsed && *parsed ? **parsed : ProxyHeader{};
}

std::string refusal(std::string_view bytes) {
  const auto parsed = parse_proxy_header(bytes);
  if (!parsed) return parsed.error().context;
  return *parsed ? "accepted" : "incomplete";
}

TEST(ProxyHeader, AVersionOneLineNamesBothEnds) {
  const std::string line = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n";
  const ProxyHeader header = whole(line + "EHLO x\r\n");
  EXPECT_EQ(header.kind, HeaderKind::kAddresses);
  EXPECT_EQ(header.size, line.size());
  EXPECT_EQ(to_string(header.client.address), "192.0.2.1");
  EXPECT_EQ(header.client.port, 56324);
  EXPECT_EQ(to_string(header.server.address), "198.51.100.2");
  EXPECT_EQ(header.server.port, 25);
  const ProxyHeader six = whole("PROXY TCP6 2001:DB8::1 ::ffff:198.51.100.2 0 65535\r\n");
  EXPECT_EQ(to_string(six.client.address), "2001:db8::1");
  EXPECT_EQ(to_string(six.server.address), "198.51.100.2");
  EXPECT_EQ(six.server.port, 65535);
}

TEST(ProxyHeader, UnknownClientsAreToldFromAddresses) {
  EXPECT_EQ(whole("PROXY UNKNOWN\r\n").kind, HeaderKind::kUnknown);
  const std::string longest = "PROXY UNKNOWN " + std::string(kMaxProxyLine - 16, 'f') + "\r\n";
  EXPECT_EQ(whole(longest).size, kMaxProxyLine);
  EXPECT_EQ(whole(binary("\x21", std::string_view("\0", 1), "anything")).kind, HeaderKind::kUnknown);
  EXPECT_EQ(whole(binary("\x21", "\x31", std::string(216, 'u'))).kind, HeaderKind::kUnknown);  // a Unix socket
  EXPECT_EQ(whole(binary("\x21", "\x12", kInetBlock)).kind, HeaderKind::kUnknown);             // UDP
}

TEST(ProxyHeader, AVersionTwoBlockNamesBothEnds) {
  const ProxyHeader header = whole(kInetHeader + "\x16\x03\x01");
  EXPECT_EQ(header.kind, HeaderKind::kAddresses);
  EXPECT_EQ(header.size, 28u);
  EXPECT_EQ(to_string(header.client.address), "192.0.2.1");
  EXPECT_EQ(header.client.port, 12345);
  EXPECT_EQ(to_string(header.server.address), "198.51.100.2");
  EXPECT_EQ(header.server.port, 25);
  std::string six(36, '\0');
  six[0] = '\x20', six[1] = '\x01', six[15] = '\x07', six[31] = '\x01', six[33] = '\x05';
  const ProxyHeader six_header = whole(binary("\x21", "\x21", six));
  EXPECT_EQ(to_string(six_header.client.address), "2001::7");
  EXPECT_EQ(six_header.client.port, 5);
}

TEST(ProxyHeader, LocalPassesOverWhateverComes) {
  EXPECT_EQ(whole(binary("\x20", std::string_view("\0", 1), "")).kind, HeaderKind::kLocal);
  EXPECT_EQ(whole(binary("\x20", "\xFF", "\x01\xFF\xFF")).kind, HeaderKind::kLocal);
}

TEST(ProxyHeader, EveryBeginningOfAHeaderIsIncomplete) {
  const std::string line = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n";
  for (const std::string& header : {line, kInetHeader, binary("\x21", "\x11", kInetBlock + std::string("\x04\x00\x01z", 4))}) {
    for (std::size_t cut = 0; cut < header.size(); ++cut) EXPECT_EQ(refusal(header.substr(0, cut)), "incomplete") << cut;
    EXPECT_EQ(whole(header).size, header.size());
  }
}

TEST(ProxyHeader, LinesThatDoNotMatchExactlyAreRefused) {
  for (const char* line : {"PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n",
                           "PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n",
                           "PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n",
                           "PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n",
                           "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
                           "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n",
                           "PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n",
                           "PROXY TCP5 a b 1 2\r\n",
                           "PROXY UNKNOWNX\r\n",
                           "PROXY \r\n",
                           "PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n\r\n",
                           "proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n",
                           "EHLO x\r\n",
                           "\x16\x03\x01",
                           " PROXY UNKNOWN\r\n",
                           "\r\nPROXY UNKNOWN\r\n"}) {
    const std::string why = refusal(line);
    EXPECT_TRUE(why != "accepted" && why != "incomplete") << line << why;
  }
}

TEST(ProxyHeader, ALineWithoutEndIsRefusedAtItsLimit) {
  EXPECT_EQ(refusal("PROXY UNKNOWN " + std::string(kMaxProxyLine - 15, 'f')), "incomplete");
  EXPECT_EQ(refusal("PROXY UNKNOWN " + std::string(kMaxProxyLine - 14, 'f')), "the line is too long");
}

TEST(ProxyHeader, BinaryHeadersThatAreNoneAreRefused) {
  EXPECT_EQ(refusal(binary("\x11", "\x11", kInetBlock)), "the version is not 2");
  EXPECT_EQ(refusal(binary("\x22", "\x11", kInetBlock)), "the command is not known");
  EXPECT_EQ(refusal(binary("\x21", "\x41", kInetBlock)), "the address family is not known");
  EXPECT_EQ(refusal(binary("\x21", "\x13", kInetBlock)), "the address family is not known");
  EXPECT_EQ(refusal(binary("\x21", "\x11", kInetBlock.substr(1))), "the addresses are cut off");
  EXPECT_EQ(refusal(binary("\x21", "\x21", kInetBlock)), "the addresses are cut off");
  EXPECT_EQ(refusal(binary("\x21", "\x11", kInetBlock + "\x01")), "a TLV is cut off");
  EXPECT_EQ(refusal(binary("\x21", "\x11", kInetBlock + std::string("\x01\x00\x02z", 4))), "a TLV is cut off");
  EXPECT_EQ(refusal(binary("\x21", "\x11", kInetBlock + std::string(kMaxProxyHeader, 'x')).substr(0, 16)),
            "the header is longer than 536 bytes");
}

TEST(ProxyHeader, AChecksumMustHold) {
  std::string header = binary("\x21", "\x11", kInetBlock + std::string("\x03\x00\x04\0\0\0\0", 7));
  const std::uint32_t sum = crc32c(header);
  std::string right = header;
  for (int i = 0; i < 4; ++i)
    right[right.size() - 4 + static_cast<std::size_t>(i)] = static_cast<char>(sum >> (24 - 8 * i) & 0xFF);
  EXPECT_EQ(whole(right).kind, HeaderKind::kAddresses);
  right[16] ^= 1;
  EXPECT_EQ(refusal(right), "the checksum is wrong");
  EXPECT_EQ(refusal(binary("\x21", "\x11", kInetBlock + std::string("\x03\x00\x01z", 4))), "the checksum is wrong");
}

}  // namespace
}  // namespace posthus::net
