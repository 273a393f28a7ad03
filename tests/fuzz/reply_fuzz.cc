// LINK: posthus_smtp
// Arbitrary bytes as replies of another server: bounded, washed, the same for every cut; the features of an EHLO answer.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/mail/encoded_word.h"
#include "smtp/peer_features.h"
#include "smtp/reply_parser.h"

namespace {

using namespace posthus;
using smtp::ReplyParser;

bool is_washed(std::string_view text) {
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F) return false;
  }
  return mail::is_valid_utf8(text);
}

std::string replies(std::string_view bytes, std::size_t cut) {
  std::string out;
  std::string left;
  ReplyParser parser;
  while (!bytes.empty()) {
    left.append(bytes.substr(0, cut));
    bytes.remove_prefix(std::min(cut, bytes.size()));
    std::string_view view = left;
    ReplyParser::Progress progress;
    while ((progress = parser.parse(view)) == ReplyParser::Progress::kReply) {
      const smtp::HostReply reply = parser.take();
      CHECK(reply.code >= 200 && reply.code < 600);
      CHECK(reply.lines.size() <= ReplyParser::kMaxText + ReplyParser::kMaxLines && is_washed(reply.lines));
      const smtp::RemoteReply remote = smtp::to_remote_reply(reply);
      CHECK(remote.text.size() <= store::kMaxRemoteWords && is_washed(remote.text));
      CHECK(remote.enhanced.empty() || remote.enhanced[0] == static_cast<char>('0' + reply.code / 100));
      const smtp::PeerFeatures features = smtp::parse_ehlo_answer(reply.lines);
      CHECK(features.chunking || !features.binary_mime);
      out += std::to_string(reply.code) + reply.lines + remote.enhanced + remote.text + std::to_string(features.max_size);
    }
    if (progress == ReplyParser::Progress::kBroken) return out + "broken";
    left.erase(0, left.size() - view.size());
    CHECK(left.size() < ReplyParser::kMaxLine);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = replies(bytes, ReplyParser::kMaxLine);
  for (const std::size_t cut : {std::size_t{1}, std::size_t{7}}) CHECK(replies(bytes, cut) == whole);
  return 0;
}
