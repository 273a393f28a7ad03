// LINK: posthus_core_dns
// Replies to updates and queries, and the texts of keys. Whatever comes, a reply is only good with our key's signature.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/dns/update.h"

using namespace posthus;
using namespace posthus::dns;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_tsig_key(input));
  const auto key = parse_tsig_key("update:c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IQ==");
  const Timestamp now = Timestamp::from_seconds(1'800'000'000);
  const auto request = update_message(7, "example.test", {{.name = "a.example.test", .values = {"x"}}}, *key, now);
  if (read_update_reply(input, 7, *request, *key, now)) std::abort();
  for (const RecordType type : {RecordType::kTxt, RecordType::kMx}) {
    const auto answer = read_query_reply(input, 7, "example.test", type);
    if (answer && answer->texts.size() + answer->exchanges.size() > kMaxRecords) std::abort();
  }
  return 0;
}
