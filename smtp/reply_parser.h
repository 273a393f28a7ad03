// Replies of other servers, taken from whatever bytes they send. RFC 5321 §4.2 (codes, several lines), §4.5.3.1.5 (length);
// RFC 2034, 3463 (enhanced status codes). Everything is bounded; nothing a host says reaches a log or a report unwashed.
// Thread rule: an object belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "smtp/client_session.h"

namespace posthus::smtp {

/// One reply. `lines`: the text of each line without its code, ended by '\n'; UTF-8 without control characters.
struct HostReply {
  std::uint16_t code = 0;
  std::string lines;

  bool is_success() const { return code >= 200 && code < 300; }
  bool is_temporary() const { return code >= 400 && code < 500; }
  bool is_refusal() const { return code >= 500; }
};

/// What is kept of it: enhanced code apart, lines joined, cut to store::kMaxRemoteWords.
RemoteReply to_remote_reply(const HostReply& reply);

/// The text with control characters and bytes that are not UTF-8 replaced by '?', tabs by spaces.
std::string washed(std::string_view text);

class ReplyParser {
 public:
  static constexpr std::size_t kMaxLine = 1024;       // RFC 5321 §4.5.3.1.5 allows 512; some send more
  static constexpr std::size_t kMaxLines = 100;       // an EHLO answer has 10 to 20
  static constexpr std::size_t kMaxText = 16 * 1024;  // of one reply in all

  enum class Progress : std::uint8_t { kMore, kReply, kBroken };

  /// Takes whole lines off the front of `bytes` until a reply is complete. After kBroken the connection is of no use.
  Progress parse(std::string_view& bytes);
  /// The reply, after kReply; the parser is ready for the next one.
  HostReply take();
  /// What was wrong, after kBroken; static text.
  std::string_view problem() const { return problem_; }

 private:
  Progress take_line(std::string_view line);
  Progress broken(std::string_view problem);

  HostReply reply_;
  std::size_t line_count_ = 0;
  std::string_view problem_;
};

}  // namespace posthus::smtp
