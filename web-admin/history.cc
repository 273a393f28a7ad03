// /api/v1/history: figures over an hour, a day, a month or a year, in columns as charts want them.
#include <algorithm>

#include "store/record_history.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"
#include "web-admin/resources.h"

namespace posthus::web_admin {
namespace {

using store::HistoryFigure;

Result<std::vector<HistoryFigure>> figures_of(const Target& target) {
  std::vector<HistoryFigure> figures;
  const std::string* const text = target.parameter("figure");
  if (!text) {
    for (std::size_t i = 0; i < store::kHistoryFigures; ++i) figures.push_back(static_cast<HistoryFigure>(i));
    return figures;
  }
  for (std::string_view left = *text;;) {
    const std::size_t comma = std::min(left.find(','), left.size());
    const auto figure = store::history_figure(left.substr(0, comma));
    const bool is_new = figure && std::ranges::find(figures, *figure) == figures.end();
    if (!is_new) return fail(ErrorKind::kInvalid, "parameter 'figure' must be names of figures with commas, each once");
    figures.push_back(*figure);
    if (comma == left.size()) return figures;
    left.remove_prefix(comma + 1);
  }
}

Result<Response> show_history(const Call& call) {
  POSTHUS_TRY_VOID(check_parameters(call.target, {"figure", "span"}));
  const std::string* const name = call.target.parameter("span");
  const auto span = store::history_span(name ? *name : "hour");
  if (!span) return fail(ErrorKind::kInvalid, "parameter 'span' must be hour, day, month or year");
  const auto figures = POSTHUS_TRY(figures_of(call.target));
  const Timestamp now = call.context.clock.now();
  const auto snapshot = POSTHUS_TRY(call.context.store.snapshot());
  const auto rows = POSTHUS_TRY(store::read_history(*snapshot, *span, now));
  const store::HistoryShape shape = store::shape_of(*span);
  JsonWriter json;
  json.begin_object().key("span").text(shape.name).key("step").number(static_cast<std::uint64_t>(shape.step));
  json.key("start").number(static_cast<std::uint64_t>(std::max<std::int64_t>(0, store::history_start(*span, now).seconds())));
  json.key("slots").number(shape.slots).key("figures").begin_object();
  for (const HistoryFigure figure : figures) {
    const auto index = static_cast<std::size_t>(figure);
    json.key(to_string(figure)).begin_array();
    for (const auto& row : rows) {
      if (row && index < row->known) {
        json.number(row->values[index]);
      } else {
        json.null();
      }
    }
    json.end_array();
  }
  return json_response(200, json.end_object().end_object().take());
}

}  // namespace

Response get_history(const Call& call) { return answer(show_history(call)); }

}  // namespace posthus::web_admin
