// SummaryBuilder: the message goes by once, in any cut; MIME structure (RFC 2046 §5.1), sizes and header fields come out.
// Thread rule: an object belongs to one thread. Memory: one header (kMaxHeaderKept), one partial line (kMaxKeptLine), the parts.
// Lines end at LF; a CR before it belongs to the line end. A boundary line is exactly "--" boundary ["--"] and white space.
// WHY: body bytes are only searched for LF, NUL and bit 8 (memchr and a vectorised loop), and only lines that begin with "--"
// are looked at while a boundary is open: every byte of every message passes here.
#include "core/mail/summary.h"

#include <algorithm>
#include <cstring>

#include "core/base/ascii.h"
#include "core/mail/envelope.h"
#include "core/mail/header.h"
#include "core/mail/mime_field.h"

namespace posthus::mail {
namespace {

constexpr std::size_t kMaxKeptLine = 1000;            // RFC 5322 §2.1.1 line length; a boundary line is shorter
constexpr std::size_t kMaxBoundary = 900;             // RFC 2046 §5.1.1 says 70; fits a line
constexpr std::size_t kMaxHeadersKept = 1024 * 1024;  // of all parts together: bounds the summary's texts
constexpr std::size_t kScanBlock = 16 * 1024;         // both passes over a block find it in the first-level cache

/// Is there a byte above 127? Words of 8 bytes, which compilers vectorise.
bool has_high_bit(const char* data, std::size_t size) {
  std::uint64_t seen = 0;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, data + i, 8);
    seen |= word;
  }
  for (; i < size; ++i) seen |= static_cast<unsigned char>(data[i]);
  return (seen & 0x8080808080808080U) != 0;
}

/// A part that has not ended yet.
struct OpenPart {
  std::size_t index = 0;
  std::uint64_t lines_before = 0;  // line ends of the message up to its body
  std::string boundary;            // of a multipart that is not closed yet
};

bool is_line_padding(char c) { return ascii::is_space_or_tab(c) || c == '\r' || c == '\n'; }

/// The boundary of a multipart; empty when it has none. RFC 2046 §5.1.1: it does not end with white space.
std::string boundary_parameter(const Part& part) {
  for (const auto& [name, value] : part.parameters) {
    if (name == "boundary" || name == "boundary*") return std::string(ascii::trim(value));
  }
  return {};
}

}  // namespace

enum class LineEnd : bool { kMissing, kPresent };

struct SummaryBuilder::State {
  State() { begin_part(0, DefaultType::kText); }

  void append(std::string_view block);
  Summary finish();

 private:
  void begin_part(std::uint64_t offset, DefaultType type);
  void end_header(std::uint64_t offset);
  void keep_root_header(std::uint64_t offset);
  void open_body(std::size_t index, std::uint64_t offset);
  void close_parts(std::size_t keep, std::uint64_t end, std::uint64_t lines);
  bool find_boundary(std::string_view line, std::size_t& which, bool& is_close) const;
  bool boundary_line(std::string_view line, std::uint64_t end);

  void scan(std::string_view block);
  const char* body_lines(const char* at, const char* end);
  void complete_line(std::string_view line, std::uint64_t end, LineEnd line_end);
  void keep_partial(std::string_view piece);
  int line_end_length(std::string_view block, const char* line) const;

  Summary summary_;
  std::vector<OpenPart> open_;      // outermost first
  std::size_t boundary_count_ = 0;  // open parts with a boundary
  bool in_header_ = true;
  std::string header_;  // of the innermost part, as far as it is kept
  std::size_t header_budget_ = kMaxHeadersKept;
  DefaultType default_type_ = DefaultType::kText;

  std::uint64_t position_ = 0;    // bytes seen before the current block
  std::uint64_t line_ends_ = 0;   // LF seen
  std::uint64_t line_begin_ = 0;  // offset of the current line
  std::size_t line_length_ = 0;   // bytes of it in earlier blocks; 0 at a line start
  int line_end_before_ = 0;       // length of the line end in front of it: 0 (none), 1 or 2
  std::string partial_;           // its beginning, if the line may matter
  bool previous_is_cr_ = false;   // last byte of the block before
  int previous_line_end_ = 0;     // length of the line end that block ends with
};

void SummaryBuilder::State::begin_part(std::uint64_t offset, DefaultType type) {
  summary_.parts.emplace_back().header_begin = offset;
  open_.push_back({summary_.parts.size() - 1, 0, {}});
  default_type_ = type;
  header_.clear();
  in_header_ = true;
}

void SummaryBuilder::State::keep_root_header(std::uint64_t offset) {
  summary_.header_size = offset;
  summary_.envelope = make_envelope(header_);
  for_each_field(header_, [&](const HeaderField& field) {
    if (!is_cached_field(field.name)) return true;
    summary_.cached_fields.append(field.raw);
    if (!field.raw.ends_with('\n')) summary_.cached_fields.append("\r\n");
    return true;
  });
}

/// The header of the innermost part ends before `offset`.
void SummaryBuilder::State::end_header(std::uint64_t offset) {
  const std::size_t index = open_.back().index;
  in_header_ = false;
  header_budget_ -= header_.size();
  read_mime_fields(header_, default_type_, summary_.parts[index]);
  if (index == 0) {
    keep_root_header(offset);
  } else if (summary_.parts[index - 1].is_message) {  // its only child comes right behind it
    summary_.parts[index - 1].envelope = make_envelope(header_);
  }
  summary_.parts[index].body_begin = offset;
  summary_.parts[index].body_end = offset;
  open_.back().lines_before = line_ends_;
  open_body(index, offset);
}

/// Decides what the body of the innermost part is, which begins at `offset`.
void SummaryBuilder::State::open_body(std::size_t index, std::uint64_t offset) {
  Part& part = summary_.parts[index];
  const bool may_nest = open_.size() <= kMaxNesting && summary_.parts.size() < kMaxParts;
  if (part.type == "multipart") {
    std::string boundary = boundary_parameter(part);
    if (may_nest && !boundary.empty() && boundary.size() <= kMaxBoundary) {
      part.is_multipart = true;
      open_.back().boundary = std::move(boundary);
      ++boundary_count_;
    } else {  // WHY: a multipart nobody can take apart is text to IMAP clients
      part.type = "text";
      part.subtype = "plain";
      part.parameters.clear();
    }
    return;
  }
  const bool is_message = part.type == "message" && (part.subtype == "rfc822" || part.subtype == "global");
  // RFC 2046 §5.2.1: message/rfc822 is 7bit, 8bit or binary. WHY: an encoded one has no structure at these offsets.
  if (is_message && may_nest && part.encoding != "base64" && part.encoding != "quoted-printable") {
    part.is_message = true;
    begin_part(offset, DefaultType::kText);
  }
}

/// Ends all open parts but the `keep` outermost at `end`, where `lines` line ends of the message have passed.
void SummaryBuilder::State::close_parts(std::size_t keep, std::uint64_t end, std::uint64_t lines) {
  while (open_.size() > keep) {
    const OpenPart& closing = open_.back();
    Part& part = summary_.parts[closing.index];
    // WHY: with an empty body the line end before the boundary is the blank line of the header; the parents then include it.
    end = std::max(end, part.body_begin);
    lines = std::max(lines, closing.lines_before);
    part.body_end = end;
    part.lines = lines - closing.lines_before;
    part.subtree = static_cast<std::uint32_t>(summary_.parts.size() - closing.index);
    if (!closing.boundary.empty()) --boundary_count_;
    open_.pop_back();
  }
}

// delimiter := CRLF "--" boundary ; close-delimiter := delimiter "--" ; transport-padding may follow
/// Which open multipart, innermost first, does the line delimit?
bool SummaryBuilder::State::find_boundary(std::string_view line, std::size_t& which, bool& is_close) const {
  if (line.size() > kMaxKeptLine || !line.starts_with("--")) return false;
  line.remove_prefix(2);
  while (!line.empty() && is_line_padding(line.back())) line.remove_suffix(1);
  for (std::size_t i = open_.size(); i-- > 0;) {
    const std::string& boundary = open_[i].boundary;
    if (boundary.empty() || !line.starts_with(boundary)) continue;
    is_close = line.size() == boundary.size() + 2 && line.ends_with("--");
    if (!is_close && line.size() != boundary.size()) continue;
    which = i;
    return true;
  }
  return false;
}

/// The line that begins at line_begin_ and ends before `end`: true when it was a boundary and has been dealt with.
bool SummaryBuilder::State::boundary_line(std::string_view line, std::uint64_t end) {
  std::size_t which = 0;
  bool is_close = false;
  if (!find_boundary(line, which, is_close)) return false;
  if (!is_close && summary_.parts.size() >= kMaxParts) return false;  // what follows belongs to the last part
  while (in_header_) end_header(line_begin_);
  const auto line_end = static_cast<std::uint64_t>(line_end_before_);
  close_parts(which + 1, line_begin_ - line_end, line_ends_ - (line_end > 0 ? 1 : 0));
  if (is_close) {
    open_.back().boundary.clear();  // what follows is the epilogue: no line of it is a boundary of this multipart
    --boundary_count_;
  } else {
    const Part& parent = summary_.parts[open_.back().index];
    begin_part(end, parent.subtype == "digest" ? DefaultType::kMessage : DefaultType::kText);
  }
  return true;
}

/// A whole line (its first bytes, where it was cut and is longer than what is kept), which ends before offset `end`.
void SummaryBuilder::State::complete_line(std::string_view line, std::uint64_t end, LineEnd line_end) {
  const bool was_in_header = in_header_;
  if (boundary_count_ > 0 && line.starts_with("--") && boundary_line(line, end)) {
    line_ends_ += line_end == LineEnd::kPresent ? 1 : 0;
    return;
  }
  line_ends_ += line_end == LineEnd::kPresent ? 1 : 0;
  if (!was_in_header) return;
  if (line == "\n" || line == "\r\n") {
    end_header(end);
    return;
  }
  const std::size_t room = std::min(kMaxHeaderKept, header_budget_);
  if (header_.size() < room) header_.append(line.substr(0, room - header_.size()));
}

void SummaryBuilder::State::scan(std::string_view block) {
  if (!summary_.has_8bit) summary_.has_8bit = has_high_bit(block.data(), block.size());
  if (!summary_.has_nul) summary_.has_nul = std::memchr(block.data(), '\0', block.size()) != nullptr;
}

/// Passes over body lines; stops at a line that may be a boundary, at one that does not end in this block, or at `end`.
const char* SummaryBuilder::State::body_lines(const char* at, const char* end) {
  const bool has_boundaries = boundary_count_ > 0;
  std::uint64_t count = 0;
  bool has_dot = false;
  while (at < end) {
    const char first = *at;
    if (first == '-' && has_boundaries) break;
    const void* const line_end = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
    if (line_end == nullptr) break;
    has_dot |= first == '.';
    ++count;
    at = static_cast<const char*>(line_end) + 1;
  }
  line_ends_ += count;
  summary_.has_leading_dot |= has_dot;
  return at;
}

/// Keeps the beginning of a line that goes on in the next block: all a header may hold, or what a boundary line may be.
void SummaryBuilder::State::keep_partial(std::string_view piece) {
  const std::size_t limit = in_header_ ? kMaxHeaderKept + kMaxKeptLine : kMaxKeptLine + 1;
  if (partial_.size() < limit) partial_.append(piece.substr(0, limit - partial_.size()));
}

/// Length of the line end in front of `line`, which begins in `block`.
int SummaryBuilder::State::line_end_length(std::string_view block, const char* line) const {
  const auto offset = line - block.data();
  if (offset == 0) return previous_line_end_;
  const bool has_cr = offset == 1 ? previous_is_cr_ : line[-2] == '\r';
  return has_cr ? 2 : 1;
}

void SummaryBuilder::State::append(std::string_view block) {
  if (block.empty()) return;
  scan(block);
  const char* at = block.data();
  const char* const end = at + block.size();
  const auto offset_of = [&](const char* p) { return position_ + static_cast<std::uint64_t>(p - block.data()); };
  while (at < end) {
    if (line_length_ == 0) {
      if (!in_header_) at = body_lines(at, end);
      if (at == end) break;
      if (*at == '.') summary_.has_leading_dot = true;
      line_begin_ = offset_of(at);
      line_end_before_ = line_end_length(block, at);
    }
    const void* const found = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
    const char* const line_end = found == nullptr ? end : static_cast<const char*>(found) + 1;
    const std::string_view piece(at, static_cast<std::size_t>(line_end - at));
    const bool is_whole = line_length_ == 0 && found != nullptr;
    const bool may_matter = in_header_ || !partial_.empty() || (line_length_ == 0 && boundary_count_ > 0 && *at == '-');
    if (!is_whole && may_matter) keep_partial(piece);
    line_length_ += piece.size();
    at = line_end;
    if (found == nullptr) break;
    complete_line(is_whole ? piece : std::string_view(partial_), offset_of(at), LineEnd::kPresent);
    partial_.clear();
    line_length_ = 0;
  }
  if (block.back() == '\n') previous_line_end_ = line_end_length(block, end);
  previous_is_cr_ = block.back() == '\r';
  position_ += block.size();
}

Summary SummaryBuilder::State::finish() {
  if (line_length_ > 0) complete_line(partial_, position_, LineEnd::kMissing);
  while (in_header_) end_header(position_);
  close_parts(0, position_, line_ends_);
  summary_.size = position_;
  return std::move(summary_);
}

SummaryBuilder::SummaryBuilder() : state_(std::make_unique<State>()) {}
SummaryBuilder::SummaryBuilder(SummaryBuilder&&) noexcept = default;
SummaryBuilder& SummaryBuilder::operator=(SummaryBuilder&&) noexcept = default;
SummaryBuilder::~SummaryBuilder() = default;

void SummaryBuilder::append(std::string_view bytes) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(kScanBlock, bytes.size()))) state_->append(bytes.substr(0, kScanBlock));
}

Summary SummaryBuilder::finish() {
  Summary summary = state_->finish();
  *state_ = State();
  return summary;
}

Summary summarise(std::string_view message) {
  SummaryBuilder builder;
  builder.append(message);
  return builder.finish();
}

bool is_cached_field(std::string_view name) {
  constexpr std::string_view kNames[] = {"From",
                                         "Sender",
                                         "Reply-To",
                                         "To",
                                         "Cc",
                                         "Bcc",
                                         "Subject",
                                         "Date",
                                         "Message-ID",
                                         "In-Reply-To",
                                         "References",
                                         "Content-Type",
                                         "MIME-Version",
                                         "List-Id",
                                         "List-Unsubscribe",
                                         "X-Priority",
                                         "Importance",
                                         "Content-Transfer-Encoding",
                                         "Disposition-Notification-To",
                                         "Auto-Submitted",
                                         "Newsgroups"};
  return std::ranges::any_of(kNames, [&](std::string_view known) { return ascii::equal_ignoring_case(known, name); });
}

}  // namespace posthus::mail
