// The JSON reader over nlohmann/json (its exceptions end here), and the writer. RFC 8259.
#include "web-admin/json.h"

#include <set>

#include <nlohmann/json.hpp>

namespace posthus::web_admin {
namespace {

// Length of the valid UTF-8 sequence at the front (RFC 3629 §4), 0 when there is none.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto tail = [&byte](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) > 0x9f) return 0;
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) > 0x8f) return 0;
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = utf8_sequence(text);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out.append("\\u00").append({kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 15]});
    } else if (length == 0) {
      out.append("\xef\xbf\xbd");
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

// Requests are flat objects, perhaps with a list; whatever nests deeper is refused before it costs memory.
bool is_shallow(std::string_view json) {
  constexpr int kMaxDepth = 8;
  int depth = 0;
  bool is_in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (is_in_string && c == '\\') ++i;
    if (c == '"') is_in_string = !is_in_string;
    if (is_in_string) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kMaxDepth) return false;
  }
  return true;
}

}  // namespace

void JsonWriter::separate() {
  if (needs_comma_) out_.push_back(',');
  needs_comma_ = true;
}
JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_.push_back(bracket);
  needs_comma_ = false;
  return *this;
}
JsonWriter& JsonWriter::close(char bracket) {
  out_.push_back(bracket);
  needs_comma_ = true;
  return *this;
}
JsonWriter& JsonWriter::key(std::string_view name) {
  text(name);
  out_.push_back(':');
  needs_comma_ = false;
  return *this;
}
JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  out_.push_back('"');
  append_escaped(out_, value);
  out_.push_back('"');
  return *this;
}
JsonWriter& JsonWriter::number(std::uint64_t value) {
  separate();
  out_.append(std::to_string(value));
  return *this;
}
JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_.append(value ? "true" : "false");
  return *this;
}
JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}
JsonWriter& JsonWriter::null() {
  separate();
  out_.append("null");
  return *this;
}
JsonWriter& JsonWriter::texts(const std::vector<std::string>& values) {
  begin_array();
  for (const std::string& value : values) text(value);
  return end_array();
}

struct JsonFields::State {
  nlohmann::json object;
  std::set<std::string, std::less<>> asked;
  std::string error;

  // The field when it is there; notes that it was asked for.
  const nlohmann::json* find(std::string_view name) {
    asked.emplace(name);
    const auto found = object.find(std::string(name));
    return found == object.end() ? nullptr : &*found;
  }
  void wrong(std::string_view name, const std::string& expected) {
    if (error.empty()) error = "field '" + std::string(name) + "' must be " + expected;
  }
};

JsonFields::JsonFields(std::unique_ptr<State> state) : state_(std::move(state)) {}
JsonFields::JsonFields(JsonFields&&) noexcept = default;
JsonFields::~JsonFields() = default;

Result<JsonFields> JsonFields::parse(std::string_view body) {
  if (!is_shallow(body)) return fail(ErrorKind::kInvalid, "the body is nested too deeply");
  auto state = std::make_unique<State>();
  std::set<std::string> names;
  std::string repeated;
  const auto note_names = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::key && depth == 1) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!names.insert(name).second && repeated.empty()) repeated = name;
    }
    return true;
  };
  try {
    state->object = nlohmann::json::parse(body, note_names);
  } catch (const nlohmann::json::exception&) {
    return fail(ErrorKind::kInvalid, "the body is not valid JSON");
  }
  if (!state->object.is_object()) return fail(ErrorKind::kInvalid, "the body must be a JSON object");
  if (!repeated.empty()) return fail(ErrorKind::kInvalid, "field '" + repeated + "' is given twice");
  return JsonFields(std::move(state));
}

std::optional<std::string> JsonFields::text(std::string_view name) {
  const nlohmann::json* value = state_->find(name);
  if (!value) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  state_->wrong(name, "a string");
  return std::nullopt;
}

std::optional<std::uint64_t> JsonFields::number(std::string_view name, std::uint64_t maximum) {
  const nlohmann::json* value = state_->find(name);
  if (!value) return std::nullopt;
  if (value->is_number_unsigned() && value->get<std::uint64_t>() <= maximum) return value->get<std::uint64_t>();
  state_->wrong(name, "a whole number from 0 to " + std::to_string(maximum));
  return std::nullopt;
}

std::optional<bool> JsonFields::boolean(std::string_view name) {
  const nlohmann::json* value = state_->find(name);
  if (!value) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  state_->wrong(name, "true or false");
  return std::nullopt;
}

std::optional<std::vector<std::string>> JsonFields::texts(std::string_view name) {
  const nlohmann::json* value = state_->find(name);
  if (!value) return std::nullopt;
  std::vector<std::string> out;
  bool is_list = value->is_array();
  for (std::size_t i = 0; is_list && i < value->size(); ++i) {
    is_list = (*value)[i].is_string();
    if (is_list) out.push_back((*value)[i].get<std::string>());
  }
  if (is_list) return out;
  state_->wrong(name, "a list of strings");
  return std::nullopt;
}

bool JsonFields::is_null(std::string_view name) {
  const nlohmann::json* value = state_->find(name);
  return value && value->is_null();
}

void JsonFields::require(std::string_view name) {
  if (!state_->find(name) && state_->error.empty()) state_->error = "field '" + std::string(name) + "' is missing";
}

Result<> JsonFields::finish() {
  if (!state_->error.empty()) return fail(ErrorKind::kInvalid, state_->error);
  for (const auto& [name, value] : state_->object.items()) {
    if (!state_->asked.contains(name)) return fail(ErrorKind::kInvalid, "field '" + name + "' is not known here");
  }
  return {};
}

}  // namespace posthus::web_admin
