// Every limit of the IMAP server with its reason. What a client may make us hold, parse or do is bounded here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace posthus::imap {

// RFC 7162 §4 asks for 8 KiB at least; clients send long uid lists. Without the bytes of literals.
inline constexpr std::size_t kMaxCommandLine = 64 * 1024;
// Line and literals of one command together; stays below session::kMaxLeftover, where it waits until it is whole.
inline constexpr std::size_t kMaxCommand = 96 * 1024;
// Before login only user names and passwords come as literals; RFC 7888 §4 wants 4096 at least.
inline constexpr std::size_t kMaxLiteralBeforeLogin = 4096;
// A search for many addresses needs perhaps a dozen; a thousand is a mistake or an attack.
inline constexpr int kMaxLiterals = 100;
// Non-synchronizing literals over a limit are read and dropped up to this size (RFC 7888 §4); above, the connection closes.
inline constexpr std::uint64_t kMaxDiscardedLiteral = 128ull << 20;
// APPEND: as large as SMTP takes.
inline constexpr std::uint64_t kMaxMessage = 50ull << 20;
// A response line of AUTHENTICATE; OAuth tokens stay below 8 KiB (RFC 4954 §4 names 12288).
inline constexpr std::size_t kMaxSaslLine = 12'288;
// Sets that name messages one by one; the command line's length bounds them as well.
inline constexpr std::size_t kMaxSetItems = 32 * 1024;
// Parentheses and NOT/OR inside each other: the evaluator recurses this deep at most.
inline constexpr int kMaxSearchNesting = 50;
inline constexpr std::size_t kMaxSearchKeys = 1000;
inline constexpr std::size_t kMaxFetchItems = 200;
inline constexpr std::size_t kMaxHeaderNames = 200;  // of all HEADER.FIELDS in one section
inline constexpr std::size_t kMaxSectionDepth = 60;  // just above mail::kMaxNesting
inline constexpr std::size_t kMaxFlags = 128;        // of one STORE or APPEND
inline constexpr std::size_t kMaxListPatterns = 50;
inline constexpr std::size_t kMaxListPattern = 512;   // matching costs pattern times name
inline constexpr std::size_t kMaxMailboxName = 1024;  // on the wire; the store's own rule is stricter
inline constexpr std::size_t kMaxIdPairs = 30;        // RFC 2971 §3.3
inline constexpr int kMaxLoginFailures = 4;           // then BYE; the throttle works over connections
inline constexpr int kMaxBadCommands = 20;            // syntax errors before login, in a row: something that speaks no IMAP
// One run() writes about this much, then lets go of its snapshot (session.h).
inline constexpr std::size_t kChunk = 256 * 1024;
// Bytes of a header that subsetting (HEADER.FIELDS) and searching look at: bounded memory, mail has no such headers.
inline constexpr std::uint64_t kMaxHeaderRead = 1ull << 20;
// Bytes of one text part that BODY and TEXT searches look at.
inline constexpr std::uint64_t kMaxSearchedPart = 8ull << 20;
// A search lets go of its snapshot after so many messages, or so many bytes read.
inline constexpr std::size_t kSearchSliceMessages = 20'000;
inline constexpr std::uint64_t kSearchSliceBytes = 8ull << 20;
// FETCH of so many messages without bodies, or of so many bytes of bodies, runs on the io thread (RunCost::kBrief).
inline constexpr std::uint64_t kBriefMessages = 50;
inline constexpr std::uint64_t kBriefBytes = 64 * 1024;

// Deadlines. RFC 9051 §5.4: at least 30 minutes once logged in, anything before.
inline constexpr std::chrono::seconds kLoginDeadline{60};      // for the next bytes of a stranger ...
inline constexpr std::chrono::seconds kLoginPatience{5 * 60};  // ... and for all of them, however they trickle in
inline constexpr std::chrono::seconds kAutologout{30 * 60};
inline constexpr std::chrono::seconds kLiteralDeadline{5 * 60};

}  // namespace posthus::imap
