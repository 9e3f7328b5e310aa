// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/published_results.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "core/data/image_io.h"
#include "tools/arguments.h"
#include "tools/console.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFigures[] = {"AUC", "Threshold", "Acc", "FAR",         "TNR",   "PPV",
                                    "TPR", "NPV",       "F1",  "M_Threshold", "M_TNR", "M_TPR"};

/// One row: the figures at the fixed threshold, three decimals.
std::vector<std::string> row_of(const SetFigures& figures) {
  nlohmann::json values = to_json(figures);
  values.update(values["fixed"]);
  std::vector<std::string> row;
  for (const char* name : kFigures) {
    const nlohmann::json& value = values.at(name);
    row.push_back(value.is_null() ? "" : fmt::format("{:.3f}", value.get<double>()));
  }
  return row;
}

std::string joined(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) line += (line.empty() ? "" : ",") + cell;
  return line + "\n";
}

/// For a cell of a table.
std::string quoted(const std::string& text) {
  std::string cell = "\"";
  for (const char c : text) cell += c == '"' ? std::string("\"\"") : std::string(1, c);
  return cell + "\"";
}

void add_to_main_table(const fs::path& file, const std::string& model, const SetFigures& figures) {
  const bool fresh = !fs::exists(file);
  std::ofstream out(file, std::ios::app);
  if (fresh) {
    std::vector<std::string> header{"model"};
    header.insert(header.end(), std::begin(kFigures), std::end(kFigures));
    out << joined(header);
  }
  std::vector<std::string> row = row_of(figures);
  row.insert(row.begin(), quoted(model));
  out << joined(row);
  if (!out.flush()) {
    throw Error(ErrorCode::kFailed,
                fmt::format("\"{}\" cannot be written. Check --result-dir.", file.string()));
  }
}

constexpr std::size_t kDrawnTiles = 4;

/// The worst ones, in their order.
std::vector<RedrawnTile> worst_of(const std::vector<RedrawnTile>& tiles,
                                  const std::vector<Likeness>& found) {
  std::vector<std::size_t> order(tiles.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return found[i].mae; });
  order.resize(std::min(order.size(), kDrawnTiles));
  std::ranges::sort(order);
  std::vector<RedrawnTile> worst;
  for (const std::size_t i : order) worst.push_back(tiles[i]);
  return worst;
}

}  // namespace

void RedrawnImages::offer(const LabelledFrame& frame, std::vector<RedrawnTile> tiles) {
  (frame.defective ? defect_ : normal_) = {frame.name, std::move(tiles)};
}

void RedrawnImages::write(const fs::path& folder) const {
  std::string rows = "true,path,crop,MSE,MAE,SSIM\n";
  for (const bool defective : {false, true}) {
    const One& one = of(defective);
    if (one.tiles.empty()) continue;
    std::vector<Likeness> found;
    for (const RedrawnTile& tile : one.tiles) {
      found.push_back(likeness(tile.image, tile.copy));
      rows += fmt::format("{},{},{},{:.6g},{:.6g},{:.6g}\n", defective ? 1 : 0, quoted(one.name),
                          found.size() - 1, found.back().mse, found.back().mae, found.back().ssim);
    }
    write_png(folder / (defective ? "reconstruction_defect.png" : "reconstruction_normal.png"),
              draw_redrawn(worst_of(one.tiles, found)));
  }
  write_text((folder / "reconstructions.csv").string(), rows);
}

SetFigures set_figures_of(const Evaluation& evaluation, double fixed) {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
  for (const ScoredFrame& frame : evaluation.frames) {
    scores.push_back(frame.score);
    labels.push_back(frame.defective ? 1 : 0);
  }
  return set_figures(scores, labels, fixed);
}

void print_set_figures(const SetFigures& figures) {
  const nlohmann::json values = to_json(figures);
  fmt::print(stderr, "  scaled over this set, {:.6g} = 0 and {:.6g} = 1:\n", figures.lowest,
             figures.highest);
  for (const char* rule : {"youden", "fixed"}) {
    const nlohmann::json& at = values[rule];
    fmt::print(stderr, "    {:<6} threshold {:.3f}: Acc {}  FAR {}  TPR {}  F1 {}\n", rule,
               at["Threshold"].get<double>(), at["Acc"].dump(), at["FAR"].dump(), at["TPR"].dump(),
               at["F1"].dump());
  }
}

void write_published_results(const fs::path& folder, const std::string& model,
                             const nlohmann::json& options, const Evaluation& evaluation,
                             const SetFigures& figures) {
  fs::create_directories(folder);
  std::string all = "preds,scores,path,true\n";
  std::string wrong = all;
  for (std::size_t i = 0; i < evaluation.frames.size(); ++i) {
    const ScoredFrame& frame = evaluation.frames[i];
    const float score = figures.scaled[i];
    const bool defect = score > figures.fixed;
    const std::string line = fmt::format("{},{:.6g},{},{}\n", defect ? 1 : 0, score,
                                         quoted(frame.name), frame.defective ? 1 : 0);
    all += line;
    if (defect != frame.defective) wrong += line;
  }
  write_text((folder / "setting.txt").string(), to_yaml(options));
  write_text((folder / "result.txt").string(), to_json(figures).dump(2) + "\n");
  write_text((folder / "results.csv").string(), all);
  write_text((folder / "false_results.csv").string(), wrong);
  const fs::path parent = fs::absolute(folder / "").parent_path().parent_path();
  add_to_main_table(parent / "main_result.csv", model, figures);
}

}  // namespace uad::tools
