// FetchWriter. See fetch_writer.h.
#include "imap/fetch_writer.h"

#include <algorithm>

#include "core/base/log.h"

namespace posthus::imap {
namespace {

constexpr std::size_t kLittle = 16 * 1024;         // bytes of a chunk that need no room of their own
constexpr std::size_t kRoomBehind = 16 * 1024;     // for the message that ends a chunk
constexpr std::uint64_t kDecodePiece = 64 * 1024;  // encoded bytes read at once for BINARY

/// The decoded size of a part, and whether it has a NUL: read in pieces.
struct Measure {
  std::uint64_t size = 0;
  bool has_nul = false;
};
Result<Measure> measure(const MessageSource& source, std::uint64_t offset, std::uint64_t length, TransferDecoder decoder) {
  Measure found;
  std::string encoded, decoded;
  const auto count = [&] {
    found.size += decoded.size();
    found.has_nul = found.has_nul || decoded.find('\0') != std::string::npos;
    decoded.clear();
  };
  while (length > 0) {
    encoded.clear();
    const std::uint64_t piece = std::min(length, kDecodePiece);
    POSTHUS_TRY_VOID(source.read(offset, piece, encoded));
    decoder.append(encoded, decoded);
    count();
    offset += piece;
    length -= piece;
  }
  decoder.finish(decoded);
  count();
  return found;
}

/// WHY: growing by doubling copies a chunk twice, and memory this large comes from the kernel page by page each time.
void make_room(std::string& out, std::size_t begin, std::size_t limit) {
  if (out.size() - begin > kLittle && out.capacity() < limit) out.reserve(limit + kRoomBehind);
}

void open_literal(std::string& out, std::uint64_t size) {
  out.push_back('{');
  append_number(out, size);
  out.append("}\r\n");
}

}  // namespace

Result<FetchWriter::Chunk> FetchWriter::write(SessionState& state, std::string& out) {
  const std::size_t begin = out.size();
  limit_ = begin + kChunk;
  const auto snapshot = POSTHUS_TRY(state.context.store.snapshot());
  const auto reader = POSTHUS_TRY(store::MailboxReader::open(*snapshot, state.selected->mailbox()));
  const auto keywords = POSTHUS_TRY(reader.keywords());
  state_ = &state;
  keywords_ = &keywords;
  Result<> result;
  bool is_cut = false;
  for (; range_ < uids_.size() && !is_cut; ++range_) {
    const auto& range = uids_[range_];
    const Uid from = std::max(next_, range.first);
    std::uint64_t expected = from.value;
    POSTHUS_TRY_VOID(reader.for_each(from, range.last, [&](const store::MessageRecord& record) {
      const auto sequence = state.selected->map().sequence_of(record.uid);
      has_expunged_ = has_expunged_ || record.uid.value != expected;
      expected = std::uint64_t{record.uid.value} + 1;
      if (!sequence) return store::Visit::kContinue;
      if (is_message_begun_ && record.uid != next_) return store::Visit::kStop;
      next_ = record.uid;
      MessageSource source(state.context.store, *snapshot, reader, record);
      const auto whole = write_message(source, *sequence, out);
      if (!whole) {
        result = std::unexpected(whole.error());
        return store::Visit::kStop;
      }
      make_room(out, begin, limit_);
      is_cut = !*whole;
      if (*whole) next_ = Uid{record.uid.value + 1};
      if (is_full(out)) is_cut = true;
      return is_cut ? store::Visit::kStop : store::Visit::kContinue;
    }));
    POSTHUS_TRY_VOID(std::move(result));
    if (is_cut) break;
    has_expunged_ = has_expunged_ || expected != std::uint64_t{range.last.value} + 1;
    // The message in which the last chunk ended has been expunged since: its bytes cannot be had any more.
    if (is_message_begun_) return fail(ErrorKind::kNotFound, "message was expunged while it was sent");
    next_ = Uid{0};
  }
  return is_cut ? Chunk::kMore : Chunk::kDone;
}

/// False when the chunk is full in the middle of the message.
Result<bool> FetchWriter::write_message(MessageSource& source, std::uint32_t sequence, std::string& out) {
  const std::size_t before = out.size();
  if (!is_message_begun_) {
    out.append("* ");
    append_number(out, sequence);
    out.append(" FETCH (");
    item_ = 0;
  }
  const bool has_begun_before = is_message_begun_;
  is_message_begun_ = true;
  while (item_ < items_.size() || literal_) {
    Result<> written;
    if (literal_) {
      written = write_literal(source, out);
    } else {
      if (item_ > 0) out.push_back(' ');
      written = write_item(source, items_[item_++], out);
    }
    if (!written && (has_begun_before || literal_)) return std::unexpected(written.error());
    if (!written) {
      // Nothing of it has left us: this message is passed over, the others are answered.
      log::error("imap.fetch_failed", {{"uid", source.record().uid.value}, {"context", written.error().context}});
      out.resize(before);
      has_failures_ = true;
      is_message_begun_ = false;
      return true;
    }
    if (is_full(out) && (literal_ || item_ < items_.size())) return false;
  }
  is_message_begun_ = false;
  if (out.ends_with(" FETCH (")) {
    out.resize(before);
  } else {
    out.append(")\r\n");
  }
  return true;
}

Result<> FetchWriter::write_item(MessageSource& source, const FetchItem& item, std::string& out) {
  const auto& record = source.record();
  if (item.kind == FetchKind::kSection) return write_section(source, item, out);
  if (item.kind == FetchKind::kBinary || item.kind == FetchKind::kBinarySize) return write_binary(source, item, out);
  out.append(item.label);
  out.push_back(' ');
  switch (item.kind) {
    case FetchKind::kFlags: {
      out.push_back('(');
      append_flags(out, record.flags, record.keywords, *keywords_);
      if (!state_->is_rev2 && state_->selected->is_recent(record.uid)) out.append(out.back() == '(' ? "\\Recent" : " \\Recent");
      out.push_back(')');
      return {};
    }
    case FetchKind::kUid: append_number(out, record.uid.value); return {};
    case FetchKind::kSize: append_number(out, record.size); return {};
    case FetchKind::kInternalDate: append_date_time(out, record.internal_date); return {};
    case FetchKind::kEnvelope: POSTHUS_TRY(source.summary())->append_envelope(out); return {};
    case FetchKind::kBody: mail::append_structure(out, *POSTHUS_TRY(source.parts()), mail::Structure::kBody); return {};
    default: mail::append_structure(out, *POSTHUS_TRY(source.parts()), mail::Structure::kBodyStructure); return {};
  }
}

FetchWriter::Window FetchWriter::window(const std::optional<Partial>& partial, std::uint64_t size) {
  if (!partial) return {0, size};
  const std::uint64_t offset = std::min(partial->offset, size);
  return {offset, std::min(partial->length, size - offset)};
}

Result<> FetchWriter::write_section(MessageSource& source, const FetchItem& item, std::string& out) {
  const auto section = POSTHUS_TRY(source.section(item.section));
  out.append(item.label);
  out.push_back(' ');
  if (section.kind == SectionBytes::Kind::kNone) {
    out.append("NIL");
    return {};
  }
  const bool is_text = section.kind == SectionBytes::Kind::kText;
  const auto [offset, length] = window(item.partial, is_text ? section.text.size() : section.length);
  open_literal(out, length);
  if (is_text) {
    out.append(section.text, static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
    return {};
  }
  if (length <= kChunk) return source.read(section.offset + offset, length, out);
  literal_ = Literal{.offset = section.offset + offset, .left = length};
  return {};
}

Result<> FetchWriter::write_binary(MessageSource& source, const FetchItem& item, std::string& out) {
  const auto append_nil = [&] { out.append(item.label).append(item.kind == FetchKind::kBinary ? " NIL" : " 0"); };
  const auto index = source.binary_part(item.section);
  if (!index && index.error().kind == ErrorKind::kNotFound) return append_nil(), Result<>{};
  if (!index) return std::unexpected(index.error());
  auto encoding = std::optional(TransferEncoding::kIdentity);
  auto line_ends = TransferDecoder::LineEnds::kAsTheyAre;
  std::uint64_t offset = 0, length = POSTHUS_TRY(source.summary())->size();
  if (*index) {
    const auto& part = (*POSTHUS_TRY(source.parts()))[**index];
    encoding = part.is_multipart || part.is_message ? TransferEncoding::kIdentity : transfer_encoding(part.encoding);
    if (part.type == "text") line_ends = TransferDecoder::LineEnds::kCrlf;
    offset = part.body_begin;
    length = part.body_end - part.body_begin;
  }
  if (!encoding) {
    has_unknown_encoding_ = true;
    return append_nil(), Result<>{};
  }
  const TransferDecoder decoder(*encoding, line_ends);
  const auto decoded = POSTHUS_TRY(measure(source, offset, length, decoder));
  out.append(item.label);
  out.push_back(' ');
  if (item.kind == FetchKind::kBinarySize) {
    append_number(out, decoded.size);
    return {};
  }
  const auto wanted = window(item.partial, decoded.size);
  if (decoded.has_nul) out.push_back('~');
  open_literal(out, wanted.length);
  literal_ = Literal{.offset = offset, .left = length, .decoder = decoder, .skip = wanted.offset, .wanted = wanted.length};
  return {};
}

/// Goes on with literal_ until it ends or the chunk is full.
Result<> FetchWriter::write_literal(MessageSource& source, std::string& out) {
  if (!literal_->decoder) {
    const std::uint64_t room = limit_ > out.size() ? limit_ - out.size() : 0;
    const std::uint64_t piece = std::min(literal_->left, std::max<std::uint64_t>(room, 4096));
    POSTHUS_TRY_VOID(source.read(literal_->offset, piece, out));
    literal_->offset += piece;
    literal_->left -= piece;
    if (literal_->left == 0) literal_.reset();
    return {};
  }
  std::string encoded, decoded;
  while (literal_->wanted > 0) {
    const std::uint64_t piece = std::min(literal_->left, kDecodePiece);
    encoded.clear();
    decoded.clear();
    POSTHUS_TRY_VOID(source.read(literal_->offset, piece, encoded));
    literal_->offset += piece;
    literal_->left -= piece;
    literal_->decoder->append(encoded, decoded);
    const bool is_last = literal_->left == 0;
    if (is_last) literal_->decoder->finish(decoded);
    const std::uint64_t skipped = std::min<std::uint64_t>(literal_->skip, decoded.size());
    const std::uint64_t taken = std::min<std::uint64_t>(literal_->wanted, decoded.size() - skipped);
    out.append(decoded, static_cast<std::size_t>(skipped), static_cast<std::size_t>(taken));
    literal_->skip -= skipped;
    literal_->wanted -= taken;
    if (is_last && literal_->wanted > 0) return fail(ErrorKind::kCorrupt, "part has changed while it was decoded");
    if (is_full(out)) break;
  }
  if (literal_->wanted == 0) literal_.reset();
  return {};
}

}  // namespace posthus::imap
