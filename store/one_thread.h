// A store for fuzzing, where one input must do the same each time and a hand-over between threads costs more than the work.
#pragma once

#include <memory>

#include "store/store.h"

namespace posthus::store {

/// In memory and without a thread of the Writer's: submit() commits and calls `done` before it returns. REQUIRES: one
/// thread uses it. `clock` must outlive the store.
std::unique_ptr<Store> create_for_one_thread(const Clock& clock);

}  // namespace posthus::store
