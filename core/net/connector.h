// Connector: makes one outbound connection, then hands the socket to a Driver.
// Only for .cc files of this folder (it includes Asio). Thread rule: its io thread.
#pragma once

#include <memory>

#include "core/net/driver.h"
#include "core/net/io_thread.h"
#include "core/net/outbound.h"

namespace posthus::net {

/// Calls `done` in every case, once. See Network::connect.
void connect_outbound(std::shared_ptr<IoThread> thread, OutboundOptions options, session::SessionFactory make_session,
                      Workers& workers, OutboundDone done);

}  // namespace posthus::net
