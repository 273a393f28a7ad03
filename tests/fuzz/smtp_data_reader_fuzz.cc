// LINK: posthus_smtp
// The data reader in two cuts against a plain reading: the end is at the first CRLF "." CRLF and nowhere else, and bare
// CR and LF are seen. The header scan gets the same bytes, cut the same way.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "smtp/data_reader.h"
#include "smtp/header_scan.h"

using namespace posthus::smtp;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// Where the data ends in `wire`, which begins at a line start; npos when it does not.
std::size_t plain_end(std::string_view wire) {
  if (wire.starts_with(".\r\n")) return 3;
  const std::size_t found = wire.find("\r\n.\r\n");
  return found == std::string_view::npos ? found : found + 5;
}

bool plain_is_bare(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] != '\n') return true;
  }
  return false;
}

std::string plain_text(std::string_view wire) {
  std::string text;
  bool at_line_start = true;
  for (std::size_t i = 0; i < wire.size(); ++i) {
    if (at_line_start && wire[i] == '.') {
      if (wire.substr(i) == ".\r\n") break;
      at_line_start = false;
      continue;
    }
    text.push_back(wire[i]);
    at_line_start = wire[i] == '\n';
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t cut = data[0] % 17 + 1;
  const std::string_view wire(reinterpret_cast<const char*>(data + 1), size - 1);
  DataReader reader;
  HeaderScan scan;
  LineEndCheck check;
  std::string text;
  std::size_t at = 0;
  while (at < wire.size() && !reader.is_done()) {
    const std::string_view piece = wire.substr(at, cut);
    check.read(piece);
    at += reader.read(piece, [&](std::string_view part) {
      text.append(part);
      if (!scan.has_ended()) require(scan.read(part) <= part.size());
    });
  }
  const std::size_t end = plain_end(wire);
  require(reader.is_done() == (end != std::string_view::npos));
  if (!reader.is_done()) return 0;
  require(at == end);
  require(reader.has_bare_line_end() == plain_is_bare(wire.substr(0, end)));
  if (!reader.has_bare_line_end()) require(text == plain_text(wire.substr(0, end)));
  return 0;
}
