// LINK: posthus_core_dns
// Record data of every type, and zone-like text. Byte 0 chooses the type, the rest is cut at 0xFF into records.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/dns/memory_resolver.h"
#include "core/dns/record.h"

using namespace posthus::dns;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr RecordType kTypes[] = {RecordType::kA,    RecordType::kCname, RecordType::kPtr,  RecordType::kMx, RecordType::kTxt,
                                   RecordType::kAaaa, RecordType::kSrv,   RecordType::kTlsa, RecordType::kCaa};
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const RecordType type = kTypes[data[0] % 9];
  input.remove_prefix(1);
  MemoryResolver zone;
  static_cast<void>(zone.add_zone(input));
  Answer answer;
  while (!input.empty()) {
    const std::size_t end = input.find('\xFF');
    append_record(type, input.substr(0, end), answer);
    input = end == std::string_view::npos ? std::string_view{} : input.substr(end + 1);
  }
  for (const MxRecord& record : answer.exchanges) {
    if (record.exchange.size() > kMaxNameText || (!record.exchange.empty() && !is_question_name(record.exchange))) std::abort();
  }
  for (const std::string& name : answer.names) {
    if (!name.empty() && !is_question_name(name)) std::abort();
  }
  return 0;
}
