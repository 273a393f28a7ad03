// Summary: everything IMAP asks of a message's structure, computed once while the message arrives (no second pass, no
// message in memory) and stored beside it: ENVELOPE ready to send, the tree of parts with their offsets, and the header
// fields clients ask for most. RFC 9051 §7.5.2, RFC 2045-2047, RFC 2231.
// Never fails: broken MIME gets the summary that best describes its bytes; nesting and part counts are capped.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace posthus::mail {

inline constexpr int kMaxNesting = 50;                     // deeper multiparts are text to us: bounded stack and summary
inline constexpr std::size_t kMaxParts = 1000;             // further parts belong to the last one: bounded summary
inline constexpr std::size_t kMaxHeaderKept = 256 * 1024;  // bytes of one header that are looked at; the rest is only counted

/// One body part. Offsets count from the first byte of the message; sizes in bytes, as stored (CRLF line ends).
/// Strings are decoded to raw bytes as they stood (encoded-words are not decoded: IMAP sends them as they are).
struct Part {
  std::uint64_t header_begin =
      0;  // MIME header of this part (the message header for the root, and for the child of message/rfc822)
  std::uint64_t body_begin = 0;  // first byte after the blank line
  std::uint64_t body_end = 0;    // one past the last byte (the CRLF before a boundary is not part of it)
  std::uint64_t lines = 0;       // lines of the body
  std::uint32_t subtree = 1;     // this part and all below it, in preorder: the next sibling is at index + subtree
  bool is_message = false;       // message/rfc822 or message/global: its one child is the embedded message, `envelope` is set
  bool is_multipart = false;
  std::string type, subtype;                                    // lower case; "text" "plain" where missing or broken
  std::vector<std::pair<std::string, std::string>> parameters;  // names lower case; RFC 2231 continuations joined; a value with
                                                                // charset'lang' is UTF-8 under `name*` (RFC 9051 §7.5.2)
  std::string id, description, encoding;                        // encoding lower case, "7bit" where missing
  std::string md5, disposition;                                 // disposition lower case
  std::vector<std::pair<std::string, std::string>> disposition_parameters;
  std::vector<std::string> languages;
  std::string location;
  std::string envelope;  // of the embedded message, ready to send; only with is_message
};

struct Summary {
  std::uint64_t size = 0;         // RFC822.SIZE
  std::uint64_t header_size = 0;  // bytes up to and including the blank line
  bool has_leading_dot = false;   // some line begins with '.': POP3 and SMTP must stuff it
  bool has_8bit = false;
  bool has_nul = false;
  bool is_internationalized = false;  // came with SMTPUTF8 (RFC 6531): the header is UTF-8 by declaration; set by who received it
  std::string envelope;               // "(date subject from ...)" ready to send, strings quoted or as literals
  std::string cached_fields;  // the raw header fields named by is_cached_field, in order, each with its CRLF, no blank line
  std::vector<Part> parts;    // preorder; [0] is the message itself
};

/// Is `name` (any case) kept in Summary::cached_fields? From, Sender, Reply-To, To, Cc, Bcc, Subject, Date, Message-ID,
/// In-Reply-To, References, Content-Type, MIME-Version, List-Id, List-Unsubscribe, X-Priority, Importance,
/// Content-Transfer-Encoding, Disposition-Notification-To, Auto-Submitted, Newsgroups.
bool is_cached_field(std::string_view name);

/// Feed the message's bytes in any cut, then finish() once. Memory is bounded whatever comes.
class SummaryBuilder {
 public:
  SummaryBuilder();
  SummaryBuilder(SummaryBuilder&&) noexcept;
  SummaryBuilder& operator=(SummaryBuilder&&) noexcept;
  ~SummaryBuilder();
  void append(std::string_view bytes);
  Summary finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Convenience for tests and small messages.
Summary summarise(std::string_view message);

/// The stored form, and a view on it that finds single fields without decoding the rest. The bytes must outlive the view;
/// a view belongs to one thread.
std::string encode_summary(const Summary& summary);
Result<Summary> decode_summary(std::string_view encoded);
class SummaryView {
 public:
  static Result<SummaryView> create(std::string_view encoded);
  std::uint64_t size() const { return size_; }
  std::uint64_t header_size() const { return header_size_; }
  bool has_leading_dot() const { return has_leading_dot_; }
  bool has_8bit() const;
  bool has_nul() const;
  bool is_internationalized() const;
  /// Made from the cached fields at the first call (about a microsecond), kept in the view: valid as long as the view itself.
  std::string_view envelope() const;
  void append_envelope(std::string& out) const;  // the same, where it is not needed twice
  std::string_view cached_fields() const { return cached_fields_; }
  /// Decodes the parts; only needed for BODY, BODYSTRUCTURE and sections.
  Result<std::vector<Part>> parts() const;

 private:
  std::uint64_t size_ = 0, header_size_ = 0;
  bool has_leading_dot_ = false;
  std::uint8_t flags_ = 0;
  std::string_view envelope_, cached_fields_, parts_;  // into the encoded bytes
  mutable std::string made_envelope_;
};

/// BODY (RFC 9051 §7.5.2, without extension data) or BODYSTRUCTURE, written to `out`.
enum class Structure : bool { kBody, kBodyStructure };
void append_structure(std::string& out, const std::vector<Part>& parts, Structure kind);

/// Finds the part of an IMAP section number such as {1, 2} ("1.2"); nothing when there is none. An empty path is the
/// message. Follows RFC 9051 §6.4.5.1 (a message/rfc822 part passes numbers on to its embedded message; part 1 of a
/// non-multipart is itself). Returns the index into `parts`.
std::optional<std::size_t> find_part(const std::vector<Part>& parts, const std::vector<std::uint32_t>& path);

/// Writes an IMAP string: quoted when it can be, else a literal ("{5}\r\n…"); NIL is the caller's business.
void append_imap_string(std::string& out, std::string_view text);

}  // namespace posthus::mail
