// FetchWriter: FETCH responses of a set of messages, a chunk at a time (RFC 9051 §7.5.2). Remembers where a chunk ended,
// also inside a literal, and goes on there with a new snapshot. Thread rule: as its session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "imap/execution.h"
#include "imap/message_source.h"
#include "imap/transfer_decoder.h"

namespace posthus::imap {

class FetchWriter {
 public:
  FetchWriter(store::UidSet uids, const std::vector<FetchItem>& items) : uids_(std::move(uids)), items_(items) {}

  enum class Chunk : std::uint8_t { kMore, kDone };
  /// Writes about kChunk. An error inside a response leaves is_mid_response(): the connection cannot go on.
  Result<Chunk> write(SessionState& state, std::string& out);
  bool is_mid_response() const { return is_message_begun_; }
  /// Some part had an encoding nobody knows: the command fails with UNKNOWN-CTE (RFC 9051 §7.5.2).
  bool has_unknown_encoding() const { return has_unknown_encoding_; }
  /// Some message could not be read; the others were answered.
  bool has_failures() const { return has_failures_; }
  /// Some message had been expunged by another session.
  bool has_expunged() const { return has_expunged_; }

 private:
  /// A literal being written: a range of the message, perhaps decoded on the way.
  struct Literal {
    std::uint64_t offset = 0, left = 0;  // of the message: what is still to be read
    std::optional<TransferDecoder> decoder;
    std::uint64_t skip = 0, wanted = 0;  // of the decoded bytes: to drop, then to write
  };
  struct Window {
    std::uint64_t offset, length;
  };

  bool is_full(const std::string& out) const { return out.size() >= limit_; }
  Result<bool> write_message(MessageSource& source, std::uint32_t sequence, std::string& out);
  Result<> write_item(MessageSource& source, const FetchItem& item, std::string& out);
  Result<> write_section(MessageSource& source, const FetchItem& item, std::string& out);
  Result<> write_binary(MessageSource& source, const FetchItem& item, std::string& out);
  Result<> write_literal(MessageSource& source, std::string& out);
  static Window window(const std::optional<Partial>& partial, std::uint64_t size);

  const store::UidSet uids_;
  const std::vector<FetchItem>& items_;
  const SessionState* state_ = nullptr;                 // during write()
  const std::vector<std::string>* keywords_ = nullptr;  // during write()
  std::size_t limit_ = 0;
  std::size_t range_ = 0;  // of uids_
  Uid next_{0};            // in that range; 0: its first
  std::size_t item_ = 0;   // of the message at next_
  bool is_message_begun_ = false;
  std::optional<Literal> literal_;
  bool has_unknown_encoding_ = false, has_failures_ = false, has_expunged_ = false;
};

}  // namespace posthus::imap
