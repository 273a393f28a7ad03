// From batch to OutgoingMessage. RFC 5321 §4.4 (no Return-Path leaves); RFC 6376 §5.3 (what is converted is signed anew). Thread
// rule: outgoing_text.h.
#include "smtp/outgoing_text.h"

#include <algorithm>
#include <utility>

namespace posthus::smtp {
namespace {

/// Where the text lies.
struct TextSource {
  const store::Store* store = nullptr;
  BlobId blob;
  std::uint64_t local_header_bytes = 0, size = 0;  // of the stored text
  std::string extra_header;

  std::uint64_t outgoing_size() const { return extra_header.size() + size - local_header_bytes; }

  Result<> read(std::uint64_t offset, std::uint64_t length, std::string& out) const {
    if (offset < extra_header.size()) {
      const std::string_view part = std::string_view(extra_header).substr(offset, length);
      out.append(part);
      offset += part.size();
      length -= part.size();
    }
    const std::uint64_t at = offset - extra_header.size() + local_header_bytes;
    if (length == 0 || at >= size) return {};
    const auto snapshot = POSTHUS_TRY(store->snapshot());
    return store->read_message(*snapshot, blob, at, std::min(length, size - at), out);
  }
};

TextSource text_of(const store::Store& store, const store::QueueEntry& entry) {
  TextSource source;
  source.store = &store;
  source.blob = entry.blob;
  source.size = entry.size;
  source.local_header_bytes = std::min<std::uint64_t>(entry.local_header_bytes, entry.size);
  source.extra_header = entry.extra_header;
  return source;
}

// A failure to read it at once shows again, and is told, when the session reads.
std::string text_at_once(const TextSource& source) {
  std::string text;
  if (source.outgoing_size() > kMaxTextAtOnce) return text;
  text.reserve(source.outgoing_size());
  if (!source.read(0, source.outgoing_size(), text)) text.clear();
  return text;
}

Result<std::string> sign_again(const QueueContext& context, const std::string& domain,
                               const std::function<Result<>(const OutgoingMessage::TakePiece& take)>& converted) {
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  const auto keys = POSTHUS_TRY(context.signing->of_domain(*snapshot, domain));
  if (keys.empty()) return fail(ErrorKind::kNotFound, "no keys of " + domain);
  mailauth::DkimSigner signer;
  POSTHUS_TRY_VOID(converted([&signer](std::string_view piece) { signer.append(piece); }));
  return signer.finish(keys, context.clock.now());
}

}  // namespace

OutgoingMessage to_outgoing(const QueueContext& context, const Batch& batch) {
  const store::Store& store = context.store;
  const store::QueueEntry& entry = batch.entry;
  OutgoingMessage message;
  message.id = entry.id;
  message.reverse_path = batch.reverse_path();
  message.envelope_id = entry.envelope_id;
  message.return_content = entry.return_content;
  message.body = entry.body;
  message.is_utf8 = entry.is_utf8;
  message.requires_tls = entry.requires_tls;
  for (const store::QueuedRecipient& recipient : batch.recipients) {
    message.recipients.push_back({.number = recipient.number,
                                  .address = recipient.address,
                                  .notify = recipient.notify,
                                  .original_recipient = recipient.original_recipient});
  }
  TextSource source = text_of(store, entry);
  message.size = source.outgoing_size();
  message.signature_bytes = entry.extra_header.size();
  if (context.signing && !entry.signing_domain.empty()) {
    message.sign_again = [&context, domain = entry.signing_domain](const auto& converted) {
      return sign_again(context, domain, converted);
    };
  }
  std::string at_once = text_at_once(source);
  message.read = [source = std::move(source), text = std::move(at_once)](std::uint64_t offset, std::uint64_t length,
                                                                         std::string& out) -> Result<> {
    if (text.empty()) return source.read(offset, length, out);
    if (offset < text.size()) out.append(text, offset, length);
    return {};
  };
  return message;
}

}  // namespace posthus::smtp
