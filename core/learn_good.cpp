// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/learn_good.h"

#include <utility>

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/calibration/sensitivity.h"
#include "core/data/image_io.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"

namespace uad {
namespace {

constexpr int kMostTimes = 64;

class Lesson {
 public:
  Lesson(const ModelInService& now, const TensorTiles& tiles, const LearnGoodOptions& options,
         std::stop_token stop)
      : now_(now), tiles_(tiles), options_(options), stop_(std::move(stop)) {}

  LearntGood run() {
    before_ = after_ = score(*now_.model, tiles_);
    if (before_ < options_.warn) return {nullptr, before_, after_, 0};
    learn();
    replay_self_test();
    replay_defects();
    return {write(), before_, after_, defects_};
  }

 private:
  /// Counted twice as often each time, until the frame passes or nothing changes any more.
  void learn() {
    for (int times = 1; times <= kMostTimes && after_ >= options_.warn; times *= 2) {
      const auto candidate = fit(times);
      const double now = score(*candidate, tiles_);
      if (now >= after_) break;
      model_ = candidate;
      after_ = now;
    }
    if (model_ && after_ < options_.reject) return;
    throw Error(ErrorCode::kBadOption,
                fmt::format("The frame scores {:.6g} after it was learnt, {:.6g} before, and must "
                            "come below {:.6g} (reject). Raise the threshold, or train with more "
                            "frames like it.",
                            after_, before_, options_.reject));
  }

  [[nodiscard]] std::shared_ptr<const AnomalyModel> fit(int times) const {
    const Manifest& manifest = now_.file.manifest;
    const auto fitter = now_.method.make_fitter({.method = manifest.method,
                                                 .options = manifest.options,
                                                 .seed = manifest.training.seed,
                                                 .execution = now_.execution,
                                                 .input = manifest.input,
                                                 .run = {},
                                                 .start = now_.model});
    const std::int64_t windows = tiles_.images().size(0);
    for (int i = 0; i < times; ++i) {
      check_stop();
      fitter->observe({tiles_.images(), tiles_.keep(), windows, 0});
    }
    return fitter->finish({.cancel = stop_});
  }

  /// Good frames that are no longer passed speak against the change.
  void replay_self_test() {
    const TilePreprocessor preprocessor({now_.file.manifest.input, {}});
    for (std::size_t i = 0; i < now_.file.self_test_frames.size(); ++i) {
      const auto tiles = preprocessor.cut_network_image(now_.file.self_test_frames[i]);
      check_stop();
      ModelOutput output = analyse_tiles(*model_, *tiles);
      self_test_scores_.push_back(output.score);  // without the sensitivity, as at loading
      apply_sensitivity(now_.file.sensitivity, output);
      const bool real = i > 0;  // the first is drawn, see SelfTestFrames
      const double good = output.score;
      if (!real || good < options_.reject) continue;
      if (score(*now_.model, *tiles) >= options_.reject) continue;
      throw Error(
          ErrorCode::kBadOption,
          fmt::format("Good frame {} of the model's self-test would be rejected with {:.6g} "
                      "(from {:.6g} on). Train with more frames instead.",
                      i, good, options_.reject));
    }
  }

  void replay_defects() {
    if (options_.kept_defects.empty()) return;
    const TilePreprocessor preprocessor({now_.file.manifest.input, now_.file.mask});
    for (const auto& entry : std::filesystem::recursive_directory_iterator(options_.kept_defects)) {
      if (!has_image_extension(entry.path())) continue;
      const Image image = read_image(entry.path());
      const auto tiles = preprocessor.cut(view(image));
      const double now = score(*model_, *tiles);
      ++defects_;
      if (now >= options_.reject) continue;
      if (score(*now_.model, *tiles) < options_.reject) continue;
      throw Error(ErrorCode::kBadOption,
                  fmt::format("The kept defect \"{}\" would pass with {:.6g} (rejected from {:.6g} "
                              "on): the frame looks too much like it. Look at the frame again, or "
                              "take the image out of the folder.",
                              entry.path().string(), now, options_.reject));
    }
  }

  void check_stop() const {
    if (stop_.stop_requested()) throw Error(ErrorCode::kCancelled, "The update was cancelled.");
  }

  /// As the model in service gives it.
  [[nodiscard]] double score(const AnomalyModel& model, const TileBatch& tiles) const {
    check_stop();
    ModelOutput output = analyse_tiles(model, tiles);
    apply_sensitivity(now_.file.sensitivity, output);
    return output.score;
  }

  [[nodiscard]] ModelPtr write() const {
    ModelFile file;
    file.manifest = now_.file.manifest;
    file.self_test_frames = now_.file.self_test_frames;
    file.mask = now_.file.mask;
    file.sensitivity = now_.file.sensitivity;
    file.training_frames = now_.file.training_frames;
    ++file.manifest.training.images;
    ++file.manifest.training.marked_good;
    file.manifest.self_test.scores = self_test_scores_;
    file.manifest.self_test.precision = now_.execution.precision;
    CheckpointWriter writer;
    model_->save(writer);
    file.tensors = writer.tensors();
    file.sha256 = save_model_file(options_.output, file);
    file.tensors.clear();
    return std::make_shared<const LoadedModel>(std::move(file), now_.method, now_.execution, model_,
                                               now_.warm_up_ms);
  }

  const ModelInService& now_;
  const TensorTiles& tiles_;
  const LearnGoodOptions& options_;
  std::stop_token stop_;
  std::shared_ptr<const AnomalyModel> model_;  // shared with the LoadedModel it becomes
  double before_ = 0;
  double after_ = 0;
  std::size_t defects_ = 0;
  std::vector<double> self_test_scores_;
};

}  // namespace

LearntGood learn_good(const ModelInService& now, const TileBatch& frame,
                      const LearnGoodOptions& options, std::stop_token stop) {
  const c10::NoGradGuard no_gradients;
  if (!now.method.incremental || now.method.grows_by_products) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("A model of method {} cannot learn a frame more; train it again with "
                            "that frame.",
                            now.method.name));
  }
  require_same_preparation(now.file.manifest.input, frame.spec());
  return Lesson(now, dynamic_cast<const TensorTiles&>(frame), options, std::move(stop)).run();
}

}  // namespace uad
