// IncomingMessage: a message text on its way in. Counts, summarises and spools while bytes arrive: no second
// pass, and memory stays bounded (the head in memory up to kSpoolThreshold, then a file of its own in the spool folder).
// Thread rule: one thread at a time. Dropping it removes the spool file: nothing unacknowledged stays behind.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/byte_budget.h"
#include "core/base/result.h"
#include "core/mail/summary.h"

namespace posthus::store {

inline constexpr std::size_t kSpoolThreshold = 256 * 1024;  // 20 large messages at once stay far below 32 MiB

class IncomingMessage {
 public:
  /// `spool_directory` empty: never spools (memory engine, tests). The budget must outlive it.
  IncomingMessage(std::string spool_directory, ByteBudget* budget);
  IncomingMessage(IncomingMessage&&) noexcept;
  IncomingMessage& operator=(IncomingMessage&&) noexcept;
  ~IncomingMessage();

  /// Errors: kUnavailable (budget spent, disk full), kIo. After an error only the destructor may follow.
  Result<> append(std::string_view bytes);
  /// The message came with SMTPUTF8: its header is UTF-8 by declaration (RFC 6531 §3.4). Before finish().
  void declare_internationalized();
  /// Ends the text: the summary and the checksum are final, the spool file is synced to disk. Once.
  Result<> finish();

  std::uint64_t size() const;
  // REQUIRES for all below: finish() succeeded.
  const mail::Summary& summary() const;
  const std::string& encoded_summary() const;  // mail::encode_summary(summary()), made here so that the Writer need not
  std::uint32_t checksum() const;              // CRC-32C of the text
  bool is_spooled() const;
  std::string_view bytes() const;         // REQUIRES: !is_spooled()
  const std::string& spool_path() const;  // REQUIRES: is_spooled()
  /// The Writer took the spool file over (renamed it); the destructor leaves it alone.
  void release_spool_file();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace posthus::store
