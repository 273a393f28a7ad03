// What the unit test and the fuzzer of down-conversion share: the converted text, and how it compares with the message.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "core/mail/down_convert.h"
#include "core/mail/encoded_word.h"
#include "core/mail/summary.h"

namespace posthus::mail {

inline ReadText read_from(const std::string& message) {
  return [&message](std::uint64_t offset, std::uint64_t length, std::string& out) -> Result<> {
    out.append(message, offset, length);
    return {};
  };
}

inline std::string convert_all(DownConversion& conversion) {
  std::string out;
  while (!conversion.is_at_end()) {
    if (!conversion.read_on(out)) return "unreadable";
  }
  return out;
}

inline bool has_only_7bit(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
}

// Bytes above 127 are no part of base64, and decoders need not agree on what they mean.
inline std::string content_of(const std::string& message, const Part& part) {
  std::string body = message.substr(part.body_begin, part.body_end - part.body_begin);
  if (part.encoding == "base64") std::erase_if(body, [](char c) { return static_cast<signed char>(c) < 0; });
  return decode_transfer_encoding(body, part.encoding);
}

/// Empty when `converted` has the same parts with the same content as `message`, else what differs.
inline std::string difference(const std::string& message, const std::string& converted) {
  const Summary before = summarise(message);
  const Summary after = summarise(converted);
  if (before.parts.size() != after.parts.size()) {
    return "parts: " + std::to_string(before.parts.size()) + " became " + std::to_string(after.parts.size());
  }
  for (std::size_t i = 0; i < before.parts.size(); ++i) {
    const Part& one = before.parts[i];
    const Part& other = after.parts[i];
    const std::string where = "part " + std::to_string(i) + ": ";
    if (one.type != other.type || one.subtype != other.subtype || one.subtree != other.subtree) return where + "type or place";
    if (one.subtree == 1 && content_of(message, one) != content_of(converted, other)) return where + "content";
  }
  return {};
}

}  // namespace posthus::mail
