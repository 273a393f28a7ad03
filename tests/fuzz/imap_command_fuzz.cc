// LINK: posthus_imap
// Framing and grammar of commands: nothing crashes, framing is the same for every cut, and what FETCH items are named in
// a response parses as the same item again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "imap/command_frame.h"
#include "imap/command_parser.h"
#include "imap/command_table.h"
#include "imap/limits.h"

using namespace posthus;
using namespace posthus::imap;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

/// The size of the first command; 0 when it is not complete or too long. Literals up to 4096 are accepted.
std::size_t frame(std::string_view bytes, std::size_t cut) {
  CommandFrame frame;
  for (std::size_t have = cut;; have += cut) {
    const auto seen = bytes.substr(0, std::min(have, bytes.size()));
    Frame outcome = frame.scan(seen);
    while (outcome == Frame::kLiteral) {
      if (frame.literal_size() > 4096 || frame.literals() == kMaxLiterals) return 0;
      frame.literal_accepted();
      outcome = frame.scan(seen);
    }
    if (outcome == Frame::kComplete) return frame.size();
    if (outcome == Frame::kTooLong || have >= bytes.size()) return 0;
  }
}

void check_labels(const FetchArguments& fetch) {
  for (const auto& item : fetch.items) {
    if (item.kind != FetchKind::kSection && item.kind != FetchKind::kBinary) continue;
    std::string label = item.label;
    if (item.partial) label.insert(label.size() - 1, ".1");
    Scanner scanner(label);
    const auto again = fetch_items(scanner);
    require(again && again->size() == 1 && scanner.at_end() && again->front().label == item.label);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t whole = frame(text, size + 1);
  require(whole <= size);
  if (size < 2000) require(frame(text, 1) == whole && frame(text, 3) == whole);
  append_head(text, NameForm::kModifiedUtf7);
  if (whole == 0) return 0;
  for (const auto form : {NameForm::kModifiedUtf7, NameForm::kUtf8}) {
    Scanner scanner(without_line_end(text.substr(0, whole)));
    if (!scanner.tag() || !scanner.take(' ')) return 0;
    const CommandRow* row = find_command(scanner);
    if (!row) return 0;
    const auto parsed = arguments(scanner, row->grammar, form);
    require(!parsed || scanner.at_end());
    if (parsed && row->grammar == Grammar::kFetch) check_labels(std::get<FetchArguments>(*parsed));
  }
  return 0;
}
