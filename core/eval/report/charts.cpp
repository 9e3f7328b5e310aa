// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/charts.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/eval/report/html.h"
#include "core/eval/report/svg.h"

namespace uad::report {
namespace {

/// One of the four charts: which curve of a run it shows and what its axes mean.
struct CurveChart {
  const char* title;
  const char* metric;  ///< key of the figure under the curve
  const char* metric_name;
  const char* x;
  const char* y;
  bool pixels;
  bool precision_recall;
};

constexpr std::array kCharts{
    CurveChart{"ROC, images", "image_auroc", "AUROC", "good images rejected",
               "defective images found", false, false},
    CurveChart{"Precision and recall, images", "image_ap", "AP", "defective images found (recall)",
               "rejects that are right (precision)", false, true},
    CurveChart{"ROC, pixels", "pixel_auroc", "AUROC", "good pixels marked", "defect pixels marked",
               true, false},
    CurveChart{"Precision and recall, pixels", "pixel_ap", "AP", "defect pixels marked (recall)",
               "marked pixels that are right (precision)", true, true},
};

const Curve& curve_of(const Run& run, const CurveChart& chart) {
  const Curves& curves = chart.pixels ? run.pixel_curves : run.image_curves;
  return chart.precision_recall ? curves.precision_recall : curves.roc;
}

/// Average precision is an area of steps, so the curve is drawn as steps.
Curve as_steps(const Curve& curve) {
  Curve steps;
  double x = 0;
  for (const CurvePoint& point : curve) {
    steps.push_back({x, point.y});
    steps.push_back(point);
    x = point.x;
  }
  return steps;
}

/// A row's little picture in a legend.
std::string sample(const std::string& drawing) {
  return R"(<svg class="sample" viewBox="0 0 26 10" aria-hidden="true">)" + drawing + "</svg>";
}

/// Where the model's own reject threshold lies on the chart.
CurvePoint operating_point(const Run& run, bool precision_recall) {
  const Confusion counts = run.decisions();
  if (precision_recall) return {counts.recall(), counts.precision()};
  return {static_cast<double>(counts.fp) / static_cast<double>(counts.fp + counts.tn),
          counts.recall()};
}

std::string describe(const std::vector<Run>& runs, const CurveChart& chart) {
  std::string text = fmt::format("{}: {} over {}.", chart.title, chart.y, chart.x);
  for (const Run& run : runs) {
    text += fmt::format(" {}: {} {}.", run.name, chart.metric_name,
                        metric_text(run.metric(chart.metric)));
  }
  return text;
}

std::string curve_legend(const std::vector<Run>& runs, const CurveChart& chart) {
  std::string rows;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string name = runs.size() > 1 ? escape(runs[i].name) + ": " : std::string();
    rows += fmt::format("<li>{}{}{} {}</li>", line_sample(i), name, chart.metric_name,
                        metric_text(runs[i].metric(chart.metric)));
  }
  if (!chart.pixels) {
    rows += "<li>" + sample(R"(<circle class="dot c0" cx="13" cy="5" r="4.5"/>)") +
            "at the reject threshold</li>";
  }
  return R"(<ul class="legend">)" + rows + "</ul>";
}

std::string curve_chart(const std::vector<Run>& runs, const CurveChart& chart) {
  const std::string head =
      fmt::format("<figure class=\"chart\"><figcaption>{}</figcaption>", chart.title);
  const bool none =
      std::ranges::all_of(runs, [&](const Run& run) { return curve_of(run, chart).empty(); });
  if (none) {
    const auto reason = runs.front().undefined.find(chart.metric);
    return head + fmt::format("<p class=\"note\">Undefined: {}.</p></figure>",
                              reason == runs.front().undefined.end()
                                  ? std::string("no curve was stored")
                                  : escape(reason->second));
  }
  const std::vector<double> ticks{0, 0.2, 0.4, 0.6, 0.8, 1};
  Plot plot(360, 320, {0, 1, chart.x, ticks}, {0, 1, chart.y, ticks});
  if (!chart.precision_recall) plot.line({{0, 0}, {1, 1}}, "chance");
  for (std::size_t i = runs.size(); i-- > 0;) {  // the first run on top
    const Curve& curve = curve_of(runs[i], chart);
    if (curve.empty()) continue;
    plot.line(chart.precision_recall ? as_steps(curve) : curve, line_style(i));
    const CurvePoint at = operating_point(runs[i], chart.precision_recall);
    if (!chart.pixels && std::isfinite(at.x) && std::isfinite(at.y)) {
      plot.dot(at, fmt::format("dot c{}", i % 7));
    }
  }
  return head + plot.svg(describe(runs, chart)) + curve_legend(runs, chart) + "</figure>";
}

/// Share of each class in bins of equal width, in percent.
struct Histogram {
  static constexpr int kBins = 40;
  double low = 0;
  double high = 1;
  std::array<double, kBins> good{};
  std::array<double, kBins> defective{};
  int good_count = 0;
  int defective_count = 0;
  [[nodiscard]] double edge(std::size_t bin) const {
    return low + (high - low) * static_cast<double>(bin) / kBins;
  }
};

Histogram count_scores(const Run& run) {
  Histogram result;
  result.low = run.thresholds.warn;
  result.high = run.thresholds.image.thr;
  for (const ScoredFrame& frame : run.frames) {
    result.low = std::min<double>(result.low, frame.score);
    result.high = std::max<double>(result.high, frame.score);
    ++(frame.defective ? result.defective_count : result.good_count);
  }
  const double room =
      std::max(result.high - result.low, std::abs(result.high) * 1e-6 + 1e-12) * 0.02;
  result.low -= room;
  result.high += room;
  for (const ScoredFrame& frame : run.frames) {
    const double place = (frame.score - result.low) / (result.high - result.low);
    const auto bin =
        static_cast<std::size_t>(std::clamp(place * Histogram::kBins, 0.0, Histogram::kBins - 1.0));
    if (frame.defective) {
      result.defective[bin] += 100.0 / result.defective_count;
    } else {
      result.good[bin] += 100.0 / result.good_count;
    }
  }
  return result;
}

}  // namespace

std::string line_style(std::size_t run) { return fmt::format("curve c{} d{}", run % 7, run % 4); }

std::string line_sample(std::size_t run) {
  return sample(fmt::format(R"(<path class="{}" d="M0 5H26"/>)", line_style(run)));
}

std::string chart_patterns() {
  return R"svg(<svg width="0" height="0" class="defs" aria-hidden="true"><defs>)svg"
         R"svg(<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" )svg"
         R"svg(patternTransform="rotate(45)"><rect width="5" height="5" fill="#fbe3d3"/>)svg"
         R"svg(<path d="M0 0V5" stroke="#d55e00" stroke-width="4"/></pattern></defs></svg>)svg";
}

std::string curve_charts(const std::vector<Run>& runs) {
  std::string html;
  for (const CurveChart& chart : kCharts) html += curve_chart(runs, chart);
  return R"(<div class="charts">)" + html + "</div>";
}

std::string score_histogram(const Run& run) {
  const Histogram shares = count_scores(run);
  const double up = shares.good_count > 0 ? std::ranges::max(shares.good) : 0;
  const double down = shares.defective_count > 0 ? std::ranges::max(shares.defective) : 0;
  // Room above for the names of the thresholds, below for the label of the defects.
  const double whole = up + down;
  const Axis x{shares.low, shares.high, "score (raw)", round_ticks(shares.low, shares.high, 6)};
  const Axis y{-down - whole * 0.08,
               up + whole * 0.22,
               "share of the images",
               round_ticks(-down, up, 6),
               true,
               " %"};
  Plot plot(440, 300, x, y);
  for (std::size_t i = 0; i < Histogram::kBins; ++i) {
    const double left = shares.edge(i);
    const double right = shares.edge(i + 1);
    if (shares.good[i] > 0) plot.bar({left, 0}, {right, shares.good[i]}, "good");
    if (shares.defective[i] > 0) plot.bar({left, 0}, {right, -shares.defective[i]}, "defective");
  }
  plot.horizontal(0, "axis");
  const double reject = run.thresholds.image.thr;
  plot.vertical(run.thresholds.warn, fmt::format("warn {}", score_text(run.thresholds.warn)), 1,
                true, "warn");
  plot.vertical(reject, fmt::format("reject {}", score_text(reject)), 0, false, "reject");
  const std::string description = fmt::format(
      "Histogram of the scores of {} good and {} defective images; warn at {}, reject at {}.",
      shares.good_count, shares.defective_count, score_text(run.thresholds.warn),
      score_text(reject));
  return fmt::format(
      R"(<figure class="histogram"><figcaption>Scores and thresholds</figcaption>{}<ul class="legend">)"
      "<li>{}good, upwards ({})</li><li>{}defective, downwards ({})</li></ul></figure>",
      plot.svg(description), sample(R"(<path class="good" d="M4 0H22V10H4z"/>)"), shares.good_count,
      sample(R"(<path class="defective" d="M4 0H22V10H4z"/>)"), shares.defective_count);
}

}  // namespace uad::report
