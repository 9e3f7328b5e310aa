// SPDX-License-Identifier: LGPL-2.1-or-later
// Stored score maps at another region threshold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/files/manifest.h"
#include "core/base/pixels/image.h"
#include "core/data/dataset.h"
#include "core/eval/metrics.h"
#include "core/eval/stored_scores.h"

namespace uad {

/// What tells which pixels of a map are defects: the labels, and the model's view of a frame.
struct GroundTruth {
  std::vector<const ImageItem*> items;  ///< of every frame; null = unknown
  InputSpec input;                      ///< the model's
  Image ignore;                         ///< the model's mask; may be empty
};

struct MapReplay {
  std::vector<std::optional<std::vector<Region>>> regions;  ///< of every frame; nothing = no map
  std::vector<std::string> missing;                         ///< frames whose map is not there
  /// Pixels of the maps at both region thresholds; nothing without ground truth.
  struct Pixels {
    Confusion before;
    Confusion after;
    std::int64_t images = 0;
    std::int64_t missing_masks = 0;  ///< defective images that were left out
  };
  std::optional<Pixels> pixels;
};

/// Reads one map after the other. @param folder  of the maps. @param stored  raw region threshold
/// of the stored run. @param truth  may be null.
/// @throws Error(kNotFound) if not one map is there; Error(kBadFile) for a map that cannot be read;
/// Error(kShapeMismatch) for one of another size than was stored.
MapReplay replay_maps(const StoredRun& run, const std::filesystem::path& folder, double stored,
                      const Thresholds& now, const GroundTruth* truth);

}  // namespace uad
