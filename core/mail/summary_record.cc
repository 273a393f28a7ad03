// The stored form of a Summary. Thread rule: pure functions; a SummaryView belongs to one thread.
// Layout: version, flags, size, header_size, cached fields, [envelope], part count, parts. Integers are LEB128 (7 bits a byte,
// least significant first), texts an integer and bytes; frequent texts are an index into kWords.
// WHY: ENVELOPE is not stored when the cached fields give the very same text, and offsets are stored as distances, so that the
// row of an ordinary message stays inside a leaf page of the store.
#include <algorithm>
#include <array>
#include <limits>

#include "core/mail/envelope.h"
#include "core/mail/summary.h"

namespace posthus::mail {
namespace {

constexpr char kVersion = 1;
constexpr unsigned kLeadingDot = 1, kEightBit = 2, kNul = 4, kOwnEnvelope = 8, kInternationalized = 16;

// Part of the stored format: only ever append.
constexpr std::array<std::string_view, 44> kWords = {"text",
                                                     "plain",
                                                     "html",
                                                     "multipart",
                                                     "mixed",
                                                     "alternative",
                                                     "related",
                                                     "charset",
                                                     "utf-8",
                                                     "UTF-8",
                                                     "us-ascii",
                                                     "7bit",
                                                     "8bit",
                                                     "binary",
                                                     "base64",
                                                     "quoted-printable",
                                                     "boundary",
                                                     "attachment",
                                                     "inline",
                                                     "filename",
                                                     "name",
                                                     "application",
                                                     "octet-stream",
                                                     "image",
                                                     "png",
                                                     "jpeg",
                                                     "pdf",
                                                     "message",
                                                     "rfc822",
                                                     "format",
                                                     "flowed",
                                                     "iso-8859-1",
                                                     "ISO-8859-1",
                                                     "windows-1252",
                                                     "signed",
                                                     "report",
                                                     "delivery-status",
                                                     "delsp",
                                                     "yes",
                                                     "digest",
                                                     "calendar",
                                                     "pkcs7-signature",
                                                     "pgp-signature",
                                                     "type"};

void append_integer(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void append_bytes(std::string& out, std::string_view bytes) {
  append_integer(out, bytes.size());
  out.append(bytes);
}

/// A text that is often a word: index * 2 + 1, or length * 2 and the bytes.
void append_word(std::string& out, std::string_view text) {
  const auto found = text.empty() ? kWords.end() : std::ranges::find(kWords, text);
  if (found != kWords.end()) {
    append_integer(out, static_cast<std::uint64_t>(found - kWords.begin()) * 2 + 1);
    return;
  }
  append_integer(out, std::uint64_t{text.size()} * 2);
  out.append(text);
}

/// Reads what the append functions wrote. After the first fault ok() is false and every value is empty.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t integer() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    broken();
    return 0;
  }
  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size()) {
      broken();
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  std::string_view bytes() { return take(integer()); }
  std::string_view word() {
    const std::uint64_t code = integer();
    if (code % 2 == 0) return take(code / 2);
    if (code / 2 < kWords.size()) return kWords[code / 2];
    broken();
    return {};
  }
  /// A count of things that take a byte each at least.
  std::size_t count() {
    const std::uint64_t value = integer();
    if (value <= bytes_.size()) return static_cast<std::size_t>(value);
    broken();
    return 0;
  }
  void broken() {
    ok_ = false;
    bytes_ = {};
  }
  bool ok() const { return ok_; }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;  // the caller's
  bool ok_ = true;
};

// Which members of a part are not empty; those that are empty take no room.
constexpr unsigned kMultipart = 1, kMessage = 2, kParameters = 4, kId = 8, kDescription = 16, kMd5 = 32, kDisposition = 64,
                   kDispositionParameters = 128, kLanguages = 256, kLocation = 512;

unsigned part_flags(const Part& part) {
  return (part.is_multipart ? kMultipart : 0) | (part.is_message ? kMessage : 0) | (part.parameters.empty() ? 0 : kParameters) |
         (part.id.empty() ? 0 : kId) | (part.description.empty() ? 0 : kDescription) | (part.md5.empty() ? 0 : kMd5) |
         (part.disposition.empty() ? 0 : kDisposition) | (part.disposition_parameters.empty() ? 0 : kDispositionParameters) |
         (part.languages.empty() ? 0 : kLanguages) | (part.location.empty() ? 0 : kLocation);
}

void append_parameters(std::string& out, const std::vector<std::pair<std::string, std::string>>& parameters) {
  append_integer(out, parameters.size());
  for (const auto& [name, value] : parameters) {
    append_word(out, name);
    append_word(out, value);
  }
}

void append_part(std::string& out, const Part& part, std::uint64_t base) {
  const unsigned flags = part_flags(part);
  append_integer(out, flags);
  append_integer(out, part.header_begin - base);
  append_integer(out, part.body_begin - part.header_begin);
  append_integer(out, part.body_end - part.body_begin);
  append_integer(out, part.lines);
  if (part.is_multipart) append_integer(out, part.subtree);
  append_word(out, part.type);
  append_word(out, part.subtype);
  append_word(out, part.encoding);
  if (flags & kParameters) append_parameters(out, part.parameters);
  if (flags & kId) append_bytes(out, part.id);
  if (flags & kDescription) append_bytes(out, part.description);
  if (flags & kMd5) append_bytes(out, part.md5);
  if (flags & kDisposition) append_word(out, part.disposition);
  if (flags & kDispositionParameters) append_parameters(out, part.disposition_parameters);
  if (flags & kLanguages) {
    append_integer(out, part.languages.size());
    for (const std::string& language : part.languages) append_word(out, language);
  }
  if (flags & kLocation) append_bytes(out, part.location);
  if (flags & kMessage) append_bytes(out, part.envelope);
}

std::vector<std::pair<std::string, std::string>> read_parameters(RecordReader& reader) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for (std::size_t count = reader.count(); count > 0 && reader.ok(); --count) {
    std::string name(reader.word());
    parameters.emplace_back(std::move(name), reader.word());
  }
  return parameters;
}

Part read_part(RecordReader& reader, std::uint64_t base) {
  Part part;
  const std::uint64_t flags = reader.integer();
  part.is_multipart = (flags & kMultipart) != 0;
  part.is_message = (flags & kMessage) != 0;
  part.header_begin = base + reader.integer();
  part.body_begin = part.header_begin + reader.integer();
  part.body_end = part.body_begin + reader.integer();
  part.lines = reader.integer();
  if (part.is_multipart) {
    part.subtree = static_cast<std::uint32_t>(std::min<std::uint64_t>(reader.integer(), kMaxParts + 1));
  }
  part.type = reader.word();
  part.subtype = reader.word();
  part.encoding = reader.word();
  if (flags & kParameters) part.parameters = read_parameters(reader);
  if (flags & kId) part.id = reader.bytes();
  if (flags & kDescription) part.description = reader.bytes();
  if (flags & kMd5) part.md5 = reader.bytes();
  if (flags & kDisposition) part.disposition = reader.word();
  if (flags & kDispositionParameters) part.disposition_parameters = read_parameters(reader);
  if (flags & kLanguages) {
    for (std::size_t count = reader.count(); count > 0 && reader.ok(); --count) part.languages.emplace_back(reader.word());
  }
  if (flags & kLocation) part.location = reader.bytes();
  if (flags & kMessage) part.envelope = reader.bytes();
  return part;
}

/// Messages are not stored with the size of their subtree: it is that of their child and one more.
void restore_message_subtrees(std::vector<Part>& parts) {
  for (std::size_t i = parts.size(); i-- > 0;) {
    if (parts[i].is_message && i + 1 < parts.size()) parts[i].subtree = parts[i + 1].subtree + 1;
  }
}

/// Is it a tree the builder could have made: subtrees and offsets nested in each other, no deeper than allowed?
bool is_sound(const std::vector<Part>& parts, std::uint64_t size) {
  if (parts.empty() || parts[0].subtree != parts.size() || parts[0].header_begin != 0) return false;
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    while (!open.empty() && i >= open.back() + parts[open.back()].subtree) open.pop_back();
    const std::size_t end = open.empty() ? parts.size() : open.back() + parts[open.back()].subtree;
    const std::uint64_t outer_begin = open.empty() ? 0 : parts[open.back()].body_begin;
    const std::uint64_t outer_end = open.empty() ? size : parts[open.back()].body_end;
    if (part.subtree == 0 || i + part.subtree > end || open.size() > kMaxNesting + 1) return false;
    if (part.header_begin < outer_begin || part.header_begin > part.body_begin || part.body_begin > part.body_end ||
        part.body_end > outer_end)
      return false;
    if (part.is_message && (part.is_multipart || part.subtree < 2 || parts[i + 1].subtree + 1 != part.subtree)) return false;
    if (!part.is_multipart && !part.is_message && part.subtree != 1) return false;
    open.push_back(i);
  }
  return true;
}

}  // namespace

std::string encode_summary(const Summary& summary) {
  const bool has_own_envelope = make_envelope(summary.cached_fields) != summary.envelope;
  std::string out;
  out.reserve(summary.cached_fields.size() + 256);
  out.push_back(kVersion);
  out.push_back(static_cast<char>((summary.has_leading_dot ? kLeadingDot : 0) | (summary.has_8bit ? kEightBit : 0) |
                                  (summary.has_nul ? kNul : 0) | (has_own_envelope ? kOwnEnvelope : 0) |
                                  (summary.is_internationalized ? kInternationalized : 0)));
  append_integer(out, summary.size);
  append_integer(out, summary.header_size);
  append_bytes(out, summary.cached_fields);
  if (has_own_envelope) append_bytes(out, summary.envelope);
  append_integer(out, summary.parts.size());
  std::uint64_t base = 0;
  for (const Part& part : summary.parts) {
    append_part(out, part, base);
    base = part.header_begin;
  }
  return out;
}

Result<SummaryView> SummaryView::create(std::string_view encoded) {
  RecordReader reader(encoded);
  const std::string_view head = reader.take(2);
  if (!reader.ok() || head[0] != kVersion) return fail(ErrorKind::kCorrupt, "summary version");
  SummaryView view;
  view.flags_ = static_cast<std::uint8_t>(head[1]);
  view.has_leading_dot_ = (view.flags_ & kLeadingDot) != 0;
  view.size_ = reader.integer();
  view.header_size_ = reader.integer();
  view.cached_fields_ = reader.bytes();
  if ((view.flags_ & kOwnEnvelope) != 0) view.envelope_ = reader.bytes();
  view.parts_ = reader.rest();
  if (!reader.ok() || view.header_size_ > view.size_) return fail(ErrorKind::kCorrupt, "summary");
  return view;
}

std::string_view SummaryView::envelope() const {
  if ((flags_ & kOwnEnvelope) != 0) return envelope_;
  if (made_envelope_.empty()) made_envelope_ = make_envelope(cached_fields_);
  return made_envelope_;
}

void SummaryView::append_envelope(std::string& out) const {
  if ((flags_ & kOwnEnvelope) != 0) {
    out.append(envelope_);
  } else {
    mail::append_envelope(out, cached_fields_);
  }
}

bool SummaryView::has_8bit() const { return (flags_ & kEightBit) != 0; }
bool SummaryView::has_nul() const { return (flags_ & kNul) != 0; }
bool SummaryView::is_internationalized() const { return (flags_ & kInternationalized) != 0; }

Result<std::vector<Part>> SummaryView::parts() const {
  RecordReader reader(parts_);
  const std::size_t count = reader.count();
  if (count == 0 || count > kMaxParts) return fail(ErrorKind::kCorrupt, "summary parts");
  std::vector<Part> parts;
  parts.reserve(count);
  std::uint64_t base = 0;
  while (parts.size() < count && reader.ok()) {
    parts.push_back(read_part(reader, base));
    base = parts.back().header_begin;
  }
  restore_message_subtrees(parts);
  if (!reader.ok() || !reader.rest().empty() || !is_sound(parts, size_)) return fail(ErrorKind::kCorrupt, "summary parts");
  return parts;
}

Result<Summary> decode_summary(std::string_view encoded) {
  const SummaryView view = POSTHUS_TRY(SummaryView::create(encoded));
  Summary summary;
  summary.size = view.size();
  summary.header_size = view.header_size();
  summary.has_leading_dot = view.has_leading_dot();
  summary.has_8bit = view.has_8bit();
  summary.has_nul = view.has_nul();
  summary.is_internationalized = view.is_internationalized();
  summary.envelope = view.envelope();
  summary.cached_fields = view.cached_fields();
  summary.parts = POSTHUS_TRY(view.parts());
  return summary;
}

}  // namespace posthus::mail
