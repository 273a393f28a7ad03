// Counts and limits; see sending_reader.h.
#include "store/sending_reader.h"

#include <string>

#include "core/base/ascii.h"
#include "store/key.h"
#include "store/queue_reader.h"
#include "store/rows.h"

namespace posthus::store {
namespace {

Result<> read_setting(const QueueReader& reader, std::string_view name, std::uint32_t& value) {
  const auto text = POSTHUS_TRY(reader.setting(name));
  if (!text) return {};
  if (const auto number = ascii::parse_decimal<std::uint32_t>(*text)) value = *number;
  return {};
}

void override_limits(EffectiveLimits& limits, const SendLimits& own) {
  limits.messages_per_day = own.messages_per_day.value_or(limits.messages_per_day);
  limits.new_recipients_per_day = own.new_recipients_per_day.value_or(limits.new_recipients_per_day);
}

}  // namespace

Result<SendingRecord> SendingReader::record(AccountId account) const {
  const auto row = POSTHUS_TRY(snapshot_.get(Table::kSending, account_key(account)));
  if (row) return decode_sending_record(*row);
  SendingRecord none;
  none.account = account;
  return none;
}

Result<bool> SendingReader::knows(AccountId account, std::uint64_t recipient) const {
  return POSTHUS_TRY(snapshot_.get(Table::kKnownRecipients, known_recipient_key(account, recipient))).has_value();
}

Result<EffectiveLimits> SendingReader::limits(AccountId account) const {
  EffectiveLimits limits;
  const QueueReader settings(snapshot_);
  POSTHUS_TRY_VOID(read_setting(settings, "limits.messages_per_day", limits.messages_per_day));
  POSTHUS_TRY_VOID(read_setting(settings, "limits.new_recipients_per_day", limits.new_recipients_per_day));
  POSTHUS_TRY_VOID(read_setting(settings, "limits.burst", limits.burst));
  const auto user = POSTHUS_TRY(get_user(snapshot_, account));
  if (!user) return fail(ErrorKind::kNotFound, "account " + std::to_string(account.value));
  const auto domain = POSTHUS_TRY(get_domain(snapshot_, std::string_view(user->address).substr(user->address.rfind('@') + 1)));
  if (domain) override_limits(limits, domain->limits);
  override_limits(limits, user->limits);
  return limits;
}

Result<std::vector<SendingRecord>> SendingReader::held() const {
  std::vector<SendingRecord> records;
  Result<> outcome;
  POSTHUS_TRY_VOID(snapshot_.scan(Table::kSending, "", "", [&](std::string_view, std::string_view value) {
    auto record = decode_sending_record(value);
    if (!record) {
      outcome = std::unexpected(record.error());
      return Visit::kStop;
    }
    if (record->is_held) records.push_back(*std::move(record));
    return Visit::kContinue;
  }));
  POSTHUS_TRY_VOID(outcome);
  return records;
}

}  // namespace posthus::store
