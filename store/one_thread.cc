// The store of one thread. See one_thread.h.
#include "store/one_thread.h"

#include <utility>

#include "store/memory_engine.h"
#include "store/memory_segments.h"
#include "store/store_state.h"

namespace posthus::store {

std::unique_ptr<Store> create_for_one_thread(const Clock& clock) {
  auto state = std::make_unique<Store::State>();
  state->engine = std::make_unique<MemoryEngine>();
  state->segments = std::make_unique<MemorySegments>();
  state->writer = std::make_unique<Writer>(*state->engine, *state->segments, state->hub, clock, CommitThread::kSubmitter);
  return StoreParts::make(std::move(state));
}

}  // namespace posthus::store
