// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/training.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <limits>
#include <numeric>
#include <random>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <opencv2/core/version.hpp>
#include <torch/headeronly/version.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/pixels/image.h"
#include "core/calibration/calibration.h"
#include "core/calibration/samples.h"
#include "core/calibration/sensitivity.h"
#include "core/frame_digest.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/self_test.h"
#include "core/tile_batcher.h"

namespace uad {
namespace {

constexpr std::size_t kFewFrames = 10;  // below, every frame is held out once
constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kFewestHeldOut = 5;
constexpr std::size_t kFewestFitted = 10;  // however early it ends, as far as there are so many

using Uses = std::function<bool(std::size_t)>;  // whether the frame of that index takes part

class TrainingRun {
 public:
  TrainingRun(FrameSource& good, const TrainRequest& request)
      : good_(good),
        request_(request),
        preprocessor_(request.preprocess),
        paused_(request.paused != nullptr ? *request.paused : unpaused_) {}

  ModelFile run() {
    survey();
    check_count();
    const std::vector<std::size_t> held_out =
        held_out_indices(parts_, request_.holdout, request_.consecutive, request_.seed);
    check_promise(held_out);
    check_start();
    check_sensitivity(held_out);
    if (paused_.frames != count_) begin_anew();
    if (held_out.empty()) {
      leave_one_out();
    } else if (!paused_.refitting) {
      fit_without(held_out);
    }
    const bool refit = paused_.refitting || held_out.empty() || (refits() && !enough());
    if (refit) refit_on_all();
    warn_of_equal_scores();
    ModelFile file = assemble(*paused_.model, calibrate(describe(held_out, refit)));
    paused_ = {};
    return file;
  }

 private:
  void warn_of_equal_scores() const {
    const auto same = [&](const ScoredFrame& frame) {
      return frame.score == paused_.scored.front().score;
    };
    if (!std::ranges::all_of(paused_.scored, same)) return;
    log(LogLevel::kWarning,
        fmt::format("All {} held-out good images have the score {}, so the thresholds say nothing "
                    "about what good images may differ by. Give images that are not copies of one "
                    "another, or change the method's options.",
                    paused_.scored.size(), paused_.scored.front().score));
  }

  /// Counts and hashes the readable frames and picks those of the self-test.
  void survey() {
    FrameDigest digest;
    PartNumbers numbers(request_.parts);
    for_each([](std::size_t) { return true; }, "reading", 0, 0.05,
             [&](std::size_t, const LabelledFrame& frame) {
               const std::string hash = frame_sha256(frame.view);
               digest.add(frame.name, hash);
               frame_hashes_.push_back(short_hash(hash));
               self_test_.consider([&] { return preprocessor_.network_image(frame.view); });
               ++count_;
               part_of_.push_back(numbers.next(frame.name));
             });
    parts_ = part_of_.empty() ? 0 : std::ranges::max(part_of_) + 1;
    data_sha256_ = digest.finish();
    skipped_ = good_.skipped();
  }

  void check_count() const {
    require_whole_parts(request_.parts, skipped_);
    if (count_ == 0 && !skipped_.empty()) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("Not one of the {} training images could be read; the first, \"{}\", "
                              "failed with: {}",
                              skipped_.size(), skipped_.front().name, skipped_.front().reason));
    }
    if (parts_ < 2) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("Training needs at least 2 good {}, one to fit and one to derive "
                              "the thresholds from, but found {}. Add good images to --data.",
                              unit(), parts_));
    }
  }

  void check_promise(const std::vector<std::size_t>& held_out) const {
    if (!request_.promise) return;
    (void)samples_needed(*request_.promise);  // refuses before the work what it would refuse after
    if (!held_out.empty()) return;
    throw Error(ErrorCode::kBadOption,
                fmt::format("A promised false-reject rate needs at least {} good {} in training, "
                            "of which some are held out, but found {}. Add good images, or leave "
                            "out false-reject-rate and use uad calibrate.",
                            kFewFrames, unit(), parts_));
  }

  void check_start() const {
    if (!request_.start || request_.start->manifest.training.data_sha256 != data_sha256_) return;
    const char* const same =
        "The model that goes on learning was trained on these very images, so the thresholds would "
        "come from images that it knows. Give others.";
    if (request_.promise) throw Error(ErrorCode::kBadOption, same);
    log(LogLevel::kWarning, same);
  }

  void check_sensitivity(const std::vector<std::size_t>& held_out) const {
    if (!request_.learn_sensitivity || held_out.size() >= 2 * kFewestHeldOut) return;
    throw Error(ErrorCode::kBadOption,
                fmt::format("A learned sensitivity needs at least {} held-out {}, half of them for "
                            "the thresholds, but {} are held out of {}. Give more, raise holdout, "
                            "or set sensitivity=uniform.",
                            2 * kFewestHeldOut, unit(), held_out.size(), parts_));
  }

  [[nodiscard]] bool refits() const { return request_.refit && !request_.promise; }
  [[nodiscard]] const char* unit() const {
    return request_.parts.kind == PartRule::Kind::kFrame ? "images" : "parts";
  }

  [[nodiscard]] Calibration calibrate(const std::string& split) const {
    if (request_.promise) {
      Calibration calibration = calibrate_by_promise(
          group_by_part(paused_.scored, request_.parts, skipped_), *request_.promise);
      calibration.origin.facts["held_out"] = split;
      return calibration;
    }
    std::vector<double> scores;
    std::vector<double> maxima;
    for (const ScoredFrame& frame : paused_.scored) {
      scores.push_back(frame.score);
      maxima.push_back(frame.map_maximum);
    }
    return calibrate_on_good(scores, maxima, split);
  }

  void begin_anew() {
    paused_ = PausedTraining{.frames = count_};
    if (request_.start) paused_.sensitivity = request_.start->sensitivity;
  }

  void fit_without(const std::vector<std::size_t>& held_out) {
    const auto is_held_out = [&](std::size_t i) {
      return std::ranges::binary_search(held_out, part_of_[i]);
    };
    fitted_ = paused_.fitted;
    if (!paused_.model) {
      paused_.model =
          fit([&](std::size_t i) { return !is_held_out(i); }, kFewestFitted, 0.05, 0.45);
    }
    paused_.scored.clear();
    if (!request_.learn_sensitivity) return score(*paused_.model, is_held_out, 0.45, 0.5);
    const std::size_t middle = held_out[held_out.size() / 2];
    learn_sensitivity(*paused_.model,
                      [&](std::size_t i) { return is_held_out(i) && part_of_[i] < middle; });
    score(
        *paused_.model, [&](std::size_t i) { return is_held_out(i) && part_of_[i] >= middle; },
        0.47, 0.5);
  }

  void learn_sensitivity(const AnomalyModel& model, const Uses& uses) {
    SensitivityFit fit;
    for_each(uses, "sensitivity", 0.45, 0.47, [&](std::size_t, const LabelledFrame& frame) {
      fit.add(analyse_tiles(model, *preprocessor_.cut(frame.view)).map);
    });
    paused_.sensitivity = fit.finish();
  }

  void refit_on_all() {
    if (!paused_.refitting) {
      paused_.model.reset();  // two models at once would double the memory
      paused_.refitting = true;
    }
    // fewer than before would have scored otherwise than the thresholds were derived for
    const std::size_t least = std::max(kFewestFitted, paused_.fitted);
    paused_.model = fit([](std::size_t) { return true; }, least, 0.5, 0.95);
  }

  /// @param least  frames that it sees before `enough` may end it.
  std::unique_ptr<AnomalyModel> fit(const Uses& uses, std::size_t least, double from, double to) {
    if (!paused_.fitter) {
      paused_.observed = 0;
      paused_.fitter = request_.method->make_fitter(
          {options_, request_.weights_dir, request_.seed, request_.execution,
           request_.start ? request_.start->model : nullptr});
    }
    const double middle = from + (to - from) * 0.6;
    std::size_t known = paused_.observed;
    TileBatcher batcher(*paused_.fitter, request_.batch_size, paused_.observed);
    for_each(uses, "features", from, middle, [&](std::size_t, const LabelledFrame& frame) {
      if (known > 0) {
        --known;
      } else if (!enough() || paused_.observed < least) {
        batcher.add(dynamic_cast<const TensorTiles&>(*preprocessor_.cut(frame.view)));
      }
    });
    batcher.flush();
    FitControl control = request_.control;
    // what scores must be as large as what the thresholds were derived with
    if (least == kAll || paused_.refitting) control.enough = {};
    control.progress = [&](double fraction, const std::string& stage) {
      report(middle + (to - middle) * fraction, stage);
    };
    auto model = paused_.fitter->finish(control);
    fitted_ = paused_.observed;
    if (!paused_.refitting) paused_.fitted = fitted_;
    paused_.fitter.reset();
    return model;
  }

  void score(const AnomalyModel& model, const Uses& uses, double from, double to) {
    for_each(uses, "held-out frames", from, to, [&](std::size_t, const LabelledFrame& frame) {
      ModelOutput output = analyse_tiles(model, *preprocessor_.cut(frame.view));
      apply_sensitivity(paused_.sensitivity, output);
      paused_.scored.push_back({frame.name, frame.kind, false, static_cast<float>(output.score),
                                std::ranges::max(output.map.values)});
    });
  }

  /// So few frames that a pause begins anew.
  void leave_one_out() {
    begin_anew();
    const double step = 0.45 / static_cast<double>(parts_);
    for (std::size_t out = 0; out < parts_; ++out) {
      const double from = 0.05 + step * static_cast<double>(out);
      const auto model =
          fit([&](std::size_t i) { return part_of_[i] != out; }, kAll, from, from + step);
      score(
          *model, [&](std::size_t i) { return part_of_[i] == out; }, from + step, from + step);
    }
  }

  [[nodiscard]] bool enough() const { return request_.control.enough.stop_requested(); }

  template <class Visit>
  void for_each(const Uses& uses, const std::string& stage, double from, double to, Visit&& visit) {
    good_.rewind();
    std::size_t index = 0;
    while (const auto frame = good_.next()) {
      if (request_.control.cancel.stop_requested()) {
        throw Error(ErrorCode::kCancelled, "The training was cancelled.");
      }
      if (uses(index)) visit(index, *frame);
      ++index;
      const std::size_t total = std::max({good_.size(), count_, index});
      report(from + (to - from) * static_cast<double>(index) / static_cast<double>(total), stage);
    }
  }

  void report(double fraction, const std::string& stage) const {
    if (request_.control.progress) request_.control.progress(fraction, stage);
  }

  [[nodiscard]] std::string describe(const std::vector<std::size_t>& held_out, bool refit) const {
    if (held_out.empty()) return fmt::format("{} {}, each left out once", parts_, unit());
    return fmt::format("{} of {} {}{}{}, seed {}{}", held_out.size(), parts_, unit(),
                       request_.consecutive ? " in one run" : "",
                       request_.learn_sensitivity ? ", the first half for the sensitivity" : "",
                       request_.seed,
                       !refit             ? ""
                       : fitted_ < count_ ? ", then refitted on more"
                                          : ", then refitted on all");
  }

  ModelFile assemble(const AnomalyModel& model, const Calibration& calibration) {
    ModelFile file;
    CheckpointWriter writer;
    model.save(writer);
    file.tensors = writer.tensors();
    file.mask = request_.preprocess.mask;
    file.sensitivity = paused_.sensitivity;
    file.training_frames = frame_hashes_;
    Manifest& manifest = file.manifest;
    manifest.method = request_.method->name;
    manifest.options = options_;
    manifest.input = request_.preprocess.spec;
    manifest.thresholds = calibration.thresholds;
    if (request_.start) {
      const std::vector<std::int64_t>& known = request_.start->training_frames;
      file.training_frames.insert(file.training_frames.end(), known.begin(), known.end());
      manifest.thresholds.min_area = request_.start->manifest.thresholds.min_area;
    }
    manifest.threshold_origin = calibration.origin;
    manifest.training = training_facts();
    manifest.backbone =
        request_.start ? request_.start->manifest.backbone
                       : BackboneFacts{model.traits().backbone, model.traits().backbone_sha256};
    manifest.precision = request_.execution.precision;
    manifest.self_test.precision = request_.execution.precision;
    self_test_.write(model, preprocessor_, request_.images_in_model, file);
    return file;
  }

  [[nodiscard]] TrainingFacts training_facts() const {
    TrainingFacts facts;
    facts.images = static_cast<std::int64_t>(fitted_);
    if (request_.start) {
      facts.images += request_.start->manifest.training.images;
      facts.continued_from = request_.start->sha256;
    }
    facts.skipped = static_cast<std::int64_t>(skipped_.size());
    facts.data_sha256 = data_sha256_;
    facts.seed = request_.seed;
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    facts.created_utc = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
    facts.versions = {{"uad", UAD_VERSION}, {"libtorch", TORCH_VERSION}, {"opencv", CV_VERSION}};
    return facts;
  }

  FrameSource& good_;
  const TrainRequest& request_;
  TilePreprocessor preprocessor_;
  nlohmann::json options_ = complete_options(request_.method->options, request_.options);
  SelfTestFrames self_test_{request_.seed};
  std::size_t count_ = 0;
  std::vector<std::size_t> part_of_;  // every frame
  std::size_t parts_ = 0;
  std::string data_sha256_;
  std::vector<std::int64_t> frame_hashes_;  // of every frame
  std::vector<SkippedFrame> skipped_;
  PausedTraining unpaused_;
  PausedTraining& paused_;
  std::size_t fitted_ = 0;  // frames that the last fit has seen
};

}  // namespace

std::vector<std::size_t> held_out_indices(std::size_t count, double share, bool consecutive,
                                          std::uint64_t seed) {
  if (!(share > 0 && share < 1)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option \"holdout\" must be above 0 and below 1, but is {}.", share));
  }
  if (count < kFewFrames) return {};
  const auto wanted = static_cast<std::size_t>(share * static_cast<double>(count) + 0.5);
  const std::size_t held_out = std::min(std::max(wanted, kFewestHeldOut), count - 1);
  std::vector<std::size_t> indices(count);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  std::mt19937_64 random(seed);  // taken modulo, because std distributions differ between libraries
  if (consecutive) {
    std::ranges::rotate(
        indices, indices.begin() + static_cast<std::ptrdiff_t>(random() % (count - held_out + 1)));
  } else {
    for (std::size_t i = 0; i < held_out; ++i) {
      std::swap(indices[i], indices[i + random() % (count - i)]);
    }
  }
  indices.resize(held_out);
  std::ranges::sort(indices);
  return indices;
}

ModelFile train(FrameSource& good, const TrainRequest& request) {
  const c10::NoGradGuard no_gradients;
  try {
    return TrainingRun(good, request).run();
  } catch (const Error& error) {
    if (request.paused != nullptr && error.code() != ErrorCode::kCancelled) *request.paused = {};
    throw;
  } catch (...) {
    if (request.paused != nullptr) *request.paused = {};  // what broke is not gone on with
    throw;
  }
}

}  // namespace uad
