// What the steps of a dry run mean, in words for people who do not know SMTP. Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>

#include "smtp/recorded_session.h"
#include "smtp/route.h"
#include "smtp/trial.h"

namespace posthus::smtp {

/// The way: questions to the DNS with their answers, or the route.
TrialStep describe_way(const RouteFacts& facts, const Answers& answers, const RoutePlan& plan);
/// What the connection to the host must prove, and why.
TrialStep describe_policy(const TlsPolicy& policy, const Hop& hop);
TrialStep describe_no_connection(const std::string& failure);
/// One command and its reply.
TrialStep describe_exchange(const Exchange& exchange);
/// A handshake that was made. `demanded`: what the certificate had to prove.
TrialStep describe_certificate(const session::TlsFacts& facts, const std::optional<session::CertificateFacts>& seen,
                               session::PeerVerification::Kind demanded, Timestamp now);
TrialStep describe_tls_failure(const std::string& reason);

/// "mx.example.org [192.0.2.1]:25"
std::string to_text(const Hop& hop);

}  // namespace posthus::smtp
