// Structured logging: an event name and fields. Text or JSON lines on standard error, chosen once at start.
// Thread rule: any thread. Never pass a secret; values are escaped, so bytes from the network are safe to log.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace posthus::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class Format : std::uint8_t { kText, kJson };

/// One key and its value; numbers are formatted by the constructor.
struct Field {
  std::string_view key;
  std::string value;
  bool is_number = false;  // JSON writes it without quotes
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, std::int64_t v);
  Field(std::string_view k, std::uint64_t v);
  Field(std::string_view k, std::int32_t v) : Field(k, static_cast<std::int64_t>(v)) {}
  Field(std::string_view k, std::uint32_t v) : Field(k, static_cast<std::uint64_t>(v)) {}
};

/// Call once, before threads start. Default: text at info.
void configure(Level lowest, Format format);
bool is_enabled(Level level);

/// `event` is a stable name such as "smtp.login", found by operators with grep; it never changes with its fields.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  if (is_enabled(Level::kDebug)) write(Level::kDebug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::kInfo, event, fields); }
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::kWarning, event, fields); }
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::kError, event, fields); }

}  // namespace posthus::log
