// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/frame_analysis.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/geometry/tiling.h"
#include "core/base/geometry/window_merge.h"
#include "core/base/milliseconds.h"
#include "core/patch_map.h"
#include "core/tile_batcher.h"

namespace uad {
namespace {

using Clock = std::chrono::steady_clock;

/// A frame and what is known of it.
struct Look {
  const TensorTiles& tiles;
  const std::string& product;
};

/// Whether the tiles of two frames fit into one tensor.
bool alike(const TensorTiles& a, const TensorTiles& b) {
  return a.images().sizes() == b.images().sizes() && a.keep().defined() == b.keep().defined();
}

/// The tiles of frames that are alike.
struct TileRow {
  at::Tensor images;
  at::Tensor keep;
  at::Tensor means;
  std::vector<std::string> products;  ///< empty where the model does not read them
  std::int64_t windows = 1;           ///< of each frame
};

TileRow row_of(const AnomalyModel& model, const std::vector<Look>& looks) {
  std::vector<at::Tensor> images;
  std::vector<at::Tensor> keeps;
  std::vector<at::Tensor> means;
  TileRow row;
  row.windows = looks.front().tiles.images().size(0);
  const bool told = !model.traits().products.empty();
  for (const auto& [tiles, product] : looks) {
    images.push_back(tiles.images());
    keeps.push_back(tiles.keep());
    means.push_back(means_of(model, tiles));
    if (told) {
      row.products.insert(row.products.end(), static_cast<std::size_t>(row.windows), product);
    }
  }
  row.images = joined(images);
  row.keep = joined(keeps);
  row.means = joined(means);
  return row;
}

/// What the network says of each tile.
struct TileFindings {
  std::vector<ScoreMap> maps;
  std::vector<double> scores;
  std::vector<std::string> products;  ///< empty where the model knows none
};

/// Tiles `from` to `end`, at most kPixelsPerBatch at a time.
void look_at(const AnomalyModel& model, const TileRow& row, std::int64_t from, std::int64_t end,
             TileFindings& found) {
  const std::int64_t pixels = std::max<std::int64_t>(1, row.images.size(2) * row.images.size(3));
  const std::int64_t step = std::max<std::int64_t>(1, kPixelsPerBatch / pixels);
  for (std::int64_t first = from; first < end; first += step) {
    const std::int64_t last = std::min(end, first + step);
    const Prediction prediction =
        model.predict({.images = row.images.slice(0, first, last),
                       .keep = part_of(row.keep, first, last),
                       .windows = row.windows,
                       .first_window = first % row.windows,
                       .products = row.products.empty() ? std::vector<std::string>()
                                                        : std::vector(row.products.begin() + first,
                                                                      row.products.begin() + last),
                       .frame_means = part_of(row.means, first, last)});
    for (std::int64_t i = 0; i < last - first; ++i) {
      found.maps.push_back(to_score_map(prediction.map[i]));
      found.scores.push_back(prediction.score[i].item<double>());
    }
    found.products.insert(found.products.end(), prediction.products.begin(),
                          prediction.products.end());
  }
}

/// Windows that follow each other go through the network together.
TileFindings look_at_some(const AnomalyModel& model, const TileRow& row,
                          const std::vector<std::size_t>& chosen) {
  TileFindings found;
  for (std::size_t i = 0; i < chosen.size();) {
    std::size_t next = i + 1;
    while (next < chosen.size() && chosen[next] == chosen[next - 1] + 1) ++next;
    look_at(model, row, static_cast<std::int64_t>(chosen[i]),
            static_cast<std::int64_t>(chosen[next - 1] + 1), found);
    i = next;
  }
  return found;
}

/// The highest; one that is not a number wins.
double worst(std::vector<double>::const_iterator score, std::vector<double>::const_iterator end) {
  double highest = *score;
  for (; score != end && std::isfinite(highest); ++score) {
    if (!(*score <= highest)) highest = *score;
  }
  return highest;
}

/// Frame score out of the merged map and the scores of the tiles.
ModelOutput conclude(const ModelTraits& traits, const TilePlan& plan, ScoreMap merged,
                     double worst_tile) {
  ModelOutput output;
  output.map = std::move(merged);
  output.score = traits.score_is_map_maximum
                     ? *std::max_element(output.map.values.begin(), output.map.values.end())
                     : worst_tile;
  if (!std::isfinite(output.score)) {
    throw Error(
        ErrorCode::kFailed,
        fmt::format("The model answered with the score {}, which is not a number. Retrain it.",
                    output.score));
  }
  output.placement = plan.placement;
  return output;
}

/// Frames whose tiles fit into one tensor.
std::vector<ModelOutput> analyse_alike(const AnomalyModel& model, const std::vector<Look>& looks) {
  const auto start = Clock::now();
  const TileRow row = row_of(model, looks);
  TileFindings found;
  look_at(model, row, 0, row.images.size(0), found);
  std::vector<ModelOutput> outputs;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(i) * row.windows;
    const TilePlan& plan = looks[i].tiles.plan();
    const auto maps = found.maps.begin() + first;
    const auto scores = found.scores.begin() + first;
    outputs.push_back(conclude(model.traits(), plan,
                               merge_tiles(plan, {maps, maps + row.windows}, model.traits().merge),
                               worst(scores, scores + row.windows)));
    if (!found.products.empty())
      outputs.back().product = found.products[static_cast<std::size_t>(first)];
  }
  const double taken = milliseconds_since(start);
  for (ModelOutput& output : outputs) output.infer_ms = taken;
  return outputs;
}

/// What the chosen windows say now takes the place of what they said before.
void keep(const TilePlan& plan, MergeMode mode, const std::vector<std::size_t>& chosen,
          TileFindings& found, KeptWindows& kept) {
  merge_windows(plan, chosen, found.maps, mode, kept.map);
  kept.scores.resize(plan.origins.size());
  if (!found.products.empty()) kept.products.resize(plan.origins.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    kept.scores[chosen[i]] = found.scores[i];
    if (!found.products.empty()) kept.products[chosen[i]] = std::move(found.products[i]);
  }
  kept.suspicions = kept.scores;
}

}  // namespace

const TensorTiles& as_tensor_tiles(const TileBatch& tiles) {
  const auto* tensor_tiles = dynamic_cast<const TensorTiles*>(&tiles);
  if (tensor_tiles == nullptr) {
    throw Error(ErrorCode::kFailed, "The tiles were not made by this backend.");
  }
  return *tensor_tiles;
}

at::Tensor means_of(const AnomalyModel& model, const TensorTiles& batch) {
  if (!model.traits().frame_means) return {};
  return at::full({batch.images().size(0)}, batch.frame_mean(), at::kFloat);
}

ModelOutput analyse_tiles(const AnomalyModel& model, const TileBatch& tiles,
                          const std::string& product) {
  return std::move(analyse_alike(model, {{as_tensor_tiles(tiles), product}}).front());
}

std::vector<ModelOutput> analyse_frames(const AnomalyModel& model,
                                        const std::vector<BatchedFrame>& frames) {
  std::vector<ModelOutput> outputs(frames.size());
  std::vector<std::size_t> left(frames.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  while (!left.empty()) {
    const TensorTiles& first = as_tensor_tiles(*frames[left.front()].tiles);
    const auto others = std::stable_partition(left.begin(), left.end(), [&](std::size_t i) {
      return alike(first, as_tensor_tiles(*frames[i].tiles));
    });
    std::vector<Look> looks;
    for (auto i = left.begin(); i != others; ++i) {
      looks.push_back({as_tensor_tiles(*frames[*i].tiles), frames[*i].product});
    }
    std::vector<ModelOutput> found = analyse_alike(model, looks);
    for (auto i = left.begin(); i != others; ++i) {
      outputs[*i] = std::move(found[static_cast<std::size_t>(i - left.begin())]);
    }
    left.erase(left.begin(), others);
  }
  return outputs;
}

WindowsOutput analyse_windows(const AnomalyModel& model, const TileBatch& tiles,
                              const std::vector<std::size_t>& chosen, const std::string& product,
                              KeptWindows& kept) {
  const auto start = Clock::now();
  const TensorTiles& batch = as_tensor_tiles(tiles);
  TileFindings found = look_at_some(model, row_of(model, {{batch, product}}), chosen);
  WindowsOutput output;
  output.look_ms = milliseconds_since(start);
  const ModelTraits& traits = model.traits();
  keep(batch.plan(), traits.merge, chosen, found, kept);
  output.frame =
      conclude(traits, batch.plan(), kept.map, worst(kept.scores.begin(), kept.scores.end()));
  if (!kept.products.empty()) output.frame.product = kept.products.front();
  output.frame.infer_ms = milliseconds_since(start);
  return output;
}

}  // namespace uad
