// LINK: posthus_store
// Segment headers, record heads and origins from arbitrary bytes: decoded or refused; what decodes, encodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "store/segment_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthus::store;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string uuid(kStoreUuidBytes, 'u');
  (void)decode_segment_header(bytes);
  (void)decode_record_head(bytes, uuid);
  if (const auto origin = decode_origin(bytes)) {
    const std::string encoded = encode_origin(*origin);
    if (encoded.size() < kMaxOriginBytes / 2 && encoded != bytes) std::abort();
  }
  return 0;
}
