// ChangeHub: tells watchers that a mailbox has changed. Events carry no data: a lost or doubled wake-up is harmless,
// no queue can overflow. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/base/ids.h"

namespace posthus::store {

class ChangeHub {
 public:
  ChangeHub();
  ~ChangeHub();

  /// Watches until it dies. `wake` is called from the Writer's thread after each commit that changed the mailbox; it
  /// must only post. After the destructor returns, `wake` is not called any more. REQUIRES: the hub outlives it.
  class Watch {
   public:
    Watch() = default;
    Watch(Watch&& other) noexcept;
    Watch& operator=(Watch&& other) noexcept;
    ~Watch();

   private:
    friend class ChangeHub;
    ChangeHub* hub_ = nullptr;
    MailboxId mailbox_;
    std::uint64_t id_ = 0;
  };
  Watch watch(MailboxId mailbox, std::function<void()> wake);
  void announce(MailboxId mailbox);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace posthus::store
