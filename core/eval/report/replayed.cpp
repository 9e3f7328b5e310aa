// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/replayed.h"

#include <vector>

#include <fmt/format.h>

#include "core/eval/report/html.h"

namespace uad::report {
namespace {

using nlohmann::json;

Confusion parse_confusion(const json& counts) {
  return {counts.at("tp"), counts.at("fp"), counts.at("fn"), counts.at("tn")};
}

std::optional<double> parse_optional(const json& object, const char* key) {
  if (!object.contains(key) || object[key].is_null()) return std::nullopt;
  return object[key].get<double>();
}

Replayed::Column parse_column(const json& side) {
  return {side.at("reject_threshold"), parse_optional(side, "warn_threshold"),
          parse_confusion(side.at("image_at_reject")), parse_optional(side, "cost_per_1000")};
}

template <class Text>
std::string row(const std::string& name, const std::vector<const Replayed::Column*>& columns,
                Text&& text) {
  std::string cells;
  for (const Replayed::Column* column : columns) {
    cells += fmt::format("<td>{}</td>", text(*column));
  }
  return fmt::format("<tr><th scope=\"row\">{}</th>{}</tr>", name, cells);
}

std::string optional_score(const std::optional<double>& value) {
  return value ? score_text(*value) : "–";
}

/// "1 of 4 (25.0 %)" and where the share may really lie.
std::string share_cell(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "–";
  const Interval interval = likely_share(part, whole);
  return fmt::format("{}<small>95 % interval {:.1f} to {:.1f} %</small>", share_text(part, whole),
                     100 * interval.low, 100 * interval.high);
}

std::string cost_words(const Replayed& replayed) {
  const Costs& costs = *replayed.costs;
  std::string html = fmt::format(
      "<p class=\"small\">A good part that is rejected costs {:g}, a defect that passes {:g}, and "
      "{:.3g} % of the parts are taken to be defective. The cheapest threshold is that of this "
      "very set.</p>",
      costs.false_reject, costs.false_accept, 100 * costs.defect_rate);
  if (!replayed.rate_of_the_set) return html;
  return html +
         "<div class=\"warning\" role=\"note\"><strong>That share is the one of the test "
         "set.</strong> A line has fewer defects, so its costs are others: say how many with "
         "<code>--defect-rate</code>.</div>";
}

}  // namespace

Replayed parse_replayed(const json& replay) {
  Replayed result;
  result.stored = parse_column(replay.at("stored"));
  result.now = parse_column(replay.at("new"));
  result.changed = replay.at("changed").size();
  if (!replay.contains("costs")) return result;
  const json& costs = replay["costs"];
  result.costs = {costs.at("false_reject"), costs.at("false_accept"), costs.at("defect_rate")};
  result.rate_of_the_set = costs.at("defect_rate_of_the_set");
  result.cheapest = parse_column(replay.at("cheapest"));
  return result;
}

std::string replayed_table(const Replayed& replayed) {
  std::vector<const Replayed::Column*> columns{&replayed.stored, &replayed.now};
  std::string head = "<td></td><th scope=\"col\">Stored</th><th scope=\"col\">Shown here</th>";
  if (replayed.cheapest) {
    columns.push_back(&*replayed.cheapest);
    head += "<th scope=\"col\">Cheapest</th>";
  }
  using Column = Replayed::Column;
  std::string body =
      row("Reject from", columns,
          [&](const Column& one) {  // the cheapest is short, and rounding could change a verdict
            return &one == columns.back() && replayed.cheapest ? fmt::format("{}", one.reject)
                                                               : score_text(one.reject);
          }) +
      row("Warn from", columns, [](const Column& one) { return optional_score(one.warn); }) +
      row("Defects missed", columns,
          [](const Column& one) {
            return share_cell(one.images.fn, one.images.fn + one.images.tp);
          }) +
      row("Good parts rejected", columns,
          [](const Column& one) {
            return share_cell(one.images.fp, one.images.fp + one.images.tn);
          }) +
      row("Precision", columns,
          [](const Column& one) { return metric_text(one.images.precision()); }) +
      row("F1", columns, [](const Column& one) { return metric_text(one.images.f1()); });
  if (replayed.costs) {
    body += row("Cost of 1000 parts", columns,
                [](const Column& one) { return optional_score(one.cost); });
  }
  const std::string lead = fmt::format(
      "<p>Made by <code>uad replay</code> from stored scores: {}. The verdict of {} {}.</p>",
      replayed.moved() ? "all decisions below are those of the thresholds in the middle column"
                       : "the thresholds are those of the stored run",
      replayed.changed, replayed.changed == 1 ? "image changes" : "images changes");
  return lead + table("Thresholds side by side", head, body) +
         (replayed.costs ? cost_words(replayed) : "");
}

}  // namespace uad::report
