// Counts and limits; see sending_reader.h.
#include "store/sending_reader.h"

#include <algorithm>
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

std::string_view domain_part(std::string_view address) { return address.substr(address.rfind('@') + 1); }

/// `own`: of the account; null: of the domain as such.
Result<EffectiveLimits> limits_of(const Snapshot& snapshot, std::string_view domain, const SendLimits* own) {
  EffectiveLimits limits;
  limits.domain = domain;
  const QueueReader settings(snapshot);
  POSTHUS_TRY_VOID(read_setting(settings, "limits.messages_per_day", limits.messages_per_day));
  POSTHUS_TRY_VOID(read_setting(settings, "limits.new_recipients_per_day", limits.new_recipients_per_day));
  POSTHUS_TRY_VOID(read_setting(settings, "limits.burst", limits.burst));
  POSTHUS_TRY_VOID(read_setting(settings, "limits.domain_messages_per_day", limits.domain_messages_per_day));
  POSTHUS_TRY_VOID(read_setting(settings, "limits.domain_new_recipients_per_day", limits.domain_new_recipients_per_day));
  const auto record = POSTHUS_TRY(get_domain(snapshot, domain));
  if (record) override_limits(limits, record->limits);
  const SendLimits total = record ? record->total_limits : SendLimits{};
  limits.domain_messages_per_day =
      total.messages_per_day.value_or(std::max(limits.domain_messages_per_day, limits.messages_per_day));
  limits.domain_new_recipients_per_day =
      total.new_recipients_per_day.value_or(std::max(limits.domain_new_recipients_per_day, limits.new_recipients_per_day));
  if (!own) return limits;
  override_limits(limits, *own);
  const bool is_given_more = limits.messages_per_day > limits.domain_messages_per_day ||
                             limits.new_recipients_per_day > limits.domain_new_recipients_per_day;
  if (is_given_more && !total.messages_per_day && !total.new_recipients_per_day) limits.domain.clear();
  return limits;
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
  const auto user = POSTHUS_TRY(get_user(snapshot_, account));
  if (!user) return fail(ErrorKind::kNotFound, "account " + std::to_string(account.value));
  return limits_of(snapshot_, domain_part(user->address), &user->limits);
}

Result<EffectiveLimits> SendingReader::domain_limits(std::string_view domain) const {
  return limits_of(snapshot_, domain, nullptr);
}

Result<ForwardLimits> SendingReader::forward_limits(std::string_view forwarder) const {
  ForwardLimits limits;
  POSTHUS_TRY_VOID(read_setting(QueueReader(snapshot_), "limits.forwards_per_day", limits.forwards_per_day));
  limits.domain_forwards_per_day = POSTHUS_TRY(domain_limits(domain_part(forwarder))).domain_messages_per_day;
  return limits;
}

Result<SentToday> SendingReader::sent_today(std::string_view name, Timestamp now) const {
  SentToday record;
  if (const auto row = POSTHUS_TRY(snapshot_.get(Table::kSentToday, sent_today_key(name)))) {
    record = POSTHUS_TRY(decode_sent_today(*row));
  }
  record.name = name;
  return rolled(std::move(record), now);
}

Result<std::vector<SentToday>> SendingReader::limits_met(Timestamp now) const {
  std::vector<SentToday> met;
  const std::uint32_t today = day_of(now);
  POSTHUS_TRY_VOID(snapshot_.scan(Table::kSentToday, "", "", [&](std::string_view, std::string_view value) {
    auto record = decode_sent_today(value);  // one that cannot be read: `check` tells
    if (record && record->met != MetLimit::kNone && record->day == today) met.push_back(*std::move(record));
    return Visit::kContinue;
  }));
  return met;
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
