// Reports become messages. RFC 3461 §6.2 (what is returned), RFC 6522. Thread rule: any thread that may block.
#include "smtp/delivery_report.h"

#include <algorithm>
#include <atomic>

#include "core/base/ascii.h"
#include "core/base/log.h"
#include "core/base/queue_id.h"
#include "core/mail/address.h"
#include "core/mail/header.h"
#include "core/mail/trace.h"
#include "smtp/trace_event.h"
#include "store/directory_reader.h"

namespace posthus::smtp {
namespace {

using store::Resolution;

/// Where the report goes.
struct Reader {
  std::vector<MailboxId> inboxes;
  std::vector<std::string> elsewhere;  // addresses
  std::string problem;                 // nobody: why
};

Result<Reader> find_reader(const store::Snapshot& snapshot, const std::string& reverse_path) {
  Reader reader;
  const auto address = mail::parse_mailbox(reverse_path, mail::Utf8::kAllow);
  if (!address) {
    reader.problem = "the sender's address cannot be read";
    return reader;
  }
  Resolution resolution = POSTHUS_TRY(store::DirectoryReader(snapshot).resolve(*address, 0, store::QuotaCheck::kNone));
  switch (resolution.kind) {
    case Resolution::Kind::kLocal:
    case Resolution::Kind::kRemoteAlias:
      reader.inboxes = std::move(resolution.inboxes);
      reader.elsewhere = std::move(resolution.remote_targets);
      break;
    case Resolution::Kind::kOverQuota:
    case Resolution::Kind::kNoSuchUser:
    case Resolution::Kind::kDisabled:
    case Resolution::Kind::kOnlyMembers:
    case Resolution::Kind::kOnlyDomain:
    case Resolution::Kind::kAliasLoop: break;
    default: reader.elsewhere.push_back(reverse_path);  // not ours
  }
  if (reader.inboxes.empty() && reader.elsewhere.empty()) reader.problem = "the sender has no mailbox here any more";
  return reader;
}

// RFC 6533 §4.5. WHY by the address: what its server offers is not known here, and a report that needs SMTPUTF8 where there is
// none is lost without a word. Who has an address beyond ASCII lives by SMTPUTF8.
bool is_internationalized(const store::QueueEntry& entry, const Reader& reader) {
  return ascii::has_high_bit(entry.reverse_path) && std::ranges::all_of(reader.elsewhere, ascii::has_high_bit);
}

bool has_failed(const mail::ReportedRecipient& recipient) { return recipient.action == mail::ReportAction::kFailed; }

// RFC 3461 §4.3, §6.2: RET asks for the whole message of a failure; otherwise its header is enough.
Result<> add_original(const ReportRequest& request, mail::Report& report) {
  const store::QueueEntry& entry = request.entry;
  const std::uint64_t size = entry.size - std::min<std::uint64_t>(entry.size, entry.local_header_bytes);
  const bool is_failure = std::any_of(request.recipients.begin(), request.recipients.end(), has_failed);
  // RFC 8689 §5: with REQUIRETLS never more than the header.
  const bool returns_all =
      entry.return_content == store::ReturnContent::kFull && is_failure && size <= kMaxReturnedText && !entry.requires_tls;
  std::string text;
  const std::uint64_t wanted = returns_all ? size : std::min<std::uint64_t>(size, mail::kMaxReportedHeader);
  POSTHUS_TRY_VOID(request.store.read_message(request.snapshot, entry.blob, entry.local_header_bytes, wanted, text));
  const std::size_t end = std::min(mail::header_end(text).value_or(text.size()), mail::kMaxReportedHeader);
  report.original_header = text.substr(0, end);
  if (returns_all) report.original_text = std::move(text);
  return {};
}

Result<store::QueuedRecipient> queued(const std::string& address) {
  const mail::Address parsed = POSTHUS_TRY(mail::parse_mailbox(address, mail::Utf8::kAllow));
  store::QueuedRecipient recipient;
  recipient.address = mail::to_string(parsed);
  recipient.domain = parsed.domain;
  recipient.notify = store::notify::kNever;  // RFC 3461 §6: no report about a report
  return recipient;
}

store::QueueEntry report_entry(const ReportRequest& request, const mail::Report& report, std::size_t local_header_bytes) {
  store::QueueEntry entry;
  entry.local_header_bytes = static_cast<std::uint32_t>(local_header_bytes);
  entry.accepted = request.now;
  entry.origin = store::QueueOrigin::kReport;
  entry.is_utf8 = report.is_utf8;
  entry.requires_tls = request.entry.requires_tls;              // RFC 8689 §5
  entry.ignores_tls_policy = request.entry.ignores_tls_policy;  // RFC 8689 §6
  if (entry.is_utf8) entry.body = store::BodyKind::k8BitMime;
  return entry;
}

// WHY unsigned is better than not at all: the report is all that tells the sender.
Signature report_signature(const ReportRequest& request, const mail::Report& report, std::string_view text) {
  if (!request.signing) return {};
  const std::string_view domain = std::string_view(report.from).substr(report.from.rfind('@') + 1);
  auto fields = request.signing->sign(request.snapshot, domain, text, request.now);
  if (fields) return *std::move(fields);
  log::warning("smtp.not_signed", {{"domain", domain}, {"context", fields.error().context}});
  return {};
}

// A sender of ours is written to by the postmaster of his domain, in its language.
Result<> add_sender(const ReportRequest& request, mail::Report& report) {
  report.from = "postmaster@" + request.hostname;
  const auto address = mail::parse_mailbox(request.entry.reverse_path, mail::Utf8::kAllow);
  if (!address) return {};
  const auto domain = POSTHUS_TRY(store::DirectoryReader(request.snapshot).domain(address->domain));
  if (!domain) return {};
  report.from = "postmaster@" + domain->name;
  report.language = domain->language;
  return {};
}

Result<mail::Report> describe(ReportRequest& request, const Reader& reader, QueueId id) {
  mail::Report report;
  report.reporting_host = request.hostname;
  POSTHUS_TRY_VOID(add_sender(request, report));
  report.to = request.entry.reverse_path;
  report.envelope_id = request.entry.envelope_id;
  report.arrival = request.entry.accepted;
  report.now = request.now;
  report.message_id = to_text(id);
  report.queue_id = to_text(request.entry.id);
  report.is_utf8 = is_internationalized(request.entry, reader);
  report.ignores_tls_policy = request.entry.ignores_tls_policy;
  if (const auto read = add_original(request, report); !read) {
    // WHY: a message that cannot be read any more is not delivered either; its sender hears of it all the same.
    if (read.error().kind != ErrorKind::kCorrupt && read.error().kind != ErrorKind::kNotFound)
      return std::unexpected(read.error());
    log::warning("queue.unreadable", {{"id", report.queue_id}, {"context", read.error().context}});
  }
  report.recipients = std::move(request.recipients);
  return report;
}

std::string accepted_event(const ReportRequest& request, const Reader& reader, QueueId id) {
  TraceEvent event("accepted", request.now);
  event.text("id", to_text(id));
  event.text("detail", "report on " + to_text(request.entry.id));
  event.accepted_for(request.entry.reverse_path, reader.elsewhere.empty() ? "delivered" : "queued");
  return event.take();
}

std::string report_event(const ReportRequest& request, QueueId id, const std::string& problem) {
  TraceEvent event("report", request.now);
  event.texts("recipients", {request.entry.reverse_path});
  event.text("id", problem.empty() ? to_text(id) : "");
  event.text("detail", problem);
  return event.take();
}

}  // namespace

Result<ReportMessage> make_report(ReportRequest request) {
  const QueueId id = next_queue_id(request.now);
  const Reader reader = POSTHUS_TRY(find_reader(request.snapshot, request.entry.reverse_path));
  ReportMessage result{.message = nullptr, .event = report_event(request, id, reader.problem), .destination = {}};
  if (!reader.problem.empty()) return {std::move(result)};
  const std::string return_path = mail::return_path_field(std::nullopt);
  const mail::Report report = POSTHUS_TRY(describe(request, reader, id));
  const std::string text = mail::compose_report(report);
  store::IncomingMessage message = request.store.begin_message();
  if (report.is_utf8) message.declare_internationalized();
  POSTHUS_TRY_VOID(message.append(return_path));
  POSTHUS_TRY_VOID(message.append(text));
  POSTHUS_TRY_VOID(message.finish());
  result.message.reset(new store::AddMessage{.message = std::move(message),
                                             .targets = {},
                                             .quota = store::QuotaRule::kDelivery,
                                             .internal_date = request.now,
                                             .reverse_path = {},
                                             .trace = accepted_event(request, reader, id),
                                             .id = id,
                                             .queue = {},
                                             .recipients = {}});
  for (const MailboxId inbox : reader.inboxes) result.message->targets.push_back({inbox, 0, {}});
  for (const std::string& address : reader.elsewhere) {
    result.message->recipients.push_back(POSTHUS_TRY(queued(address)));
    result.destination = result.message->recipients.back().domain;
  }
  if (reader.elsewhere.empty()) return {std::move(result)};
  result.message->queue = report_entry(request, report, return_path.size());
  Signature signature = report_signature(request, report, text);
  result.message->queue->extra_header = std::move(signature.fields);
  result.message->queue->signing_domain = std::move(signature.domain);
  return {std::move(result)};
}

}  // namespace posthus::smtp
