// Arbitrary bytes as a message: every cut gives the same summary, its tree is sound, and its stored form reads back the
// same. The same bytes as a stored summary: a summary or kCorrupt, and what decodes can be sent and searched.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "tests/unit/core_mail/summary_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthus::mail;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Summary summary = summarise(bytes);
  const std::string text = to_text(summary);
  CHECK(summary.size == size);
  CHECK(nesting_faults(summary).empty());
  for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
    CHECK(to_text(summarise_cut(bytes, cut)) == text);
  }
  const auto decoded = decode_summary(encode_summary(summary));
  CHECK(decoded && to_text(*decoded) == text);

  if (const auto stored = decode_summary(bytes)) {
    std::string structure;
    append_structure(structure, stored->parts, Structure::kBody);
    append_structure(structure, stored->parts, Structure::kBodyStructure);
    CHECK(!structure.empty());
    (void)find_part(stored->parts, {1, 2, 1});
    const auto again = decode_summary(encode_summary(*stored));
    CHECK(again && to_text(*again) == to_text(*stored));
  }
  return 0;
}
