// See retrieval.h. Small messages take the short way: one read straight into the output.
#include "pop3/retrieval.h"

#include <algorithm>

#include "core/base/log.h"
#include "pop3/surrogate.h"
#include "store/mailbox_reader.h"

namespace posthus::pop3 {
namespace {

constexpr std::uint64_t kBriefBytes = 64 * 1024;  // copied in microseconds once it is in memory
constexpr std::uint64_t kExpectedTop = 4 * 1024;  // header and a few lines
constexpr std::size_t kBodyRead = 16 * 1024;      // of a body of which only some lines are wanted

}  // namespace

/// One call of write(): one snapshot.
struct Retrieval::Pass {
  const store::Store& store;
  const store::Snapshot& snapshot;
  const store::MailboxReader& reader;
  const Maildrop& maildrop;
  HeaderMode mode;
  Language language;
  std::string& out;
  std::string buffer = {};  // for summaries and for what cannot go straight to the output
};

void Retrieval::add(const RetrievalRequest& request, const Maildrop& maildrop) {
  const std::uint64_t size = maildrop.find(request.number)->size;
  expected_bytes_ += request.lines == kWholeMessage ? size : std::min(size, kExpectedTop);
  requests_.push_back(request);
}

bool Retrieval::is_brief() const { return !open_ && expected_bytes_ <= kBriefBytes; }

RetrievalState Retrieval::write(const store::Store& store, const Maildrop& maildrop, HeaderMode mode, Language language,
                                std::string& out) {
  const auto refuse_all = [&](Code code, Text text) {
    for (; next_ < requests_.size(); ++next_) append_error(out, code, text, language);
    return open_ ? RetrievalState::kBroken : RetrievalState::kDone;
  };
  const auto snapshot = store.snapshot();
  if (!snapshot) return refuse_all(Code::kSysTemp, Text::kTemporaryFailure);
  const auto reader = store::MailboxReader::open(**snapshot, maildrop.mailbox());
  if (!reader && reader.error().kind == ErrorKind::kNotFound) return refuse_all(Code::kNone, Text::kMessageGone);
  if (!reader) return refuse_all(Code::kSysTemp, Text::kTemporaryFailure);
  Pass pass{store, **snapshot, *reader, maildrop, mode, language, out};
  const std::size_t begin_size = out.size();
  out.reserve(begin_size + std::min<std::uint64_t>(expected_bytes_, kPieceBytes) + requests_.size() * 32);
  while (out.size() - begin_size < kPieceBytes) {
    if (open_) {
      if (const auto written = continue_open(pass); !written) {
        log::error("pop3.retrieve", {{"error", to_string(written.error().kind)}, {"context", written.error().context}});
        return RetrievalState::kBroken;
      }
      continue;
    }
    if (next_ == requests_.size()) return RetrievalState::kDone;
    const std::size_t mark = out.size();
    const auto begun = begin(pass, requests_[next_++]);
    if (begun) continue;
    out.resize(mark);
    open_.reset();
    const bool is_gone = begun.error().kind == ErrorKind::kNotFound;
    if (!is_gone) log::error("pop3.retrieve", {{"error", to_string(begun.error().kind)}, {"context", begun.error().context}});
    append_error(out, is_gone ? Code::kNone : Code::kSysTemp, is_gone ? Text::kMessageGone : Text::kTemporaryFailure, language);
  }
  return open_ || next_ < requests_.size() ? RetrievalState::kMore : RetrievalState::kDone;
}

Result<> Retrieval::begin(Pass& pass, const RetrievalRequest& request) {
  const Maildrop::Entry* const entry = pass.maildrop.find(request.number);
  if (!entry) return fail(ErrorKind::kNotFound, "message");
  // WHY: while the mailbox stands as it stood at login, nothing can have vanished; most sessions never pay for the look.
  if (pass.reader.record().highest_modseq != pass.maildrop.modseq()) {
    if (!POSTHUS_TRY(pass.reader.message(Uid(entry->uid)))) return fail(ErrorKind::kNotFound, "message");
  }
  Open message;
  message.blob = entry->blob;
  message.size = entry->size;
  message.lines_left = request.lines;
  const auto summary = POSTHUS_TRY(pass.reader.summary(BlobId(entry->blob), pass.buffer));
  message.header_size = std::min(summary.header_size(), message.size);
  const bool is_whole = request.lines == kWholeMessage;
  if (is_whole) ++retrieved_;
  // RFC 6856 §2.1: UTF-8 headers never go as they are to a client without UTF8. A message that did not come as one is sent
  // byte for byte: what it holds beyond ASCII is an old habit without a declared meaning, and its signature must survive.
  message.needs_ascii = pass.mode == HeaderMode::kAscii && summary.is_internationalized();
  if (is_whole && message.size <= kPieceBytes) return write_small(pass, message, summary.has_leading_dot());
  return begin_large(pass, std::move(message), request);
}

Result<> Retrieval::write_small(Pass& pass, const Open& message, bool has_leading_dot) {
  std::string& out = pass.out;
  const std::size_t mark = out.size();
  append_octets(out, message.size, pass.language);
  const std::size_t begin = out.size();
  POSTHUS_TRY_VOID(pass.store.read_message(pass.snapshot, BlobId(message.blob), 0, message.size, out));
  if (out.size() - begin != message.size) return fail(ErrorKind::kCorrupt, "short message");
  const bool needs_surrogate = message.needs_ascii && has_8bit(std::string_view(out).substr(begin, message.header_size));
  if (!has_leading_dot && !needs_surrogate) {
    out.append(out.size() - begin >= 2 && out.ends_with("\r\n") ? ".\r\n" : "\r\n.\r\n");
    return {};
  }
  std::string text = out.substr(begin);
  if (needs_surrogate) {
    text = make_surrogate_header(std::string_view(text).substr(0, message.header_size)) + text.substr(message.header_size);
    out.resize(mark);
    append_octets(out, text.size(), pass.language);
  } else {
    out.resize(begin);
  }
  mail::DotStuffer stuffer;
  stuffer.append(out, text);
  stuffer.finish(out);
  return {};
}

Result<> Retrieval::begin_large(Pass& pass, Open message, const RetrievalRequest& request) {
  std::string header;
  POSTHUS_TRY_VOID(pass.store.read_message(pass.snapshot, BlobId(message.blob), 0,
                                           std::min<std::uint64_t>(message.header_size, kMaxSurrogateHeader), header));
  std::uint64_t size = message.size;
  if (message.needs_ascii && has_8bit(header)) {
    if (message.header_size > kMaxSurrogateHeader) return fail(ErrorKind::kTooLarge, "header without UTF8");
    message.surrogate = make_surrogate_header(header);
    size += message.surrogate.size() - message.header_size;
  }
  if (request.lines == kWholeMessage)
    append_octets(pass.out, size, pass.language);
  else
    append_ok(pass.out, Text::kTopFollows, pass.language);
  open_ = std::make_unique<Open>(std::move(message));
  return continue_open(pass);
}

/// How much of `body` the lines still wanted take; counts them off.
std::uint64_t Retrieval::take_lines(std::string_view body) {
  std::size_t at = 0;
  while (open_->lines_left > 0 && at < body.size()) {
    const std::size_t end = body.find('\n', at);
    if (end == std::string_view::npos) return body.size();
    --open_->lines_left;
    at = end + 1;
  }
  return at;
}

/// Writes the next piece of the open message, or its end.
Result<> Retrieval::continue_open(Pass& pass) {
  Open& open = *open_;
  if (!open.surrogate.empty()) {
    open.stuffer.append(pass.out, open.surrogate);
    open.surrogate = {};
    open.offset = open.header_size;
    return {};
  }
  const bool is_whole = open.lines_left == kWholeMessage;
  const bool is_in_body = open.offset >= open.header_size;
  if (open.offset >= open.size || (is_in_body && open.lines_left == 0)) {
    open.stuffer.finish(pass.out);
    open_.reset();
    return {};
  }
  std::uint64_t wanted = std::min<std::uint64_t>(open.size - open.offset, kPieceBytes);
  if (!is_whole)
    wanted = is_in_body ? std::min<std::uint64_t>(wanted, kBodyRead) : std::min(wanted, open.header_size - open.offset);
  pass.buffer.clear();
  POSTHUS_TRY_VOID(pass.store.read_message(pass.snapshot, BlobId(open.blob), open.offset, wanted, pass.buffer));
  if (pass.buffer.size() != wanted) return fail(ErrorKind::kCorrupt, "short message");
  std::string_view piece = pass.buffer;
  open.offset += piece.size();
  if (!is_whole && is_in_body) piece = piece.substr(0, take_lines(piece));
  open.stuffer.append(pass.out, piece);
  return {};
}

}  // namespace posthus::pop3
