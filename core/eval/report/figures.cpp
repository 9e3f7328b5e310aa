// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/figures.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "core/calibration/origin_text.h"
#include "core/eval/report/charts.h"
#include "core/eval/report/html.h"

namespace uad::report {
namespace {

/// "29 of 30; 95 % interval 83.3 to 99.4 %".
std::string count_text(std::int64_t part, std::int64_t whole) {
  const Interval interval = likely_share(part, whole);
  return fmt::format("{} of {}; 95 % interval {:.1f} to {:.1f} %", part, whole, 100 * interval.low,
                     100 * interval.high);
}

std::string card(const std::string& name, const std::string& value, const std::string& note) {
  return fmt::format(
      "<div class=\"card\"><dt>{}</dt><dd><strong>{}</strong><span>{}</span></dd></div>", name,
      value, note);
}

/// A metric with what belongs to it below, or the reason why there is none.
std::string metric_card(const Run& run, const std::string& name, const std::string& key,
                        const std::string& note) {
  const auto reason = run.undefined.find(key);
  return card(name, metric_text(run.metric(key)),
              reason == run.undefined.end() ? note : "undefined: " + escape(reason->second));
}

struct Row {
  const char* name;
  const char* key;
  bool small_is_good;
  double unit = 1;
};
constexpr std::array kRows{
    Row{"Image AUROC", "image_auroc", false},
    Row{"Image AP", "image_ap", false},
    Row{"Image F1, best", "image_f1", false},
    Row{"Pixel AUROC", "pixel_auroc", false},
    Row{"Pixel AP", "pixel_ap", false},
    Row{"Pixel F1, best", "pixel_f1", false},
    Row{"Pixel PRO", "pixel_pro", false},
    Row{"Time per image (ms)", "ms_per_image", true},
    Row{"Model size (MB)", "model_bytes", true, 1e6},
};

bool same_images(const std::vector<Run>& runs) {
  return std::ranges::all_of(
      runs, [&](const Run& run) { return run.test_sha256 == runs.front().test_sha256; });
}

std::string metric_row(const std::vector<Run>& runs, const Row& row, bool mark_best) {
  std::optional<double> best;
  for (const Run& run : runs) {
    const auto value = run.metric(row.key);
    if (value && (!best || (row.small_is_good ? *value < *best : *value > *best))) best = value;
  }
  std::string cells;
  for (const Run& run : runs) {
    const auto value = run.metric(row.key);
    const std::string text =
        row.small_is_good && value ? fmt::format("{:.1f}", *value / row.unit) : metric_text(value);
    cells += mark_best && value == best && value ? fmt::format("<td class=\"best\">{}</td>", text)
                                                 : fmt::format("<td>{}</td>", text);
  }
  return fmt::format("<tr><th scope=\"row\">{}</th>{}</tr>", row.name, cells);
}

std::string run_headings(const std::vector<Run>& runs) {
  std::string html;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    html += fmt::format("<th scope=\"col\"><a href=\"#run{}\">{}{}</a></th>", i + 1, line_sample(i),
                        escape(runs[i].name));
  }
  return html;
}

template <class Text>
std::string text_row(const std::string& name, const std::vector<Run>& runs, Text&& text) {
  std::string cells;
  for (const Run& run : runs) cells += fmt::format("<td>{}</td>", text(run));
  return fmt::format("<tr><th scope=\"row\">{}</th>{}</tr>", name, cells);
}

std::string warned_text(std::int64_t count) { return fmt::format("{} of them WARN", count); }

}  // namespace

std::string headline_cards(const Run& run) {
  const Confusion counts = run.decisions();
  const std::int64_t defective = counts.tp + counts.fn;
  const std::int64_t good = counts.fp + counts.tn;
  std::string cards = card("Defects found", percent_text(counts.tp, defective),
                           defective == 0 ? "undefined: the test set has no defective image"
                                          : count_text(counts.tp, defective));
  cards +=
      card("Good parts rejected", percent_text(counts.fp, good),
           good == 0 ? "undefined: the test set has no good image" : count_text(counts.fp, good));
  cards += metric_card(run, "Image AUROC", "image_auroc",
                       fmt::format("AP {}, best F1 {}", metric_text(run.metric("image_ap")),
                                   metric_text(run.metric("image_f1"))));
  cards += metric_card(run, "Pixel AUROC", "pixel_auroc",
                       fmt::format("AP {}, best F1 {}{}", metric_text(run.metric("pixel_ap")),
                                   metric_text(run.metric("pixel_f1")),
                                   run.pixels_exact ? "" : "; counted in bins, so rounded"));
  cards += metric_card(run, "Pixel PRO", "pixel_pro",
                       "overlap of each defect, up to 30 % false positives");
  cards += card("Time per image", fmt::format("{:.1f} ms", run.metric("ms_per_image").value_or(0)),
                "without reading the file");
  return "<dl class=\"cards\">" + cards + "</dl>";
}

std::string comparison_table(const std::vector<Run>& runs) {
  const bool same = same_images(runs);
  std::string body = text_row("Defects found", runs, [](const Run& run) {
    const Confusion counts = run.decisions();
    return share_text(counts.tp, counts.tp + counts.fn);
  });
  body += text_row("Good parts rejected", runs, [](const Run& run) {
    const Confusion counts = run.decisions();
    return share_text(counts.fp, counts.fp + counts.tn);
  });
  for (const Row& row : kRows) body += metric_row(runs, row, same);
  std::string notes;
  for (const Run& run : runs) {
    std::set<std::string> reasons;  // several metrics share one
    for (const auto& [key, reason] : run.undefined) reasons.insert(reason);
    for (const std::string& reason : reasons) {
      notes +=
          fmt::format("<p class=\"note\">{}: figures shown as “–” are undefined, because {}.</p>",
                      escape(run.name), escape(reason));
    }
  }
  return table(same ? "Side by side; the best figure of a row is underlined" : "Side by side",
               "<td></td>" + run_headings(runs), body) +
         notes;
}

std::string kinds_by_run(const std::vector<Run>& runs) {
  std::set<std::string> kinds;
  for (const Run& run : runs) {
    for (const ScoredFrame& frame : run.frames) {
      if (frame.defective) kinds.insert(frame.kind);
    }
  }
  if (kinds.empty()) return "";
  std::string body;
  for (const std::string& kind : kinds) {
    body += text_row(escape(kind), runs, [&](const Run& run) {
      const auto results = results_by_kind(run.frames, run.thresholds);
      const auto found = std::ranges::find_if(
          results, [&](const KindResult& one) { return one.defective && one.kind == kind; });
      return found == results.end() ? std::string("not in the set")
                                    : share_text(found->rejected, found->images);
    });
  }
  return table("Defects found, by kind", "<td></td>" + run_headings(runs), body);
}

std::string comparison_warning(const std::vector<Run>& runs) {
  if (same_images(runs)) return "";
  std::string list;
  for (const Run& run : runs) {
    list += fmt::format("<li>{}: {} ({} images, {}…)</li>", escape(run.name), escape(run.data),
                        run.frames.size(), escape(run.test_sha256.substr(0, 12)));
  }
  return "<div class=\"warning\" role=\"note\"><strong>These runs saw different test "
         "images.</strong> A model that "
         "was given the harder images gets the lower figures, so do not rank these models by "
         "them.<ul>" +
         list + "</ul></div>";
}

std::string decision_table(const Run& run) {
  std::string body;
  for (const bool defective : {true, false}) {
    std::int64_t images = 0;
    std::int64_t rejected = 0;
    std::int64_t warned = 0;
    for (const KindResult& kind : results_by_kind(run.frames, run.thresholds)) {
      if (kind.defective != defective) continue;
      images += kind.images;
      rejected += kind.rejected;
      warned += kind.warned;
    }
    const std::int64_t others = images - rejected;
    const auto cell = [](std::int64_t count, bool wrong, const std::string& note) {
      return fmt::format("<td{}>{}<small>{}</small></td>",
                         wrong && count > 0 ? " class=\"wrong\"" : "", count, note);
    };
    const std::string kept = defective ? "false negatives" : "true negatives";
    body += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td>{}{}</tr>", defective ? "Defective" : "Good",
        images, cell(rejected, !defective, defective ? "true positives" : "false positives"),
        cell(others, defective, warned > 0 ? kept + ", " + warned_text(warned) : kept));
  }
  const Confusion counts = run.decisions();
  const auto figure = [](double value) { return metric_text(value); };
  return table(fmt::format("Decisions at the reject threshold {}",
                           score_text(run.thresholds.image.thr)),
               "<td></td><th scope=\"col\">Images</th><th scope=\"col\">Rejected</th>"
               "<th scope=\"col\">Not rejected</th>",
               body) +
         fmt::format(
             "<p class=\"small\">Precision {}, recall {}, accuracy {}, balanced accuracy {}.</p>",
             figure(counts.precision()), figure(counts.recall()), figure(counts.accuracy()),
             figure(counts.balanced_accuracy()));
}

std::string kind_table(const Run& run) {
  std::string body;
  for (const KindResult& kind : results_by_kind(run.frames, run.thresholds)) {
    if (!kind.defective) continue;
    const std::int64_t missed = kind.images - kind.rejected;
    body += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td{}>{}{}</td><td>{}</td></tr>",
        escape(kind.kind), kind.images, kind.rejected, missed > 0 ? " class=\"wrong\"" : "", missed,
        kind.warned > 0 ? "<small>" + warned_text(kind.warned) + "</small>" : "",
        metric_text(kind.auroc));
  }
  if (body.empty())
    return "<p class=\"note\">No table by kind of defect: the test set has no defective image.</p>";
  return table(
      "By kind of defect",
      "<th scope=\"col\">Kind</th><th scope=\"col\">Images</th><th scope=\"col\">Found</th>"
      "<th scope=\"col\">Missed</th><th scope=\"col\">Image AUROC</th>",
      body);
}

std::string threshold_origin(const Run& run) {
  const std::string from = fmt::format(
      "<p>An image is rejected from a score of <strong>{}</strong> on and gets a warning from "
      "<strong>{}</strong> on. ",
      score_text(run.thresholds.image.thr), score_text(run.thresholds.warn));
  if (run.replayed && run.replayed->moved()) {
    return from + "These were given to <code>uad replay</code>; those of the run are above.</p>";
  }
  const ThresholdOrigin& origin = run.threshold_origin;
  std::string facts;
  for (const std::string& line : origin_lines(origin)) {
    facts += fmt::format("<li>{}</li>", escape(line));
  }
  return from + fmt::format(
                    "Both are stored in the model. They come from: {}.</p><ul class=\"small\">"
                    "<li>scores that the rule saw: {}</li>{}</ul>",
                    escape(origin.rule), origin.images, facts);
}

std::string measurement_facts(const Run& run) {
  std::string rows;
  for (const Fact& fact : run.facts) {
    rows += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", fact.name, escape(fact.value));
  }
  std::string html = "<dl class=\"facts\">" + rows + "</dl>";
  if (run.missing_masks > 0) {
    html += fmt::format(
        "<p class=\"note\">{} defective images have no mask and left the pixel figures.</p>",
        run.missing_masks);
  }
  if (run.skipped.empty()) return html;
  std::string list;
  for (const SkippedFrame& frame : run.skipped) {
    list += fmt::format("<li>{}: {}</li>", escape(frame.name), escape(frame.reason));
  }
  return html + fmt::format(
                    "<p class=\"note\">{} images could not be read and count nowhere:</p><ul "
                    "class=\"small\">{}</ul>",
                    run.skipped.size(), list);
}

std::string glossary() {
  return R"(<dl class="facts">
<div><dt>REJECT, WARN, PASS</dt><dd>An image whose score reaches the reject threshold is rejected; from the warn threshold on it is passed with a warning. All counts of this page take WARN as not rejected.</dd></div>
<div><dt>95 % interval</dt><dd>Where the share would lie on many more parts of this kind (Wilson's interval). It is wide where few images were tested.</dd></div>
<div><dt>AUROC</dt><dd>The chance that a defective image (or pixel) scores higher than a good one: 1 = always, 0.5 = by luck. It does not depend on the threshold.</dd></div>
<div><dt>AP, F1</dt><dd>AP is the area under the precision-recall curve. F1 is the harmonic mean of precision and recall, here at the threshold that suits this very set best.</dd></div>
<div><dt>PRO</dt><dd>How much of each labelled defect is marked, large and small ones alike, averaged up to 30 % false-positive pixels.</dd></div>
<div><dt>Score</dt><dd>In the method's own unit, without an upper bound. Scores of different models cannot be compared; their curves can.</dd></div>
</dl>)";
}

}  // namespace uad::report
