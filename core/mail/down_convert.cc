// Three passes: the structure (SummaryBuilder), what each leaf holds, the text itself. The message is a row of segments
// (header, leaf, what stands around them), which all of it belongs to.
#include "core/mail/down_convert.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/ascii.h"
#include "core/mail/header.h"
#include "core/mail/summary.h"
#include "core/mail/transfer_encoder.h"

namespace posthus::mail {
namespace {

constexpr std::size_t kMaxLineKept = 998;  // RFC 5322 §2.1.1

enum class Treatment : std::uint8_t {
  kKeep,
  kQuotedPrintable,
  kBase64,
  kEscape,   // it is quoted-printable already, with octets that have no business there
  kDrop,     // the same in base64, where decoders pass over them
  kReplace,  // preamble, epilogue
};

/// What was seen in a segment.
struct Content {
  std::uint64_t bytes = 0, high = 0;
  bool has_nul = false, has_bare_line_end = false, has_long_line = false;
  std::uint64_t column = 0;
  char previous = 0;

  void look_at(std::string_view text) {
    bytes += text.size();
    for (const char c : text) {
      high += static_cast<unsigned char>(c) >= 0x80 ? 1 : 0;
      has_nul |= c == '\0';
      has_bare_line_end |= (c == '\n') != (previous == '\r');
      column = c == '\n' ? 0 : column + 1;
      has_long_line |= column > kMaxLineKept + 1;  // the CR counts
      previous = c;
    }
  }
};

struct Segment {
  enum class Kind : std::uint8_t { kAround, kHeader, kLeaf };
  std::uint64_t begin = 0, end = 0;
  Kind kind = Kind::kAround;
  std::size_t part = 0;
  Treatment treatment = Treatment::kKeep;  // of kAround and kLeaf
  bool is_rewritten = false;               // of kHeader
  bool is_composite = false;               // of kHeader: it names a multipart or a message, whatever the part was taken for
  Content content;
};

bool is_identity_part(const Part& part) {
  return !ascii::equal_ignoring_case(part.encoding, "base64") && !ascii::equal_ignoring_case(part.encoding, "quoted-printable");
}

// message/global may be encoded (RFC 6532 §3.5), so it is a leaf; other messages are converted inside.
bool is_global(const Part& part) { return part.type == "message" && part.subtype.starts_with("global"); }
// A multipart without any part is none: what stands in it is no preamble, and must not be lost.
bool is_container(const Part& part) { return part.subtree > 1 && (part.is_multipart || (part.is_message && !is_global(part))); }

Result<std::vector<Segment>> segments_of(const std::vector<Part>& parts, std::uint64_t size) {
  std::vector<Segment> segments;
  std::uint64_t at = 0;
  const auto add = [&](std::uint64_t end, Segment::Kind kind, std::size_t part) {
    if (end > at) segments.push_back({.begin = at, .end = end, .kind = kind, .part = part});
    at = std::max(at, end);
  };
  for (std::size_t i = 0; i < parts.size(); i += is_container(parts[i]) ? 1 : parts[i].subtree) {
    const Part& part = parts[i];
    if (part.header_begin < at || part.body_begin < part.header_begin || part.body_end < part.body_begin ||
        part.body_end > size) {
      return fail(ErrorKind::kInvalid, "its parts overlap");
    }
    add(part.header_begin, Segment::Kind::kAround, i);
    add(part.body_begin, Segment::Kind::kHeader, i);
    if (!is_container(part)) add(part.body_end, Segment::Kind::kLeaf, i);
  }
  add(size, Segment::Kind::kAround, 0);
  return segments;
}

// RFC 2045 §6.4: such a part must not be encoded. A multipart whose boundary is missing or that is nested too deep is a
// leaf in the Summary, and yet its readers may take it for a multipart.
bool names_composite(std::string_view header) {
  const auto field = find_field(header, "Content-Type");
  if (!field) return false;
  const std::string type = ascii::to_lower(ascii::trim(field->value).substr(0, 32));
  return type.starts_with("multipart/") || (type.starts_with("message/") && !type.starts_with("message/global"));
}

// Calls visit(segment, piece, is_last piece of it) for what `text` at `offset` has of each segment, from `index` on.
template <class Visit>
Result<> for_each_piece(std::vector<Segment>& segments, std::size_t& index, std::uint64_t offset, std::string_view text,
                        Visit&& visit) {
  while (!text.empty() && index < segments.size()) {
    Segment& segment = segments[index];
    const std::uint64_t length = std::min<std::uint64_t>(segment.end - offset, text.size());
    const bool is_last = offset + length == segment.end;
    POSTHUS_TRY_VOID(visit(segment, text.substr(0, length), is_last));
    text.remove_prefix(length);
    offset += length;
    if (is_last) ++index;
  }
  return {};
}

bool needs_change(const Part& part, const Content& content) {
  if (content.high > 0) return true;
  if (!is_identity_part(part)) return false;
  return content.has_nul || content.has_bare_line_end || content.previous == '\r' ||
         (content.has_long_line && part.encoding == "binary");
}

Result<Treatment> treatment_of(const Part& part, const Content& content) {
  if (!needs_change(part, content)) return Treatment::kKeep;
  if (part.encoding == "quoted-printable") return Treatment::kEscape;
  if (part.encoding == "base64") return Treatment::kDrop;
  if (part.encoding.starts_with("x-")) return fail(ErrorKind::kInvalid, "it has a part in an encoding of its own");
  // RFC 2046 §5.2: other than these, messages must not be encoded.
  const bool is_composite = part.type == "multipart" || (part.type == "message" && !is_global(part));
  if (is_composite) return fail(ErrorKind::kInvalid, "it has a part " + part.type + "/" + part.subtype + " that is not 7-bit");
  // WHY: quoted-printable stays readable, and is the smaller one while few octets need it.
  const bool is_readable = part.type == "text" && !content.has_nul && content.high <= content.bytes / 4;
  return is_readable ? Treatment::kQuotedPrintable : Treatment::kBase64;
}

bool is_recoding(Treatment treatment) { return treatment == Treatment::kQuotedPrintable || treatment == Treatment::kBase64; }

std::string_view encoding_name(Treatment treatment) {
  return treatment == Treatment::kQuotedPrintable ? "quoted-printable" : treatment == Treatment::kBase64 ? "base64" : "7bit";
}

// The header with its Content-Transfer-Encoding as it is now. What is no field stays where it is.
std::string rewrite_header(std::string_view header, std::string_view encoding, bool is_top) {
  std::string out;
  out.reserve(header.size() + 128);
  bool is_dropping = false;
  std::string_view rest = header;
  std::string_view blank_line;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
    rest.remove_prefix(line.size());
    if (line == "\r\n" || line == "\n") {
      blank_line = line;
      break;
    }
    if (!ascii::is_space_or_tab(line.front())) {
      constexpr std::string_view kName = "content-transfer-encoding";
      const std::size_t colon = line.find(':');
      is_dropping = colon != std::string_view::npos && ascii::equal_ignoring_case(ascii::trim(line.substr(0, colon)), kName);
    }
    if (!is_dropping) out.append(line);
  }
  if (is_top && !find_field(header, "MIME-Version")) {
    // RFC 1428 §3: what came without MIME has content, but nobody said which.
    out.append("MIME-Version: 1.0\r\n");
    if (!find_field(header, "Content-Type")) out.append("Content-Type: text/plain; charset=unknown-8bit\r\n");
  }
  out.append("Content-Transfer-Encoding: ").append(encoding).append("\r\n");
  return out.append(blank_line).append(rest);
}

}  // namespace

struct DownConversion::State {
  std::uint64_t size = 0;
  ReadText read;
  std::vector<Part> parts;
  std::vector<Segment> segments;
  std::vector<std::size_t> changes_before;  // of each segment, and of the end: how many before it change

  // Of the third pass.
  std::uint64_t offset = 0;
  std::size_t index = 0;
  std::string chunk, header;
  QuotedPrintableEncoder quoted_printable;
  Base64Encoder base64;
  HighOctetEscaper escaper;

  Result<> read_chunk(std::uint64_t from);
  Result<> read_structure();
  Result<> look_at_content();
  Result<> choose_treatments();
  Result<> decide();
  bool has_changes(std::uint64_t begin, std::uint64_t end) const;  // does anything in there change?
  Treatment leaf_treatment(std::size_t part) const;
  Result<> convert(Segment& segment, std::string_view piece, bool is_last, std::string& out);
};

Result<> DownConversion::State::read_chunk(std::uint64_t from) {
  chunk.clear();
  const std::uint64_t length = std::min(kChunk, size - from);
  POSTHUS_TRY_VOID(read(from, length, chunk));
  if (chunk.size() != length) return fail(ErrorKind::kCorrupt, "text shorter than it should be");
  return {};
}

Result<> DownConversion::State::read_structure() {
  SummaryBuilder builder;
  for (std::uint64_t at = 0; at < size; at += chunk.size()) {
    POSTHUS_TRY_VOID(read_chunk(at));
    builder.append(chunk);
  }
  parts = builder.finish().parts;
  segments = POSTHUS_TRY(segments_of(parts, size));
  return {};
}

Result<> DownConversion::State::look_at_content() {
  std::size_t at_segment = 0;
  const auto look = [this](Segment& segment, std::string_view piece, bool is_last) -> Result<> {
    segment.content.look_at(piece);
    if (segment.kind != Segment::Kind::kHeader) return {};
    if (header.size() < kMaxHeaderKept) header.append(piece);
    if (!is_last) return {};
    segment.is_composite = names_composite(header);
    header.clear();
    return {};
  };
  for (std::uint64_t at = 0; at < size; at += chunk.size()) {
    POSTHUS_TRY_VOID(read_chunk(at));
    POSTHUS_TRY_VOID(for_each_piece(segments, at_segment, at, chunk, look));
  }
  return {};
}

bool DownConversion::State::has_changes(std::uint64_t begin, std::uint64_t end) const {
  const auto index_of = [&](std::uint64_t place) {
    const auto found = std::lower_bound(segments.begin(), segments.end(), place,
                                        [](const Segment& segment, std::uint64_t wanted) { return segment.begin < wanted; });
    return static_cast<std::size_t>(found - segments.begin());
  };
  return changes_before[index_of(end)] > changes_before[index_of(begin)];
}

Result<> DownConversion::State::choose_treatments() {
  changes_before.assign(1, 0);
  bool is_composite = false;  // the header before this segment
  for (Segment& segment : segments) {
    const bool has_high = segment.content.high > 0;
    if (segment.kind == Segment::Kind::kHeader) is_composite = segment.is_composite;
    if (segment.kind == Segment::Kind::kHeader && has_high) {
      return fail(ErrorKind::kInvalid, "its header has octets that are not ASCII");
    }
    if (segment.kind == Segment::Kind::kAround && has_high) segment.treatment = Treatment::kReplace;
    if (segment.kind == Segment::Kind::kLeaf) {
      const Part& part = parts[segment.part];
      segment.treatment = POSTHUS_TRY(treatment_of(part, segment.content));
      const bool has_header = part.header_begin < part.body_begin;
      if (is_recoding(segment.treatment) && !has_header) return fail(ErrorKind::kInvalid, "a part of it has no header");
      if (is_recoding(segment.treatment) && is_composite) {
        return fail(ErrorKind::kInvalid, "it has a multipart or message that cannot be taken apart");
      }
    }
    changes_before.push_back(changes_before.back() + (segment.treatment == Treatment::kKeep ? 0 : 1));
  }
  return {};
}

Result<> DownConversion::State::decide() {
  POSTHUS_TRY_VOID(choose_treatments());
  for (const Part& part : parts) {
    // RFC 1847 §2.1: a signed part must not be changed on its way.
    const bool is_signed = part.is_multipart && part.subtype == "signed";
    if (is_signed && has_changes(part.body_begin, part.body_end)) {
      return fail(ErrorKind::kInvalid, "a signed part of it would have to be changed");
    }
  }
  for (Segment& segment : segments) {
    if (segment.kind != Segment::Kind::kHeader) continue;
    const Part& part = parts[segment.part];
    // A container that says 8bit holds nothing of the kind any more.
    const bool was_wide = is_container(part) && (part.encoding == "8bit" || part.encoding == "binary");
    segment.is_rewritten = is_recoding(leaf_treatment(segment.part)) || (was_wide && has_changes(part.body_begin, part.body_end));
    if (segment.is_rewritten && segment.end - segment.begin > kMaxHeaderKept) {
      return fail(ErrorKind::kInvalid, "a header of it is too long");
    }
  }
  return {};
}

// What becomes of the leaf behind the header of `part`; kKeep for a container.
Treatment DownConversion::State::leaf_treatment(std::size_t part) const {
  const auto found = std::lower_bound(segments.begin(), segments.end(), parts[part].body_begin,
                                      [](const Segment& segment, std::uint64_t begin) { return segment.begin < begin; });
  const bool is_leaf = found != segments.end() && found->kind == Segment::Kind::kLeaf && found->part == part;
  return is_leaf ? found->treatment : Treatment::kKeep;
}

Result<> DownConversion::State::convert(Segment& segment, std::string_view piece, bool is_last, std::string& out) {
  if (segment.kind == Segment::Kind::kHeader && segment.is_rewritten) {
    header.append(piece);
    if (!is_last) return {};
    const bool is_top = segment.part == 0 || parts[segment.part - 1].is_message;  // of a message, not of a part of one
    out.append(rewrite_header(header, encoding_name(leaf_treatment(segment.part)), is_top));
    header.clear();
    return {};
  }
  switch (segment.treatment) {
    case Treatment::kKeep: out.append(piece); break;
    case Treatment::kQuotedPrintable:
      quoted_printable.append(out, piece);
      if (is_last) quoted_printable.finish(out);
      break;
    case Treatment::kBase64:
      base64.append(out, piece);
      if (is_last) base64.finish(out);
      break;
    case Treatment::kEscape:
      escaper.append(out, piece);
      if (is_last) escaper = HighOctetEscaper{};
      break;
    case Treatment::kDrop:
      std::copy_if(piece.begin(), piece.end(), std::back_inserter(out), [](char c) { return static_cast<signed char>(c) >= 0; });
      break;
    case Treatment::kReplace:
      std::transform(piece.begin(), piece.end(), std::back_inserter(out),
                     [](char c) { return static_cast<signed char>(c) >= 0 ? c : '?'; });
      break;
  }
  return {};
}

DownConversion::DownConversion(std::unique_ptr<State> state) : state_(std::move(state)) {}
DownConversion::DownConversion(DownConversion&&) noexcept = default;
DownConversion& DownConversion::operator=(DownConversion&&) noexcept = default;
DownConversion::~DownConversion() = default;

Result<DownConversion> DownConversion::plan(std::uint64_t size, ReadText read) {
  auto state = std::make_unique<State>();
  state->size = size;
  state->read = std::move(read);
  POSTHUS_TRY_VOID(state->read_structure());
  POSTHUS_TRY_VOID(state->look_at_content());
  POSTHUS_TRY_VOID(state->decide());
  return DownConversion(std::move(state));
}

bool DownConversion::is_needed() const { return state_->changes_before.back() > 0; }
bool DownConversion::is_at_end() const { return state_->offset == state_->size; }

Result<> DownConversion::read_on(std::string& out) {
  State& s = *state_;
  if (is_at_end()) return {};
  POSTHUS_TRY_VOID(s.read_chunk(s.offset));
  const auto convert = [&](Segment& segment, std::string_view piece, bool is_last) {
    return s.convert(segment, piece, is_last, out);
  };
  POSTHUS_TRY_VOID(for_each_piece(s.segments, s.index, s.offset, s.chunk, convert));
  s.offset += s.chunk.size();
  return {};
}

void DownConversion::restart() {
  state_->offset = 0;
  state_->index = 0;
  state_->header.clear();
  state_->quoted_printable = {};
  state_->base64 = {};
  state_->escaper = {};
}

}  // namespace posthus::mail
