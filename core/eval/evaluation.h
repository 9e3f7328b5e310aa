// SPDX-License-Identifier: LGPL-2.1-or-later
// A model against labelled frames: image and pixel metrics, counts, time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/backend.h"
#include "core/base/results/verdict.h"
#include "core/data/frame_source.h"
#include "core/eval/boxes.h"
#include "core/eval/metrics.h"
#include "core/eval/segmentation_metrics.h"

namespace uad {

struct EvaluationOptions {
  bool pixels = true;  ///< false: image metrics only, in one pass
  /// Map pixels up to which every pixel score is kept and the pixel metrics are exact (128 MB);
  /// beyond it the frames are read a second time and scores are counted in `bins`.
  std::int64_t exact_pixels = 16LL << 20;
  std::size_t bins = 1 << 20;
  double pro_limit = 0.3;
  bool seen_too = false;  ///< judge frames that the model was trained on as well
  /// Called once for every frame, in order, while its pixels are there; may be empty.
  std::function<void(const LabelledFrame&, const ModelOutput&)> visit;
  ProgressFn progress;
  std::stop_token stop;
};

struct ScoredFrame {
  std::string name;
  std::string kind;  ///< "good" or the defect's folder
  bool defective = false;
  float score = 0;        ///< raw
  float map_maximum = 0;  ///< raw
};

/// What became of the images of one kind.
struct KindResult {
  std::string kind;
  bool defective = false;
  std::int64_t images = 0;
  std::int64_t rejected = 0;
  std::int64_t warned = 0;  ///< warn ≤ score < reject
  double auroc = 0;         ///< against all good images; NaN for good ones and where there are none
  [[nodiscard]] std::int64_t passed() const { return images - rejected - warned; }
};

/// "good" first, then the defects by name.
std::vector<KindResult> results_by_kind(const std::vector<ScoredFrame>& frames,
                                        const Thresholds& thresholds);

/// A metric without both classes is NaN; `undefined` gives the reason by JSON key.
struct Evaluation {
  std::vector<ScoredFrame> frames;
  double image_auroc = 0;
  double image_ap = 0;
  OptimalF1 image_f1;
  Confusion at_f1;      ///< image decisions at image_f1.threshold
  Confusion at_reject;  ///< image decisions at the model's own reject threshold
  Curves image_curves;
  PixelMetrics::Result pixels{};
  BoxMetrics::Result boxes;
  /// Of methods that learn from masks, whose maps are probabilities; empty for others.
  std::vector<SegmentationFigures> segmentation;
  float map_low = 0;  ///< smallest and largest map value seen
  float map_high = 0;
  std::vector<SkippedFrame> skipped;
  std::size_t missing_masks = 0;
  std::vector<std::string> seen;  ///< names of frames that the model was trained on
  std::size_t left_out_seen = 0;  ///< of these: all, or with `seen_too` none
  double ms_per_image = 0;        ///< preparing and analysing, without reading the file
  std::map<std::string, std::string> undefined;
  std::string
      test_sha256;    ///< of the frames seen (see FrameDigest): tells whether two runs compare
  Manifest manifest;  ///< the model's
  std::string model_sha256;
  std::string device;
  std::string precision;
};

/// Masks follow their frame: same ROI, nearest-neighbour resize and crop to the map's grid. What
/// the model's ignore mask hides is no defect. Frames whose mask is missing leave the pixel
/// metrics; frames that the model was trained on, under whatever name, are left out altogether.
/// Memory does not grow with the number of frames (see `exact_pixels`).
/// @throws Error(kBadOption) if not one frame could be read or all were left out;
/// Error(kCancelled); what source and model throw.
[[nodiscard]] Evaluation evaluate(const Model& model, const Preprocessor& preprocessor,
                                  FrameSource& test, const EvaluationOptions& options);

/// The object of `uad eval --json`: undefined metrics are null, with the reason under `undefined`;
/// everything that a report needs but the pictures (see report/run.h).
nlohmann::json to_json(const Evaluation& evaluation);

/// The ground truth on the map's grid, 0 or 255. @param ignore  the model's mask; empty = none.
Image mask_on_map(const Image& mask, const Image& ignore, const TilePlan& plan);

}  // namespace uad
