// Dot transparency for SMTP DATA and POP3 multi-line answers (RFC 5321 §4.5.2, RFC 1939 §3).
// Thread rule: an object belongs to one thread.
// WHY: a '.' behind a bare LF is stuffed too: a receiver that takes LF for a line end must never see our end of data early.
#include "core/mail/dot_stuffing.h"

#include <cstring>

namespace posthus::mail {

void DotStuffer::append(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  if (at_line_start_ && bytes.front() == '.') out.push_back('.');
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  const char* copied = begin;
  for (const char* from = begin; from < end;) {
    const void* const found = memmem(from, static_cast<std::size_t>(end - from), "\n.", 2);
    if (found == nullptr) break;
    from = static_cast<const char*>(found) + 1;
    out.append(copied, from);
    out.push_back('.');
    copied = from;
  }
  out.append(copied, end);

  const bool cr_before_last = bytes.size() >= 2 ? bytes[bytes.size() - 2] == '\r' : ends_with_cr_;
  at_line_start_ = bytes.back() == '\n';
  ends_with_crlf_ = at_line_start_ && cr_before_last;
  ends_with_cr_ = bytes.back() == '\r';
}

void DotStuffer::finish(std::string& out) {
  if (!ends_with_crlf_) out.append("\r\n");
  out.append(".\r\n");
  *this = DotStuffer{};
}

}  // namespace posthus::mail
