// A message on its way in. RFC 5321 §4.4, §6.3; RFC 6409 §8. Thread rule: one thread at a time.
#include "smtp/transfer.h"

#include <utility>

#include "core/base/ascii.h"
#include "core/base/log.h"

namespace posthus::smtp {

Transfer::Transfer(store::IncomingMessage message, TransferOptions options)
    : message_(std::move(message)),
      forged_(std::move(options.hostname)),
      header_(options.from_fields),
      max_bytes_(options.max_bytes),
      date_field_(std::move(options.date_field)),
      message_id_field_(std::move(options.message_id_field)) {
  if (options.signing == Signing::kPrepared) signer_ = std::make_unique<mailauth::DkimSigner>();
  store_text(options.trace_fields);
}

void Transfer::refuse(const Reply& reply) {
  if (!refusal_) refusal_ = reply;
  message_.reset();  // gives memory, budget and spool file back at once
}

void Transfer::store_text(std::string_view text) {
  if (!message_ || text.empty()) return;
  if (signer_) signer_->append(text);  // trace fields too: they are never among what is signed
  const auto stored = message_->append(text);
  if (stored) return;
  refuse(stored.error().kind == ErrorKind::kUnavailable ? reply::kNoMemory : reply::kTryAgain);
}

void Transfer::add_missing_fields() {
  if (!header_.has_date()) store_text(date_field_);
  if (!header_.has_message_id()) store_text(message_id_field_);
}

void Transfer::read_header(std::string_view text) {
  const bool was_holding_cr = header_.is_holding_cr();
  const std::size_t fields = header_.read(text);
  has_8bit_header_ = has_8bit_header_ || ascii::has_high_bit(text.substr(0, fields));
  if (header_.received_fields() > kMaxReceived) return refuse(reply::kMailLoop);
  if (header_.has_ended()) {
    store_text(text.substr(0, fields));
    add_missing_fields();
    if (was_holding_cr) store_text("\r");
    store_text(text.substr(fields));
    return;
  }
  if (was_holding_cr) store_text("\r");
  store_text(text.substr(0, fields));
}

void Transfer::append(std::string_view text) {
  bytes_ += text.size();
  if (refusal_ || text.empty()) return;
  if (bytes_ > max_bytes_) return refuse(reply::kTooLarge);
  if (forged_.has_ended()) return append_kept(text);
  forged_.read(text, [this](std::string_view kept) { append_kept(kept); });
}

void Transfer::append_kept(std::string_view text) {
  if (refusal_) return;
  if (header_.has_ended()) return store_text(text);
  read_header(text);
}

void Transfer::end() {
  if (refusal_) return;
  forged_.finish([this](std::string_view kept) { append_kept(kept); });
  if (refusal_ || header_.has_ended()) return;
  const bool was_holding_cr = header_.is_holding_cr();
  if (was_holding_cr) store_text("\r");
  const bool needs_line_end = was_holding_cr || !header_.is_at_line_start();
  header_.finish();
  const bool adds_fields =
      (!header_.has_date() && !date_field_.empty()) || (!header_.has_message_id() && !message_id_field_.empty());
  if (needs_line_end && adds_fields) store_text("\r\n");
  add_missing_fields();
}

void Transfer::sign(Timestamp now) {
  if (keys_.empty()) return;
  auto fields = signer_->finish(keys_, now);
  if (fields) {
    signature_ = *std::move(fields);
  } else {  // a message without From, or with a hundred of them, leaves unsigned
    log::warning("smtp.not_signed", {{"domain", keys_.front().domain}, {"context", fields.error().context}});
  }
}

void Transfer::finish_message(Timestamp now) {
  if (!message_) return;
  sign(now);
  const auto finished = message_->finish();
  if (finished) return;
  refuse(finished.error().kind == ErrorKind::kUnavailable ? reply::kNoMemory : reply::kTryAgain);
}

}  // namespace posthus::smtp
