// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/map_replay.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/geometry/tiling.h"
#include "core/data/image_io.h"
#include "core/data/npy.h"
#include "core/eval/evaluation.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

ScoreMap read_map(const fs::path& file, const StoredMap& stored) {
  ScoreMap map = read_npy(file);
  if (map.width != stored.size.width || map.height != stored.size.height) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("Map \"{}\" is {}x{}, but {} was stored with the scores: it is of "
                            "another run. Give that run's folder with --maps.",
                            file.string(), map.width, map.height, to_string(stored.size)));
  }
  return map;
}

/// The labelled defect on the map's grid, as uad eval counts it; nothing = no mask.
std::optional<Image> truth_of(const ImageItem& item, const ScoreMap& map,
                              const GroundTruth& truth) {
  if (!item.defective)
    return Image{map.width, map.height, 1, std::vector<std::uint8_t>(map.values.size(), 0)};
  if (item.mask.empty()) return std::nullopt;
  const Image mask = read_mask(item.mask);
  const TilePlan plan = plan_tiles({mask.width, mask.height}, truth.input);
  if (plan.map_size() != Size{map.width, map.height}) {
    throw Error(
        ErrorCode::kShapeMismatch,
        fmt::format("The model makes a {} map of \"{}\", but the stored one is {}x{}. Give "
                    "the model that scored the images with --model.",
                    to_string(plan.map_size()), item.image.string(), map.width, map.height));
  }
  return mask_on_map(mask, truth.ignore, plan);
}

/// `truth` holds 0 or not 0.
void count_pixels(Confusion& counts, const ScoreMap& map, const Image& truth, double threshold) {
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    const bool marked = static_cast<double>(map.values[i]) >= threshold;
    const bool defect = truth.pixels[i] != 0;
    ++(marked ? (defect ? counts.tp : counts.fp) : (defect ? counts.fn : counts.tn));
  }
}

}  // namespace

MapReplay replay_maps(const StoredRun& run, const fs::path& folder, double stored,
                      const Thresholds& now, const GroundTruth* truth) {
  MapReplay result;
  result.regions.resize(run.frames.size());
  if (truth != nullptr) result.pixels.emplace();
  for (std::size_t i = 0; i < run.frames.size(); ++i) {
    const StoredFrame& frame = run.frames[i];
    if (!frame.map || !fs::exists(folder / frame.map->file)) {
      result.missing.push_back(frame.name);
      continue;
    }
    const ScoreMap map = read_map(folder / frame.map->file, *frame.map);
    result.regions[i] = find_regions(map, frame.map->placement, now.map.thr, now.min_area);
    if (truth == nullptr || truth->items[i] == nullptr) continue;
    if (const auto defects = truth_of(*truth->items[i], map, *truth)) {
      ++result.pixels->images;
      count_pixels(result.pixels->before, map, *defects, stored);
      count_pixels(result.pixels->after, map, *defects, now.map.thr);
    } else {
      ++result.pixels->missing_masks;
    }
  }
  if (result.missing.size() == run.frames.size()) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("\"{}\" holds the map of not one image of \"{}\". Give the folder of "
                            "uad predict --save-maps (or uad eval --save-maps) with --maps, and "
                            "the scores of the same run.",
                            folder.string(), run.name));
  }
  return result;
}

}  // namespace uad
