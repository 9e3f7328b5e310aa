// SPDX-License-Identifier: LGPL-2.1-or-later
// A method, its manifest and its preprocessing put together: what analyses frames everywhere.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/anomaly_model.h"
#include "core/base/backend.h"
#include "core/base/joint_model.h"
#include "core/base/windowed_model.h"
#include "core/files/model_file.h"
#include "core/frame_analysis.h"
#include "core/method.h"

namespace uad {

/// The method's options as a model file states them. @param path  of that file, for errors.
/// @throws Error(kBadFile) if one is missing or unusable.
nlohmann::json stored_options(const std::filesystem::path& path, const Method& method,
                              const nlohmann::json& options);

/// Implements Model over an AnomalyModel. @note Thread-safe; its analyses take turns.
class LoadedModel final : public Model, public JointModel, public WindowedModel {
 public:
  /// Replays the self-test and warms up. @throws Error(kBadFile) naming the frame, expected and
  /// found score.
  LoadedModel(ModelFile file, const Method& method, Execution execution, const ProgressFn& progress,
              std::stop_token stop);
  /// One that needs no test: it has just been made here. @param file  without tensors.
  LoadedModel(ModelFile file, const Method& method, Execution execution,
              std::shared_ptr<const AnomalyModel> model, double warm_up_ms);
  [[nodiscard]] const Manifest& manifest() const noexcept override { return file_.manifest; }
  [[nodiscard]] const std::string& sha256() const noexcept override { return file_.sha256; }
  [[nodiscard]] const std::string& device() const noexcept override { return execution_.device; }
  [[nodiscard]] const std::string& precision() const noexcept override {
    return execution_.precision;
  }
  [[nodiscard]] double warm_up_ms() const noexcept override { return warm_up_ms_; }
  [[nodiscard]] const Image& mask() const noexcept override { return file_.mask; }
  [[nodiscard]] const std::vector<std::int64_t>& training_frames() const noexcept override {
    return file_.training_frames;
  }
  [[nodiscard]] ModelOutput analyse(const TileBatch& tiles,
                                    const std::string& product) const override;
  [[nodiscard]] std::vector<ModelOutput> analyse_together(
      const std::vector<BatchedFrame>& frames) const override;
  [[nodiscard]] WindowsOutput analyse_windows(const TileBatch& tiles,
                                              const std::vector<std::size_t>& chosen,
                                              const std::string& product,
                                              KeptWindows& kept) const override;
  /// What `tiles` become where the method draws them anew, see AnomalyModel::redraw().
  [[nodiscard]] std::optional<Redrawing> redraw(const TileBatch& tiles) const;
  [[nodiscard]] LearntGood learn_good(const TileBatch& frame, const LearnGoodOptions& options,
                                      std::stop_token stop) const override;

 private:
  [[nodiscard]] std::vector<double> self_test_scores(std::stop_token stop) const;
  void choose_precision(std::stop_token stop);
  void replay_self_test(std::stop_token stop) const;
  void warm_up();

  ModelFile file_;
  const Method& method_;  // a row of the table, which outlives every model
  Execution execution_;
  std::shared_ptr<const AnomalyModel> model_;  // shared with fitters that start from it
  double warm_up_ms_ = 0;
  mutable std::mutex
      one_at_a_time_;  // guards nothing but the CPU: two networks at once only slow each other
};

/// Reads, verifies, builds: the route of every caller. Finds the method in `methods`.
ModelPtr load_model(const std::filesystem::path& file, const MethodTable& methods,
                    const ExecutionOptions& options, const ProgressFn& progress,
                    std::stop_token stop);

}  // namespace uad
