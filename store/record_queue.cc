// Encodings of outgoing mail's records; see record_queue.h.
#include "store/record_queue.h"

#include "core/base/bytes.h"
#include "store/record_fields.h"

namespace posthus::store {

namespace {

constexpr std::uint8_t kQueueVersion = 1;
// One text more at the end: of an entry the domain of its signatures, of a recipient the forwarder. Without one a row stays as it
// was, and rows of older versions are read.
constexpr std::uint8_t kLongerVersion = 2;

/// The version of a row that ends with `text`, if with anything.
std::uint8_t version_for(const std::string& text) { return text.empty() ? kQueueVersion : kLongerVersion; }
/// What stands at the end of a row of this version; false when it is none.
bool read_last_text(ByteReader& reader, std::uint8_t version, std::string& text) {
  if (version == kQueueVersion) return true;
  text = reader.text();
  return version == kLongerVersion && !text.empty();
}

template <class E>
void append_enumerator(std::string& out, E value) {
  append_u8(out, static_cast<std::uint8_t>(value));
}
/// False when the byte is none of the enumeration's, whose last enumerator is `last`.
template <class E>
bool read_enumerator(ByteReader& reader, E& value, E last) {
  const std::uint8_t byte = reader.u8();
  if (byte > static_cast<std::uint8_t>(last)) return false;
  value = static_cast<E>(byte);
  return true;
}

namespace entry_flag {
constexpr std::uint8_t kUtf8 = 1, kRequiresTls = 2, kHeld = 4, kIgnoresTlsPolicy = 8;
}
namespace recipient_flag {
constexpr std::uint8_t kDelayReported = 1, kMustBounce = 2;
}

}  // namespace

// version, blob u64, size u64, local header u32, accepted i64, return content u8, body u8, origin u8, flags u8, account u32,
// then texts: reverse-path, envelope id, extra header, hold reason; since version 2: signing domain
std::string encode_queue_entry(const QueueEntry& entry) {
  std::string out;
  out.reserve(64 + entry.reverse_path.size() + entry.extra_header.size());
  append_u8(out, version_for(entry.signing_domain));
  append_u64(out, entry.blob.value);
  append_u64(out, entry.size);
  append_u32(out, entry.local_header_bytes);
  append_timestamp(out, entry.accepted);
  append_enumerator(out, entry.return_content);
  append_enumerator(out, entry.body);
  append_enumerator(out, entry.origin);
  const int flags = (entry.is_utf8 ? entry_flag::kUtf8 : 0) | (entry.requires_tls ? entry_flag::kRequiresTls : 0) |
                    (entry.is_held ? entry_flag::kHeld : 0) | (entry.ignores_tls_policy ? entry_flag::kIgnoresTlsPolicy : 0);
  append_u8(out, static_cast<std::uint8_t>(flags));
  append_u32(out, entry.account.value);
  append_text(out, entry.reverse_path);
  append_text(out, entry.envelope_id);
  append_text(out, entry.extra_header);
  append_text(out, entry.hold_reason);
  if (!entry.signing_domain.empty()) append_text(out, entry.signing_domain);
  return out;
}

Result<QueueEntry> decode_queue_entry(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.u8();
  if (version < kQueueVersion || version > kLongerVersion) return fail(ErrorKind::kCorrupt, "queue entry version");
  QueueEntry entry;
  entry.blob = BlobId(reader.u64());
  entry.size = reader.u64();
  entry.local_header_bytes = reader.u32();
  entry.accepted = read_timestamp(reader);
  const bool is_known = read_enumerator(reader, entry.return_content, ReturnContent::kHeaders) &&
                        read_enumerator(reader, entry.body, BodyKind::kBinaryMime) &&
                        read_enumerator(reader, entry.origin, QueueOrigin::kReport);
  if (!is_known) return fail(ErrorKind::kCorrupt, "queue entry kind");
  const std::uint8_t flags = reader.u8();
  entry.is_utf8 = (flags & entry_flag::kUtf8) != 0;
  entry.requires_tls = (flags & entry_flag::kRequiresTls) != 0;
  entry.is_held = (flags & entry_flag::kHeld) != 0;
  entry.ignores_tls_policy = (flags & entry_flag::kIgnoresTlsPolicy) != 0;
  entry.account = AccountId(reader.u32());
  entry.reverse_path = reader.text();
  entry.envelope_id = reader.text();
  entry.extra_header = reader.text();
  entry.hold_reason = reader.text();
  if (!read_last_text(reader, version, entry.signing_domain)) return fail(ErrorKind::kCorrupt, "queue entry's last text");
  return finished(reader, std::move(entry), "queue entry");
}

// version, notify u8, attempts u32, next attempt i64, last attempt i64, flags u8, then texts: address, domain, original
// recipient, reverse-path, route, last host, last reply; since version 2: forwarder
std::string encode_queued_recipient(const QueuedRecipient& recipient) {
  std::string out;
  out.reserve(64 + recipient.address.size() + recipient.domain.size() + recipient.last_reply.size());
  append_u8(out, version_for(recipient.forwarder));
  append_u8(out, recipient.notify);
  append_u32(out, recipient.attempts);
  append_timestamp(out, recipient.next_attempt);
  append_timestamp(out, recipient.last_attempt);
  const int flags = (recipient.is_delay_reported ? recipient_flag::kDelayReported : 0) |
                    (recipient.must_bounce ? recipient_flag::kMustBounce : 0);
  append_u8(out, static_cast<std::uint8_t>(flags));
  append_text(out, recipient.address);
  append_text(out, recipient.domain);
  append_text(out, recipient.original_recipient);
  append_text(out, recipient.reverse_path);
  append_text(out, recipient.route);
  append_text(out, recipient.last_host);
  append_text(out, recipient.last_reply);
  if (!recipient.forwarder.empty()) append_text(out, recipient.forwarder);
  return out;
}

Result<QueuedRecipient> decode_queued_recipient(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.u8();
  if (version < kQueueVersion || version > kLongerVersion) return fail(ErrorKind::kCorrupt, "queued recipient version");
  QueuedRecipient recipient;
  recipient.notify = reader.u8();
  recipient.attempts = reader.u32();
  recipient.next_attempt = read_timestamp(reader);
  recipient.last_attempt = read_timestamp(reader);
  const std::uint8_t flags = reader.u8();
  recipient.is_delay_reported = (flags & recipient_flag::kDelayReported) != 0;
  recipient.must_bounce = (flags & recipient_flag::kMustBounce) != 0;
  recipient.address = reader.text();
  recipient.domain = reader.text();
  recipient.original_recipient = reader.text();
  recipient.reverse_path = reader.text();
  recipient.route = reader.text();
  recipient.last_host = reader.text();
  recipient.last_reply = reader.text();
  if (!read_last_text(reader, version, recipient.forwarder)) return fail(ErrorKind::kCorrupt, "queued recipient's last text");
  return finished(reader, std::move(recipient), "queued recipient");
}

// version, created i64, texts: name, login, password; hops u16, and for each: host, port u16, tls u8
std::string encode_route_record(const RouteRecord& route) {
  std::string out;
  append_u8(out, kQueueVersion);
  append_timestamp(out, route.created);
  append_text(out, route.name);
  append_text(out, route.login);
  append_text(out, route.password);
  append_u16(out, static_cast<std::uint16_t>(route.hops.size()));
  for (const RouteRecord::Hop& hop : route.hops) {
    append_text(out, hop.host);
    append_u16(out, hop.port);
    append_enumerator(out, hop.tls);
  }
  return out;
}

Result<RouteRecord> decode_route_record(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != kQueueVersion) return fail(ErrorKind::kCorrupt, "route record version");
  RouteRecord route;
  route.created = read_timestamp(reader);
  route.name = reader.text();
  route.login = reader.text();
  route.password = reader.text();
  // WHY no reserve: the count is not to be believed; each hop takes seven bytes at least, so the loop ends with the bytes.
  for (std::uint16_t left = reader.u16(); left > 0 && reader.ok(); --left) {
    RouteRecord::Hop hop;
    hop.host = reader.text();
    hop.port = reader.u16();
    if (!read_enumerator(reader, hop.tls, RouteRecord::Tls::kImplicit)) return fail(ErrorKind::kCorrupt, "route record TLS");
    route.hops.push_back(std::move(hop));
  }
  return finished(reader, std::move(route), "route record");
}

// version, algorithm u8, active u8, created i64, retires i64, texts: domain, selector, private key, public key
std::string encode_dkim_key_record(const DkimKeyRecord& key) {
  std::string out;
  append_u8(out, kQueueVersion);
  append_enumerator(out, key.algorithm);
  append_u8(out, key.is_active ? 1 : 0);
  append_timestamp(out, key.created);
  append_timestamp(out, key.retires);
  append_text(out, key.domain);
  append_text(out, key.selector);
  append_text(out, key.private_key);
  append_text(out, key.public_key);
  return out;
}

Result<DkimKeyRecord> decode_dkim_key_record(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != kQueueVersion) return fail(ErrorKind::kCorrupt, "DKIM key record version");
  DkimKeyRecord key;
  if (!read_enumerator(reader, key.algorithm, DkimAlgorithm::kEd25519Sha256)) {
    return fail(ErrorKind::kCorrupt, "DKIM key record algorithm");
  }
  key.is_active = reader.u8() != 0;
  key.created = read_timestamp(reader);
  key.retires = read_timestamp(reader);
  key.domain = reader.text();
  key.selector = reader.text();
  key.private_key = reader.text();
  key.public_key = reader.text();
  return finished(reader, std::move(key), "DKIM key record");
}

}  // namespace posthus::store
