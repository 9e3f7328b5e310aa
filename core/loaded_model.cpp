// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/loaded_model.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/geometry/window_merge.h"
#include "core/base/log.h"
#include "core/base/option_spec.h"
#include "core/calibration/sensitivity.h"
#include "core/device.h"
#include "core/learn_good.h"
#include "core/preprocessor.h"

namespace uad {
namespace {

constexpr double kAutoTolerance = 0.02;  // normalised score; design, execution

/// Gains move what a window shows as they move the frame's score.
void scale_suspicions(const TilePlan& plan, const ScoreMap& scaled, KeptWindows& kept) {
  for (std::size_t window = 0; window < kept.suspicions.size(); ++window) {
    const double before = highest_under(plan, window, kept.map);
    if (before > 0) kept.suspicions[window] *= highest_under(plan, window, scaled) / before;
  }
}

std::unique_ptr<AnomalyModel> build(const ModelFile& file, const Method& method,
                                    const Execution& execution) {
  const CheckpointReader reader(file.tensors, file.manifest.options, file.manifest.method);
  return method.load(reader, execution);
}

/// Largest change of a normalised self-test score against the recorded one.
double largest_shift(const ModelFile& file, const std::vector<double>& scores) {
  double shift = 0;
  const ScoreScale& scale = file.manifest.thresholds.image;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double expected = file.manifest.self_test.scores[i];
    shift = std::max(shift, std::abs(scale.normalise(scores[i]) - scale.normalise(expected)));
  }
  return shift;
}

}  // namespace

// None is filled in: today's default may not be what the model was fitted with.
nlohmann::json stored_options(const std::filesystem::path& path, const Method& method,
                              const nlohmann::json& options) {
  for (const OptionSpec& spec : method.options) {
    if (options.contains(spec.name)) continue;
    throw Error(ErrorCode::kBadFile,
                fmt::format("Model \"{}\" does not say its option \"{}\"; another version of this "
                            "program wrote it. Retrain it.",
                            path.string(), spec.name));
  }
  try {
    return complete_options(method.options, options);
  } catch (const Error& error) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("Model \"{}\" has unusable options: {} Retrain it.", path.string(),
                            error.what()));
  }
}

LoadedModel::LoadedModel(ModelFile file, const Method& method, Execution execution,
                         const ProgressFn& progress, std::stop_token stop)
    : file_(std::move(file)), method_(method), execution_(std::move(execution)) {
  progress(0.7, "self-test");
  if (execution_.precision == "auto") choose_precision(stop);
  if (!model_) model_ = build(file_, method_, execution_);
  replay_self_test(stop);
  progress(0.9, "warming up");
  warm_up();
  file_.tensors.clear();  // the method holds what it needs, laid out its own way
  progress(1.0, "ready");
}

LoadedModel::LoadedModel(ModelFile file, const Method& method, Execution execution,
                         std::shared_ptr<const AnomalyModel> model, double warm_up_ms)
    : file_(std::move(file)),
      method_(method),
      execution_(std::move(execution)),
      model_(std::move(model)),
      warm_up_ms_(warm_up_ms) {}

std::vector<double> LoadedModel::self_test_scores(std::stop_token stop) const {
  const TilePreprocessor preprocessor({file_.manifest.input, {}});
  std::vector<double> scores;
  for (const Image& frame : file_.self_test_frames) {
    if (stop.stop_requested())
      throw Error(ErrorCode::kCancelled, "Loading the model was cancelled.");
    scores.push_back(analyse_tiles(*model_, *preprocessor.cut_network_image(frame)).score);
  }
  return scores;
}

void LoadedModel::choose_precision(std::stop_token stop) {
  execution_.precision = execution_.device == "cpu" ? "bf16" : "fp16";
  model_ = build(file_, method_, execution_);
  const double shift = largest_shift(file_, self_test_scores(stop));
  const bool keep = !file_.self_test_frames.empty() && shift <= kAutoTolerance;
  log(LogLevel::kInfo,
      fmt::format("precision=auto: {} moves the normalised self-test scores by {:.4f}: {}",
                  execution_.precision, shift, keep ? "used" : "fp32 is used"));
  if (keep) return;
  execution_.precision = "fp32";
  model_.reset();
}

void LoadedModel::replay_self_test(std::stop_token stop) const {
  const SelfTest& expected = file_.manifest.self_test;
  // Another precision than the recorded one is held to what it may move a verdict by, not to the
  // last bits.
  if (execution_.precision != expected.precision) {
    const double shift = largest_shift(file_, self_test_scores(stop));
    if (shift > kAutoTolerance) {
      log(LogLevel::kWarning,
          fmt::format(
              "Precision {} moves the model's normalised self-test scores by {:.3f} (at most {} is "
              "expected). Set precision=model for the calibrated scores.",
              execution_.precision, shift, kAutoTolerance));
    }
    return;
  }
  const std::vector<double> scores = self_test_scores(stop);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double allowed = expected.tolerance * std::max(std::abs(expected.scores[i]), 1e-6);
    if (std::abs(scores[i] - expected.scores[i]) <= allowed) continue;
    throw Error(
        ErrorCode::kBadFile,
        fmt::format(
            "The model's self-test failed: frame {} of {} scores {:.6g} here but {:.6g} where it "
            "was trained. Retrain the model, or check the LibTorch build.",
            i + 1, scores.size(), scores[i], expected.scores[i]),
        fmt::format("allowed deviation {:.3g}, device {}, precision {}", allowed, execution_.device,
                    execution_.precision));
  }
}

void LoadedModel::warm_up() {
  if (file_.self_test_frames.empty()) return;
  const TilePreprocessor preprocessor({file_.manifest.input, {}});
  const auto tiles = preprocessor.cut_network_image(file_.self_test_frames.back());
  static_cast<void>(analyse_tiles(*model_, *tiles));
  warm_up_ms_ = analyse_tiles(*model_, *tiles).infer_ms;
}

ModelOutput LoadedModel::analyse(const TileBatch& tiles, const std::string& product) const {
  require_same_preparation(file_.manifest.input, tiles.spec());
  const std::lock_guard guard(one_at_a_time_);
  ModelOutput output = analyse_tiles(*model_, tiles, product);
  apply_sensitivity(file_.sensitivity, output);
  return output;
}

std::vector<ModelOutput> LoadedModel::analyse_together(
    const std::vector<BatchedFrame>& frames) const {
  for (const BatchedFrame& frame : frames) {
    require_same_preparation(file_.manifest.input, frame.tiles->spec());
  }
  const std::lock_guard guard(one_at_a_time_);
  std::vector<ModelOutput> outputs = analyse_frames(*model_, frames);
  for (ModelOutput& output : outputs) apply_sensitivity(file_.sensitivity, output);
  return outputs;
}

WindowsOutput LoadedModel::analyse_windows(const TileBatch& tiles,
                                           const std::vector<std::size_t>& chosen,
                                           const std::string& product, KeptWindows& kept) const {
  require_same_preparation(file_.manifest.input, tiles.spec());
  const std::lock_guard guard(one_at_a_time_);
  WindowsOutput output = uad::analyse_windows(*model_, tiles, chosen, product, kept);
  apply_sensitivity(file_.sensitivity, output.frame);
  if (!file_.sensitivity.empty()) scale_suspicions(tiles.plan(), output.frame.map, kept);
  return output;
}

std::optional<Redrawing> LoadedModel::redraw(const TileBatch& tiles) const {
  require_same_preparation(file_.manifest.input, tiles.spec());
  const TensorTiles& batch = as_tensor_tiles(tiles);
  const std::lock_guard guard(one_at_a_time_);
  return model_->redraw({.images = batch.images(),
                         .keep = batch.keep(),
                         .windows = batch.images().size(0),
                         .frame_means = means_of(*model_, batch)});
}

LearntGood LoadedModel::learn_good(const TileBatch& frame, const LearnGoodOptions& options,
                                   std::stop_token stop) const {
  return uad::learn_good({file_, method_, execution_, model_, warm_up_ms_}, frame, options,
                         std::move(stop));
}

ModelPtr load_model(const std::filesystem::path& file, const MethodTable& methods,
                    const ExecutionOptions& options, const ProgressFn& progress,
                    std::stop_token stop) {
  const ProgressFn report = progress ? progress : [](double, const std::string&) {};
  ModelFile contents = load_model_file(file, report, stop);
  const auto method = std::find_if(methods.begin(), methods.end(), [&](const Method& m) {
    return m.name == contents.manifest.method;
  });
  if (method == methods.end()) {
    throw Error(
        ErrorCode::kBadFile,
        fmt::format(
            "Model \"{}\" was made by the method \"{}\", which this build does not have. Install a "
            "version that has it, or retrain.",
            file.string(), contents.manifest.method));
  }
  contents.manifest.options = stored_options(file, *method, contents.manifest.options);
  const Execution execution = resolve_execution(options, contents.manifest.precision);
  return std::make_shared<const LoadedModel>(std::move(contents), *method, execution, report, stop);
}

}  // namespace uad
