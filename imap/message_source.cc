// MessageSource: sections of RFC 9051 §6.4.5.1. See message_source.h.
#include "imap/message_source.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/mail/header.h"
#include "imap/limits.h"

namespace posthus::imap {
namespace {

bool is_named(const std::vector<std::string>& names, std::string_view field) {
  return std::any_of(names.begin(), names.end(), [field](const auto& name) { return ascii::equal_ignoring_case(name, field); });
}

enum class Keep : bool { kOthers, kNamed };

/// The subset of a header, with the blank line that every header fetch ends with.
std::string subset(std::string_view header, const std::vector<std::string>& names, Keep keep) {
  std::string kept;
  mail::for_each_field(header, [&](const mail::HeaderField& field) {
    if (is_named(names, field.name) == (keep == Keep::kNamed)) kept.append(field.raw);
    return true;
  });
  if (!kept.empty() && !kept.ends_with("\r\n")) kept.append("\r\n");
  return kept.append("\r\n");
}

SectionBytes range(std::uint64_t begin, std::uint64_t end) {
  return {.kind = SectionBytes::Kind::kRange, .offset = begin, .length = end - std::min(begin, end)};
}

}  // namespace

Result<const mail::SummaryView*> MessageSource::summary() {
  if (!summary_) summary_ = POSTHUS_TRY(reader_.summary(record_.blob, summary_buffer_));
  return &*summary_;
}

Result<const std::vector<mail::Part>*> MessageSource::parts() {
  if (!parts_) {
    const auto* whole = POSTHUS_TRY(summary());
    parts_ = POSTHUS_TRY(whole->parts());
  }
  if (parts_->empty()) return fail(ErrorKind::kCorrupt, "summary without parts");
  return &*parts_;
}

Result<> MessageSource::read(std::uint64_t offset, std::uint64_t length, std::string& out) const {
  if (length == 0) return {};
  const std::size_t before = out.size();
  POSTHUS_TRY_VOID(store_.read_message(snapshot_, record_.blob, offset, length, out));
  if (out.size() - before != length) return fail(ErrorKind::kCorrupt, "message is shorter than its summary says");
  return {};
}

Result<std::string> MessageSource::header() {
  std::string text;
  const std::uint64_t size = POSTHUS_TRY(summary())->header_size();
  POSTHUS_TRY_VOID(read(0, std::min(size, kMaxHeaderRead), text));
  return text;
}

/// The message that HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT and TEXT speak of: the whole one, or the one inside a
/// MESSAGE/RFC822 part.
Result<std::optional<MessageSource::Extent>> MessageSource::message_extent(const Section& section) {
  if (section.path.empty()) {
    const auto* view = POSTHUS_TRY(summary());
    return Extent{0, view->header_size(), view->size()};
  }
  const auto& all = *POSTHUS_TRY(parts());
  const auto index = mail::find_part(all, section.path);
  if (!index || !all[*index].is_message || *index + 1 >= all.size()) return std::nullopt;
  const auto& message = all[*index + 1];
  return Extent{message.header_begin, message.body_begin, message.body_end};
}

Result<SectionBytes> MessageSource::header_fields(const Section& section, const std::optional<Extent>& extent) {
  SectionBytes bytes{.kind = SectionBytes::Kind::kText};
  const auto keep = section.text == SectionText::kHeaderFields ? Keep::kNamed : Keep::kOthers;
  const bool is_cached = section.path.empty() && keep == Keep::kNamed &&
                         std::all_of(section.names.begin(), section.names.end(), mail::is_cached_field);
  if (is_cached) {
    bytes.text = subset(POSTHUS_TRY(summary())->cached_fields(), section.names, keep);
    return bytes;
  }
  std::string header;
  POSTHUS_TRY_VOID(read(extent->header_begin, std::min(extent->body_begin - extent->header_begin, kMaxHeaderRead), header));
  bytes.text = subset(header, section.names, keep);
  return bytes;
}

Result<SectionBytes> MessageSource::section(const Section& wanted) {
  if (wanted.text == SectionText::kAll || wanted.text == SectionText::kMime) {
    if (wanted.path.empty()) return range(0, POSTHUS_TRY(summary())->size());
    const auto& all = *POSTHUS_TRY(parts());
    const auto index = mail::find_part(all, wanted.path);
    if (!index) return SectionBytes{};
    const auto& part = all[*index];
    if (wanted.text == SectionText::kMime) return range(part.header_begin, part.body_begin);
    return range(part.body_begin, part.body_end);
  }
  const auto extent = POSTHUS_TRY(message_extent(wanted));
  if (!extent) return SectionBytes{};
  if (wanted.text == SectionText::kHeader) return range(extent->header_begin, extent->body_begin);
  if (wanted.text == SectionText::kText) return range(extent->body_begin, extent->body_end);
  return header_fields(wanted, extent);
}

Result<std::optional<std::size_t>> MessageSource::binary_part(const Section& section) {
  if (section.path.empty()) return std::nullopt;
  const auto index = mail::find_part(*POSTHUS_TRY(parts()), section.path);
  if (!index) return fail(ErrorKind::kNotFound);
  return index;
}

}  // namespace posthus::imap
