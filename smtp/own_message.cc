// Reports and notices on their way; see own_message.h.
#include "smtp/own_message.h"

#include <utility>

#include "core/base/ascii.h"
#include "core/base/log.h"
#include "core/base/queue_id.h"
#include "core/mail/date_time.h"
#include "core/mail/trace.h"
#include "store/directory_reader.h"

namespace posthus::smtp {
namespace {

Result<store::Resolution> resolve(store::Store& store, const mail::Address& to) {
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  store::Resolution resolution = POSTHUS_TRY(store::DirectoryReader(*snapshot).resolve(to, 0, store::QuotaCheck::kNone));
  using Kind = store::Resolution::Kind;
  if (resolution.kind == Kind::kNoSuchDomain || resolution.kind == Kind::kRelay)
    resolution.remote_targets = {mail::to_string(to)};
  return resolution;
}

Result<store::QueuedRecipient> queued_target(const std::string& target) {
  const mail::Address address = POSTHUS_TRY(mail::parse_mailbox(target, mail::Utf8::kAllow));
  store::QueuedRecipient recipient;
  recipient.address = target;
  recipient.domain = address.domain;
  recipient.notify = store::notify::kNever;  // RFC 3461 §6.2: a report asks for no report
  return recipient;
}

store::QueueEntry entry_of(const OwnMessage& message, Timestamp now, std::size_t local_header_bytes) {
  store::QueueEntry entry;
  entry.accepted = now;
  entry.origin = store::QueueOrigin::kReport;
  entry.body = ascii::has_high_bit(message.text) ? store::BodyKind::k8BitMime : store::BodyKind::k7Bit;
  entry.is_utf8 = message.is_utf8 || ascii::has_high_bit(message.to.local_part);
  entry.requires_tls = message.requires_tls;
  entry.ignores_tls_policy = message.ignores_tls_policy;
  entry.local_header_bytes = static_cast<std::uint32_t>(local_header_bytes);
  return entry;
}

// WHY unsigned is better than not at all: nobody else tells.
Signature own_signature(store::Store& store, const OwnMessage& message, Timestamp now) {
  if (!message.signing) return {};
  const auto snapshot = store.snapshot();
  auto fields = snapshot ? message.signing->sign(**snapshot, message.from_domain, message.text, now)
                         : Result<Signature>(std::unexpected(snapshot.error()));
  if (fields) return *std::move(fields);
  log::warning("smtp.not_signed", {{"domain", message.from_domain}, {"context", fields.error().context}});
  return {};
}

// Nothing in it needs escaping: the event is ours, and of the address only what JSON takes as it is is told.
// `fate`: as smtp/acceptance_trace tells it of others' mail.
std::string trace_of(const OwnMessage& message, Timestamp now, QueueId id, std::string_view fate) {
  std::string address = mail::to_string(message.to);
  for (char& c : address) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  }
  return "{\"time\":\"" + mail::format_rfc3339(now) + "\",\"event\":\"" + std::string(message.event) + "\",\"id\":\"" +
         to_text(id) + "\",\"from\":\"\",\"recipients\":[{\"recipient\":\"" + address + "\",\"event\":\"" + std::string(fate) +
         "\"}]}";
}

}  // namespace

Result<std::optional<store::AddMessage>> make_own_message(store::Store& store, const OwnMessage& message, Timestamp now) {
  const store::Resolution resolution = POSTHUS_TRY(resolve(store, message.to));
  if (resolution.inboxes.empty() && resolution.remote_targets.empty()) return std::nullopt;
  const std::string return_path = mail::return_path_field(std::nullopt);
  store::AddMessage request{.message = store.begin_message(), .internal_date = now};
  if (message.is_utf8) request.message.declare_internationalized();
  POSTHUS_TRY_VOID(request.message.append(return_path));
  POSTHUS_TRY_VOID(request.message.append(message.text));
  POSTHUS_TRY_VOID(request.message.finish());
  request.id = next_queue_id(now);
  request.trace = trace_of(message, now, request.id, resolution.remote_targets.empty() ? "delivered" : "queued");
  for (const MailboxId inbox : resolution.inboxes) request.targets.push_back({.mailbox = inbox});
  for (const std::string& target : resolution.remote_targets) request.recipients.push_back(POSTHUS_TRY(queued_target(target)));
  if (!request.recipients.empty()) {
    request.queue = entry_of(message, now, return_path.size());
    Signature signature = own_signature(store, message, now);
    request.queue->extra_header = std::move(signature.fields);
    request.queue->signing_domain = std::move(signature.domain);
  }
  return request;
}

void send_own_message(store::Store& store, const OwnMessage& message, Timestamp now) {
  const std::string to = mail::to_string(message.to), event(message.event);
  const auto failed = [to, event](const Error& error) {
    log::warning("smtp.own_message_lost",
                 {{"to", to}, {"event", event}, {"error", to_string(error.kind)}, {"context", error.context}});
  };
  auto request = make_own_message(store, message, now);
  if (!request) return failed(request.error());
  if (!*request) return log::info("smtp.own_message_dropped", {{"to", to}, {"event", event}});
  store.submit(**std::move(request), [failed](Result<store::WriteOutcome> outcome) {
    if (!outcome) failed(outcome.error());
  });
}

mail::ReportLanguage report_language(store::Store& store, std::string_view domain) {
  const auto snapshot = store.snapshot();
  if (!snapshot) return mail::ReportLanguage::kEnglish;
  const auto record = store::DirectoryReader(**snapshot).domain(domain);
  return record && *record ? (*record)->language : mail::ReportLanguage::kEnglish;
}

}  // namespace posthus::smtp
