// Header fields of a message found without copying (RFC 5322 §2.2, §2.2.3, §4.5.8 for white space before the colon).
// Lines end at LF, with or without CR before it. Thread rule: pure functions.
// Known limit: a field name is any run of printable ASCII but the colon; nothing is decoded here.
#include "core/mail/header.h"

#include <algorithm>
#include <array>

#include "core/base/ascii.h"

namespace posthus::mail {
namespace {

bool is_blank(std::string_view line) {
  if (line.front() == '\r') line.remove_prefix(1);
  return line.empty() || line.front() == '\n';
}

/// The first line of `text` with its LF; the whole of `text` when there is no LF.
std::string_view first_line(std::string_view text) {
  const std::size_t end = text.find('\n');
  return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

constexpr std::array<bool, 256> kNameBytes = [] {
  std::array<bool, 256> bytes{};
  for (std::size_t c = '!'; c < 127; ++c) bytes[c] = c != ':';
  return bytes;
}();

// field-name = 1*ftext ; ftext = %d33-57 / %d59-126; obs-optional allows white space before the colon.
/// Splits the first line at its colon; false when the line is no field.
bool split_name(std::string_view line, HeaderField& field) {
  std::size_t end = 0;
  while (end < line.size() && kNameBytes[static_cast<unsigned char>(line[end])]) ++end;
  std::size_t colon = end;
  while (colon < line.size() && ascii::is_space_or_tab(line[colon])) ++colon;
  if (end == 0 || colon >= line.size() || line[colon] != ':') return false;
  field.name = line.substr(0, end);
  field.value = line.substr(colon + 1);
  return true;
}

}  // namespace

void for_each_field(std::string_view header, FunctionRef<bool(const HeaderField&)> visit) {
  while (!header.empty()) {
    const std::string_view line = first_line(header);
    if (is_blank(line)) return;
    HeaderField field;
    const bool is_field = split_name(line, field);
    std::size_t length = line.size();
    while (length < header.size() && ascii::is_space_or_tab(header[length])) {
      length += first_line(header.substr(length)).size();
    }
    if (is_field) {
      field.raw = header.substr(0, length);
      const auto value_begin = static_cast<std::size_t>(field.value.data() - header.data());
      field.value = header.substr(value_begin, length - value_begin);
      if (field.value.ends_with('\n')) field.value.remove_suffix(1);
      if (field.value.ends_with('\r')) field.value.remove_suffix(1);
      if (!visit(field)) return;
    }
    header.remove_prefix(length);
  }
}

std::optional<HeaderField> find_field(std::string_view header, std::string_view name) {
  std::optional<HeaderField> found;
  for_each_field(header, [&](const HeaderField& field) {
    if (ascii::equal_ignoring_case(field.name, name)) found = field;
    return !found.has_value();
  });
  return found;
}

std::size_t count_fields(std::string_view header, std::string_view name) {
  std::size_t count = 0;
  for_each_field(header, [&](const HeaderField& field) {
    if (ascii::equal_ignoring_case(field.name, name)) ++count;
    return true;
  });
  return count;
}

std::string unfold(std::string_view value) {
  value = ascii::trim(value);
  std::string out;
  out.reserve(value.size());
  while (!value.empty()) {
    const std::size_t end = value.find('\n');
    std::string_view line = value.substr(0, end);
    value.remove_prefix(end == std::string_view::npos ? value.size() : end + 1);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    out.append(line);
  }
  return out;
}

std::string unfold_to_spaces(std::string_view value) {
  value = ascii::trim(value);
  std::string out;
  out.reserve(value.size());
  while (!value.empty()) {
    const std::size_t end = value.find('\n');
    const std::string_view line = ascii::trim(value.substr(0, end));
    value.remove_prefix(end == std::string_view::npos ? value.size() : end + 1);
    if (!out.empty() && !line.empty()) out.push_back(' ');
    out.append(line);
  }
  return out;
}

std::optional<std::size_t> header_end(std::string_view message) {
  std::size_t position = 0;
  while (true) {
    const std::string_view rest = message.substr(position);
    if (rest.starts_with('\n')) return position + 1;
    if (rest.starts_with("\r\n")) return position + 2;
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    position += end + 1;
  }
}

}  // namespace posthus::mail
