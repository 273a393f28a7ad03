// MessageMatcher. See message_matcher.h.
#include "imap/message_matcher.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/mail/date_time.h"
#include "core/mail/encoded_word.h"
#include "core/mail/header.h"
#include "imap/limits.h"

namespace posthus::imap {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;

std::int64_t day_of(Timestamp time) {
  const std::int64_t seconds = time.seconds();
  return (seconds - (seconds % kSecondsPerDay + kSecondsPerDay) % kSecondsPerDay) / kSecondsPerDay;
}

bool day_matches(SearchKeyKind kind, std::int64_t day, std::int64_t wanted) {
  switch (kind) {
    case SearchKeyKind::kBefore:
    case SearchKeyKind::kSentBefore: return day < wanted;
    case SearchKeyKind::kOn:
    case SearchKeyKind::kSentOn: return day == wanted;
    default: return day >= wanted;
  }
}

bool contains_folded(std::string_view utf8, std::string_view folded) {
  return mail::fold_for_search(utf8).find(folded) != std::string::npos;
}

bool field_matches(const mail::HeaderField& field, std::string_view folded) {
  return folded.empty() || contains_folded(mail::decode_header_text(mail::unfold(field.value)), folded);
}

std::string_view charset_of(const mail::Part& part) {
  for (const auto& [name, value] : part.parameters) {
    if (name == "charset") return value;
  }
  return "us-ascii";
}

}  // namespace

Result<MessageMatcher> MessageMatcher::create(const SearchProgram& program, const SelectedMailbox& selected) {
  MessageMatcher matcher(program, selected);
  POSTHUS_TRY_VOID(matcher.resolve_sets(program.root));
  return matcher;
}

Result<> MessageMatcher::resolve_sets(const SearchKey& key) {
  if (key.kind == SearchKeyKind::kSequence || key.kind == SearchKeyKind::kUid) {
    const auto numbers = key.kind == SearchKeyKind::kUid ? Numbers::kUid : Numbers::kSequence;
    sets_.emplace_back(&key, POSTHUS_TRY(selected_->resolve(key.set, numbers)));
  }
  for (const auto& child : key.children) POSTHUS_TRY_VOID(resolve_sets(child));
  return {};
}

Result<bool> MessageMatcher::matches(MessageSource& source) { return evaluate(program_->root, source); }

Result<bool> MessageMatcher::evaluate(const SearchKey& key, MessageSource& source) {
  const auto& record = source.record();
  switch (key.kind) {
    case SearchKeyKind::kAll: return true;
    case SearchKeyKind::kSequence:
    case SearchKeyKind::kUid: {
      const auto set = std::find_if(sets_.begin(), sets_.end(), [&key](const auto& entry) { return entry.first == &key; });
      return contains(set->second, record.uid);
    }
    case SearchKeyKind::kFlagsSet: return (record.flags & key.flags) == key.flags;
    case SearchKeyKind::kFlagsUnset: return (record.flags & key.flags) == 0;
    case SearchKeyKind::kKeyword: return has_keyword(record, key.text);
    case SearchKeyKind::kUnkeyword: return !has_keyword(record, key.text);
    case SearchKeyKind::kRecent: return selected_->is_recent(record.uid);
    case SearchKeyKind::kOld: return !selected_->is_recent(record.uid);
    case SearchKeyKind::kNew: return selected_->is_recent(record.uid) && !(record.flags & store::flag::kSeen);
    case SearchKeyKind::kLarger: return record.size > key.number;
    case SearchKeyKind::kSmaller: return record.size < key.number;
    case SearchKeyKind::kBefore:
    case SearchKeyKind::kOn:
    case SearchKeyKind::kSince: return day_matches(key.kind, day_of(record.internal_date), key.day);
    case SearchKeyKind::kSentBefore:
    case SearchKeyKind::kSentOn:
    case SearchKeyKind::kSentSince: return sent_matches(key, source);
    case SearchKeyKind::kHeader: return header_matches(key, source);
    case SearchKeyKind::kBody:
    case SearchKeyKind::kText: return text_matches(key, source);
    case SearchKeyKind::kAnd:
    case SearchKeyKind::kOr:
    case SearchKeyKind::kNot: break;
  }
  return evaluate_children(key, source);
}

Result<bool> MessageMatcher::evaluate_children(const SearchKey& key, MessageSource& source) {
  // NOT has one child: the first that matches decides, as in OR.
  const bool decides = key.kind != SearchKeyKind::kAnd;
  for (const auto& child : key.children) {
    if (POSTHUS_TRY(evaluate(child, source)) == decides) return key.kind == SearchKeyKind::kOr;
  }
  return key.kind != SearchKeyKind::kOr;
}

bool MessageMatcher::has_keyword(const store::MessageRecord& record, std::string_view name) const {
  for (std::size_t i = 0; i < keywords_->size() && i < 64; ++i) {
    if (ascii::equal_ignoring_case((*keywords_)[i], name)) return (record.keywords >> i & 1) != 0;
  }
  return false;
}

/// A message without a readable Date is neither before, on nor after any day.
Result<bool> MessageMatcher::sent_matches(const SearchKey& key, MessageSource& source) {
  const auto field = mail::find_field(POSTHUS_TRY(source.summary())->cached_fields(), "Date");
  if (!field) return false;
  const auto date = mail::parse_rfc5322_date(mail::unfold(field->value));
  return date && day_matches(key.kind, date->local_day, key.day);
}

Result<bool> MessageMatcher::header_matches(const SearchKey& key, MessageSource& source) {
  std::string header;
  std::string_view fields;
  if (mail::is_cached_field(key.field)) {
    fields = POSTHUS_TRY(source.summary())->cached_fields();
  } else {
    header = POSTHUS_TRY(source.header());
    bytes_read_ += header.size();
    fields = header;
  }
  bool found = false;
  mail::for_each_field(fields, [&](const mail::HeaderField& field) {
    found = ascii::equal_ignoring_case(field.name, key.field) && field_matches(field, key.text);
    return !found;
  });
  return found;
}

/// BODY looks at the text of text parts; TEXT also at all headers, those of parts included. Parts that are no text are
/// passed over (RFC 9051 §6.4.4 allows that).
Result<bool> MessageMatcher::text_matches(const SearchKey& key, MessageSource& source) {
  if (key.text.empty()) return true;
  for (const auto& part : *POSTHUS_TRY(source.parts())) {
    if (POSTHUS_TRY(part_matches(key, source, part))) return true;
  }
  return false;
}

Result<bool> MessageMatcher::part_matches(const SearchKey& key, MessageSource& source, const mail::Part& part) {
  if (key.kind == SearchKeyKind::kText) {
    std::string header;
    POSTHUS_TRY_VOID(source.read(part.header_begin, std::min(part.body_begin - part.header_begin, kMaxHeaderRead), header));
    bytes_read_ += header.size();
    bool found = false;
    mail::for_each_field(header, [&](const mail::HeaderField& field) {
      found = contains_folded(field.name, key.text) || field_matches(field, key.text);
      return !found;
    });
    if (found) return true;
  }
  if (part.is_multipart || part.is_message || part.type != "text") return false;
  std::string body;
  POSTHUS_TRY_VOID(source.read(part.body_begin, std::min(part.body_end - part.body_begin, kMaxSearchedPart), body));
  bytes_read_ += body.size();
  return contains_folded(mail::to_utf8(mail::decode_transfer_encoding(body, part.encoding), charset_of(part)), key.text);
}

}  // namespace posthus::imap
