// Where an envelope leads. Thread rule: pure functions.
#include "smtp/envelope.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/base/ascii.h"

namespace posthus::smtp {
namespace {

// RFC 3461 §4.1: no NOTIFY at all is as FAILURE,DELAY.
std::uint8_t notify_of_both(std::uint8_t one, std::uint8_t other) {
  if (one == other) return one;
  const auto asked = [](std::uint8_t said) { return said == notify::kUnset ? notify::kFailure | notify::kDelay : said; };
  return static_cast<std::uint8_t>((asked(one) | asked(other)) & ~notify::kNever);
}

}  // namespace

void Envelope::sort() {
  std::sort(inboxes.begin(), inboxes.end());
  inboxes.erase(std::unique(inboxes.begin(), inboxes.end()), inboxes.end());
  std::unordered_map<std::string_view, std::size_t> first_of;
  first_of.reserve(elsewhere.size());
  std::vector<store::QueuedRecipient> once;
  once.reserve(elsewhere.size());
  // WHY two passes: the map views the addresses, which must not move while it lives.
  std::vector<bool> is_first;
  is_first.reserve(elsewhere.size());
  for (std::size_t i = 0; i < elsewhere.size(); ++i) {
    const auto [first, is_new] = first_of.try_emplace(elsewhere[i].address, i);
    is_first.push_back(is_new);
    std::uint8_t& asked = elsewhere[first->second].notify;
    asked = notify_of_both(asked, elsewhere[i].notify);
  }
  for (std::size_t i = 0; i < elsewhere.size(); ++i) {
    if (is_first[i]) once.push_back(std::move(elsewhere[i]));
  }
  elsewhere = std::move(once);
}

std::vector<std::string> Envelope::destinations() const {
  std::vector<std::string> domains;
  domains.reserve(elsewhere.size());
  for (const store::QueuedRecipient& recipient : elsewhere) domains.push_back(recipient.domain);
  std::sort(domains.begin(), domains.end());
  domains.erase(std::unique(domains.begin(), domains.end()), domains.end());
  return domains;
}

store::QueuedRecipient to_queued(const mail::Address& address, const RcptParameters& parameters) {
  store::QueuedRecipient recipient;
  recipient.address = mail::to_string(address);
  recipient.domain = address.domain;
  recipient.original_recipient = parameters.original_recipient;
  recipient.notify = parameters.notify;
  return recipient;
}

std::vector<mail::ReportedRecipient> delivered_recipients(const Envelope& envelope, Timestamp now) {
  std::vector<mail::ReportedRecipient> delivered;
  for (const Recipient& recipient : envelope.recipients) {
    const bool is_ours_to_tell = recipient.has_inbox || recipient.is_expanded;
    if (!is_ours_to_tell || (recipient.parameters.notify & notify::kSuccess) == 0) continue;
    mail::ReportedRecipient reported;
    reported.original_recipient = recipient.parameters.original_recipient;
    reported.final_recipient = mail::to_string(recipient.address);
    // RFC 3461 §5.2.7.3 (c)
    reported.action = recipient.is_expanded ? mail::ReportAction::kExpanded : mail::ReportAction::kDelivered;
    reported.status = "2.0.0";
    reported.last_attempt = now;
    delivered.push_back(std::move(reported));
  }
  return delivered;
}

store::QueueEntry queue_entry(const Envelope& envelope, const MessageFacts& facts) {
  store::QueueEntry entry;
  entry.reverse_path = to_text(envelope.reverse_path);
  entry.accepted = facts.accepted;
  entry.envelope_id = envelope.parameters.envelope_id;
  if (envelope.parameters.ret != Ret::kUnset) {
    entry.return_content = envelope.parameters.ret == Ret::kFull ? store::ReturnContent::kFull : store::ReturnContent::kHeaders;
  }
  // What it is, not what the client said of it: many say nothing, and a needless word may cost a conversion.
  if (facts.has_8bit) entry.body = store::BodyKind::k8BitMime;
  if (envelope.parameters.body == Body::kBinaryMime) entry.body = store::BodyKind::kBinaryMime;
  // WHY not of the recipients: each transaction asks those it names.
  entry.is_utf8 = ascii::has_high_bit(entry.reverse_path) || (envelope.parameters.is_utf8 && facts.has_8bit_header);
  entry.requires_tls = envelope.parameters.requires_tls;
  entry.ignores_tls_policy = facts.asks_for_no_tls && !entry.requires_tls;  // RFC 8689 §4.1
  entry.origin = facts.origin;
  entry.account = facts.account;
  entry.local_header_bytes = facts.local_header_bytes;
  return entry;
}

std::string to_text(const ReversePath& path) { return path ? to_string(*path) : std::string(); }

}  // namespace posthus::smtp
