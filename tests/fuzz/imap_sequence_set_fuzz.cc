// LINK: posthus_imap
// Sequence sets and the sequence-number map, checked against plain lists of numbers. Byte 0: the size of the mailbox;
// then a set, ';', and a set of uids to remove.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "imap/sequence_set.h"
#include "imap/uid_map.h"

using namespace posthus;
using namespace posthus::imap;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool names(const SequenceSet& set, std::uint32_t number, std::uint32_t largest) {
  for (const auto& range : set.ranges) {
    const std::uint32_t a = range.first == 0 ? largest : range.first, b = range.last == 0 ? largest : range.last;
    if (std::min(a, b) <= number && number <= std::max(a, b)) return true;
  }
  return false;
}

void require_form(const store::UidSet& set) {
  for (std::size_t i = 0; i < set.size(); ++i) {
    require(set[i].first <= set[i].last && set[i].first.value > 0);
    require(i == 0 || std::uint64_t{set[i - 1].last.value} + 1 < set[i].first.value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::uint32_t largest = data[0];
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto split = text.find(';');
  Scanner scanner(text.substr(0, split));
  const auto set = sequence_set(scanner);
  if (!set || set->is_saved_result) return 0;
  const auto normal = normalise(*set, largest);
  require_form(normal);
  for (std::uint32_t n = 1; n <= 256; ++n) require(contains(normal, Uid{n}) == names(*set, n, largest));
  if (split == std::string_view::npos || largest == 0) return 0;
  Scanner rest(text.substr(split + 1));
  const auto gone = sequence_set(rest);
  if (!gone || gone->is_saved_result) return 0;
  UidMap map(store::UidSet{{Uid{1}, Uid{largest}}});
  map.remove(normalise(*gone, largest));
  require_form(map.uids());
  std::uint32_t sequence = 0;
  const auto chosen = map.uids_of(normal);
  for (std::uint32_t uid = 1; uid <= largest; ++uid) {
    const bool is_there = !names(*gone, uid, largest);
    if (is_there) ++sequence;
    require(map.sequence_of(Uid{uid}) == (is_there ? std::optional(sequence) : std::nullopt));
    require(contains(chosen, Uid{uid}) == (is_there && contains(normal, Uid{sequence})));
  }
  require(map.size() == sequence);
  return 0;
}
