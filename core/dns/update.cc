// Update messages and their signatures. RFC 1035 §4.1 (messages), RFC 2136 §2.4-2.5, RFC 8945 §4.2 (TSIG record), §4.3 (what is
// signed), §5.3 (replies).
#include "core/dns/update.h"

#include <cstdlib>
#include <optional>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/dns/record.h"
#include "core/dns/record_text.h"

namespace posthus::dns {
namespace {

constexpr std::uint16_t kClassIn = 1, kClassAny = 255;
constexpr std::uint16_t kTypeSoa = 6, kTypeAny = 255, kTypeTsig = 250;
constexpr std::uint16_t kOpcodeUpdate = 5;
constexpr std::uint16_t kFudge = 300;  // seconds the clocks may differ, RFC 8945 §10
constexpr std::size_t kHeader = 12;
constexpr std::size_t kMaxReplyRecords = 1000;  // no reply of ours has ten
constexpr std::string_view kAlgorithm = "hmac-sha256";
constexpr std::size_t kMac = 32;

void set_u16(std::string& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<char>(value >> 8);
  out[at + 1] = static_cast<char>(value & 0xFF);
}

void append_record(std::string& out, std::string_view name, std::uint16_t type, std::uint16_t rr_class, std::uint32_t ttl,
                   std::string_view data) {
  out.append(name);
  append_u16(out, type);
  append_u16(out, rr_class);
  append_u32(out, ttl);
  append_u16(out, static_cast<std::uint16_t>(data.size()));
  out.append(data);
}

// TSIG Variables (RFC 8945 §4.3.3)
std::string tsig_variables(std::string_view key_name, std::uint64_t time, std::uint16_t fudge, std::uint16_t error,
                           std::string_view other) {
  std::string out(key_name);
  append_u16(out, kClassAny);
  append_u32(out, 0);
  out += *name_to_wire(kAlgorithm);
  append_big_endian(out, time, 6);
  append_u16(out, fudge);
  append_u16(out, error);
  append_u16(out, static_cast<std::uint16_t>(other.size()));
  return out.append(other);
}

Result<> append_change(const SetChange& change, std::string& out, std::uint16_t& count) {
  const auto name = name_to_wire(change.name);
  const auto wrong = [&] { return fail(ErrorKind::kInvalid, change.name + " cannot be written as a record"); };
  if (!name) return wrong();
  const auto type = static_cast<std::uint16_t>(change.type);
  // RFC 2136 §2.5.2 (delete a set), §2.5.3 (delete all sets of a name): class ANY, no data.
  if (change.kind != SetChange::Kind::kAdd) {
    append_record(out, *name, change.kind == SetChange::Kind::kReplace ? type : kTypeAny, kClassAny, 0, "");
    ++count;
  }
  for (const std::string& value : change.values) {
    const auto data = value_to_wire(change.type, value);
    if (!data) return wrong();
    append_record(out, *name, type, kClassIn, change.time_to_live, *data);
    ++count;
  }
  return {};
}

/// One record of a reply, as far as it matters.
struct ReplyRecord {
  std::string name;  // lower case
  std::uint16_t type = 0, rr_class = 0;
  std::uint32_t ttl = 0;
  std::size_t begin = 0;  // offset of the record
  std::size_t data = 0;   // offset of its data
  std::size_t length = 0;
};

/// The parts of a message, read from the front.
class MessageReader {
 public:
  explicit MessageReader(std::string_view message) : message_(message) {}
  bool ok() const { return ok_; }
  std::size_t at() const { return at_; }
  std::uint16_t u16() {
    const std::string_view bytes = take(2);
    return bytes.size() < 2
               ? std::uint16_t(0)
               : static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[0]) << 8 | static_cast<std::uint8_t>(bytes[1]));
  }
  std::string_view take(std::size_t count) {
    if (count > message_.size() - at_) {
      ok_ = false;
      return {};
    }
    const std::string_view bytes = message_.substr(at_, count);
    at_ += count;
    return bytes;
  }
  /// A name, compressed or not (RFC 1035 §4.1.4). WHY bounded: a pointer must lead backwards, at most 127 labels.
  std::string name() {
    std::string out;
    std::size_t at = at_, after = 0, limit = at_;
    for (int labels = 0; labels < 128 && at < message_.size(); ++labels) {
      const auto length = static_cast<std::uint8_t>(message_[at]);
      if (length == 0) {
        at_ = after == 0 ? at + 1 : after;
        return out;
      }
      if ((length & 0xC0) == 0xC0) {
        if (at + 1 >= message_.size()) break;
        const std::size_t target = static_cast<std::size_t>(length & 0x3F) << 8 | static_cast<std::uint8_t>(message_[at + 1]);
        if (after == 0) after = at + 2;
        if (target >= limit) break;
        at = limit = target;
        continue;
      }
      if (length > kMaxLabel || at + 1 + length > message_.size() || out.size() + length > kMaxNameText) break;
      if (!out.empty()) out.push_back('.');
      out += ascii::to_lower(message_.substr(at + 1, length));
      at += 1 + length;
    }
    ok_ = false;
    return out;
  }
  ReplyRecord record() {
    ReplyRecord out{.begin = at_};
    out.name = name();
    out.type = u16();
    out.rr_class = u16();
    out.ttl = static_cast<std::uint32_t>(u16()) << 16;
    out.ttl |= u16();
    out.length = u16();
    out.data = at_;
    take(out.length);
    return out;
  }

 private:
  std::string_view message_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

struct Reply {
  std::uint16_t id = 0, flags = 0;
  std::vector<ReplyRecord> answers;
  std::optional<ReplyRecord> last;  // of all records
  std::uint16_t additional = 0;
  int response_code() const { return flags & 15; }
};

std::optional<Reply> read_reply(std::string_view message) {
  MessageReader reader(message);
  Reply reply;
  reply.id = reader.u16();
  reply.flags = reader.u16();
  const std::uint16_t questions = reader.u16(), answers = reader.u16(), authority = reader.u16();
  reply.additional = reader.u16();
  for (int i = 0; i < questions && reader.ok(); ++i) {
    reader.name();
    reader.take(4);
  }
  const std::size_t count = std::size_t{answers} + authority + reply.additional;
  if (count > kMaxReplyRecords) return std::nullopt;
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    reply.last = reader.record();
    if (i < answers) reply.answers.push_back(*reply.last);
  }
  const bool is_whole = reader.ok() && reader.at() == message.size() && (reply.flags & 0x8000) != 0;
  return is_whole ? std::optional(std::move(reply)) : std::nullopt;
}

struct Tsig {
  std::uint64_t time = 0;
  std::uint16_t fudge = 0, original_id = 0, error = 0;
  std::string_view mac, other;
};

std::optional<Tsig> read_tsig(std::string_view message, const ReplyRecord& record) {
  MessageReader reader(message.substr(0, record.data + record.length));
  reader.take(record.data);
  Tsig tsig;
  if (reader.name() != kAlgorithm) return std::nullopt;
  tsig.time = static_cast<std::uint64_t>(reader.u16()) << 32;
  tsig.time |= static_cast<std::uint64_t>(reader.u16()) << 16;
  tsig.time |= reader.u16();
  tsig.fudge = reader.u16();
  tsig.mac = reader.take(reader.u16());
  tsig.original_id = reader.u16();
  tsig.error = reader.u16();
  tsig.other = reader.take(reader.u16());
  return reader.ok() && reader.at() == record.data + record.length ? std::optional(tsig) : std::nullopt;
}

// RFC 8945 §5.2, §5.3: what the server said of our signature, before its own is looked at (an error reply may have none).
Result<> check_tsig_error(const Tsig& tsig) {
  switch (tsig.error) {
    case 0: return {};
    case 16: return fail(ErrorKind::kDenied, "the server does not accept the signature: the secret is another one there");
    case 17: return fail(ErrorKind::kDenied, "the server does not know a key of this name");
    case 18: return fail(ErrorKind::kDenied, "the clocks of this server and the name server differ by more than five minutes");
    default: return fail(ErrorKind::kDenied, "the server refuses the signature, error " + std::to_string(tsig.error));
  }
}

bool is_signed_well(std::string_view reply, const ReplyRecord& record, const Tsig& tsig, std::uint16_t additional,
                    const SignedMessage& request, const TsigKey& key) {
  std::string covered;
  append_u16(covered, static_cast<std::uint16_t>(request.signature.size()));
  covered += request.signature;
  std::string message(reply.substr(0, record.begin));
  set_u16(message, 0, tsig.original_id);
  set_u16(message, 10, static_cast<std::uint16_t>(additional - 1));
  covered += message + tsig_variables(*name_to_wire(key.name), tsig.time, tsig.fudge, tsig.error, tsig.other);
  return equal_in_constant_time(hmac_sha256(key.secret.reveal(), covered), tsig.mac);
}

Result<> check_response_code(int code, ErrorKind refused) {
  switch (code) {
    case 0: return {};
    case 2: return fail(ErrorKind::kUnavailable, "the name server failed (SERVFAIL)");
    case 4: return fail(refused, "the name server takes no dynamic updates (NOTIMP)");
    case 5: return fail(refused, "the name server refuses it (REFUSED): this key may not change these names");
    case 9: return fail(refused, "the name server refuses the key, or has not this zone (NOTAUTH)");
    case 10: return fail(ErrorKind::kNotFound, "a name is not within the zone (NOTZONE)");
    default: return fail(ErrorKind::kUnavailable, "the name server answers with code " + std::to_string(code));
  }
}

}  // namespace

Result<TsigKey> parse_tsig_key(std::string_view text) {
  const auto wrong = [] {
    return fail(ErrorKind::kInvalid, "a key is NAME:SECRET, the secret in base64, algorithm hmac-sha256");
  };
  if (ascii::equal_ignoring_case(text.substr(0, kAlgorithm.size() + 1), "hmac-sha256:"))
    text.remove_prefix(kAlgorithm.size() + 1);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return wrong();
  std::string name = ascii::to_lower(text.substr(0, colon));
  if (name.ends_with('.')) name.pop_back();
  auto secret = base64_decode(text.substr(colon + 1));
  if (!is_question_name(name) || !secret || secret->empty()) return wrong();
  return TsigKey{std::move(name), Secret(std::move(*secret))};
}

Result<SignedMessage> update_message(std::uint16_t id, std::string_view zone, const std::vector<SetChange>& changes,
                                     const TsigKey& key, Timestamp now) {
  const auto zone_name = name_to_wire(zone);
  const auto key_name = name_to_wire(key.name);
  if (!zone_name || !key_name) return fail(ErrorKind::kInvalid, "the zone is no domain name");
  std::string text;
  append_u16(text, id);
  append_u16(text, kOpcodeUpdate << 11);
  for (const int count : {1, 0, 0, 0}) append_u16(text, static_cast<std::uint16_t>(count));
  text += *zone_name;
  append_u16(text, kTypeSoa);
  append_u16(text, kClassIn);
  std::uint16_t count = 0;
  for (const SetChange& change : changes) {
    POSTHUS_TRY_VOID(append_change(change, text, count));
    if (text.size() > kMaxUpdateMessage) return fail(ErrorKind::kTooLarge, "too many changes for one message");
  }
  set_u16(text, 8, count);
  const auto time = static_cast<std::uint64_t>(now.seconds());
  const std::string mac = hmac_sha256(key.secret.reveal(), text + tsig_variables(*key_name, time, kFudge, 0, ""));
  std::string data = *name_to_wire(kAlgorithm);
  append_big_endian(data, time, 6);
  append_u16(data, kFudge);
  append_u16(data, static_cast<std::uint16_t>(mac.size()));
  data += mac;
  append_u16(data, id);
  append_u16(data, 0);
  append_u16(data, 0);
  append_record(text, *key_name, kTypeTsig, kClassAny, 0, data);
  set_u16(text, 10, 1);
  return SignedMessage{std::move(text), mac};
}

Result<> read_update_reply(std::string_view text, std::uint16_t id, const SignedMessage& request, const TsigKey& key,
                           Timestamp now) {
  const auto reply = text.size() < kHeader ? std::nullopt : read_reply(text);
  if (!reply || reply->id != id) return fail(ErrorKind::kInvalid, "no valid reply of the name server");
  const bool has_tsig = reply->last && reply->last->type == kTypeTsig && reply->additional > 0;
  const auto tsig = has_tsig ? read_tsig(text, *reply->last) : std::nullopt;
  if (tsig) POSTHUS_TRY_VOID(check_tsig_error(*tsig));
  // A refusal without signature may be forged, but is no less a refusal.
  if (!tsig && reply->response_code() != 0) return check_response_code(reply->response_code(), ErrorKind::kDenied);
  const bool is_good = tsig && reply->last->name == key.name && reply->last->rr_class == kClassAny && reply->last->ttl == 0 &&
                       tsig->mac.size() == kMac && is_signed_well(text, *reply->last, *tsig, reply->additional, request, key);
  if (!is_good) return fail(ErrorKind::kInvalid, "the reply of the name server is not signed with the key");
  const auto time = static_cast<std::int64_t>(tsig->time);
  if (std::abs(time - now.seconds()) > kFudge) return fail(ErrorKind::kDenied, "the clocks differ by more than five minutes");
  return check_response_code(reply->response_code(), ErrorKind::kDenied);
}

Result<std::string> query_message(std::uint16_t id, std::string_view name, RecordType type) {
  const auto wire = name_to_wire(name);
  if (!wire) return fail(ErrorKind::kInvalid, "no domain name");
  std::string text;
  append_u16(text, id);
  append_u16(text, 0);
  for (const int count : {1, 0, 0, 0}) append_u16(text, static_cast<std::uint16_t>(count));
  text += *wire;
  append_u16(text, static_cast<std::uint16_t>(type));
  append_u16(text, kClassIn);
  return text;
}

Result<Answer> read_query_reply(std::string_view text, std::uint16_t id, std::string_view name, RecordType type) {
  const auto reply = text.size() < kHeader ? std::nullopt : read_reply(text);
  if (!reply || reply->id != id) return fail(ErrorKind::kInvalid, "no valid reply of the name server");
  Answer answer{.canonical_name = std::string(name)};
  if (reply->response_code() == 3) {
    answer.status = Status::kNoName;
    return answer;
  }
  POSTHUS_TRY_VOID(check_response_code(reply->response_code(), ErrorKind::kUnavailable));
  constexpr std::uint16_t kAuthoritative = 0x0400, kTruncated = 0x0200;
  if ((reply->flags & kAuthoritative) == 0 || (reply->flags & kTruncated) != 0) {
    return fail(ErrorKind::kUnavailable, "this name server does not have the zone");
  }
  bool has_any = false;
  for (const ReplyRecord& record : reply->answers) {
    if (record.type != static_cast<std::uint16_t>(type) || record.name != name) continue;
    has_any = dns::append_record(type, text.substr(record.data, record.length), answer) || has_any;
  }
  answer.status = has_any ? Status::kFound : Status::kNoData;
  return answer;
}

}  // namespace posthus::dns
