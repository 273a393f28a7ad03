// SigningKeys: the DKIM keys that mail of our domains is signed with, parsed once and kept. RFC 6376 §5.1, §5.2.
// Thread rule: any thread; signing takes about half a millisecond and belongs on a worker.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/mailauth/dkim_sign.h"
#include "smtp/path.h"
#include "store/engine.h"

namespace posthus::smtp {

/// What goes before a text, and in whose name (d=).
struct Signature {
  std::string fields;  // DKIM-Signature, with CRLF; empty: there are no keys
  std::string domain;  // empty exactly when `fields` is
};

class SigningKeys {
 public:
  /// The active keys of `domain` (normalised); none when it is not ours or has none.
  Result<std::vector<mailauth::SigningKey>> of_domain(const store::Snapshot& snapshot, std::string_view domain);

  /// The keys for a message that `account` submits: of the domain of the first address in `from` (the values of its From
  /// fields) that is of a domain with keys and that the account may send as, else of the reverse-path's domain. None: it leaves
  /// unsigned.
  Result<std::vector<mailauth::SigningKey>> of_message(const store::Snapshot& snapshot, AccountId account, std::string_view from,
                                                       const ReversePath& reverse_path);

  /// DKIM-Signature fields for a whole message of our own (a report), in the name of `domain` or of the nearest domain above it
  /// that has keys (our host name mostly lies below one of our domains); empty when none has.
  Result<Signature> sign(const store::Snapshot& snapshot, std::string_view domain, std::string_view text, Timestamp now);

 private:
  Result<std::shared_ptr<const mailauth::PrivateKey>> parsed(const std::string& public_key, mailauth::SigningAlgorithm algorithm,
                                                             std::string_view private_key);
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const mailauth::PrivateKey>, std::less<>> parsed_;  // by public key
};

inline constexpr std::size_t kMaxParsedKeys = 2000;  // a parsed RSA key is about 5 KiB; above that all are forgotten at once

}  // namespace posthus::smtp
