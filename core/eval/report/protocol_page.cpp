// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/protocol_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/eval/report/charts.h"
#include "core/eval/report/document.h"
#include "core/eval/report/forgetting.h"
#include "core/eval/report/html.h"

namespace uad::report {
namespace {

/// A figure of a whole run.
struct Summary {
  const char* name;
  const char* note;
  double ContinualFigures::*value;
  bool small_is_good = false;
};
constexpr std::array kSummaries{
    Summary{"ACC", "mean of the means after every task", &ContinualFigures::acc},
    Summary{"Final mean", "of all products after the last task", &ContinualFigures::final_average},
    Summary{"FM", "how far the mean fell below its best", &ContinualFigures::forgetting, true},
    Summary{"FM by product", "how far products fell below their best",
            &ContinualFigures::product_forgetting, true},
};

struct Kind {
  const char* name;
  ProductFigure of;
};
constexpr std::array kKinds{Kind{"Image AUROC", &ProductResult::image_auroc},
                            Kind{"Pixel AUROC", &ProductResult::pixel_auroc}};

ContinualFigures figures_of(const ProtocolRun& run, const Kind& kind) {
  return continual_figures(task_matrix(run.tasks, kind.of));
}

std::string cards(const ProtocolRun& run) {
  std::string html;
  for (const Kind& kind : kKinds) {
    const ContinualFigures figures = figures_of(run, kind);
    std::string row;
    for (const Summary& summary : kSummaries) {
      row += fmt::format(
          "<div class=\"card\"><dt>{}</dt><dd><strong>{}</strong><span>{}</span></dd></div>",
          summary.name, metric_text(figures.*summary.value), summary.note);
    }
    html += section(kind.name, "<dl class=\"cards\">" + row + "</dl>", 3);
  }
  return html;
}

/// Product → fingerprint of its test images.
std::map<std::string, std::string> judged_on(const ProtocolRun& run) {
  std::map<std::string, std::string> images;
  for (const ProductResult& result : run.tasks.back().products) {
    images[result.product] = result.test_sha256;
  }
  return images;
}

bool comparable(const std::vector<ProtocolRun>& runs) {
  return std::ranges::all_of(runs, [&](const ProtocolRun& run) {
    return judged_on(run) == judged_on(runs.front()) && run.tasks.size() == run.planned;
  });
}

std::string summary_row(const std::vector<ProtocolRun>& runs, const Kind& kind,
                        const Summary& summary, bool ranked) {
  std::vector<double> values;
  for (const ProtocolRun& run : runs) values.push_back(figures_of(run, kind).*summary.value);
  double best = std::nan("");
  for (const double value : values) {
    const bool better = summary.small_is_good ? value < best : value > best;
    if (std::isnan(best) || better) best = value;
  }
  std::string cells;
  for (const double value : values) {
    cells += fmt::format("<td{}>{}</td>", ranked && value == best ? " class=\"best\"" : "",
                         metric_text(value));
  }
  return fmt::format("<tr><th scope=\"row\">{}: {}</th>{}</tr>", kind.name, summary.name, cells);
}

std::string comparison(const std::vector<ProtocolRun>& runs) {
  const bool ranked = comparable(runs);
  std::string head = "<td></td>";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    head += fmt::format(
        "<th scope=\"col\"><a href=\"#run{}\">{}{}</a><small>{}, {} tasks</small></th>", i + 1,
        line_sample(i), escape(runs[i].name), escape(runs[i].method), runs[i].tasks.size());
  }
  std::string body;
  for (const Kind& kind : kKinds) {
    for (const Summary& summary : kSummaries) body += summary_row(runs, kind, summary, ranked);
  }
  const std::string warning =
      ranked ? std::string()
             : "<div class=\"warning\" role=\"note\"><strong>These runs do not compare.</strong> "
               "They were not judged on the same images of the same products, or one of them is "
               "not finished, so no figure is marked as the best.</div>";
  return warning + table("Figures over all tasks", head, body);
}

std::string facts(const ProtocolRun& run) {
  std::string html;
  for (const Fact& fact : run.facts) {
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", fact.name, escape(fact.value));
  }
  return "<dl class=\"facts\">" + html + "</dl>";
}

std::string unfinished(const ProtocolRun& run) {
  if (run.tasks.size() == run.planned) return "";
  return fmt::format(
      "<div class=\"warning\" role=\"note\"><strong>{} of {} tasks are done.</strong> The figures "
      "are those of the tasks so far.</div>",
      run.tasks.size(), run.planned);
}

std::string details(const ProtocolRun& run, int level) {
  return section("After every task", unfinished(run) + matrix_tables(run), level) +
         section("Product by product", product_charts(run), level) +
         section("How it was made", facts(run), level);
}

std::string words() {
  return section(
      "What the words mean",
      "<dl class=\"facts\">"
      "<div><dt>Task</dt><dd>Products that are learnt together. Task 0 is the first; later ones go "
      "on from the model before, without the images of earlier tasks.</dd></div>"
      "<div><dt>AUROC</dt><dd>The chance that a defect scores higher than a good image (or pixel): "
      "1 = always, 0.5 = by luck. Taken of each product apart, then averaged.</dd></div>"
      "<div><dt>ACC</dt><dd>After every task the mean over the products learnt so far; ACC is the "
      "mean of these. High is good.</dd></div>"
      "<div><dt>FM</dt><dd>Forgetting: after every later task, how far that mean has fallen below "
      "its best before; FM is the mean of these falls. Low is good; below 0 it rose. New products "
      "that are harder lower the mean as well.</dd></div>"
      "<div><dt>FM by product</dt><dd>Of the products learnt before the last task: how far each "
      "fell below its best by the end. It compares each product with itself alone.</dd></div>"
      "</dl>");
}

void make_names_unique(std::vector<ProtocolRun>& runs) {
  std::map<std::string, int> taken;
  for (ProtocolRun& run : runs) {
    const int times = ++taken[run.name];
    if (times > 1) run.name += fmt::format(" ({})", times);
  }
}

std::string one_run(const ProtocolRun& run) {
  return section("At a glance", cards(run)) + section("Forgetting curve", average_charts({run})) +
         details(run, 2);
}

std::string several_runs(const std::vector<ProtocolRun>& runs) {
  std::string html = section("Side by side", comparison(runs)) +
                     section("Forgetting curves", average_charts(runs));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    html += fmt::format("<div id=\"run{}\">{}</div>", i + 1,
                        section(escape(runs[i].name), details(runs[i], 3)));
  }
  return html;
}

}  // namespace

std::string protocol_page(std::vector<ProtocolRun> runs, const PageOptions& options) {
  if (runs.empty()) throw Error(ErrorCode::kBadOption, "A report needs at least one run.");
  make_names_unique(runs);
  const std::string title = !options.title.empty() ? options.title
                            : runs.size() == 1
                                ? fmt::format("Learning product by product: {}, protocol {}",
                                              runs.front().method, runs.front().protocol)
                                : fmt::format("Learning product by product: {} runs", runs.size());
  return document(title, (runs.size() == 1 ? one_run(runs.front()) : several_runs(runs)) + words(),
                  options.made_by);
}

}  // namespace uad::report
