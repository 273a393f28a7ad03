// The text of a queued message as it leaves: the header fields put before it, then the stored text without what is ours
// alone. Thread rule: reads the store, so never an io thread.
#pragma once

#include "smtp/client_session.h"
#include "smtp/delivery.h"
#include "store/store.h"

namespace posthus::smtp {

/// Texts up to this size are read at once, with the message; larger ones piece by piece.
inline constexpr std::uint64_t kMaxTextAtOnce = 64 * 1024;

/// The batch for the client session. What `context` names must outlive it.
OutgoingMessage to_outgoing(const QueueContext& context, const Batch& batch);

}  // namespace posthus::smtp
