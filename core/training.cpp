// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/training.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <limits>
#include <optional>

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
#include "core/distributed/exchange.h"
#include "core/distributed/processes.h"
#include "core/distributed/shared_batch.h"
#include "core/distributed/sharing_fitter.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/self_test.h"
#include "core/tile_batcher.h"
#include "core/training_data.h"

namespace uad {
namespace {

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kFewestFitted = 10;  // however early it ends, as far as there are so many

using Uses = std::function<bool(std::size_t)>;  // whether the frame of that index takes part

/// Hands what it is shown to a fitter that may choose by it, but not learn from it.
class ValidationSink final : public Fitter {
 public:
  explicit ValidationSink(Fitter& fitter) : fitter_(fitter) {}
  void observe(const Tiles& tiles) override { fitter_.validate(tiles); }
  [[nodiscard]] bool reads_frame_means() const override { return fitter_.reads_frame_means(); }
  [[nodiscard]] std::unique_ptr<AnomalyModel> finish(const FitControl&) override { return nullptr; }

 private:
  Fitter& fitter_;
};

PreprocessOptions to_learn_from(const TrainRequest& request) {
  PreprocessOptions options = request.preprocess;
  options.spec = training_input_of(*request.method, options.spec);
  return options;
}

class TrainingRun {
 public:
  TrainingRun(FrameSource& source, const TrainRequest& request)
      : source_(source),
        request_(request),
        preprocessor_(request.preprocess),
        learning_preprocessor_(to_learn_from(request)),
        data_(survey(
            source,
            [&](const FrameVisit& visit) {
              for_each([](std::size_t) { return true; }, "reading", 0, 0.05, visit);
            },
            request, preprocessor_)),
        paused_(request.paused != nullptr ? *request.paused : unpaused_) {}

  ModelFile run() {
    if (processes() != nullptr) {
      require_same(task(), *processes());
      join_devices(*processes(), request_.execution.device);
    }
    if (paused_.frames != data_.frames) begin_anew();
    const bool few = leaves_one_out(data_, request_);
    if (few) {
      leave_one_out();
    } else if (!paused_.refitting) {
      fit_without_held_out();
    }
    const bool refit = paused_.refitting || few || (refits() && !enough());
    if (refit) refit_on_all();
    warn_of_equal_scores();
    ModelFile file = assemble(*paused_.model, calibrate(describe(refit)));
    paused_ = {};
    return file;
  }

 private:
  /// What all processes of a run must have in common.
  [[nodiscard]] nlohmann::json task() const {
    nlohmann::json task{{"version", UAD_VERSION},
                        {"method", request_.method->name},
                        {"seed", request_.seed},
                        {"number of images", data_.frames},
                        {"content of the images (SHA-256)", data_.sha256},
                        {"division of the images", data_.held_out}};
    for (const auto& [name, value] : options_.items()) task["option " + name] = value;
    return task;
  }

  void warn_of_equal_scores() const {
    if (paused_.scored.empty()) return;
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

  [[nodiscard]] bool refits() const {
    return request_.refit && !request_.promise && !request_.method->by_gradient;
  }

  [[nodiscard]] Calibration calibrate(const std::string& split) const {
    if (request_.promise) {
      Calibration calibration = calibrate_by_promise(
          group_by_part(paused_.scored, request_.parts, data_.skipped), *request_.promise);
      calibration.origin.facts["held_out"] = split;
      return calibration;
    }
    const ModelTraits& traits = paused_.model->traits();
    if (traits.probability) return calibration_of_probability(traits.map_threshold, split);
    std::vector<double> scores;
    std::vector<double> maxima;
    for (const ScoredFrame& frame : paused_.scored) {
      scores.push_back(frame.score);
      maxima.push_back(frame.map_maximum);
    }
    return calibrate_on_good(scores, maxima, split);
  }

  void begin_anew() {
    paused_ = PausedTraining{.frames = data_.frames};
    if (request_.start) paused_.sensitivity = request_.start->sensitivity;
  }

  void fit_without_held_out() {
    const auto is_held_out = [&](std::size_t i) {
      return std::ranges::binary_search(data_.held_out, data_.part_of[i]);
    };
    fitted_ = paused_.fitted;
    const double fitted = refits() ? 0.45 : 0.9;
    const double scored = refits() ? 0.5 : 0.95;
    if (!paused_.model) {
      // what the thresholds come from chooses the best epoch too, unless they promise something
      if (request_.method->by_gradient && !request_.promise) validates_ = is_held_out;
      paused_.model =
          fit([&](std::size_t i) { return !is_held_out(i); }, kFewestFitted, 0.05, fitted);
    }
    paused_.scored.clear();
    if (paused_.model->traits().probability && !request_.promise) return;
    const Uses is_good = [&](std::size_t i) { return is_held_out(i) && !data_.defective[i]; };
    if (!request_.learn_sensitivity) return score(*paused_.model, is_good, fitted, scored);
    const std::size_t middle = data_.held_out[data_.held_out.size() / 2];
    learn_sensitivity(*paused_.model,
                      [&](std::size_t i) { return is_good(i) && data_.part_of[i] < middle; });
    score(
        *paused_.model, [&](std::size_t i) { return is_good(i) && data_.part_of[i] >= middle; },
        fitted + 0.02, scored);
  }

  void learn_sensitivity(const AnomalyModel& model, const Uses& uses) {
    SensitivityFit fit;
    for_each(uses, "sensitivity", 0.45, 0.47,
             [&](std::size_t, const LabelledFrame& frame) { fit.add(analyse(model, frame).map); });
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
      paused_.validates = false;
      paused_.fitter = request_.method->make_fitter(fit_context(request_, options_));
    }
    const double middle = from + (to - from) * (request_.method->by_gradient ? 0.05 : 0.6);
    std::size_t known = paused_.observed;
    auto* const sharing = dynamic_cast<SharingFitter*>(paused_.fitter.get());
    const bool shares = sharing != nullptr && sharing->shares_frames();
    const Share share = share_of(count(uses), shares ? processes() : nullptr);
    std::int64_t number = 0;
    TileBatcher batcher(*paused_.fitter, request_.batch_size, paused_.observed);
    for_each(uses, "features", from, middle, [&](std::size_t, const LabelledFrame& frame) {
      const std::int64_t place = number++ - share.first;
      if (place < 0 || place >= share.count) return;
      if (known > 0) {
        --known;
      } else if (processes() != nullptr || !enough() || paused_.observed < least) {
        add(batcher, frame);
      }
    });
    batcher.flush();
    if (share.count < share.total) {
      sharing->gather(*processes());
      paused_.observed = static_cast<std::size_t>(share.total);
    }
    if (!paused_.validates) {
      if (validates_) show_held_out(middle);
      if (request_.evaluation != nullptr) show_labelled(middle);
      paused_.validates = true;
    }
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

  [[nodiscard]] std::int64_t count(const Uses& uses) const {
    std::int64_t used = 0;
    for (std::size_t i = 0; i < data_.frames; ++i) used += uses(i) ? 1 : 0;
    return used;
  }

  /// A frame to learn from, with what the method has to know of it.
  void add(TileBatcher& batcher, const LabelledFrame& frame) {
    const auto cut = learning_preprocessor_.cut(frame.view);
    const auto& tiles = dynamic_cast<const TensorTiles&>(*cut);
    if (request_.method->needs == Needs::kGood) return batcher.add(frame, tiles);
    const std::optional<TileTruth> truth = truth_of(frame, tiles, request_.method->needs);
    if (!truth) return;
    batcher.add(frame, tiles, *truth);
  }

  /// What truth_of() says of a frame in `wanted` form, or nothing where that cannot be known.
  std::optional<TileTruth> truth_of(const LabelledFrame& frame, const TensorTiles& tiles,
                                    Needs needs) {
    const std::int64_t windows = tiles.images().size(0);
    const bool by_mask = needs == Needs::kMasks || windows > 1;
    if (frame.defective && by_mask && !frame.mask) {
      log(LogLevel::kWarning,
          fmt::format("\"{}\" is not learnt from: {}, and it has none.", frame.name,
                      needs == Needs::kMasks ? "the method needs a mask of its defect"
                                             : "only a mask tells which windows are defective"));
      return std::nullopt;
    }
    TileTruth truth{at::full({windows}, frame.defective ? 1 : 0, at::kLong), {}};
    if (!by_mask) return truth;
    const at::Tensor masks =
        frame.mask
            ? learning_preprocessor_.cut_defects(*frame.mask)
            : at::zeros({windows, 1, tiles.images().size(2), tiles.images().size(3)}, at::kByte);
    truth.labels = masks.flatten(1).amax(1).to(at::kLong);
    if (needs == Needs::kMasks) truth.masks = masks;
    return truth;
  }

  /// The held-out frames choose among what the fitter learns.
  void show_held_out(double fraction) {
    std::size_t seen = 0;
    ValidationSink sink(*paused_.fitter);
    TileBatcher batcher(sink, 1, seen);
    for_each(validates_, "held-out frames", fraction, fraction,
             [&](std::size_t, const LabelledFrame& frame) { add(batcher, frame); });
    batcher.flush();
  }

  /// So do others, which are cut as the model will see frames.
  void show_labelled(double fraction) {
    std::size_t seen = 0;
    ValidationSink sink(*paused_.fitter);
    request_.evaluation->rewind();
    while (const auto frame = request_.evaluation->next()) {
      TileBatcher batcher(sink, 1, seen);
      const auto cut = preprocessor_.cut(frame->view);
      const auto& tiles = dynamic_cast<const TensorTiles&>(*cut);
      batcher.add(*frame, tiles,
                  {at::full({tiles.images().size(0)}, frame->defective ? 1 : 0, at::kLong), {}});
      batcher.flush();
      report(fraction, "frames to judge by");
    }
  }

  [[nodiscard]] ModelOutput analyse(const AnomalyModel& model, const LabelledFrame& frame) const {
    return analyse_tiles(model, *preprocessor_.cut(frame.view),
                         known_product(model.traits().products, frame.product));
  }

  void score(const AnomalyModel& model, const Uses& uses, double from, double to) {
    for_each(uses, "held-out frames", from, to, [&](std::size_t, const LabelledFrame& frame) {
      ModelOutput output = analyse(model, frame);
      apply_sensitivity(paused_.sensitivity, output);
      paused_.scored.push_back({frame.name, frame.kind, false, static_cast<float>(output.score),
                                std::ranges::max(output.map.values)});
    });
  }

  /// So few frames that a pause begins anew.
  void leave_one_out() {
    begin_anew();
    const double step = 0.45 / static_cast<double>(data_.parts);
    for (std::size_t out = 0; out < data_.parts; ++out) {
      const double from = 0.05 + step * static_cast<double>(out);
      const auto model =
          fit([&](std::size_t i) { return data_.part_of[i] != out; }, kAll, from, from + step);
      score(
          *model, [&](std::size_t i) { return data_.part_of[i] == out; }, from + step, from + step);
    }
  }

  [[nodiscard]] bool enough() const { return request_.control.enough.stop_requested(); }

  template <class Visit>
  void for_each(const Uses& uses, const std::string& stage, double from, double to, Visit&& visit) {
    source_.rewind();
    std::size_t index = 0;
    while (const auto frame = source_.next()) {
      if (request_.control.cancel.stop_requested()) {
        throw Error(ErrorCode::kCancelled, "The training was cancelled.");
      }
      if (uses(index)) visit(index, *frame);
      ++index;
      const std::size_t total = std::max({source_.size(), index});
      report(from + (to - from) * static_cast<double>(index) / static_cast<double>(total), stage);
    }
  }

  void report(double fraction, const std::string& stage) const {
    if (request_.control.progress) request_.control.progress(fraction, stage);
  }

  [[nodiscard]] std::string describe(bool refit) const {
    const char* const unit = unit_of(request_);
    if (leaves_one_out(data_, request_)) {
      return fmt::format("{} {}, each left out once", data_.parts, unit);
    }
    return fmt::format("{} of {} {}{}{}, seed {}{}", data_.held_out.size(), data_.parts, unit,
                       request_.consecutive ? " in one run" : "",
                       request_.learn_sensitivity ? ", the first half for the sensitivity" : "",
                       request_.seed,
                       !refit                   ? ""
                       : fitted_ < data_.frames ? ", then refitted on more"
                                                : ", then refitted on all");
  }

  ModelFile assemble(const AnomalyModel& model, const Calibration& calibration) {
    ModelFile file;
    CheckpointWriter writer;
    model.save(writer);
    file.tensors = writer.tensors();
    file.mask = request_.preprocess.mask;
    file.sensitivity = paused_.sensitivity;
    file.training_frames = learnt_from();
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
    manifest.products = model.traits().products;
    manifest.precision = request_.execution.precision;
    manifest.self_test.precision = request_.execution.precision;
    data_.self_test.write(model, preprocessor_, request_.images_in_model, file);
    return file;
  }

  /// Frames that a later evaluation must not use: all of them, as even those held out decide the
  /// thresholds. Where a method needs labels, the held-out ones are its test set, but for those
  /// that a promise comes from.
  [[nodiscard]] std::vector<std::int64_t> learnt_from() const {
    if (request_.method->needs == Needs::kGood) return data_.hashes;
    std::vector<std::int64_t> hashes;
    for (std::size_t i = 0; i < data_.frames; ++i) {
      const bool promised = request_.promise && !data_.defective[i];
      if (promised || !std::ranges::binary_search(data_.held_out, i)) {
        hashes.push_back(data_.hashes[i]);
      }
    }
    return hashes;
  }

  [[nodiscard]] TrainingFacts training_facts() const {
    TrainingFacts facts;
    facts.images = static_cast<std::int64_t>(fitted_);
    if (request_.start) {
      facts.images += request_.start->manifest.training.images;
      facts.continued_from = request_.start->sha256;
    }
    facts.skipped = static_cast<std::int64_t>(data_.skipped.size());
    facts.data_sha256 = data_.sha256;
    facts.seed = request_.seed;
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    facts.created_utc = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
    facts.versions = {{"uad", UAD_VERSION}, {"libtorch", TORCH_VERSION}, {"opencv", CV_VERSION}};
    return facts;
  }

  FrameSource& source_;
  const TrainRequest& request_;
  TilePreprocessor preprocessor_;
  TilePreprocessor learning_preprocessor_;
  nlohmann::json options_ = complete_options(request_.method->options, request_.options);
  TrainingData data_;
  PausedTraining unpaused_;
  PausedTraining& paused_;
  Uses validates_;          // frames that choose the best epoch; empty = none
  std::size_t fitted_ = 0;  // frames that the last fit has seen
};

}  // namespace

FitContext fit_context(const TrainRequest& request, nlohmann::json options) {
  return {.method = request.method->name,
          .options = std::move(options),
          .weights_dir = request.weights_dir,
          .seed = request.seed,
          .execution = request.execution,
          .input = request.preprocess.spec,
          .run = request.run,
          .start = request.start ? request.start->model : nullptr,
          .load_path = request.load_path};
}

ModelFile train(FrameSource& frames, const TrainRequest& request) {
  const c10::NoGradGuard no_gradients;
  try {
    return TrainingRun(frames, request).run();
  } catch (const Error& error) {
    if (request.paused != nullptr && error.code() != ErrorCode::kCancelled) *request.paused = {};
    throw;
  } catch (...) {
    if (request.paused != nullptr) *request.paused = {};  // what broke is not gone on with
    throw;
  }
}

}  // namespace uad
