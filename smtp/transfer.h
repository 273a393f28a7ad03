// Transfer: one message on its way in, from DATA or the first BDAT to its end. Puts the trace fields first, adds what
// submission must add (RFC 6409 §8), bounds size and hops, and hands the text on to the store as it comes; nothing is
// kept here. Once refused it only counts. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/mailauth/dkim_sign.h"
#include "smtp/data_reader.h"
#include "smtp/forged_results.h"
#include "smtp/header_scan.h"
#include "smtp/reply.h"
#include "store/incoming_message.h"

namespace posthus::smtp {

inline constexpr std::uint32_t kMaxReceived = 100;  // RFC 5321 §6.3: at least 100, else it is a loop

enum class Signing : bool { kNone, kPrepared };  // kPrepared: the text is hashed as it comes

struct TransferOptions {
  std::uint64_t max_bytes = 0;  // of the message as the client counts it
  std::string trace_fields;     // Return-Path and Received, each with CRLF
  std::string date_field;       // added when the header has none; empty: never
  std::string message_id_field;
  FromFields from_fields = FromFields::kPass;
  Signing signing = Signing::kNone;
  std::string hostname;  // Authentication-Results fields in this name are taken out; empty: none
};

class Transfer {
 public:
  Transfer(store::IncomingMessage message, TransferOptions options);

  /// Message text (after removal of dots). Never fails: the first reason to refuse is kept.
  void append(std::string_view text);
  /// Bytes that were read, but are no text of it any more.
  void skip(std::uint64_t bytes) { bytes_ += bytes; }
  /// The text is complete. What is left to do may block: finish_message().
  void end();
  /// Ends the stored text: hash, summary and, when spooled, sync to disk.
  void finish_message(Timestamp now);

  /// Why the message cannot be taken; nothing so far.
  const std::optional<Reply>& refusal() const { return refusal_; }
  void refuse(const Reply& reply);
  /// Bytes as the client counts them.
  std::uint64_t bytes() const { return bytes_; }
  /// Whether finish_message() has to write to a file, or to sign.
  bool may_block() const { return !keys_.empty() || (message_ && message_->size() > store::kSpoolThreshold); }

  /// Is the text hashed for a signature?
  bool is_signed() const { return signer_ != nullptr; }
  /// With these keys finish_message() signs; none: it does not. REQUIRES: is_signed().
  void sign_with(std::vector<mailauth::SigningKey> keys) { keys_ = std::move(keys); }
  /// DKIM-Signature fields, once finish_message() has made them.
  const std::string& signature() const { return signature_; }
  /// In whose name they are; empty when there are none.
  std::string signing_domain() const { return signature_.empty() ? std::string() : keys_.front().domain; }
  /// REQUIRES: finish_message() was called and refusal() is empty. Once.
  store::IncomingMessage take_message() { return *std::move(message_); }

  const HeaderScan& header() const { return header_; }
  /// Is there a byte above 127 in the header? (RFC 6532: such a message needs SMTPUTF8.)
  bool has_8bit_header() const { return has_8bit_header_; }
  /// REQUIRES: as take_message(), and before it.
  const store::IncomingMessage& message() const { return *message_; }

  DataReader data;         // for DATA
  LineEndCheck line_ends;  // for BDAT, unless the body is binary
  Timestamp started;

 private:
  void store_text(std::string_view text);
  void append_kept(std::string_view text);
  void read_header(std::string_view text);
  void add_missing_fields();
  void sign(Timestamp now);

  std::optional<store::IncomingMessage> message_;
  std::optional<Reply> refusal_;
  bool has_8bit_header_ = false;
  ForgedResults forged_;
  HeaderScan header_;
  std::uint64_t bytes_ = 0;
  std::uint64_t max_bytes_;
  std::string date_field_, message_id_field_, signature_;
  std::unique_ptr<mailauth::DkimSigner> signer_;
  std::vector<mailauth::SigningKey> keys_;
};

}  // namespace posthus::smtp
