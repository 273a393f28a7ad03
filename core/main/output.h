// What commands print: aligned tables for people, made from the API's JSON. nlohmann/json is included in output.cc only.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace posthus::main {

using Row = std::vector<std::string>;

/// Columns aligned by the widest cell (in code points), header first.
std::string table(const Row& header, const std::vector<Row>& rows);

/// The value at `pointer` (RFC 6901) of a JSON text, as people write it: strings bare, lists joined with ", ", null and
/// what is not there as "-".
std::string json_value(std::string_view json, const std::string& pointer);

/// One page of a list: its rows by the pointers of `columns`, its items as JSON texts, and the cursor of the next page.
struct PageOfList {
  std::vector<Row> rows;
  std::vector<std::string> items;
  std::string next;  // empty at the end
};
Result<PageOfList> read_page(std::string_view json, const std::vector<std::string>& pointers);

/// The steps of a dry run: mark, stage, host, meaning, then its lines; empty when `json` is none.
std::vector<Row> read_steps(std::string_view json);

}  // namespace posthus::main
