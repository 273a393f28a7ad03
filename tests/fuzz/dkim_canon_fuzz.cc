// LINK: posthus_core_mailauth
// Canonical forms of DKIM: a body in any cut has one hash, and it is that of the plain rules applied line by line; a header in
// any form is signed without reading outside it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/mail/header.h"
#include "core/mailauth/dkim_canon.h"

namespace {

using namespace posthus;

/// RFC 6376 §3.4.4 as it is written down.
std::string plainly_relaxed(std::string_view body) {
  std::string out;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find("\r\n"), body.size());
    std::string line;
    for (const char c : body.substr(0, end)) {
      const bool is_space = c == ' ' || c == '\t';
      if (is_space && line.ends_with(' ')) continue;
      line.push_back(is_space ? ' ' : c);
    }
    if (line.ends_with(' ')) line.pop_back();
    out += line + "\r\n";
    body.remove_prefix(std::min(body.size(), end + 2));
  }
  while (out.ends_with("\r\n\r\n")) out.resize(out.size() - 2);
  return out == "\r\n" ? "" : out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t cut = 1 + data[0] % 67;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  mailauth::RelaxedBody whole, pieces;
  whole.append(text);
  const Sha256Digest expected = sha256(plainly_relaxed(text));
  CHECK(whole.finish() == expected);
  for (std::size_t at = 0; at < text.size(); at += cut) pieces.append(text.substr(at, cut));
  CHECK(pieces.finish() == expected);
  pieces.append(text);
  CHECK(pieces.finish() == expected);

  mail::for_each_field(text, [&](const mail::HeaderField& field) {
    const std::string relaxed = mailauth::relaxed_field(field.raw);
    CHECK(relaxed.size() <= field.raw.size() + 2 && relaxed.ends_with("\r\n"));
    CHECK(mailauth::relaxed_field(relaxed) == relaxed);
    return true;
  });
  const std::string text_signed = mailauth::signed_header(text, {"from", "from", "to", "x"}, "DKIM-Signature: b=");
  CHECK(text_signed.ends_with("dkim-signature:b="));
  return 0;
}
