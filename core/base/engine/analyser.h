// SPDX-License-Identifier: LGPL-2.1-or-later
// A model in service together with what is needed to analyse whole frames with it.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "core/base/backend.h"
#include "core/base/results/analysis.h"

namespace uad {

/// @note Thread-safe, immutable.
class Analyser {
 public:
  /// Loads the model and prepares the cutting of tiles as the model wants them. @throws Error
  static std::shared_ptr<const Analyser> load(Backend& backend, const std::filesystem::path& file,
                                              const ExecutionOptions& options = {},
                                              const ProgressFn& progress = nullptr,
                                              std::stop_token stop = {});

  /// The same with a model that goes on from this one's: same file, same name, same tiles.
  [[nodiscard]] std::shared_ptr<const Analyser> with(ModelPtr model) const {
    return std::shared_ptr<const Analyser>(new Analyser(std::move(model), cutter_, file_));
  }

  /// Tiles of a frame that brought none, by the model's own InputSpec and mask. @throws Error
  [[nodiscard]] TileBatchPtr cut(const FrameView& frame) const { return cutter_->cut(frame); }

  /// @param product  see Model::analyse().
  /// @throws Error(kShapeMismatch) with the fix if the tiles do not fit the model.
  [[nodiscard]] AnalysisPtr analyse(const TileBatch& tiles, const Capture& capture = {},
                                    const ThresholdOverrides& overrides = {}, double cut_ms = 0,
                                    const std::string& product = "") const;

  /// What becomes of the model's answer, wherever it was worked out.
  /// @param started  when the network began with it.
  /// @param coverage  of the frame. Where a window is stale the frame is UNSCORED instead of PASS.
  [[nodiscard]] AnalysisPtr judge(ModelOutput output, std::chrono::steady_clock::time_point started,
                                  const Capture& capture, const ThresholdOverrides& overrides,
                                  double cut_ms, const Coverage& coverage) const;

  /// What cut() works with, for whoever cuts upstream.
  [[nodiscard]] const std::shared_ptr<const Preprocessor>& cutter() const noexcept {
    return cutter_;
  }

  /// Whether the tiles were cut as the model wants them, wherever in the frame.
  [[nodiscard]] bool fits(const TileBatch& tiles) const {
    return same_preparation(model_->manifest().input, tiles.spec());
  }

  [[nodiscard]] const Model& model() const noexcept { return *model_; }
  [[nodiscard]] const ModelPtr& shared_model() const noexcept { return model_; }
  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }
  /// The model file's name without folder and extension.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  Analyser(ModelPtr model, std::shared_ptr<const Preprocessor> cutter, std::filesystem::path file);

  ModelPtr model_;                              // shared with every element that uses the same file
  std::shared_ptr<const Preprocessor> cutter_;  // shared with uadpreproc
  std::filesystem::path file_;
  std::string name_;
};
using AnalyserPtr = std::shared_ptr<const Analyser>;  ///< shared by the element and a running job

}  // namespace uad
