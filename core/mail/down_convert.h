// Down-conversion: a message with 8-bit or binary content for a host that takes 7-bit only. RFC 6152 §3, RFC 3030 §3,
// RFC 2045 §6, RFC 1428 (what is no MIME). Each leaf part that needs it becomes quoted-printable or base64 and says so in
// its header; everything else stays byte for byte, so that signatures over parts that are 7-bit hold.
// Refused (kInvalid): 8-bit octets in a header (no encoding of a header is always right), parts of multipart/signed that
// would change, message/partial and the like. 8-bit octets in preambles and epilogues, which nobody reads, become '?'.
// Thread rule: an object belongs to one thread; it reads, so that thread may block.
// Known limits: the structure as Summary sees it (kMaxParts, kMaxNesting); headers that change at most kMaxHeaderKept.
// Memory: the structure and kChunk bytes of text, however long the message is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/result.h"

namespace posthus::mail {

/// Appends bytes [offset, offset + length) of the message to `out`.
using ReadText = std::function<Result<>(std::uint64_t offset, std::uint64_t length, std::string& out)>;

class DownConversion {
 public:
  static constexpr std::uint64_t kChunk = 32 * 1024;  // of the message, read at once; becomes at most three times as much

  /// Reads the message twice. Errors: kInvalid when it cannot be converted (`context` says why, for people), those of `read`.
  static Result<DownConversion> plan(std::uint64_t size, ReadText read);
  DownConversion(DownConversion&&) noexcept;
  DownConversion& operator=(DownConversion&&) noexcept;
  ~DownConversion();

  /// False: the message is 7-bit as it is, and text comes out unchanged.
  bool is_needed() const;
  /// Appends some more of the converted text. Errors: those of `read`.
  Result<> read_on(std::string& out);
  bool is_at_end() const;
  /// From the beginning again.
  void restart();

 private:
  struct State;
  explicit DownConversion(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace posthus::mail
