// SPDX-License-Identifier: LGPL-2.1-or-later
// The two interfaces of every method. Fitting and predicting are apart, so no flag changes what a
// call returns.
//
// Higher scores are more anomalous, in raw units.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include "core/base/backend.h"
#include "core/base/geometry/tiling.h"
#include "core/checkpoint.h"

namespace uad {

/// Network inputs: the windows of one or several whole frames, or a stretch of them.
struct Tiles {
  at::Tensor images;  ///< float32 [N, 3, H, W], RGB, normalised by the model's InputSpec
  at::Tensor keep;    ///< uint8 [N, 1, H, W], 1 = look, 0 = ignore; undefined = look everywhere
  std::int64_t windows = 1;       ///< of each frame
  std::int64_t first_window = 0;  ///< of the first tile; tile i is (first_window + i) % windows
  /// Only where the method learns from them (Method::needs): int64 [N], 1 = defective; and uint8
  /// [N, 1, H, W], 1 = defect. Undefined otherwise.
  at::Tensor labels;
  at::Tensor masks;
  std::vector<std::string> names;  ///< of each tile's frame, for messages; may be empty
  /// That each tile's frame shows; may be empty, and so may each name: then it is not known.
  std::vector<std::string> products = {};
  /// Only where it is asked for (ModelTraits, Fitter): float32 [N], mean of all pixels and channels
  /// of each tile's whole frame, normalised as the images are. Undefined otherwise.
  at::Tensor frame_means;
};

struct Prediction {
  at::Tensor map;                          ///< float32 [N, 1, H, W] on the CPU
  at::Tensor score;                        ///< float32 [N] on the CPU
  std::vector<std::string> products = {};  ///< of each tile, where the model knows products
};

/// Tiles and what a network that draws them anew made of them: float32 [N, 3, H, W] on the CPU,
/// normalised as the tiles were.
struct Redrawing {
  at::Tensor images;  ///< as the network compares them, which may be after a preparation of its own
  at::Tensor copies;
};

struct ModelTraits {
  bool score_is_map_maximum = false;  ///< then the frame's score comes from the merged map
  /// Score and map are probabilities of a defect, so the decision lies at 0.5 and is not derived
  /// from good frames; regions begin at `map_threshold`.
  bool probability = false;
  double map_threshold = 0.5;
  MergeMode merge = MergeMode::kHann;  ///< how maps of overlapping windows become one
  bool frame_means = false;            ///< predict() reads Tiles::frame_means
  std::string backbone;                ///< "" = none
  std::string backbone_sha256;
  std::vector<std::string> products = {};  ///< that the model tells apart; empty = none
};

/// Fitted, immutable. @note Thread-safe.
class AnomalyModel {
 public:
  virtual ~AnomalyModel() = default;
  [[nodiscard]] virtual const ModelTraits& traits() const noexcept = 0;
  /// Map and score of each tile. Ignored pixels are 0 in the map and no part of the score.
  [[nodiscard]] virtual Prediction predict(const Tiles& tiles) const = 0;
  /// What it draws of each tile anew; nothing where the method draws none.
  [[nodiscard]] virtual std::optional<Redrawing> redraw(const Tiles& tiles) const {
    static_cast<void>(tiles);
    return std::nullopt;
  }
  /// Of a model that was fitted here. One that was loaded may have dropped what only a file needs,
  /// unless its method goes on learning (Method::incremental). @throws Error(kFailed) then.
  virtual void save(CheckpointWriter& out) const = 0;
};

/// One thread, used once: observe every batch of tiles to learn from, then finish.
class Fitter {
 public:
  virtual ~Fitter() = default;
  /// Tiles of good frames, any N; of defective ones too where the method needs them.
  virtual void observe(const Tiles& tiles) = 0;
  /// Whether observe() and validate() read Tiles::frame_means.
  [[nodiscard]] virtual bool reads_frame_means() const { return false; }
  /// Tiles that are not learnt from but may choose among what was learnt, as the best epoch.
  virtual void validate(const Tiles& /*tiles*/) {}
  /// The work that needs all data (coreset, statistics). After a cancelled one it may be called
  /// again. @throws Error(kBadOption) if too little was observed; Error(kCancelled).
  [[nodiscard]] virtual std::unique_ptr<AnomalyModel> finish(const FitControl& control) = 0;
  /// Memory that finish() takes at its peak, with what is observed until then, if `times` as much
  /// is observed as was so far. Bytes, at most; 0 where it does not grow.
  [[nodiscard]] virtual std::int64_t peak_bytes(std::int64_t times) const {
    static_cast<void>(times);
    return 0;
  }
};

}  // namespace uad
