// MemorySegments: message texts in memory, for tests and session dialogs. One endless segment; an offset is an index.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/segments.h"

namespace posthus::store {

class MemorySegments final : public Segments {
 public:
  void begin_group() override;
  BlobPlacement place(SegmentEntry entry) override;
  void unplace() override;
  Result<> write_group() override;
  std::vector<SegmentChange> changes() const override;
  void end_group(GroupEnd end) override;
  Result<> read(std::uint32_t segment, std::uint64_t offset, std::uint64_t length, std::string& out) override;

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<const std::string>> texts_;  // by the offset of their first byte; guarded by mutex_
  struct Placed {
    std::uint64_t offset = 0;
    SegmentEntry entry;
  };
  std::vector<Placed> placed_;
  std::uint64_t end_ = 0;     // where committed texts end
  std::uint64_t cursor_ = 0;  // where placed texts end
};

}  // namespace posthus::store
