// Result and Error: the one rule for failure in the whole program (ARCHITECTURE.md, "Errors").
// A refusal by protocol is not an error; it is a reply. Broken invariants call CHECK (core/base/check.h).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace posthus {

/// What went wrong, coarse enough that each protocol maps it to the wire with one table.
enum class ErrorKind : std::uint8_t {
  kInvalid,      // malformed input
  kNotFound,     // the named thing does not exist
  kExists,       // it exists already
  kDenied,       // not allowed, or wrong credentials
  kTooLarge,     // over a limit of ours
  kOverQuota,    // over the account's quota
  kBusy,         // held by somebody else for now
  kTimeout,      // took longer than allowed
  kUnavailable,  // cannot be had for now (shutting down, out of budget, disk full)
  kCorrupt,      // stored data fails its checks
  kIo,           // the operating system refused
};

/// The name of `kind` for logs and JSON, e.g. "not_found".
std::string_view to_string(ErrorKind kind);

/// A kind and a short context for the log, e.g. "mailbox 17". Never holds a secret.
struct Error {
  ErrorKind kind = ErrorKind::kInvalid;
  std::string context;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// Makes the failed Result: `return fail(ErrorKind::kNotFound, name);`
[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string context = {}) {
  return std::unexpected<Error>(Error{kind, std::move(context)});
}

}  // namespace posthus

/// Evaluates to the value of a Result, or returns its error from the current function. REQUIRES: nothing that needs
/// cleaning up was made earlier in the same expression (`new T(POSTHUS_TRY(..))` leaks): give the value a name first.
#define POSTHUS_TRY(expression)                                                             \
  ({                                                                                        \
    auto posthus_try_result = (expression);                                                 \
    if (!posthus_try_result) return std::unexpected(std::move(posthus_try_result).error()); \
    *std::move(posthus_try_result);                                                         \
  })

/// The same for a Result<void>.
#define POSTHUS_TRY_VOID(expression)                                                        \
  do {                                                                                      \
    auto posthus_try_result = (expression);                                                 \
    if (!posthus_try_result) return std::unexpected(std::move(posthus_try_result).error()); \
  } while (false)
