// LINK: posthus_imap
// Search programs: parsing is bounded in depth and count, and inner nodes know the cost of their dearest child.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "imap/limits.h"
#include "imap/search_program.h"

using namespace posthus;
using namespace posthus::imap;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::size_t check(const SearchKey& key, int depth) {
  require(depth <= 2 * kMaxSearchNesting + 2);
  std::size_t keys = 1;
  SearchKeyKind cheapest = SearchKeyKind::kAll;
  for (const auto& child : key.children) {
    require(child.cost <= key.cost && cheapest <= child.cost);
    cheapest = child.cost;
    keys += check(child, depth + 1);
  }
  return keys;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Scanner scanner(std::string_view(reinterpret_cast<const char*>(data), size));
  const auto program = search_program(scanner);
  if (program) require(check(program->root, 0) <= kMaxSearchKeys + 2);
  return 0;
}
