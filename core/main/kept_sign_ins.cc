// Sign-ins between the authenticator and the store. See kept_sign_ins.h.
#include "core/main/kept_sign_ins.h"

#include <algorithm>

#include "core/base/log.h"
#include "core/sasl/sign_in_log.h"
#include "store/record_sign_in.h"

namespace posthus::main {
namespace {

static_assert(sasl::kMaxSignIns == store::kSignInSlots);

store::SignInRecord to_record(const sasl::SignIn& one) {
  return {.is_success = one.is_success(),
          .slot = one.slot,
          .number = one.number,
          .first = one.first,
          .last = one.last,
          .count = static_cast<std::uint32_t>(std::min<std::uint64_t>(one.count, UINT32_MAX)),
          .is_tls = one.is_tls,
          .login = one.login,
          .protocol = one.protocol,
          .mechanism = one.mechanism,
          .remote_address = one.remote_address,
          .result = one.result,
          .reason = one.reason,
          .app_password = one.app_password};
}

sasl::SignIn from_record(store::SignInRecord record) {
  return {.number = record.number,
          .first = record.first,
          .last = record.last,
          .count = record.count,
          .login = std::move(record.login),
          .protocol = std::move(record.protocol),
          .mechanism = std::move(record.mechanism),
          .remote_address = std::move(record.remote_address),
          .result = std::move(record.result),
          .reason = std::move(record.reason),
          .app_password = std::move(record.app_password),
          .is_tls = record.is_tls,
          .slot = record.slot};
}

}  // namespace

Result<> KeptSignIns::restore() {
  const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  std::vector<sasl::SignIn> kept;
  for (store::SignInRecord& record : POSTHUS_TRY(store::read_sign_ins(*snapshot))) kept.push_back(from_record(std::move(record)));
  context_.authenticator.restore_sign_ins(std::move(kept));
  return {};
}

void KeptSignIns::tick() {
  // WHY one at a time: what is taken twice at once could be written in the wrong order.
  if (is_writing_.exchange(true)) return;
  const bool is_queued = context_.run_blocking([this] {
    flush();
    is_writing_ = false;
  });
  if (!is_queued) is_writing_ = false;
}

void KeptSignIns::flush() {
  for (;;) {
    const auto taken = context_.authenticator.take_unsaved_sign_ins(store::kMaxSignInsPerRequest);
    if (taken.empty()) return;
    store::PutSignIns request;
    for (const sasl::SignIn& one : taken) request.sign_ins.push_back(to_record(one));
    const auto written = context_.store.apply(std::move(request));
    if (written) continue;
    context_.authenticator.put_back_sign_ins(taken);
    log::warning("sign_ins.not_kept", {{"context", written.error().context}});
    return;
  }
}

}  // namespace posthus::main
