// Arbitrary bytes through DotStuffer in pieces (first byte: their size): the same as in one piece, no line is the end of
// data before the end, and taking the dots away gives the text back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/mail/dot_stuffing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using posthus::mail::DotStuffer;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = data[0] % 16 + 1U;
  DotStuffer stuffer;
  std::string whole, pieces;
  stuffer.append(whole, text);
  stuffer.finish(whole);
  for (std::size_t i = 0; i < text.size(); i += cut) stuffer.append(pieces, text.substr(i, cut));
  stuffer.finish(pieces);
  CHECK(whole == pieces);

  CHECK(whole.ends_with(".\r\n"));
  const std::string_view stuffed = std::string_view(whole).substr(0, whole.size() - 3);
  CHECK(stuffed.empty() || stuffed.ends_with("\r\n"));
  std::string plain;
  for (std::size_t i = 0; i < stuffed.size(); ++i) {
    const bool at_line_start = i == 0 || stuffed[i - 1] == '\n';
    if (at_line_start && stuffed[i] == '.') {
      CHECK(i + 1 < stuffed.size() && stuffed.substr(i, 3) != ".\r\n" && stuffed.substr(i, 2) != ".\n");
      plain.push_back(stuffed[++i]);
      continue;
    }
    plain.push_back(stuffed[i]);
  }
  CHECK(plain == text || plain == std::string(text) + "\r\n");
  return 0;
}
