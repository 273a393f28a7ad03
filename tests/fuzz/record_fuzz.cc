// LINK: posthus_store
// Arbitrary bytes through every record decoder: a record or kCorrupt; what decodes encodes to the same bytes again where
// the encoding is unique.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "store/record_alert.h"
#include "store/record_certificate.h"
#include "store/record_directory.h"
#include "store/record_dns_check.h"
#include "store/record_grant.h"
#include "store/record_history.h"
#include "store/record_identity.h"
#include "store/record_login_block.h"
#include "store/record_mailbox.h"
#include "store/record_passkey.h"
#include "store/record_queue.h"
#include "store/record_sign_in.h"
#include "store/record_tls.h"
#include "store/sent_today.h"

namespace {

/// The kinds from 14 on.
void decode_further(int kind, std::string_view bytes) {
  using namespace posthus::store;
  switch (kind) {
    case 14:
      if (const auto r = decode_certificate(bytes)) CHECK(encode_certificate(*r) == bytes);
      break;
    case 15:
      if (const auto r = decode_acme_account(bytes)) CHECK(encode_acme_account(*r) == bytes);
      break;
    case 16:
      if (const auto r = decode_second_factor(bytes)) CHECK(encode_second_factor(*r) == bytes);
      break;
    case 17:
      if (const auto r = decode_app_password(bytes)) CHECK(encode_app_password(*r).size() == bytes.size());
      break;
    case 18:
      if (const auto r = decode_history_row(bytes)) CHECK(encode_history_row(*r) == bytes);
      break;
    case 19:
      if (const auto r = decode_alert(bytes)) CHECK(encode_alert(*r) == bytes);
      break;
    case 20:
      if (const auto r = decode_grant(bytes)) CHECK(encode_grant(*r).size() == bytes.size());
      break;
    case 21:
      if (const auto r = decode_passkey(bytes)) CHECK(encode_passkey(*r) == bytes);
      break;
    case 22:
      if (const auto r = decode_sign_in(bytes)) CHECK(encode_sign_in(*r) == bytes);
      break;
    case 23:
      if (const auto r = decode_dns_check(bytes)) CHECK(encode_dns_check(*r) == bytes);
      break;
    case 24:
      if (const auto r = decode_login_block(bytes)) CHECK(encode_login_block(*r) == bytes);
      break;
    case 25:
      if (const auto r = decode_sent_today(bytes)) CHECK(encode_sent_today(*r) == bytes);
      break;
    default: break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthus::store;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const int kind = data[0] % 26;
  switch (kind) {
    case 0:
      if (const auto r = decode_domain_record(bytes); r && bytes[0] >= 2) CHECK(encode_domain_record(*r).size() == bytes.size());
      break;
    case 1:
      if (const auto r = decode_user_record(bytes); r && bytes[0] >= 2) CHECK(encode_user_record(*r).size() == bytes.size());
      break;
    case 2:
      if (const auto r = decode_usage(bytes)) CHECK(encode_usage(*r) == bytes);
      break;
    case 3:
      if (const auto r = decode_alias_record(bytes)) CHECK(encode_alias_record(*r) == bytes);
      break;
    case 4:
      if (const auto r = decode_token_record(bytes)) CHECK(encode_token_record(*r).size() == bytes.size());
      break;
    case 5:
      if (const auto r = decode_mailbox_record(bytes)) {
        std::string again;
        encode_mailbox_record(*r, again);
        CHECK(again == bytes);
      }
      break;
    case 6:
      if (const auto r = decode_keywords(bytes)) CHECK(encode_keywords(*r) == bytes);
      break;
    case 8:
      if (const auto r = decode_queue_entry(bytes)) CHECK(encode_queue_entry(*r).size() == bytes.size());
      break;
    case 9:
      if (const auto r = decode_queued_recipient(bytes)) CHECK(encode_queued_recipient(*r).size() == bytes.size());
      break;
    case 10:
      if (const auto r = decode_route_record(bytes)) CHECK(encode_route_record(*r) == bytes);
      break;
    case 11:
      if (const auto r = decode_dkim_key_record(bytes)) CHECK(encode_dkim_key_record(*r).size() == bytes.size());
      break;
    case 12:
      if (const auto r = decode_sts_policy(bytes)) CHECK(encode_sts_policy(*r) == bytes);
      break;
    case 13:
      if (const auto r = decode_tls_tally(bytes)) CHECK(encode_tls_tally(*r) == bytes);
      break;
    case 7:
      if (const auto r = decode_expunged_row(bytes)) {
        if (r->uids.size() <= kExpungedRangesPerRow) CHECK(encode_expunged_row(*r) == bytes);
      }
      break;
    default: decode_further(kind, bytes);
  }
  return 0;
}
