// One message on its way: MAIL, RCPT, DATA or BDAT, and what the host makes of it. RFC 5321 §3.3, §4.1.1.2-4, §4.5.3.1.10;
// RFC 1870 (SIZE), 2920 (PIPELINING), 3030 (CHUNKING), 3461 (DSN), 6152 (8BITMIME), 6531 (SMTPUTF8), 8689 (REQUIRETLS),
// 9422 (LIMITS). Thread rule: core/session/session.h; take_message() and write_text() run on a worker.
#include <algorithm>
#include <utility>

#include "core/base/ascii.h"
#include "smtp/client_session_state.h"
#include "smtp/own_message.h"

namespace posthus::smtp {
namespace {

constexpr std::uint64_t kReadAhead = 64 * 1024;   // most messages whole: one hop to a worker for each
constexpr std::uint64_t kTextChunk = 128 * 1024;  // of one run; dot-stuffing makes at most half as much again of it

// xtext = *( xchar / hexchar ) (RFC 3461 §4)
std::string to_xtext(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F && c != '+' && c != '=') {
      out.push_back(c);
    } else {
      out.push_back('+');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

// The code point at the front of valid UTF-8, taken off.
std::uint32_t next_code_point(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  std::uint32_t point = length == 1 ? first : first & (0x7F >> length);
  for (std::size_t i = 1; i < length && i < text.size(); ++i) {
    point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  }
  text.remove_prefix(std::min(length, text.size()));
  return point;
}

// utf-8-addr-xtext (RFC 6533 §3): what is not ASCII as \x{HEXPOINT}. What is ASCII was kept as the client encoded it.
std::string to_utf8_address_xtext(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::uint32_t point = next_code_point(text);
    if (point > 0x20 && point < 0x7F && point != '+' && point != '=') {
      out.push_back(static_cast<char>(point));
      continue;
    }
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, point, 16).ptr;
    out += "\\x{";
    if (end - digits == 1) out.push_back('0');
    out += ascii::to_upper(std::string_view(digits, static_cast<std::size_t>(end - digits))) + "}";
  }
  return out;
}

std::string to_original_recipient(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  if (semicolon == std::string_view::npos) return "rfc822;" + to_xtext(text);
  const std::string_view type = text.substr(0, semicolon);
  const std::string_view address = text.substr(semicolon + 1);
  const bool is_utf8 = ascii::equal_ignoring_case(type, "utf-8");
  return std::string(type) + ";" + (is_utf8 ? to_utf8_address_xtext(address) : to_xtext(address));
}

// WHY: whatever went wrong elsewhere, an address never becomes a second command.
bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// RFC 5321 §4.5.3.1.10: 452 for one recipient too many, 552 of older servers.
bool is_surplus(const RemoteReply& reply) {
  if (reply.code != 452 && reply.code != 552) return false;
  return reply.enhanced.empty() || reply.enhanced.ends_with(".5.3");
}

// Whoever the recipient is.
bool is_smtputf8_needed(const OutgoingMessage& message) { return message.is_utf8 || ascii::has_high_bit(message.reverse_path); }

// RFC 6531 §3.4: "neither the envelope nor the message", and who is named in another transaction is not of this envelope.
bool is_smtputf8_needed(const ClientTransaction& t) {
  const auto is_beyond_ascii = [&t](std::uint16_t index) { return ascii::has_high_bit(t.message.recipients[index].address); };
  return is_smtputf8_needed(t.message) || std::any_of(t.group.begin(), t.group.end(), is_beyond_ascii);
}

}  // namespace

void ClientSession::take_message() {
  transaction_.reset();
  std::optional<OutgoingMessage> message = source_.next();
  if (!message) return;
  transaction_ = std::make_unique<ClientTransaction>();
  ClientTransaction& t = *transaction_;
  t.message = std::move(*message);
  t.recipients.resize(t.message.recipients.size());
  for (std::size_t i = 0; i < t.recipients.size(); ++i) t.recipients[i].result.number = t.message.recipients[i].number;
  check_message();
  const auto has_waiting = [&] {
    return std::any_of(t.recipients.begin(), t.recipients.end(),
                       [](const auto& recipient) { return recipient.standing == Standing::kWaiting; });
  };
  if (has_waiting() && !takes_body()) plan_conversion();
  is_trial_ = t.message.is_trial;
  if (has_waiting() && !is_trial_) read_on(kReadAhead);
  if (!t.is_read_broken) return;
  settle_all(Verdict::kDeferred, {.code = 0, .enhanced = {}, .text = "The message could not be read here."}, "MAIL",
             Blame::kMessage);
}

void ClientSession::refuse_message(std::string_view enhanced, std::string_view why) {
  settle_all(Verdict::kFailed, {.code = 0, .enhanced = std::string(enhanced), .text = std::string(why)}, "MAIL", Blame::kHost);
}

// What the host cannot do is not tried: the results are those it would give.
void ClientSession::check_message() {
  ClientTransaction& t = *transaction_;
  const OutgoingMessage& message = t.message;
  if (!is_one_line(message.reverse_path)) return refuse_message("5.1.7", "The sender's address cannot be sent.");
  // RFC 8689 §4.2.1. A report (null reverse-path) goes all the same, and says it where it may be said (§5, §2).
  const bool is_proven =
      connection_.tls && (options_.is_certificate_needless || (options_.is_name_proven && connection_.tls->is_peer_verified));
  t.says_requiretls = message.requires_tls && is_proven && peer_.requiretls;
  const bool must_say = message.requires_tls && !message.reverse_path.empty();
  if (must_say && !is_proven) {
    return refuse_message("5.7.10", "The message requires TLS, and the host's certificate could not be verified.");
  }
  if (must_say && !peer_.requiretls) {
    return refuse_message("5.7.30", "The message requires TLS all the way, and the host does not offer REQUIRETLS.");
  }
  if (is_smtputf8_needed(message) && !peer_.smtputf8) {
    return refuse_message("5.6.7", "The message needs SMTPUTF8, which the host does not offer.");
  }
  if (peer_.max_size > 0 && message.size > peer_.max_size) {
    return refuse_message("5.3.4", "The message has " + std::to_string(message.size) + " bytes; the host takes at most " +
                                       std::to_string(peer_.max_size) + ".");
  }
  for (std::uint16_t i = 0; i < t.recipients.size(); ++i) {
    const std::string& address = message.recipients[i].address;
    if (!is_one_line(address)) {
      settle(i, Verdict::kFailed, {.code = 0, .enhanced = "5.1.3", .text = "The address cannot be sent."}, "RCPT",
             Blame::kMessage);
    } else if (ascii::has_high_bit(address) && !peer_.smtputf8) {
      settle(i, Verdict::kFailed,
             {.code = 0, .enhanced = "5.6.7", .text = "The address needs SMTPUTF8, which the host does not offer."}, "RCPT",
             Blame::kHost);
    }
  }
}

// RFC 6152 §3, RFC 3030 §3
bool ClientSession::takes_body() const {
  switch (transaction_->message.body) {
    case store::BodyKind::k7Bit: return true;
    case store::BodyKind::k8BitMime: return peer_.eight_bit_mime;
    case store::BodyKind::kBinaryMime: return peer_.binary_mime;
  }
  return true;
}

void ClientSession::plan_conversion() {
  ClientTransaction& t = *transaction_;
  // WHY without them: they are of the text as it was.
  const std::uint64_t signed_from = std::min(t.message.signature_bytes, t.message.size);
  const auto read = [&message = t.message, signed_from](std::uint64_t offset, std::uint64_t length, std::string& out) {
    return message.read(signed_from + offset, length, out);
  };
  Result<mail::DownConversion> conversion = mail::DownConversion::plan(t.message.size - signed_from, read);
  if (!conversion && conversion.error().kind == ErrorKind::kInvalid) {
    return refuse_message("5.6.3", "The message is not 7-bit, the host takes nothing else, and it cannot be converted: " +
                                       conversion.error().context + ".");
  }
  t.is_read_broken = !conversion;
  t.message.body = store::BodyKind::k7Bit;
  if (!conversion || !conversion->is_needed()) return;
  t.conversion = std::move(*conversion);
  auto signatures = signatures_of_converted();
  t.is_read_broken = !signatures;
  if (signatures) t.read_ahead = t.signatures = *std::move(signatures);
}

// WHY none rather than those of the text as it was: who verifies them would find the message changed on its way.
Result<std::string> ClientSession::signatures_of_converted() {
  ClientTransaction& t = *transaction_;
  std::string fields;
  if (t.message.signature_bytes == 0) return fields;
  if (!t.message.sign_again) {
    POSTHUS_TRY_VOID(t.message.read(0, std::min(t.message.signature_bytes, t.message.size), fields));
    return fields;
  }
  Result<> is_read;
  const auto signed_again = t.message.sign_again([&](const OutgoingMessage::TakePiece& take) -> Result<> {
    std::string piece;
    while (is_read && !t.conversion->is_at_end()) {
      piece.clear();
      is_read = t.conversion->read_on(piece);
      take(piece);
    }
    return is_read;
  });
  t.conversion->restart();
  POSTHUS_TRY_VOID(is_read);
  return signed_again ? *signed_again : fields;
}

session::Step ClientSession::message_taken(Output& output) {
  if (transaction_) return leave_transaction(output);
  if (!is_trial_ && source_.may_stand_by()) {
    phase_ = Phase::kStandingBy;
    return Step::kIdle;
  }
  if (!is_trial_ || !needs_reset_) return quit(output);
  // A dry run says in so many words that nothing will come.
  output.append("RSET\r\n");
  return await_reply(Phase::kReset);
}

void ClientSession::choose_group() {
  ClientTransaction& t = *transaction_;
  t.group.clear();
  const std::size_t most = peer_.max_recipients > 0 ? peer_.max_recipients : t.recipients.size();
  std::vector<std::string_view> domains;
  for (std::uint16_t i = 0; i < t.recipients.size() && t.group.size() < most; ++i) {
    if (t.recipients[i].standing != Standing::kWaiting) continue;
    if (peer_.max_recipient_domains > 0) {
      const std::string_view domain = domain_after_at(t.message.recipients[i].address);
      const bool is_known = std::find(domains.begin(), domains.end(), domain) != domains.end();
      if (!is_known && domains.size() >= peer_.max_recipient_domains) continue;
      if (!is_known) domains.push_back(domain);
    }
    t.recipients[i].standing = Standing::kNamed;
    t.group.push_back(i);
  }
}

session::Step ClientSession::begin_transaction(Output& output) {
  if (needs_reset_) {
    output.append("RSET\r\n");
    return await_reply(Phase::kReset);
  }
  ++transactions_;
  ClientTransaction& t = *transaction_;
  choose_group();
  t.says_utf8 = is_smtputf8_needed(t);
  t.replies = t.named = t.accepted = 0;
  t.is_mail_accepted = t.is_text_begun = t.is_text_sent = false;
  t.is_chunked = peer_.chunking && !t.conversion;  // BDAT wants to know the size
  t.stuffer = mail::DotStuffer{};
  if (t.has_sent_some) rewind_text();  // a transaction before this one has used it up
  write_mail(output);
  if (peer_.pipelining) write_pipeline(output);
  return await_reply(Phase::kEnvelope);
}

// RFC 2920 §3.1: MAIL, RCPT and, as the last one, DATA in one group. RFC 3030 §4.2: BDAT may follow, and its text at once.
void ClientSession::write_pipeline(Output& output) {
  ClientTransaction& t = *transaction_;
  for (const std::uint16_t index : t.group) write_recipient(t.message.recipients[index], output);
  t.named = t.group.size();
  awaited_ += t.group.size();
  if (is_trial_) return;
  // WHY: a long text is not sent before anybody wants it, and none at once to a host that may have gone: when it has, nobody
  // could say whether it took the message.
  if (t.is_chunked && (!has_whole_text() || has_stood_by_)) return;
  t.is_text_begun = true;
  ++awaited_;
  if (!t.is_chunked) {
    output.append("DATA\r\n");
    return;
  }
  output.append("BDAT " + std::to_string(t.message.size) + " LAST\r\n").append(t.read_ahead);
  t.is_text_sent = true;
}

void ClientSession::write_mail(Output& output) const {
  const ClientTransaction& t = *transaction_;
  const OutgoingMessage& message = t.message;
  output.append("MAIL FROM:<").append(message.reverse_path).append(">");
  if (peer_.size) output.append(" SIZE=").append(std::to_string(message.size));
  if (message.body == store::BodyKind::kBinaryMime && peer_.binary_mime) {
    output.append(" BODY=BINARYMIME");
  } else if (message.body != store::BodyKind::k7Bit && peer_.eight_bit_mime) {
    output.append(" BODY=8BITMIME");
  }
  if (t.says_utf8) output.append(" SMTPUTF8");
  if (t.says_requiretls) output.append(" REQUIRETLS");
  if (peer_.dsn) {
    if (message.return_content == store::ReturnContent::kFull) output.append(" RET=FULL");
    if (message.return_content == store::ReturnContent::kHeaders) output.append(" RET=HDRS");
    if (!message.envelope_id.empty()) output.append(" ENVID=").append(to_xtext(message.envelope_id));
  }
  output.append("\r\n");
}

void ClientSession::write_recipient(const OutgoingRecipient& recipient, Output& output) const {
  output.append("RCPT TO:<").append(recipient.address).append(">");
  if (peer_.dsn && recipient.notify != store::notify::kUnset) {
    std::string words;
    const auto add = [&](std::uint8_t bit, std::string_view word) {
      if ((recipient.notify & bit) == 0) return;
      if (!words.empty()) words.push_back(',');
      words.append(word);
    };
    add(store::notify::kSuccess, "SUCCESS");
    add(store::notify::kFailure, "FAILURE");
    add(store::notify::kDelay, "DELAY");
    output.append(" NOTIFY=").append(words.empty() ? "NEVER" : words);
  }
  if (peer_.dsn && !recipient.original_recipient.empty()) {
    output.append(" ORCPT=").append(to_original_recipient(recipient.original_recipient));
  }
  output.append("\r\n");
}

session::Step ClientSession::on_envelope(const HostReply& reply, Output& output) {
  ClientTransaction& t = *transaction_;
  const bool is_text_reply = t.replies > t.group.size();
  if (is_text_reply) return t.is_chunked ? on_end_of_data(reply, output) : on_data(reply, output);
  if (!reply.is_success() && !reply.is_temporary() && !reply.is_refusal()) {
    return give_up("The host answered " + std::string(stage()) + " with " + std::to_string(reply.code) + ".");
  }
  if (t.replies == 0) {
    on_mail(reply);
  } else {
    on_recipient(t.group[t.replies - 1], reply);
  }
  ++t.replies;
  return awaited_ > 0 ? Step::kRead : envelope_answered(output);
}

void ClientSession::on_mail(const HostReply& reply) {
  transaction_->is_mail_accepted = reply.is_success();
  if (reply.is_success()) return;
  const bool is_temporary = reply.is_temporary();
  settle_all(is_temporary ? Verdict::kDeferred : Verdict::kFailed, to_remote_reply(reply), "MAIL",
             is_temporary ? Blame::kHost : Blame::kMessage);
}

void ClientSession::on_recipient(std::uint16_t index, const HostReply& reply) {
  ClientTransaction& t = *transaction_;
  ClientTransaction::Recipient& recipient = t.recipients[index];
  if (recipient.standing == Standing::kSettled) return;  // MAIL was refused already
  if (reply.is_success() && is_trial_) return settle(index, Verdict::kDelivered, to_remote_reply(reply), "RCPT", Blame::kMessage);
  if (reply.is_success()) {
    recipient.standing = Standing::kAccepted;
    ++t.accepted;
    return;
  }
  RemoteReply remote = to_remote_reply(reply);
  if (t.accepted > 0 && is_surplus(remote)) {
    recipient.standing = Standing::kSurplus;
    recipient.result.reply = std::move(remote);
    return;
  }
  settle(index, reply.is_temporary() ? Verdict::kDeferred : Verdict::kFailed, remote, "RCPT", Blame::kMessage);
}

// Everything that was sent has been answered: the next command, if any.
session::Step ClientSession::envelope_answered(Output& output) {
  ClientTransaction& t = *transaction_;
  if (!t.is_mail_accepted) return leave_transaction(output);
  if (t.named < t.group.size()) {
    write_recipient(t.message.recipients[t.group[t.named++]], output);
    return await_reply(Phase::kEnvelope);
  }
  if (t.accepted > 0) return begin_text(output);
  needs_reset_ = true;
  return leave_transaction(output);
}

session::Step ClientSession::begin_text(Output& output) {
  ClientTransaction& t = *transaction_;
  t.is_text_begun = true;
  if (!t.is_chunked) {
    output.append("DATA\r\n");
    return await_reply(Phase::kEnvelope);
  }
  output.append("BDAT " + std::to_string(t.message.size) + " LAST\r\n");
  return send_text(output);
}

session::Step ClientSession::on_data(const HostReply& reply, Output& output) {
  const ClientTransaction& t = *transaction_;
  if (reply.is_success()) return give_up("The host answered DATA with " + std::to_string(reply.code) + ".");
  if (!reply.is_temporary() && !reply.is_refusal()) {
    if (t.accepted > 0) return send_text(output);
    // RFC 2920 §3.1: it wants a text although it took no recipient. It gets an empty one, which it refuses.
    output.append(".\r\n");
    return await_reply(Phase::kEndOfData);
  }
  settle_accepted(reply, "DATA");
  needs_reset_ = t.is_mail_accepted;
  return leave_transaction(output);
}

bool ClientSession::is_at_end_of_text() const {
  const ClientTransaction& t = *transaction_;
  return t.conversion ? t.conversion->is_at_end() : t.offset == t.message.size;
}

void ClientSession::rewind_text() {
  ClientTransaction& t = *transaction_;
  t.offset = 0;
  t.read_ahead = t.signatures;
  t.has_sent_some = false;
  if (t.conversion) t.conversion->restart();
}

session::Step ClientSession::send_text(Output& output) {
  ClientTransaction& t = *transaction_;
  if (!has_whole_text()) {
    phase_ = Phase::kText;
    begin_wait();
    return Step::kRun;
  }
  if (t.is_chunked) {
    output.append(t.read_ahead);
  } else {
    t.stuffer.append(output, t.read_ahead);
    t.stuffer.finish(output);
  }
  t.is_text_sent = true;
  return await_reply(Phase::kEndOfData);
}

// Reads the next `most` bytes of the text into read_ahead; what is converted may be a chunk's conversion more.
void ClientSession::read_on(std::uint64_t most) {
  ClientTransaction& t = *transaction_;
  if (t.is_read_broken) return;
  while (t.conversion && !is_at_end_of_text() && !t.is_read_broken && t.read_ahead.size() < most) {
    t.is_read_broken = !t.conversion->read_on(t.read_ahead);
  }
  if (t.conversion) return;
  const std::uint64_t length = std::min(most, t.message.size - t.offset);
  if (length == 0) return;
  const Result<> done = t.message.read(t.offset, length, t.read_ahead);
  t.is_read_broken = !done || t.read_ahead.size() != length;
  t.offset += length;
}

void ClientSession::write_text(Output& output) {
  ClientTransaction& t = *transaction_;
  if (t.read_ahead.empty()) read_on(kTextChunk);
  if (t.is_read_broken) return;
  if (t.is_chunked) {
    output.append(t.read_ahead);
  } else {
    t.stuffer.append(output, t.read_ahead);
  }
  t.read_ahead.clear();
  t.has_sent_some = true;
  if (!is_at_end_of_text()) return;
  if (!t.is_chunked) t.stuffer.finish(output);
  t.is_text_sent = true;
}

session::Step ClientSession::text_written() {
  count_wait();
  const ClientTransaction& t = *transaction_;
  if (t.is_read_broken) {
    // WHY: an end of data would make a whole message of a part; a connection that just ends does not.
    return give_up({.code = 0, .enhanced = {}, .text = "The message could not be read here."}, Blame::kMessage);
  }
  return t.is_text_sent ? await_reply(Phase::kEndOfData) : Step::kRun;
}

session::Step ClientSession::on_end_of_data(const HostReply& reply, Output& output) {
  if (!reply.is_success() && !reply.is_temporary() && !reply.is_refusal()) {
    return give_up("The host answered the end of the text with " + std::to_string(reply.code) + ".");
  }
  transaction_->is_text_sent = false;
  settle_accepted(reply, "end of data");
  needs_reset_ = !reply.is_success();
  return leave_transaction(output);
}

// The transaction is over (or none has begun): another one for recipients it could not name, or the next message.
session::Step ClientSession::leave_transaction(Output& output) {
  ClientTransaction& t = *transaction_;
  const bool may_begin = transactions_ < max_transactions();
  bool has_waiting = false;
  for (std::uint16_t i = 0; i < t.recipients.size(); ++i) {
    ClientTransaction::Recipient& recipient = t.recipients[i];
    if (recipient.standing == Standing::kSurplus) {
      if (may_begin && !needs_reset_) {
        recipient.standing = Standing::kWaiting;
      } else {
        settle(i, Verdict::kDeferred, RemoteReply(recipient.result.reply), "RCPT", Blame::kMessage);
      }
    }
    has_waiting |= recipient.standing == Standing::kWaiting;
  }
  if (has_waiting && may_begin) return begin_transaction(output);
  settle_all(Verdict::kDeferred, {.code = 0, .enhanced = {}, .text = "The host takes no more mail over one connection."}, "MAIL",
             Blame::kMessage);
  return finish_message(output);
}

session::Step ClientSession::finish_message(Output& output) {
  report();
  if (transactions_ >= max_transactions() || is_slow()) return quit(output);
  phase_ = Phase::kTaking;
  return Step::kRun;
}

std::uint32_t ClientSession::max_transactions() const {
  return peer_.max_transactions > 0 ? std::min(peer_.max_transactions, options_.max_messages) : options_.max_messages;
}

void ClientSession::settle(std::uint16_t index, Verdict verdict, const RemoteReply& reply, std::string_view where, Blame blame) {
  ClientTransaction::Recipient& recipient = transaction_->recipients[index];
  if (recipient.standing == Standing::kSettled) return;
  recipient.standing = Standing::kSettled;
  recipient.result.verdict = verdict;
  recipient.result.reply = reply;
  recipient.result.stage = where;
  recipient.result.is_host_fault = blame == Blame::kHost;
}

void ClientSession::settle_all(Verdict verdict, const RemoteReply& reply, std::string_view where, Blame blame) {
  for (std::uint16_t i = 0; i < transaction_->recipients.size(); ++i) settle(i, verdict, reply, where, blame);
}

void ClientSession::settle_accepted(const HostReply& reply, std::string_view where) {
  const RemoteReply remote = to_remote_reply(reply);
  const Verdict verdict = reply.is_success() ? Verdict::kDelivered : reply.is_temporary() ? Verdict::kDeferred : Verdict::kFailed;
  const Blame blame = verdict == Verdict::kDeferred ? Blame::kHost : Blame::kMessage;
  for (const std::uint16_t index : transaction_->group) {
    if (transaction_->recipients[index].standing == Standing::kAccepted) settle(index, verdict, remote, where, blame);
  }
}

void ClientSession::report() {
  MessageResult result{.id = transaction_->message.id, .recipients = {}, .was_slow = is_slow(), .offers_dsn = peer_.dsn};
  result.recipients.reserve(transaction_->recipients.size());
  for (ClientTransaction::Recipient& recipient : transaction_->recipients)
    result.recipients.push_back(std::move(recipient.result));
  transaction_.reset();
  source_.finished(std::move(result));
}

}  // namespace posthus::smtp
