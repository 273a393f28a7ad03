// Who may not try to sign in is known after a restart as well: every few seconds the authenticator's blocks go into the store,
// when they are others than before; what a crash takes are the last seconds. Thread rule: as KeptSignIns.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/sasl/authenticator.h"
#include "store/store.h"

namespace posthus::main {

class KeptBlocks {
 public:
  /// Both must outlive it.
  KeptBlocks(store::Store& store, sasl::Authenticator& authenticator) : store_(store), authenticator_(authenticator) {}
  /// Gives the authenticator what was kept. REQUIRES: before the first login.
  Result<> restore();
  /// Keeps what is blocked now; when there is more than the store takes, what holds longest. REQUIRES: the store still takes
  /// requests; not on the Writer's thread.
  void flush();

 private:
  store::Store& store_;
  sasl::Authenticator& authenticator_;
  std::mutex mutex_;
  std::vector<std::string> written_;  // as encoded
};

}  // namespace posthus::main
