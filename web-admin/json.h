// JSON for the API (RFC 8259): a writer that appends text, and a strict reader of flat request objects which names the
// field that is wrong. Thread rule: not shared between threads.
// Known limit: request bodies are flat objects of strings, unsigned numbers, booleans, nulls and lists of strings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace posthus::web_admin {

/// Appends JSON; commas are placed by itself. Invalid UTF-8 becomes U+FFFD, so the text is always valid.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);
  JsonWriter& number(std::uint64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  /// A value that is JSON already. REQUIRES: it is.
  JsonWriter& raw(std::string_view json);
  /// null when it is empty.
  JsonWriter& text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }
  JsonWriter& texts(const std::vector<std::string>& values);
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  std::string out_;
  bool needs_comma_ = false;
};

/// Reads the fields of one object. Each getter answers nothing when the field is absent (or wrong: then finish() fails).
/// Call finish() after the last getter: it names the first wrong field, or one that nobody asked for.
class JsonFields {
 public:
  /// Errors: kInvalid when `body` is not one JSON object, or names a field twice.
  static Result<JsonFields> parse(std::string_view body);
  JsonFields(JsonFields&&) noexcept;
  ~JsonFields();

  std::optional<std::string> text(std::string_view name);
  std::optional<std::uint64_t> number(std::string_view name, std::uint64_t maximum);
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::vector<std::string>> texts(std::string_view name);
  /// Is the field there and null? Counts as asked for.
  bool is_null(std::string_view name);
  /// Makes finish() fail when the field is absent.
  void require(std::string_view name);
  Result<> finish();

 private:
  struct State;
  explicit JsonFields(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace posthus::web_admin
