// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/page.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/eval/report/charts.h"
#include "core/eval/report/document.h"
#include "core/eval/report/figures.h"
#include "core/eval/report/html.h"
#include "core/eval/report/matrix.h"

namespace uad::report {
namespace {

std::string picture(const GalleryPicture& one, const Run& run) {
  const Verdict verdict = judge(one.score, run.thresholds);
  const std::string name = escape(short_name(one.path));
  return fmt::format(
      "<figure class=\"pair\"><div><img src=\"{}\" alt=\"{}: image\"><img src=\"{}\" alt=\"{}: "
      "heatmap\"></div>"
      "<figcaption><span class=\"badge {}\">{}</span> <span title=\"{}\">{}</span>, score "
      "{}</figcaption></figure>",
      one.image, name, one.heatmap, name, to_string(verdict), to_string(verdict), escape(one.path),
      name, score_text(one.score));
}

/// One side of the gallery: the wrong decisions, or what came nearest to one.
std::string gallery_side(const Run& run, const std::vector<GalleryPicture>& pictures,
                         bool defective) {
  const Confusion counts = run.decisions();
  const std::int64_t wrong = defective ? counts.fn : counts.fp;
  const std::int64_t whole = defective ? counts.tp + counts.fn : counts.fp + counts.tn;
  const std::string title =
      defective ? "Missed defects (false accepts)" : "Good parts rejected (false rejects)";
  if (whole == 0) {
    return section(title,
                   fmt::format("<p class=\"note\">The test set has no {} image.</p>",
                               defective ? "defective" : "good"),
                   3);
  }
  std::string html;
  const std::int64_t shown =
      std::min<std::int64_t>(wrong, static_cast<std::int64_t>(pictures.size()));
  std::string lead =
      wrong == 0      ? fmt::format("None. Nearest to it came the {} images with the {} scores:",
                               defective ? "defective" : "good", defective ? "lowest" : "highest")
      : shown < wrong ? fmt::format("{}; the worst {}:", share_text(wrong, whole), shown)
                      : share_text(wrong, whole) + ":";
  const std::size_t count =
      wrong == 0 ? std::min<std::size_t>(pictures.size(), 3) : static_cast<std::size_t>(shown);
  for (std::size_t i = 0; i < count; ++i) html += picture(pictures[i], run);
  return section(title, fmt::format("<p>{}</p><div class=\"gallery\">{}</div>", lead, html), 3);
}

std::string gallery(const Run& run) {
  if (!run.gallery) {
    return "<p class=\"note\">This run was stored without pictures.</p>";
  }
  const ScoreScale& scale = run.thresholds.map;
  const std::string bar = fmt::format(
      "<div class=\"scale\"><span>{}</span><i "
      "style=\"background:linear-gradient(90deg,{})\"></i><span>{}</span></div>"
      "<p class=\"small\">Colours of the heatmaps, on the model's fixed scale: the middle, {}, is "
      "where a region is marked. "
      "A white line surrounds the labelled defect. Grey was not looked at.</p>",
      score_text(scale.lo), fmt::join(heatmap_colours(9), ","), score_text(scale.hi),
      score_text(scale.thr));
  return bar + gallery_side(run, run.gallery->defective, true) +
         gallery_side(run, run.gallery->good, false);
}

std::string scores_and_decisions(const Run& run) {
  return "<div class=\"columns\"><div>" + score_histogram(run) +
         section("Where the thresholds come from", threshold_origin(run), 3) + "</div><div>" +
         decision_table(run) + kind_table(run) + "</div></div>";
}

/// What uad replay adds; "" for any other run.
std::string at_other_thresholds(const Run& run, int level) {
  if (!run.replayed) return "";
  return section("At other thresholds", replayed_table(*run.replayed), level);
}

std::string one_run(const Run& run) {
  return section("At a glance", headline_cards(run)) + at_other_thresholds(run, 2) +
         section("Curves", curve_charts({run})) +
         section("Scores and decisions", scores_and_decisions(run)) +
         section("Worst images", gallery(run)) +
         section("How it was measured", measurement_facts(run));
}

std::string comparison(const std::vector<Run>& runs) {
  return section("Side by side", comparison_warning(runs) + "<div class=\"columns\"><div>" +
                                     comparison_table(runs) + "</div><div>" + kinds_by_run(runs) +
                                     "</div></div>") +
         section("Curves", curve_charts(runs));
}

/// Curves of different categories have nothing to say to each other, so each has its own.
std::string comparison_by_category(const std::vector<Run>& runs,
                                   const std::vector<Category>& categories,
                                   const std::vector<std::string>& names) {
  std::string html = section("Methods by category", matrix_tables(runs));
  for (const Category& category : categories) {
    std::vector<Run> own;
    for (const std::size_t index : category.runs) {
      own.push_back(runs[index]);
      own.back().name = names[index];
    }
    html += section("Curves: " + escape(category.name), curve_charts(own));
  }
  return html;
}

std::string several_runs(const std::vector<Run>& runs) {
  const std::vector<Category> categories = categories_of(runs);
  const bool by_category = categories.size() > 1;
  const std::vector<std::string> names = method_names(runs);
  std::string html =
      by_category ? comparison_by_category(runs, categories, names) : comparison(runs);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    const std::string measured = section("How it was measured", measurement_facts(run), 3);
    html += fmt::format(
        "<div id=\"run{}\">{}</div>", i + 1,
        section(escape(by_category ? run.category + ": " + names[i] : run.name),
                at_other_thresholds(run, 3) + scores_and_decisions(run) + gallery(run) + measured));
  }
  return html;
}

}  // namespace

std::string report_page(const std::vector<Run>& runs, const PageOptions& options) {
  if (runs.empty()) throw Error(ErrorCode::kBadOption, "A report needs at least one run.");
  const std::string title = !options.title.empty() ? options.title
                            : runs.size() == 1
                                ? "Inspection report: " + runs.front().name
                                : fmt::format("Inspection report: {} runs", runs.size());
  return document(title,
                  (runs.size() == 1 ? one_run(runs.front()) : several_runs(runs)) +
                      section("What the words mean", glossary()),
                  options.made_by);
}

}  // namespace uad::report
