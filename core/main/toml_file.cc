// Reads TOML through toml++, without its exceptions.
#include "core/main/toml_file.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <tuple>

#include "core/base/file.h"

namespace posthus::main {
namespace {

constexpr std::uint64_t kMaxFile = 1024 * 1024;  // a settings file is some hundred lines

bool take_texts(const toml::array& array, TomlEntry& entry) {
  for (const toml::node& node : array) {
    const auto text = node.value_exact<std::string>();
    if (!text) return false;
    entry.texts.push_back(*text);
  }
  return true;
}

void flatten(const toml::table& table, const std::string& prefix, std::vector<TomlEntry>& entries) {
  for (const auto& [key, node] : table) {
    TomlEntry entry{.name = prefix + std::string(key.str()), .line = static_cast<std::uint32_t>(key.source().begin.line)};
    if (const toml::table* inner = node.as_table(); inner && !inner->empty()) {
      flatten(*inner, entry.name + ".", entries);
      continue;
    }
    if (node.is_table()) {
      entry.type = TomlEntry::Type::kEmptyTable;
    } else if (const auto text = node.value_exact<std::string>()) {
      entry.type = TomlEntry::Type::kText;
      entry.text = *text;
    } else if (const auto number = node.value_exact<std::int64_t>()) {
      entry.type = TomlEntry::Type::kNumber;
      entry.text = std::to_string(*number);
    } else if (const auto boolean = node.value_exact<bool>()) {
      entry.type = TomlEntry::Type::kBoolean;
      entry.text = *boolean ? "true" : "false";
    } else if (const toml::array* array = node.as_array(); array && take_texts(*array, entry)) {
      entry.type = TomlEntry::Type::kTexts;
    }
    entries.push_back(std::move(entry));
  }
}

}  // namespace

Result<std::vector<TomlEntry>> read_toml(const std::string& path) {
  const std::string text = POSTHUS_TRY(read_file(path, kMaxFile));
  const toml::parse_result parsed = toml::parse(text, path);
  if (!parsed) {
    const auto& error = parsed.error();
    return fail(ErrorKind::kInvalid,
                path + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
  std::vector<TomlEntry> entries;
  flatten(parsed.table(), "", entries);
  std::ranges::sort(entries,
                    [](const TomlEntry& a, const TomlEntry& b) { return std::tie(a.line, a.name) < std::tie(b.line, b.name); });
  return entries;
}

}  // namespace posthus::main
