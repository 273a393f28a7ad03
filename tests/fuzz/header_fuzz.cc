// Arbitrary bytes as a header and as the value of a MIME field: fields lie inside the header, in order.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/mail/envelope.h"
#include "core/mail/header.h"
#include "core/mail/mime_field.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthus::mail;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const char* before = text.data();
  for_each_field(text, [&](const HeaderField& field) {
    CHECK(field.raw.data() >= before && field.raw.data() + field.raw.size() <= text.data() + text.size());
    CHECK(!field.name.empty() && field.raw.starts_with(field.name));
    CHECK(field.value.data() > field.name.data() &&
          field.value.data() + field.value.size() <= field.raw.data() + field.raw.size());
    before = field.raw.data() + field.raw.size();
    CHECK(unfold_to_spaces(field.value).find('\n') == std::string::npos);
    return true;
  });
  if (const auto end = header_end(text)) CHECK(*end <= size && make_envelope(text) == make_envelope(text.substr(0, *end)));
  (void)unfold(text);
  (void)count_fields(text, "to");
  for (const auto& [name, value] : read_parameters(text)) CHECK(!name.empty());
  Part part;
  read_mime_fields(text, DefaultType::kText, part);
  CHECK(!part.type.empty() && !part.subtype.empty() && !part.encoding.empty());
  return 0;
}
