// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/loaded_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/geometry/tiling.h"
#include "core/base/log.h"
#include "core/base/option_spec.h"
#include "core/calibration/sensitivity.h"
#include "core/device.h"
#include "core/learn_good.h"
#include "core/patch_map.h"
#include "core/preprocessor.h"
#include "core/tile_batcher.h"

namespace uad {
namespace {

constexpr double kAutoTolerance = 0.02;  // normalised score; design, execution

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

const TensorTiles& as_tensor_tiles(const TileBatch& tiles) {
  const auto* tensor_tiles = dynamic_cast<const TensorTiles*>(&tiles);
  if (tensor_tiles == nullptr) {
    throw Error(ErrorCode::kFailed, "The tiles were not made by this backend.");
  }
  return *tensor_tiles;
}

/// See Tiles::frame_means.
at::Tensor means_of(const AnomalyModel& model, const TensorTiles& batch) {
  if (!model.traits().frame_means) return {};
  return at::full({batch.images().size(0)}, batch.frame_mean(), at::kFloat);
}

/// See Tiles::products.
std::vector<std::string> told(const AnomalyModel& model, const std::string& product,
                              std::int64_t tiles) {
  if (model.traits().products.empty()) return {};
  return std::vector<std::string>(static_cast<std::size_t>(tiles), product);
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

ModelOutput analyse_tiles(const AnomalyModel& model, const TileBatch& tiles,
                          const std::string& product) {
  const auto start = Clock::now();
  const TensorTiles& batch = as_tensor_tiles(tiles);
  const TilePlan& plan = batch.plan();
  const std::int64_t pixels = std::max<std::int64_t>(1, plan.tile.width * plan.tile.height);
  const std::int64_t step = std::max<std::int64_t>(1, kPixelsPerBatch / pixels);
  const std::int64_t count = batch.images().size(0);
  const at::Tensor means = means_of(model, batch);
  std::vector<ScoreMap> maps;
  const std::vector<std::string> products = told(model, product, std::min(step, count));
  double score = -std::numeric_limits<double>::infinity();
  std::string found;
  for (std::int64_t first = 0; first < count; first += step) {
    const std::int64_t last = std::min(count, first + step);
    const Prediction prediction = model.predict({.images = batch.images().slice(0, first, last),
                                                 .keep = part_of(batch.keep(), first, last),
                                                 .windows = count,
                                                 .first_window = first,
                                                 .products = products,
                                                 .frame_means = part_of(means, first, last)});
    for (std::int64_t i = 0; i < last - first; ++i) maps.push_back(to_score_map(prediction.map[i]));
    score = std::max(score, prediction.score.max().item<double>());
    if (found.empty() && !prediction.products.empty()) found = prediction.products.front();
  }
  ModelOutput output;
  output.map = merge_tiles(plan, maps, model.traits().merge);
  output.score = model.traits().score_is_map_maximum
                     ? *std::max_element(output.map.values.begin(), output.map.values.end())
                     : score;
  if (!std::isfinite(output.score)) {
    throw Error(
        ErrorCode::kFailed,
        fmt::format("The model answered with the score {}, which is not a number. Retrain it.",
                    output.score));
  }
  output.placement = plan.placement;
  output.product = found;
  output.infer_ms = milliseconds_since(start);
  return output;
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
