// DATA and BDAT: the message's text on its way in. What becomes of it then is in session_acceptance.cc.
// RFC 5321 §4.1.1.4; RFC 3030 §2; RFC 6409 §8. Thread rule: core/session/session.h.
#include <algorithm>
#include <string>
#include <utility>

#include "core/base/ascii.h"
#include "core/base/queue_id.h"
#include "core/mail/address_list.h"
#include "core/mail/date_time.h"
#include "core/mail/trace.h"
#include "smtp/session_state.h"
#include "smtp/signing.h"

namespace posthus::smtp {
namespace {

// A refused message is read to its end so that the client sees the reply, but not for ever.
constexpr std::uint64_t kMaxDrain = 1ull << 30;

}  // namespace

std::optional<Reply> ServerSession::refuse_message_start() const {
  if (envelope_->recipients.empty()) {
    return envelope_->refused_recipients > 0 ? reply::kNoRecipients : reply::kBadSequence;
  }
  const ByteBudget& budget = context_.store.budget();
  if (budget.used() >= budget.limit()) return reply::kNoMemory;
  return std::nullopt;
}

// data = "DATA" CRLF
session::Step ServerSession::on_data(std::string_view argument, Output& output) {
  if (!argument.empty()) return refuse(reply::kNoArgument, output);
  if (envelope_->parameters.body == Body::kBinaryMime) return refuse(reply::kBinaryNeedsChunks, output);
  if (const auto refusal = refuse_message_start()) return refuse(*refusal, output);
  begin_transfer();
  begin_reading(Reading::kData);
  return answer(reply::kSendData, output);
}

// bdat-cmd ::= "BDAT" SP chunk-size [ SP end-marker ] CR LF
session::Step ServerSession::on_bdat(std::string_view argument, Output& output) {
  const auto command = parse_bdat(argument);
  // WHY: without a size nobody knows where the chunk ends; its bytes must never be taken for commands.
  if (!command || command->size > context_.limits.max_message_bytes + kMaxDrain) {
    return refuse_and_close(command ? reply::kTooLarge : command.error(), output);
  }
  chunk_left_ = command->size;
  is_last_chunk_ = command->is_last;
  std::optional<Reply> refusal;
  if (!(stage_ & (stage::kEnvelope | stage::kChunks))) {
    refusal = stage_ == stage::kFresh ? reply::kHelloFirst : reply::kBadSequence;
  } else if (stage_ == stage::kEnvelope) {
    refusal = refuse_message_start();
  }
  is_chunk_refused_ = refusal.has_value();
  if (refusal) {
    chunk_refusal_ = *refusal;
  } else if (stage_ == stage::kEnvelope) {
    begin_transfer();
    stage_ = stage::kChunks;
  }
  begin_reading(Reading::kChunk);
  if (chunk_left_ == 0) return chunk_done(output);
  return Step::kRead;
}

std::string ServerSession::received_field() const {
  mail::ReceivedFacts facts;
  facts.helo = helo_;
  facts.remote_address = remote_address_;
  facts.hostname = context_.hostname;
  facts.with = transmission_type();
  if (tls_) facts.tls = tls_->version + " with cipher " + tls_->cipher;
  facts.id = to_text(message_id_);
  if (envelope_->recipients.size() == 1) {
    const mail::Address& recipient = envelope_->recipients.front().address;
    // RFC 6531 §3.7.3: an alias beyond ASCII may lead to somebody elsewhere to whom the message goes without SMTPUTF8.
    const bool may_be_told = envelope_->elsewhere.empty() || !ascii::has_high_bit(recipient.local_part);
    if (!recipient.domain.empty() && may_be_told) facts.recipient = recipient;
  }
  facts.time = context_.clock.now();
  return mail::received_field(facts);
}

/// Does it go to other servers in the name of our user, so that it is to be signed? WHY not what we forward from outside: its
/// From is not proven to be ours, and the signature of its own domain still holds.
bool ServerSession::is_leaving() const {
  return role_ == ListenerRole::kSubmission && context_.signing != nullptr && !envelope_->elsewhere.empty();
}

void ServerSession::begin_transfer() {
  const Timestamp now = context_.clock.now();
  message_id_ = next_queue_id(now);
  TransferOptions options;
  options.max_bytes = context_.limits.max_message_bytes;
  const std::string return_path = mail::return_path_field(envelope_->reverse_path);
  local_header_bytes_ = static_cast<std::uint32_t>(return_path.size());
  options.trace_fields = return_path + received_field();
  options.hostname = context_.hostname;
  if (role_ == ListenerRole::kSubmission) {
    if (context_.checks_from || is_leaving()) options.from_fields = FromFields::kKeep;
    if (is_leaving()) options.signing = Signing::kPrepared;
    options.date_field = "Date: " + mail::format_rfc5322_date(now) + "\r\n";
    options.message_id_field = "Message-ID: <" + to_text(message_id_) + "@" + context_.hostname + ">\r\n";
  }
  store::IncomingMessage message = context_.store.begin_message();
  if (envelope_->parameters.is_utf8) message.declare_internationalized();
  transfer_ = std::make_unique<Transfer>(std::move(message), std::move(options));
  transfer_->started = now;
}

session::Step ServerSession::read_data(session::Input& input, Output& output) {
  Transfer& transfer = *transfer_;
  const auto sink = [&transfer](std::string_view text) { transfer.append(text); };
  const std::size_t read = transfer.data.read(input.bytes(), sink);
  input.consume(read);
  if (transfer.data.has_bare_line_end()) {
    transfer.refuse(reply::kBareLineEnd);
    transfer.skip(read);
  }
  if (transfer.data.is_done()) return text_done(output);
  if (transfer.bytes() > context_.limits.max_message_bytes + kMaxDrain) return refuse_and_close(reply::kTooLarge, output);
  return Step::kRead;
}

session::Step ServerSession::read_chunk(session::Input& input, Output& output) {
  const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size()));
  if (!is_chunk_refused_) {
    const std::string_view text = input.bytes().substr(0, size);
    if (envelope_->parameters.body != Body::kBinaryMime) transfer_->line_ends.read(text);
    transfer_->append(text);
  }
  input.consume(size);
  chunk_left_ -= size;
  return chunk_left_ > 0 ? Step::kRead : chunk_done(output);
}

session::Step ServerSession::chunk_done(Output& output) {
  begin_reading(Reading::kCommand);
  if (std::exchange(is_chunk_refused_, false)) return refuse(chunk_refusal_, output);
  if (is_last_chunk_) {
    if (transfer_->line_ends.has_bare_line_end()) transfer_->refuse(reply::kBareLineEnd);
    return text_done(output);
  }
  if (transfer_->refusal()) return message_refused(*transfer_->refusal(), output);
  return answer(reply::kChunkOk, output);
}

// Does every mailbox of the From fields belong to the user? A message without any passes: it names nobody.
Result<bool> ServerSession::is_own_from(std::string_view from) {
  bool is_own = true;
  std::optional<Error> error;
  mail::for_each_listed_address(from, [&](const mail::ListedAddress& listed) {
    if (listed.kind != mail::ListedKind::kMailbox || !is_own || error) return;
    auto address =
        mail::parse_mailbox(mail::quote_local_part(listed.mailbox).append("@").append(listed.host), mail::Utf8::kAllow);
    const Result<bool> verdict = address ? is_own_address(*std::move(address)) : Result<bool>(false);
    if (!verdict) {
      error = verdict.error();
    } else {
      is_own = *verdict;
    }
  });
  if (error) return std::unexpected(*std::move(error));
  return is_own;
}

// RFC 6409 §6.1: a submitted message is not sent in the name of somebody else.
void ServerSession::check_from() {
  if (transfer_->refusal() || role_ == ListenerRole::kMx || !context_.checks_from) return;
  if (transfer_->header().is_from_cut()) return transfer_->refuse(reply::kNotYourFrom);
  const Result<bool> is_own = is_own_from(transfer_->header().from());
  if (!is_own) return transfer_->refuse(reply::kTryAgain);
  if (!*is_own) transfer_->refuse(reply::kNotYourFrom);
}

void ServerSession::choose_keys() {
  if (transfer_->refusal() || !transfer_->is_signed()) return;
  const store::Snapshot* view = snapshot();
  if (!view) return transfer_->refuse(reply::kTryAgain);
  auto keys = context_.signing->of_message(*view, account_, transfer_->header().from(), envelope_->reverse_path);
  if (!keys) return transfer_->refuse(reply::kTryAgain);
  transfer_->sign_with(*std::move(keys));
}

session::Step ServerSession::text_done(Output& output) {
  transfer_->end();
  check_from();
  choose_keys();
  if (transfer_->refusal()) return message_refused(*transfer_->refusal(), output);
  if (transfer_->may_block()) {
    awaiting_ = Awaiting::kFinish;
    return Step::kRun;
  }
  transfer_->finish_message(context_.clock.now());
  return message_finished(output);
}

}  // namespace posthus::smtp
