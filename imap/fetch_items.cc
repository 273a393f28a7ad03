// fetch-att. See fetch_items.h.
#include "imap/fetch_items.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/mail/summary.h"
#include "imap/limits.h"
#include "imap/response_writer.h"

namespace posthus::imap {
namespace {

// section-part = nz-number *("." nz-number); stops before a "." that a word follows
Result<> section_part(Scanner& scanner, Section& section) {
  while (ascii::is_digit(scanner.peek())) {
    if (section.path.size() == kMaxSectionDepth) return syntax_error("Section number too deep");
    section.path.push_back(POSTHUS_TRY(scanner.nz_number()));
    if (!scanner.take('.')) return {};
    if (scanner.peek() == ']') return syntax_error("Section ends with a dot");
  }
  return {};
}

// header-list = "(" header-fld-name *(SP header-fld-name) ")"
Result<> header_list(Scanner& scanner, Section& section) {
  POSTHUS_TRY_VOID(scanner.space());
  POSTHUS_TRY_VOID(scanner.expect('('));
  do {
    if (section.names.size() == kMaxHeaderNames) return syntax_error("Too many header field names");
    section.names.push_back(POSTHUS_TRY(scanner.astring()));
  } while (scanner.take(' '));
  return scanner.expect(')');
}

// section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT" ; section-text = section-msgtext / "MIME"
Result<> section_text(Scanner& scanner, Section& section) {
  if (scanner.take_prefix("HEADER.FIELDS.NOT")) {
    section.text = SectionText::kHeaderFieldsNot;
    return header_list(scanner, section);
  }
  if (scanner.take_prefix("HEADER.FIELDS")) {
    section.text = SectionText::kHeaderFields;
    return header_list(scanner, section);
  }
  if (scanner.take_word("HEADER")) {
    section.text = SectionText::kHeader;
  } else if (scanner.take_word("TEXT")) {
    section.text = SectionText::kText;
  } else if (!section.path.empty() && scanner.take_word("MIME")) {
    section.text = SectionText::kMime;
  } else {
    return syntax_error("Unknown section");
  }
  return {};
}

// section = "[" [section-spec] "]" ; section-spec = section-msgtext / (section-part ["." section-text])
Result<> section(Scanner& scanner, Section& section) {
  POSTHUS_TRY_VOID(scanner.expect('['));
  POSTHUS_TRY_VOID(section_part(scanner, section));
  if (scanner.peek() != ']') POSTHUS_TRY_VOID(section_text(scanner, section));
  return scanner.expect(']');
}

// section-binary = "[" [section-part] "]"
Result<> section_binary(Scanner& scanner, Section& section) {
  POSTHUS_TRY_VOID(scanner.expect('['));
  POSTHUS_TRY_VOID(section_part(scanner, section));
  return scanner.expect(']');
}

// partial = "<" number64 "." nz-number64 ">"
Result<> partial(Scanner& scanner, std::optional<Partial>& partial) {
  if (!scanner.take('<')) return {};
  Partial wanted;
  wanted.offset = POSTHUS_TRY(scanner.number64());
  POSTHUS_TRY_VOID(scanner.expect('.'));
  wanted.length = POSTHUS_TRY(scanner.number64());
  if (wanted.length == 0) return syntax_error("A partial fetch of no octets");
  POSTHUS_TRY_VOID(scanner.expect('>'));
  partial = wanted;
  return {};
}

constexpr std::string_view kSectionWords[] = {"", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME"};

std::string label_of(std::string_view name, const FetchItem& item) {
  std::string label(name);
  label.push_back('[');
  bool is_first = true;
  for (const std::uint32_t number : item.section.path) {
    if (!is_first) label.push_back('.');
    is_first = false;
    append_number(label, number);
  }
  const auto word = kSectionWords[static_cast<std::size_t>(item.section.text)];
  if (!is_first && !word.empty()) label.push_back('.');
  label.append(word);
  if (!item.section.names.empty()) {
    label.append(" (");
    for (const auto& field : item.section.names) {
      append_astring(label, field);
      label.push_back(' ');
    }
    label.back() = ')';
  }
  label.push_back(']');
  if (item.partial && item.kind != FetchKind::kBinarySize) {
    label.push_back('<');
    append_number(label, item.partial->offset);
    label.push_back('>');
  }
  return label;
}

FetchItem simple(FetchKind kind, std::string_view label) {
  FetchItem item;
  item.kind = kind;
  item.label = label;
  return item;
}

FetchItem rfc822(std::string_view label, SectionText text, bool sets_seen) {
  FetchItem item = simple(FetchKind::kSection, label);
  item.section.text = text;
  item.sets_seen = sets_seen;
  return item;
}

Result<FetchItem> body_section(Scanner& scanner, bool sets_seen) {
  FetchItem item = simple(FetchKind::kSection, "");
  item.sets_seen = sets_seen;
  POSTHUS_TRY_VOID(section(scanner, item.section));
  POSTHUS_TRY_VOID(partial(scanner, item.partial));
  item.label = label_of("BODY", item);
  return item;
}

Result<FetchItem> binary(Scanner& scanner, FetchKind kind, bool sets_seen) {
  FetchItem item = simple(kind, "");
  item.sets_seen = sets_seen;
  POSTHUS_TRY_VOID(section_binary(scanner, item.section));
  if (kind == FetchKind::kBinary) POSTHUS_TRY_VOID(partial(scanner, item.partial));
  item.label = label_of(kind == FetchKind::kBinary ? "BINARY" : "BINARY.SIZE", item);
  return item;
}

// fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822.SIZE" / "BODY" ["STRUCTURE"] / "UID" /
//             "BODY" section [partial] / "BODY.PEEK" section [partial] / "BINARY" [".PEEK"] section-binary [partial] /
//             "BINARY.SIZE" section-binary        (RFC 3501: / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"])
Result<FetchItem> fetch_att(Scanner& scanner) {
  if (scanner.take_word("FLAGS")) return simple(FetchKind::kFlags, "FLAGS");
  if (scanner.take_word("UID")) return simple(FetchKind::kUid, "UID");
  if (scanner.take_word("INTERNALDATE")) return simple(FetchKind::kInternalDate, "INTERNALDATE");
  if (scanner.take_word("ENVELOPE")) return simple(FetchKind::kEnvelope, "ENVELOPE");
  if (scanner.take_word("RFC822.SIZE")) return simple(FetchKind::kSize, "RFC822.SIZE");
  if (scanner.take_word("RFC822.HEADER")) return rfc822("RFC822.HEADER", SectionText::kHeader, false);
  if (scanner.take_word("RFC822.TEXT")) return rfc822("RFC822.TEXT", SectionText::kText, true);
  if (scanner.take_word("RFC822")) return rfc822("RFC822", SectionText::kAll, true);
  if (scanner.take_word("BODYSTRUCTURE")) return simple(FetchKind::kBodyStructure, "BODYSTRUCTURE");
  if (scanner.take_prefix("BODY.PEEK")) return body_section(scanner, false);
  if (scanner.take_prefix("BODY")) {
    if (scanner.peek() == '[') return body_section(scanner, true);
    return is_atom_char(scanner.peek()) ? Result<FetchItem>(syntax_error("Unknown fetch item"))
                                        : simple(FetchKind::kBody, "BODY");
  }
  if (scanner.take_prefix("BINARY.SIZE")) return binary(scanner, FetchKind::kBinarySize, false);
  if (scanner.take_prefix("BINARY.PEEK")) return binary(scanner, FetchKind::kBinary, false);
  if (scanner.take_prefix("BINARY")) return binary(scanner, FetchKind::kBinary, true);
  return syntax_error("Unknown fetch item");
}

// "ALL" / "FULL" / "FAST"
bool take_macro(Scanner& scanner, std::vector<FetchItem>& items) {
  const bool is_all = scanner.take_word("ALL");
  const bool is_full = !is_all && scanner.take_word("FULL");
  if (!is_all && !is_full && !scanner.take_word("FAST")) return false;
  items.push_back(simple(FetchKind::kFlags, "FLAGS"));
  items.push_back(simple(FetchKind::kInternalDate, "INTERNALDATE"));
  items.push_back(simple(FetchKind::kSize, "RFC822.SIZE"));
  if (is_all || is_full) items.push_back(simple(FetchKind::kEnvelope, "ENVELOPE"));
  if (is_full) items.push_back(simple(FetchKind::kBody, "BODY"));
  return true;
}

}  // namespace

// fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
Result<std::vector<FetchItem>> fetch_items(Scanner& scanner) {
  std::vector<FetchItem> items;
  if (take_macro(scanner, items)) return items;
  if (!scanner.take('(')) {
    items.push_back(POSTHUS_TRY(fetch_att(scanner)));
    return items;
  }
  do {
    if (items.size() == kMaxFetchItems) return syntax_error("Too many fetch items");
    // QUIRK(various): macros inside the parentheses, which the grammar forbids.
    if (take_macro(scanner, items)) continue;
    items.push_back(POSTHUS_TRY(fetch_att(scanner)));
  } while (scanner.take(' '));
  POSTHUS_TRY_VOID(scanner.expect(')'));
  return items;
}

bool needs_summary(const std::vector<FetchItem>& items) {
  return std::any_of(items.begin(), items.end(), [](const FetchItem& item) { return item.kind >= FetchKind::kEnvelope; });
}

bool may_read_text(const std::vector<FetchItem>& items) {
  return std::any_of(items.begin(), items.end(), [](const FetchItem& item) {
    if (item.kind < FetchKind::kSection) return false;
    const bool is_cached = item.kind == FetchKind::kSection && item.section.path.empty() &&
                           item.section.text == SectionText::kHeaderFields &&
                           std::all_of(item.section.names.begin(), item.section.names.end(), mail::is_cached_field);
    return !is_cached;
  });
}

}  // namespace posthus::imap
