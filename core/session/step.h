// Step: what a session needs next. Six words cover SMTP, POP3, IMAP, HTTP framing and our own SMTP client.
#pragma once

#include <cstdint>

namespace posthus::session {

enum class Step : std::uint8_t {
  kRead,      // flush output, then received() with more client bytes
  kStartTls,  // flush, discard buffered plaintext, handshake, then tls_started()
  kRun,       // run() on a worker thread, then resumed()
  kWait,      // begin(resume); once resume() is called from any thread, resumed()
  kIdle,      // flush; then received() on client bytes or woken() on a wake-up
  kClose,     // flush and close
};

}  // namespace posthus::session
