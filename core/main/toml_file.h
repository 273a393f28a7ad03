// A TOML file as a flat list of dotted names with lines; toml++ is included in toml_file.cc only. TOML 1.0.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace posthus::main {

struct TomlEntry {
  enum class Type : std::uint8_t { kText, kNumber, kBoolean, kTexts, kEmptyTable, kOther };
  std::string name;  // "ports.smtp"
  std::uint32_t line = 0;
  Type type = Type::kOther;
  std::string text;                // of kText; of kNumber in decimal; "true" or "false"
  std::vector<std::string> texts;  // of kTexts
};

/// In order of their lines. Errors: kInvalid "path:line: what is wrong"; kNotFound, kDenied, kIo of the file itself.
Result<std::vector<TomlEntry>> read_toml(const std::string& path);

}  // namespace posthus::main
