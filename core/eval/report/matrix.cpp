// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/matrix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "core/eval/report/html.h"

namespace uad::report {
namespace {

using Value = std::optional<double>;

struct Figure {
  const char* name;
  bool small_is_good;
  int digits;
  Value (*of)(const Run& run);
};

Value share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

constexpr std::array kFigures{
    Figure{"Image AUROC", false, 3, [](const Run& run) { return run.metric("image_auroc"); }},
    Figure{"Pixel AUROC", false, 3, [](const Run& run) { return run.metric("pixel_auroc"); }},
    Figure{"Pixel PRO", false, 3, [](const Run& run) { return run.metric("pixel_pro"); }},
    Figure{"Defects found (%)", false, 1,
           [](const Run& run) {
             const Confusion counts = run.decisions();
             return share(counts.tp, counts.tp + counts.fn);
           }},
    Figure{"Good parts rejected (%)", true, 1,
           [](const Run& run) {
             const Confusion counts = run.decisions();
             return share(counts.fp, counts.fp + counts.tn);
           }},
    Figure{"Time per image (ms)", true, 1,
           [](const Run& run) { return run.metric("ms_per_image"); }},
    Figure{"Model size (MB)", true, 1,
           [](const Run& run) -> Value {
             const Value bytes = run.metric("model_bytes");
             if (!bytes) return bytes;
             return *bytes / 1e6;
           }},
};

/// Which run stands in which row and column.
struct Grid {
  std::vector<Category> rows;
  std::vector<std::string> methods;    // the columns
  std::vector<std::size_t> column_of;  // every run
};

Grid grid_of(const std::vector<Run>& runs) {
  Grid grid{categories_of(runs), {}, {}};
  for (const std::string& name : method_names(runs)) {
    const auto known = std::ranges::find(grid.methods, name);
    grid.column_of.push_back(static_cast<std::size_t>(known - grid.methods.begin()));
    if (known == grid.methods.end()) grid.methods.push_back(name);
  }
  return grid;
}

std::optional<double> best_of(const std::vector<Value>& values, bool small_is_good) {
  Value best;
  for (const Value& value : values) {
    if (value && (!best || (small_is_good ? *value < *best : *value > *best))) best = value;
  }
  return best;
}

/// @param links  anchor of each cell, "" = none. @param ranked  whether the best is marked.
std::string row_of(const std::string& name, const std::vector<Value>& values,
                   const std::vector<std::string>& links, const Figure& figure, bool ranked) {
  const Value best = best_of(values, figure.small_is_good);
  std::string cells;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::string text = values[i] ? fmt::format("{:.{}f}", *values[i], figure.digits) : "–";
    if (!links[i].empty()) text = fmt::format("<a href=\"#{}\">{}</a>", links[i], text);
    const bool mark = ranked && values.size() > 1 && values[i] && values[i] == best;
    cells += fmt::format("<td{}>{}</td>", mark ? " class=\"best\"" : "", text);
  }
  return fmt::format("<tr><th scope=\"row\">{}</th>{}</tr>", escape(name), cells);
}

/// Of the rows where a method has the figure.
std::vector<Value> means_of(const std::vector<std::vector<Value>>& rows, std::size_t methods) {
  std::vector<Value> means(methods);
  for (std::size_t m = 0; m < methods; ++m) {
    double sum = 0;
    int count = 0;
    for (const std::vector<Value>& row : rows) {
      sum += row[m].value_or(0);
      count += row[m] ? 1 : 0;
    }
    if (count > 0) means[m] = sum / count;
  }
  return means;
}

std::string figure_table(const std::vector<Run>& runs, const Grid& grid, const Figure& figure) {
  const std::size_t methods = grid.methods.size();
  std::string body;
  std::vector<std::vector<Value>> rows;
  for (const Category& category : grid.rows) {
    std::vector<Value> values(methods);
    std::vector<std::string> links(methods);
    bool same = true;
    for (const std::size_t index : category.runs) {
      values[grid.column_of[index]] = figure.of(runs[index]);
      links[grid.column_of[index]] = fmt::format("run{}", index + 1);
      same = same && runs[index].test_sha256 == runs[category.runs.front()].test_sha256;
    }
    body += row_of(category.name, values, links, figure, same);
    rows.push_back(std::move(values));
  }
  // Means over different categories must not be ranked.
  const bool complete = std::ranges::all_of(rows, [](const std::vector<Value>& row) {
    return std::ranges::all_of(row, [](const Value& v) { return v.has_value(); });
  });
  body +=
      row_of("mean", means_of(rows, methods), std::vector<std::string>(methods), figure, complete);
  std::string head = "<td></td>";
  for (const std::string& method : grid.methods) {
    head += fmt::format("<th scope=\"col\">{}</th>", escape(method));
  }
  return "<div>" + table(figure.name, head, body) + "</div>";
}

}  // namespace

std::vector<Category> categories_of(const std::vector<Run>& runs) {
  std::vector<Category> categories;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    auto known = std::ranges::find(categories, runs[i].category, &Category::name);
    if (known == categories.end()) {
      categories.push_back({runs[i].category, {}});
      known = categories.end() - 1;
    }
    known->runs.push_back(i);
  }
  return categories;
}

std::vector<std::string> method_names(const std::vector<Run>& runs) {
  std::map<std::pair<std::string, std::string>, int> taken;
  for (const Run& run : runs) ++taken[{run.method, run.category}];
  const bool ambiguous = std::ranges::any_of(taken, [](const auto& one) { return one.second > 1; });
  std::vector<std::string> names;
  for (const Run& run : runs) {
    names.push_back(ambiguous ? fmt::format("{} ({})", run.method, run.source) : run.method);
  }
  return names;
}

std::string matrix_tables(const std::vector<Run>& runs) {
  const Grid grid = grid_of(runs);
  std::string tables;
  for (const Figure& figure : kFigures) tables += figure_table(runs, grid, figure);
  return "<p class=\"small\">The best of a row is underlined where its models saw the same images; "
         "the mean is over the categories that have the figure. A figure leads to its run.</p>"
         "<div class=\"columns matrix\">" +
         tables + "</div>";
}

}  // namespace uad::report
