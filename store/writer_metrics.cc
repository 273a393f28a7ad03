// WriterMetrics: see the header.
#include "store/writer_metrics.h"

#include <string>
#include <string_view>

#include "store/write_request.h"

namespace posthus::store {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<WriteRequest>> kKindNames = {"add_message",
                                                                                        "change_flags",
                                                                                        "expunge",
                                                                                        "copy_messages",
                                                                                        "create_mailbox",
                                                                                        "delete_mailbox",
                                                                                        "rename_mailbox",
                                                                                        "set_subscription",
                                                                                        "claim_recent",
                                                                                        "put_domain",
                                                                                        "remove_domain",
                                                                                        "put_user",
                                                                                        "remove_user",
                                                                                        "put_alias",
                                                                                        "remove_alias",
                                                                                        "put_token",
                                                                                        "remove_token",
                                                                                        "record_attempt",
                                                                                        "change_queue",
                                                                                        "hold_account",
                                                                                        "add_trace",
                                                                                        "put_route",
                                                                                        "remove_route",
                                                                                        "put_dkim_key",
                                                                                        "remove_dkim_key",
                                                                                        "put_setting",
                                                                                        "put_sts_policy",
                                                                                        "remove_sts_policy",
                                                                                        "put_tls_tally",
                                                                                        "put_certificate",
                                                                                        "remove_certificate",
                                                                                        "put_acme_account",
                                                                                        "put_second_factor",
                                                                                        "use_second_factor",
                                                                                        "remove_second_factor",
                                                                                        "put_app_password",
                                                                                        "use_app_password",
                                                                                        "remove_app_password",
                                                                                        "add_audit",
                                                                                        "add_history",
                                                                                        "put_alert",
                                                                                        "put_grant",
                                                                                        "remove_grant",
                                                                                        "put_passkey",
                                                                                        "use_passkey",
                                                                                        "remove_passkey",
                                                                                        "put_sign_ins",
                                                                                        "put_dns_check",
                                                                                        "put_login_blocks",
                                                                                        "rename_user",
                                                                                        "note_limit",
                                                                                        "rename_domain",
                                                                                        "put_own_alias",
                                                                                        "remove_own_alias"};
static_assert(!kKindNames.back().empty(), "a kind without a name: those behind it would be counted under wrong ones");
static_assert(kKindNames.size() == std::tuple_size_v<decltype(WriterMetrics::apply)>);

}  // namespace

WriterMetrics::WriterMetrics() {
  for (std::size_t i = 0; i < apply.size(); ++i) {
    apply[i] = &metrics::histogram("posthus_store_apply_microseconds", "Applying one request or slice",
                                   "kind=\"" + std::string(kKindNames[i]) + "\"");
  }
}

WriterMetrics& writer_metrics() {
  static WriterMetrics instance;
  return instance;
}

}  // namespace posthus::store
