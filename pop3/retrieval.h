// Retrieval: the answers to RETR and TOP (RFC 1939 §5 and §7). Takes a batch of pipelined requests and writes their
// answers in pieces of at most kPieceBytes, each from a snapshot of its own: no client, however slow, holds one.
// Thread rule: belongs to its session; write() blocks for reads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/mail/dot_stuffing.h"
#include "pop3/maildrop.h"
#include "pop3/response.h"
#include "store/store.h"

namespace posthus::pop3 {

inline constexpr std::size_t kPieceBytes = 256 * 1024;  // output of one run() (session.h)
inline constexpr std::uint64_t kWholeMessage = ~0ull;

/// `lines`: of the body, for TOP; kWholeMessage for RETR.
struct RetrievalRequest {
  std::uint32_t number = 0;
  std::uint64_t lines = kWholeMessage;
};

enum class HeaderMode : bool { kAscii, kUtf8 };  // kUtf8: the client has said UTF8 (RFC 6856 §2.1)
enum class RetrievalState : std::uint8_t {
  kMore,  // call write() again after the flush
  kDone,
  kBroken,  // a message broke off in the middle: the connection must close
};

class Retrieval {
 public:
  /// Is there room for one more request in this batch?
  bool has_room() const { return expected_bytes_ < kPieceBytes && requests_.size() < kMaxRequests; }
  void add(const RetrievalRequest& request, const Maildrop& maildrop);
  /// All that has been asked for is small: worth no hop to another thread.
  bool is_brief() const;

  RetrievalState write(const store::Store& store, const Maildrop& maildrop, HeaderMode mode, Language language, std::string& out);
  std::uint32_t retrieved() const { return retrieved_; }

 private:
  static constexpr std::size_t kMaxRequests = 256;  // a 256 KiB piece of 1 KiB messages

  struct Pass;
  /// A message that is being written in pieces.
  struct Open {
    std::uint64_t blob = 0, offset = 0, size = 0, header_size = 0, lines_left = kWholeMessage;
    mail::DotStuffer stuffer;
    bool needs_ascii = false;
    std::string surrogate;  // replaces the header, when not empty
  };

  Result<> begin(Pass& pass, const RetrievalRequest& request);
  Result<> write_small(Pass& pass, const Open& message, bool has_leading_dot);
  Result<> begin_large(Pass& pass, Open message, const RetrievalRequest& request);
  Result<> continue_open(Pass& pass);
  std::uint64_t take_lines(std::string_view body);

  std::vector<RetrievalRequest> requests_;
  std::size_t next_ = 0;
  std::uint64_t expected_bytes_ = 0;
  std::uint32_t retrieved_ = 0;
  std::unique_ptr<Open> open_;
};

}  // namespace posthus::pop3
