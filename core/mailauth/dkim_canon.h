// Canonical forms of DKIM: RFC 6376 §3.4.2 (relaxed header), §3.4.4 (relaxed body), and what a header hash is over (§3.7).
// Thread rule: pure functions; a RelaxedBody belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/hash.h"

namespace posthus::mailauth {

/// The body in relaxed form, as its SHA-256. Bytes come in any cut; memory is a few KiB.
class RelaxedBody {
 public:
  void append(std::string_view bytes);
  /// Of all that came; afterwards the object is as new.
  Sha256Digest finish();

 private:
  void put(char c);
  void put_text(std::string_view bytes);
  void end_pending();

  Sha256 hash_;
  std::string out_;                  // canonical bytes not yet hashed, at most kOutput
  std::uint64_t pending_lines_ = 0;  // line ends that count only if text follows
  bool is_space_pending_ = false;    // white space that counts only if text follows on its line
  bool is_cr_pending_ = false;       // a CR that may be the first half of a line end
  bool has_text_ = false;
};

/// "name:value\r\n" of one field with its folds and line end (`raw`).
std::string relaxed_field(std::string_view raw);

/// The text that the hash of a signature is made over, relaxed: for each of `names` (the h= tag) the next field of that name
/// from the bottom of `header`, nothing when there is none left; then `signature_field`, whose b= is empty, without line end.
std::string signed_header(std::string_view header, const std::vector<std::string_view>& names, std::string_view signature_field);

}  // namespace posthus::mailauth
