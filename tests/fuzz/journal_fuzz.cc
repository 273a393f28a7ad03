// LINK: posthus_store
// What recovery reads: the changes of a journal record and the checkpoint, from arbitrary bytes: decoded or refused. What is
// decoded is recorded again, and must be told the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "store/checkpoint.h"
#include "store/journal.h"

namespace {

using namespace posthus;
using namespace posthus::store;

/// Records what it is told, and a line for each, in order.
class Recorder final : public ChangeVisitor {
 public:
  Result<> put(Table table, std::string_view key, std::string_view value) override {
    again.put(table, key, value);
    return {};
  }
  Result<> erase(Table table, std::string_view key) override {
    again.erase(table, key);
    return {};
  }
  Result<> write(std::uint32_t segment, std::uint64_t offset, std::string_view bytes) override {
    again.write(segment, offset, std::span(&bytes, 1));
    return {};
  }
  GroupChanges again;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto checkpoint = decode_checkpoint(bytes); checkpoint && encode_checkpoint(*checkpoint) != bytes) std::abort();
  Recorder first;
  if (!visit_changes(bytes, first)) return 0;
  // Puts of one row replace each other once; from then on nothing is left to replace.
  Recorder second, third;
  if (!visit_changes(first.again.bytes(), second) || !visit_changes(second.again.bytes(), third)) std::abort();
  if (second.again.bytes().size() > first.again.bytes().size()) std::abort();
  return 0;
}
