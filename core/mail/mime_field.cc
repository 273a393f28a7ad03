// MIME fields and their parameters, read leniently (RFC 2045 §5.1, RFC 2183 §2, RFC 2231 §3-§4).
// Thread rule: pure functions. Known limits: kMaxParameters per field; the rest of the field is not looked at.
#include "core/mail/mime_field.h"

#include <algorithm>
#include <optional>

#include "core/base/ascii.h"
#include "core/mail/encoded_word.h"
#include "core/mail/header.h"

namespace posthus::mail {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMaxParameters = 100;  // names are compared pairwise; a file name in 100 pieces is 7 KB long
constexpr std::size_t kMaxLanguages = 100;   // bounds the summary

// tspecials = "(" / ")" / "<" / ">" / "@" / "," / ";" / ":" / "\" / <"> / "/" / "[" / "]" / "?" / "="
bool is_token_char(char c) {
  return c != 127 && static_cast<unsigned char>(c) > ' ' &&
         std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

void skip_cfws(std::string_view& text) {
  std::size_t depth = 0, i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '(') {
      ++depth;
    } else if (depth > 0) {
      if (c == '\\') ++i;
      if (c == ')') --depth;
    } else if (!ascii::is_white_space(c)) {
      break;
    }
  }
  text.remove_prefix(std::min(i, text.size()));
}

// token = 1*<any CHAR except SPACE, CTLs, or tspecials>
std::string_view token(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_token_char(text[length])) ++length;
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

// quoted-string ; folds inside it are dropped
std::string take_quoted_string(std::string_view& text) {
  std::string out;
  std::size_t i = 1;
  while (i < text.size() && text[i] != '"') {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    if (text[i] != '\r' && text[i] != '\n') out.push_back(text[i]);
    ++i;
  }
  text.remove_prefix(std::min(i + 1, text.size()));
  return out;
}

/// An unquoted value. QUIRK(many): file names with blanks or other tspecials stand unquoted; they end at ';' or a comment.
std::string unquoted_value(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && text[length] != ';' &&
         !(text[length] == '(' && length > 0 && ascii::is_white_space(text[length - 1]))) {
    ++length;
  }
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return unfold_to_spaces(taken);
}

/// To the next ';' that is not in a comment, or to the end.
void skip_to_semicolon(std::string_view& text) {
  while (!text.empty() && text.front() != ';') {
    if (text.front() == '(') {
      skip_cfws(text);
    } else {
      text.remove_prefix(1);
    }
  }
}

// parameter = attribute "=" value ; value = token / quoted-string
/// Reads one parameter up to its ';' (which stays); nothing when there is no name or no '='.
std::optional<std::pair<std::string, std::string>> parameter(std::string_view& text) {
  skip_cfws(text);
  std::string name = ascii::to_lower(token(text));
  skip_cfws(text);
  std::optional<std::pair<std::string, std::string>> result;
  if (!name.empty() && text.starts_with('=')) {
    text.remove_prefix(1);
    skip_cfws(text);
    std::string value = text.starts_with('"') ? take_quoted_string(text) : unquoted_value(text);
    result.emplace(std::move(name), std::move(value));
  }
  skip_to_semicolon(text);
  return result;
}

// attribute = section / extended: initial-section := "*0", other-sections := "*" ("1".."9") *DIGIT, "*" for charset values
struct Section {
  std::string_view name;  // into the list of parameters as written
  std::string_view value;
  std::size_t number = 0;
  std::size_t order = 0;     // position among the parameters as written
  bool is_extended = false;  // percent-encoded
  bool is_numbered = false;
};

/// The name of a parameter taken apart (RFC 2231 §3, §4.1); nothing when it is an ordinary one.
std::optional<Section> to_section(const std::pair<std::string, std::string>& parameter) {
  std::string_view name = parameter.first;
  const std::size_t star = name.find('*');
  if (star == std::string_view::npos || star == 0) return std::nullopt;
  Section section;
  section.value = parameter.second;
  section.name = name.substr(0, star);
  std::string_view suffix = name.substr(star + 1);
  if (suffix.empty()) {
    section.is_extended = true;
    return section;
  }
  section.is_extended = suffix.ends_with('*');
  if (section.is_extended) suffix.remove_suffix(1);
  const std::optional<std::uint16_t> number = ascii::parse_decimal<std::uint16_t>(suffix);
  if (!number) return std::nullopt;
  section.number = *number;
  section.is_numbered = true;
  return section;
}

// ext-octet = "%" 2(DIGIT / "A" / "B" / "C" / "D" / "E" / "F")
void append_percent_decoded(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = ascii::hex_value(text[i + 1]), low = ascii::hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i]);
  }
}

/// Joins sorted sections of one name to a parameter. A gap ends it (RFC 2231 §3: numbers may not be left out).
std::pair<std::string, std::string> join(const std::vector<Section>& sections) {
  std::pair<std::string, std::string> joined{std::string(sections.front().name), {}};
  std::string charset;
  std::size_t expected = 0;
  for (const Section& section : sections) {
    if (section.is_numbered && section.number != expected) continue;
    std::string_view value = section.value;
    if (section.is_extended && expected == 0) {
      const std::size_t first = value.find('\'');
      const std::size_t second = first == std::string_view::npos ? first : value.find('\'', first + 1);
      if (second != std::string_view::npos) {
        charset = value.substr(0, first);
        value.remove_prefix(second + 1);
        joined.first.push_back('*');
      }
    }
    if (section.is_extended) {
      append_percent_decoded(joined.second, value);
    } else {
      joined.second.append(value);
    }
    ++expected;
  }
  if (joined.first.ends_with('*')) joined.second = to_utf8(joined.second, charset.empty() ? "us-ascii" : charset);
  return joined;
}

/// Replaces the pieces of RFC 2231 parameters in `raw` by the joined ones, at the place of the first piece.
Parameters join_sections(const Parameters& raw) {
  Parameters out;
  std::vector<std::string_view> done;
  for (const auto& written : raw) {
    const std::optional<Section> first = to_section(written);
    if (!first) {
      out.push_back(written);
      continue;
    }
    if (std::ranges::find(done, first->name) != done.end()) continue;
    done.push_back(first->name);
    std::vector<Section> sections;
    for (const auto& other : raw) {
      std::optional<Section> section = to_section(other);
      if (!section || section->name != first->name) continue;
      section->order = sections.size();
      sections.push_back(*section);
    }
    // WHY numbered ones last: "name*" alone is complete. Of two equal numbers the first counts.
    std::ranges::sort(sections, {}, [](const Section& section) {
      return (section.is_numbered ? section.number + 1 : 0) * kMaxParameters + section.order;
    });
    if (!sections.front().is_numbered) sections.resize(1);
    out.push_back(join(sections));
  }
  return out;
}

// content := "Content-Type" ":" type "/" subtype *(";" parameter)
bool read_content_type(std::string_view value, Part& part) {
  skip_cfws(value);
  const std::string_view type = token(value);
  skip_cfws(value);
  if (type.empty() || !value.starts_with('/')) return false;
  value.remove_prefix(1);
  skip_cfws(value);
  const std::string_view subtype = token(value);
  if (subtype.empty()) return false;
  part.type = ascii::to_lower(type);
  part.subtype = ascii::to_lower(subtype);
  part.parameters = read_parameters(value);
  return true;
}

// disposition := "Content-Disposition" ":" disposition-type *(";" disposition-parm)
void read_disposition(std::string_view value, Part& part) {
  skip_cfws(value);
  part.disposition = ascii::to_lower(token(value));
  if (!part.disposition.empty()) part.disposition_parameters = read_parameters(value);
}

// Language-List = Language-Tag [CFWS] *("," [CFWS] Language-Tag [CFWS])
void read_languages(std::string_view value, Part& part) {
  while (!value.empty() && part.languages.size() < kMaxLanguages) {
    skip_cfws(value);
    const std::string_view tag = token(value);
    if (!tag.empty()) part.languages.emplace_back(tag);
    const std::size_t comma = value.find(',');
    value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
  }
}

// encoding := "Content-Transfer-Encoding" ":" mechanism
void read_encoding(std::string_view value, Part& part) {
  skip_cfws(value);
  part.encoding = ascii::to_lower(token(value));
}

enum class MimeField : unsigned char { kType, kEncoding, kId, kDescription, kMd5, kDisposition, kLanguage, kLocation, kOther };

MimeField mime_field(std::string_view name) {
  constexpr std::string_view kPrefix = "content-";
  if (name.size() < kPrefix.size() || !ascii::equal_ignoring_case(name.substr(0, kPrefix.size()), kPrefix))
    return MimeField::kOther;
  name.remove_prefix(kPrefix.size());
  constexpr std::pair<std::string_view, MimeField> kNames[] = {{"type", MimeField::kType},
                                                               {"transfer-encoding", MimeField::kEncoding},
                                                               {"id", MimeField::kId},
                                                               {"description", MimeField::kDescription},
                                                               {"md5", MimeField::kMd5},
                                                               {"disposition", MimeField::kDisposition},
                                                               {"language", MimeField::kLanguage},
                                                               {"location", MimeField::kLocation}};
  for (const auto& [known, field] : kNames) {
    if (ascii::equal_ignoring_case(known, name)) return field;
  }
  return MimeField::kOther;
}

void read_mime_field(MimeField field, std::string_view value, Part& part) {
  switch (field) {
    case MimeField::kType: read_content_type(value, part); break;
    case MimeField::kEncoding: read_encoding(value, part); break;
    case MimeField::kId: part.id = unfold_to_spaces(value); break;
    case MimeField::kDescription: part.description = unfold_to_spaces(value); break;
    case MimeField::kMd5: part.md5 = unfold_to_spaces(value); break;
    case MimeField::kDisposition: read_disposition(value, part); break;
    case MimeField::kLanguage: read_languages(value, part); break;
    case MimeField::kLocation: part.location = unfold_to_spaces(value); break;
    case MimeField::kOther: break;
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> read_parameters(std::string_view value) {
  Parameters raw;
  bool has_sections = false;
  for (skip_to_semicolon(value); !value.empty() && raw.size() < kMaxParameters; skip_to_semicolon(value)) {
    value.remove_prefix(1);
    if (std::optional<std::pair<std::string, std::string>> read = parameter(value)) {
      has_sections |= read->first.find('*') != std::string::npos;
      raw.push_back(*std::move(read));
    }
  }
  return has_sections ? join_sections(raw) : raw;
}

void read_mime_fields(std::string_view header, DefaultType default_type, Part& part) {
  unsigned seen = 0;
  for_each_field(header, [&](const HeaderField& field) {
    const MimeField which = mime_field(field.name);
    const unsigned bit = 1U << static_cast<unsigned>(which);
    if (which == MimeField::kOther || (seen & bit) != 0) return true;
    seen |= bit;
    read_mime_field(which, field.value, part);
    return true;
  });
  const bool has_type_field = (seen & (1U << static_cast<unsigned>(MimeField::kType))) != 0;
  if (part.type.empty()) {
    const bool is_message = !has_type_field && default_type == DefaultType::kMessage;
    part.type = is_message ? "message" : "text";
    part.subtype = is_message ? "rfc822" : "plain";
  }
  if (part.encoding.empty()) part.encoding = "7bit";
}

}  // namespace posthus::mail
