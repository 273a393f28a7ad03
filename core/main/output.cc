// Tables and reading the API's answers.
#include "core/main/output.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace posthus::main {
namespace {

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string cell_text(const nlohmann::json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_object() && value.contains("address") && value.contains("reason")) {
    return cell_text(value.at("address")) + " (" + cell_text(value.at("reason")) + ")";
  }
  // Recipients of the queue and the trace: who they are is what a table has room for.
  for (const char* member : {"address", "recipient"}) {
    if (value.is_object() && value.contains(member)) return cell_text(value.at(member));
  }
  if (!value.is_array()) return value.dump();
  std::string out;
  for (const auto& item : value) out += (out.empty() ? "" : ", ") + cell_text(item);
  return out;
}

std::string at(const nlohmann::json& object, const std::string& pointer) {
  const nlohmann::json::json_pointer path(pointer);
  return object.contains(path) ? cell_text(object.at(path)) : "-";
}

}  // namespace

std::string table(const Row& header, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& cell : header) widths.push_back(width(cell));
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  const auto append_row = [&](const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - width(row[i]) + 2, ' ');
    }
    out += '\n';
  };
  append_row(header);
  for (const Row& row : rows) append_row(row);
  return out;
}

std::string json_value(std::string_view json, const std::string& pointer) {
  try {
    return at(nlohmann::json::parse(json), pointer);
  } catch (const nlohmann::json::exception&) {
    return "-";
  }
}

Result<PageOfList> read_page(std::string_view json, const std::vector<std::string>& pointers) {
  try {
    const auto parsed = nlohmann::json::parse(json);
    PageOfList page;
    for (const auto& item : parsed.at("items")) {
      Row row;
      for (const std::string& pointer : pointers) row.push_back(at(item, pointer));
      page.rows.push_back(std::move(row));
      page.items.push_back(item.dump());
    }
    if (parsed.at("next").is_string()) page.next = parsed.at("next").get<std::string>();
    return page;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorKind::kIo, std::string("the server's answer cannot be read: ") + error.what());
  }
}

std::vector<Row> read_steps(std::string_view json) {
  std::vector<Row> steps;
  try {
    for (const auto& step : nlohmann::json::parse(json).at("steps")) {
      Row row{at(step, "/mark"), at(step, "/stage"), at(step, "/host"), at(step, "/meaning")};
      for (const auto& line : step.at("lines")) row.push_back(cell_text(line));
      steps.push_back(std::move(row));
    }
  } catch (const nlohmann::json::exception&) {
    steps.clear();
  }
  return steps;
}

}  // namespace posthus::main
