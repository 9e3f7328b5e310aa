// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/replay_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/eval/report/html.h"

namespace uad::tools {
namespace {

std::string number(double value, const char* form = "{:.6g}") {
  return std::isfinite(value) ? fmt::format(fmt::runtime(form), value) : "-";
}

std::string percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? "-"
                    : fmt::format("{:.1f} %",
                                  100 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string interval(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "-";
  const report::Interval share = report::likely_share(part, whole);
  return fmt::format("{:.1f} to {:.1f} %", 100 * share.low, 100 * share.high);
}

std::string row(const std::string& name, const std::vector<std::string>& cells) {
  std::string text = fmt::format("  {:<24}", name);
  for (const std::string& cell : cells) text += fmt::format("{:<18}", cell);
  return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
}

std::string verdict_table(const Replay& replayed) {
  const bool unscored = replayed.all_after().unscored + replayed.all_before().unscored > 0;
  std::string text = row("stored -> new", {"PASS", "WARN", "REJECT", unscored ? "UNSCORED" : ""});
  const auto cell = [](std::int64_t before, std::int64_t after) {
    return fmt::format("{} -> {}", before, after);
  };
  const auto line = [&](const std::string& name, const VerdictCounts& a, const VerdictCounts& b) {
    std::vector<std::string> cells{cell(a.pass, b.pass), cell(a.warn, b.warn),
                                   cell(a.reject, b.reject)};
    if (unscored) cells.push_back(cell(a.unscored, b.unscored));
    return row(name, cells);
  };
  for (const KindVerdicts& kind : replayed.kinds) {
    text += line(kind.kind.empty() ? "without a label" : kind.kind, kind.before, kind.after);
  }
  if (replayed.kinds.size() == 1) return text;
  return text + line("all", replayed.all_before(), replayed.all_after());
}

/// A row of one figure for every column.
template <class Figure>
std::string figure_row(const std::string& name, const std::vector<Confusion>& columns,
                       Figure&& figure) {
  std::vector<std::string> cells;
  for (const Confusion& column : columns) cells.push_back(figure(column));
  return row(name, cells);
}

std::string decision_rows(const std::vector<Confusion>& columns) {
  const auto metric = [](double (Confusion::*value)() const) {
    return [value](const Confusion& counts) { return number((counts.*value)(), "{:.4f}"); };
  };
  std::string text = figure_row("precision", columns, metric(&Confusion::precision));
  text += figure_row("recall", columns, metric(&Confusion::recall));
  text += figure_row("F1", columns, metric(&Confusion::f1));
  text += figure_row("good parts rejected", columns,
                     [](const Confusion& c) { return percent(c.fp, c.fp + c.tn); });
  text += figure_row("  95 % interval", columns,
                     [](const Confusion& c) { return interval(c.fp, c.fp + c.tn); });
  text += figure_row("defects missed", columns,
                     [](const Confusion& c) { return percent(c.fn, c.fn + c.tp); });
  return text + figure_row("  95 % interval", columns,
                           [](const Confusion& c) { return interval(c.fn, c.fn + c.tp); });
}

std::string cost_words(const CostComparison& costs) {
  const CheapestThreshold& best = costs.cheapest;
  std::string text = fmt::format(
      "  costs: {:g} a good part rejected, {:g} a defect missed, {:.3g} % of the parts defective",
      costs.costs.false_reject, costs.costs.false_accept, 100 * costs.costs.defect_rate);
  text += costs.rate_of_the_set
              ? "\n  NOTE: that is the share in the set; a line has fewer. Say --defect-rate.\n"
              : "\n";
  if (best.images.tp + best.images.fp == 0) {
    return text +
           fmt::format("  cheapest: reject nothing (any threshold above {:.6g})\n", best.above);
  }
  text += std::isinf(best.above)
              ? std::string("  cheapest: reject everything")
              : fmt::format("  cheapest: all from above {:.6g} to {:.6g} decide the same",
                            best.above, best.threshold);
  if (best.candidates > 1) {
    text += fmt::format("; it is the lowest of {} with this cost, the highest is {:.6g}",
                        best.candidates, best.highest);
  }
  return text + "\n";
}

std::string figures(const StoredRun& run, const Replay& replayed,
                    const std::optional<CostComparison>& costs) {
  const bool known = run.thresholds.has_value();
  const Thresholds before = known ? run.thresholds->with({}) : Thresholds{};
  std::vector<std::string> head{"stored", "new"};
  std::vector<std::string> reject{known ? number(before.image.thr) : "-",
                                  number(replayed.thresholds.image.thr)};
  if (costs) {
    head.emplace_back("cheapest");
    reject.push_back(fmt::format("{}", costs->cheapest.handy));
  }
  std::string text =
      row("", head) + row("reject threshold", reject) +
      row("warn threshold", {known ? number(before.warn) : "-", number(replayed.thresholds.warn)});
  const Confusion& after = replayed.after;
  if (after.tp + after.fp + after.fn + after.tn == 0) return text;
  std::vector<Confusion> columns{replayed.before, after};
  if (costs) columns.push_back(costs->cheapest.images);
  text += decision_rows(columns);
  if (!costs) return text;
  text += row("cost of 1000 parts",
              {number(costs->before), number(costs->after), number(costs->cheapest.cost)});
  return text + cost_words(*costs);
}

std::string map_words(const StoredRun& run, const Replay& replayed, const MapReplay& maps) {
  std::size_t before = 0;
  std::size_t after = 0;
  for (std::size_t i = 0; i < run.frames.size(); ++i) {
    if (!maps.regions[i]) continue;
    before += run.record["images"][i].value("regions", nlohmann::json::array()).size();
    after += maps.regions[i]->size();
  }
  const std::size_t read = run.frames.size() - maps.missing.size();
  std::string text =
      fmt::format("  {} maps at {:.6g}: {} regions", read, replayed.thresholds.map.thr, after);
  if (run.source == ScoreFile::kPredict) text += fmt::format(", {} stored", before);
  text += "\n";
  if (!maps.pixels || maps.pixels->images == 0) return text;
  const std::vector<Confusion> columns{maps.pixels->before, maps.pixels->after};
  const auto metric = [](double (Confusion::*value)() const) {
    return [value](const Confusion& counts) { return number((counts.*value)(), "{:.4f}"); };
  };
  text += figure_row("pixel precision", columns, metric(&Confusion::precision));
  text += figure_row("pixel recall", columns, metric(&Confusion::recall));
  text += figure_row("pixel F1", columns, metric(&Confusion::f1));
  if (maps.pixels->missing_masks == 0) return text;
  return text + fmt::format("  {} defective images have no mask and left the pixel figures\n",
                            maps.pixels->missing_masks);
}

std::string changes(const StoredRun& run, const Replay& replayed, std::size_t most) {
  if (replayed.changed.empty()) return "  no verdict changes\n";
  std::string text =
      fmt::format("  {} of {} verdicts change:\n", replayed.changed.size(), run.frames.size());
  for (std::size_t n = 0; n < std::min(most, replayed.changed.size()); ++n) {
    const std::size_t i = replayed.changed[n];
    const StoredFrame& frame = run.frames[i];
    text += fmt::format("    {:<8} -> {:<8}  {:<10}  {}\n", to_string(frame.verdict),
                        to_string(replayed.verdicts[i]), number(frame.score), frame.name);
  }
  if (replayed.changed.size() > most) {
    text += fmt::format("    and {} more, which --json lists\n", replayed.changed.size() - most);
  }
  return text;
}

}  // namespace

std::string replay_text(const StoredRun& run, const Replay& replayed,
                        const std::optional<CostComparison>& costs,
                        const std::optional<MapReplay>& maps, std::size_t most) {
  std::string text = fmt::format("{}: {} images\n", run.name, run.frames.size());
  text += verdict_table(replayed) + figures(run, replayed, costs);
  if (maps) text += map_words(run, replayed, *maps);
  return text + changes(run, replayed, most);
}

}  // namespace uad::tools
