// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/forgetting.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/eval/report/charts.h"
#include "core/eval/report/html.h"
#include "core/eval/report/svg.h"

namespace uad::report {
namespace {

struct Figure {
  const char* name;
  ProductFigure of;
};
constexpr std::array kFigures{Figure{"Image AUROC", &ProductResult::image_auroc},
                              Figure{"Pixel AUROC", &ProductResult::pixel_auroc}};

/// A line of a chart: what is not defined has no point.
struct Series {
  std::string name;
  std::string value;  ///< told behind the name
  Curve points;
  bool level = false;  ///< drawn across the whole chart
};

constexpr double kMargin = 0.25;  // tasks beside the first and the last one

Axis task_axis(std::size_t tasks) {
  Axis axis{-kMargin, static_cast<double>(tasks) - 1 + kMargin, "after task", {}};
  for (std::size_t task = 0; task < tasks; ++task) axis.ticks.push_back(static_cast<double>(task));
  return axis;
}

/// From the tenth below the lowest point to 1.
Axis figure_axis(const std::vector<Series>& all, const std::string& name) {
  double low = 0.9;
  for (const Series& series : all) {
    for (const CurvePoint& point : series.points) low = std::min(low, point.y);
  }
  low = std::max(0.0, std::floor(low * 10 - 1e-9) / 10);
  return {low, 1, name, round_ticks(low, 1, 5)};
}

std::string chart(const std::string& title, const std::string& figure,
                  const std::vector<Series>& all, std::size_t tasks) {
  const std::string head =
      fmt::format("<figure class=\"chart\"><figcaption>{}</figcaption>", title);
  const bool none = std::ranges::all_of(all, [](const Series& s) { return s.points.empty(); });
  if (none) return head + "<p class=\"note\">Undefined after every task.</p></figure>";
  const Axis x = task_axis(tasks);
  Plot plot(360, 300, x, figure_axis(all, figure));
  std::string legend;
  std::string description = title + ".";
  for (std::size_t i = all.size(); i-- > 0;) {  // the first one on top
    const Series& series = all[i];
    if (series.points.empty()) continue;
    const double y = series.points.back().y;
    plot.line(series.level ? Curve{{x.low, y}, {x.high, y}} : series.points, line_style(i));
    if (series.level) continue;
    for (const CurvePoint& point : series.points) plot.dot(point, fmt::format("dot c{}", i % 7));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    legend += fmt::format("<li>{}{} {}</li>", line_sample(i), escape(all[i].name), all[i].value);
    description += fmt::format(" {}: {}.", all[i].name, all[i].value);
  }
  return head + plot.svg(description) + "<ul class=\"legend\">" + legend + "</ul></figure>";
}

/// "0.950 → 0.917"; one figure where there is no other.
std::string from_to(const Curve& points) {
  if (points.empty()) return metric_text({});
  if (points.size() == 1) return metric_text(points.front().y);
  return metric_text(points.front().y) + " → " + metric_text(points.back().y);
}

std::size_t most_tasks(const std::vector<ProtocolRun>& runs) {
  std::size_t most = 1;
  for (const ProtocolRun& run : runs) most = std::max(most, run.tasks.size());
  return most;
}

Series series_of(std::string name, const std::vector<double>& values) {
  Series series{std::move(name), {}, {}};
  for (std::size_t task = 0; task < values.size(); ++task) {
    if (!std::isnan(values[task])) {
      series.points.push_back({static_cast<double>(task), values[task]});
    }
  }
  series.value = from_to(series.points);
  return series;
}

std::string cells_of(const TaskMatrix& matrix, std::size_t product) {
  std::string cells;
  for (std::size_t task = 0; task < matrix.values.size(); ++task) {
    const bool learnt = matrix.learnt_in[product] <= task;
    cells += fmt::format("<td>{}</td>",
                         learnt ? metric_text(matrix.values[task][product]) : std::string());
  }
  return cells;
}

std::string row(const std::string& name, const std::string& cells, double lost) {
  return fmt::format("<tr><th scope=\"row\">{}</th>{}<td>{}</td></tr>", name, cells,
                     metric_text(lost));
}

std::string matrix_table(const ProtocolRun& run, const Figure& figure) {
  const TaskMatrix matrix = task_matrix(run.tasks, figure.of);
  const ContinualFigures figures = continual_figures(matrix);
  std::string head = "<td></td>";
  for (std::size_t task = 0; task < run.tasks.size(); ++task) {
    head += fmt::format("<th scope=\"col\">task&nbsp;{}</th>", task);
  }
  head += "<th scope=\"col\">lost</th>";
  std::string body;
  for (std::size_t product = 0; product < matrix.products.size(); ++product) {
    body += row(escape(matrix.products[product]), cells_of(matrix, product),
                forgotten(matrix, product));
  }
  std::string means;
  for (const double mean : figures.averages) means += "<td>" + metric_text(mean) + "</td>";
  body += row("mean", means, figures.product_forgetting);
  return "<div>" + table(figure.name, head, body) + "</div>";
}

/// One line a reason, with the products it concerns.
std::string undefined_notes(const ProtocolRun& run) {
  std::map<std::string, std::vector<std::string>> products;
  for (const ProductResult& result : run.tasks.back().products) {
    for (const auto& [key, reason] : result.undefined) {
      std::vector<std::string>& known = products[reason];
      if (known.empty() || known.back() != result.product) known.push_back(result.product);
    }
  }
  std::string html;
  for (const auto& [reason, names] : products) {
    html += fmt::format(
        "<p class=\"note\">{}: figures shown as “–” are undefined and left out of "
        "the means, because {}.</p>",
        escape(fmt::format("{}", fmt::join(names, ", "))), escape(reason));
  }
  return html;
}

}  // namespace

std::string average_charts(const std::vector<ProtocolRun>& runs) {
  std::string html;
  const std::size_t tasks = most_tasks(runs);
  for (const Figure& figure : kFigures) {
    std::vector<Series> all;
    for (const ProtocolRun& run : runs) {
      const ContinualFigures found = continual_figures(task_matrix(run.tasks, figure.of));
      all.push_back(series_of(run.name, found.averages));
      all.back().level = run.tasks.size() == 1 && tasks > 1;
    }
    html += chart(fmt::format("{}, mean of the products learnt so far", figure.name), figure.name,
                  all, tasks);
  }
  return "<div class=\"columns\">" + html + "</div>";
}

std::string product_charts(const ProtocolRun& run) {
  std::string html;
  for (const Figure& figure : kFigures) {
    const TaskMatrix matrix = task_matrix(run.tasks, figure.of);
    std::vector<Series> all;
    for (std::size_t product = 0; product < matrix.products.size(); ++product) {
      std::vector<double> values;
      for (const std::vector<double>& task : matrix.values) values.push_back(task[product]);
      all.push_back(series_of(matrix.products[product], values));
    }
    html +=
        chart(fmt::format("{} of every product", figure.name), figure.name, all, run.tasks.size());
  }
  return "<div class=\"columns\">" + html + "</div>";
}

std::string matrix_tables(const ProtocolRun& run) {
  std::string html;
  for (const Figure& figure : kFigures) html += matrix_table(run, figure);
  constexpr std::size_t kSideBySide = 4;  // tasks whose tables fit beside each other
  const char* style = run.tasks.size() > kSideBySide ? "" : " class=\"columns\"";
  return fmt::format("<div{}>{}</div>{}", style, html, undefined_notes(run));
}

}  // namespace uad::report
