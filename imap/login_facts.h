// Where a login attempt of this session comes from, for the authenticator. Thread rule: with the session.
#pragma once

#include "core/sasl/authenticator.h"
#include "imap/execution.h"

namespace posthus::imap {

/// RFC 9051 §6.2.3, §11.7: passwords travel under TLS only, unless the configuration says otherwise.
inline bool may_log_in(const SessionState& state) { return state.is_tls || state.context.allow_plaintext_login; }

inline sasl::LoginFacts login_facts(const SessionState& state) {
  sasl::LoginFacts facts;
  facts.protocol = "imap";
  facts.remote_address = state.remote_address;
  facts.is_tls = state.is_tls;
  facts.may_send_plaintext = state.context.allow_plaintext_login;
  if (state.tls) {
    facts.tls_exporter = state.tls->tls_exporter;
    facts.tls_unique = state.tls->tls_unique;
    facts.tls_server_end_point = state.tls->tls_server_end_point;
  }
  return facts;
}

}  // namespace posthus::imap
