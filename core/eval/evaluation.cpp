// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/methods.h"
#include "core/base/milliseconds.h"
#include "core/base/pixels/image.h"
#include "core/frame_digest.h"
#include "core/preprocessor.h"

namespace uad {
namespace {

using Clock = std::chrono::steady_clock;

/// Takes part in the pixel metrics: good frames are all background, defective ones need a mask.
bool has_ground_truth(const LabelledFrame& frame) { return !frame.defective || frame.mask; }

/// A method that learns from masks answers with the probability of each pixel.
bool maps_are_probabilities(const std::string& method) {
  return std::ranges::any_of(known_methods(), [&](const MethodInfo& known) {
    return known.name == method && known.needs_masks;
  });
}

class Evaluator {
 public:
  Evaluator(const Model& model, const Preprocessor& preprocessor, FrameSource& test,
            const EvaluationOptions& options)
      : model_(model),
        preprocessor_(preprocessor),
        test_(test),
        options_(options),
        training_frames_(model.training_frames()) {
    std::ranges::sort(training_frames_);
    if (options.pixels && maps_are_probabilities(model.manifest().method)) segmentation_.emplace();
  }

  Evaluation run() {
    first_pass();
    if (result_.frames.empty()) refuse_empty();
    if (pixel_count_ > options_.exact_pixels) second_pass();
    result_.pixels = pixels_->result();
    result_.boxes = boxes_.result();
    if (segmentation_) result_.segmentation = segmentation_->result();
    image_metrics();
    explain_undefined();
    describe_model();
    return std::move(result_);
  }

 private:
  /// Scores of all frames, range of the maps, and exact pixel metrics as long as they fit.
  void first_pass() {
    pixels_.emplace(PixelMetrics::Options{.pro_limit = options_.pro_limit});
    double total_ms = 0;
    for_each_frame("scoring", [&](const LabelledFrame& frame) {
      const std::string hash = frame_sha256(frame.view);
      const bool seen = trained_on(short_hash(hash));
      if (seen) result_.seen.push_back(frame.name);
      left_out_.push_back(seen && !options_.seen_too);
      if (left_out_.back()) return;
      const auto start = Clock::now();
      const auto [output, plan] = analyse(frame);
      total_ms += milliseconds_since(start);
      keep_score(frame, output);
      digest_.add(frame.name, hash);
      result_.missing_masks += has_ground_truth(frame) ? 0 : 1;
      if (options_.visit) options_.visit(frame, output);
      if (!options_.pixels) return;
      const std::optional<Image> truth = truth_of(frame, output, plan);
      if (segmentation_) add_segmentation(frame, output, truth);
      if (frame.mask) add_boxes(output, *truth);
      pixel_count_ += static_cast<std::int64_t>(output.map.values.size());
      if (pixel_count_ <= options_.exact_pixels) {
        add_pixels(output, truth);
      } else {
        pixels_.reset();  // gives the memory back; the second pass counts instead
      }
    });
    result_.ms_per_image = total_ms / std::max<double>(1, static_cast<double>(frame_count()));
    result_.skipped = test_.skipped();
    result_.left_out_seen = static_cast<std::size_t>(std::ranges::count(left_out_, true));
  }

  void second_pass() {
    pixels_.emplace(
        PixelMetrics::Options{.bins = options_.bins,
                              .low = result_.map_low,
                              .high = std::max<double>(result_.map_high, result_.map_low + 1e-12),
                              .pro_limit = options_.pro_limit});
    std::size_t index = 0;
    for_each_frame("counting pixels", [&](const LabelledFrame& frame) {
      if (left_out_.at(index++) || !has_ground_truth(frame)) return;
      const auto [output, plan] = analyse(frame);
      add_pixels(output, truth_of(frame, output, plan));
    });
  }

  [[nodiscard]] bool trained_on(std::int64_t frame) const {
    return std::ranges::binary_search(training_frames_, frame);
  }

  template <class Visit>
  void for_each_frame(const std::string& stage, Visit&& visit) {
    test_.rewind();
    std::size_t done = 0;
    while (const auto frame = test_.next()) {
      if (options_.stop.stop_requested()) {
        throw Error(ErrorCode::kCancelled, "The evaluation was cancelled.");
      }
      visit(*frame);
      ++done;
      const std::size_t total = std::max(test_.size(), done);
      if (options_.progress) {
        options_.progress(static_cast<double>(done) / static_cast<double>(total), stage);
      }
    }
  }

  struct Analysed {
    ModelOutput output;
    TilePlan plan;
  };
  Analysed analyse(const LabelledFrame& frame) const {
    const TileBatchPtr tiles = preprocessor_.cut(frame.view);
    return {model_.analyse(*tiles, known_product(model_.manifest().products, frame.product)),
            tiles->plan()};
  }

  void keep_score(const LabelledFrame& frame, const ModelOutput& output) {
    const auto [low, high] = std::ranges::minmax(output.map.values);
    const bool first = result_.frames.empty();
    result_.map_low = first ? low : std::min(result_.map_low, low);
    result_.map_high = first ? high : std::max(result_.map_high, high);
    result_.frames.push_back(
        {frame.name, frame.kind, frame.defective, static_cast<float>(output.score), high});
  }

  void add_pixels(const ModelOutput& output, const std::optional<Image>& truth) {
    if (!truth) return;
    pixels_->add(output.map.values, truth->pixels, output.map.width, output.map.height);
  }

  void add_boxes(const ModelOutput& output, const Image& truth) {
    const Manifest& manifest = model_.manifest();
    boxes_.add(defect_boxes(output, manifest.thresholds, box_rule(manifest)), truth,
               output.placement);
  }

  void add_segmentation(const LabelledFrame& frame, const ModelOutput& output,
                        const std::optional<Image>& truth) {
    segmentation_->add_image(output.score, frame.defective);
    if (truth) segmentation_->add_pixels(output.map.values, truth->pixels);
  }

  /// Where the defect is on the map; nothing where that is not known.
  [[nodiscard]] std::optional<Image> truth_of(const LabelledFrame& frame, const ModelOutput& output,
                                              const TilePlan& plan) const {
    if (frame.mask) return mask_on_map(*frame.mask, model_.mask(), plan);
    if (frame.defective) return std::nullopt;
    return Image{output.map.width, output.map.height, 1,
                 std::vector<std::uint8_t>(output.map.values.size(), 0)};
  }

  [[nodiscard]] std::size_t frame_count() const { return result_.frames.size(); }

  void image_metrics() {
    std::vector<float> scores;
    std::vector<std::uint8_t> labels;
    for (const ScoredFrame& frame : result_.frames) {
      scores.push_back(frame.score);
      labels.push_back(frame.defective ? 1 : 0);
    }
    const double reject = model_.manifest().thresholds.image.thr;
    result_.image_auroc = auroc(scores, labels);
    result_.image_ap = average_precision(scores, labels);
    result_.image_f1 = optimal_f1(scores, labels);
    result_.at_f1 = confusion_at(scores, labels, result_.image_f1.threshold);
    result_.at_reject = confusion_at(scores, labels, reject);
    result_.image_curves = curves(scores, labels);
  }

  void describe_model() {
    result_.test_sha256 = digest_.finish();
    result_.manifest = model_.manifest();
    result_.model_sha256 = model_.sha256();
    result_.device = model_.device();
    result_.precision = model_.precision();
  }

  void explain_undefined() {
    const auto defective = std::ranges::count_if(result_.frames, &ScoredFrame::defective);
    const auto good = static_cast<std::ptrdiff_t>(frame_count()) - defective;
    if (good == 0 || defective == 0) {
      const std::string reason =
          good == 0 ? "the test set has no good image" : "the test set has no defective image";
      for (const char* key : {"image_auroc", "image_ap", "image_f1", "image_threshold",
                              "image_at_f1", "image_balanced_accuracy"}) {
        result_.undefined[key] = reason;
      }
    }
    if (std::isfinite(result_.pixels.auroc)) return;
    const bool no_masks = defective > 0 && result_.pixels.defect_pixels == 0;
    const std::string reason = !options_.pixels ? "pixels were not asked for"
                               : no_masks       ? "no defective image has a mask with defect pixels"
                               : defective == 0 ? "the test set has no defective image"
                                                : "no pixel is free of defects";
    for (const char* key :
         {"pixel_auroc", "pixel_ap", "pixel_f1", "pixel_threshold", "pixel_pro"}) {
      result_.undefined[key] = reason;
    }
  }

  [[noreturn]] void refuse_empty() const {
    if (!result_.seen.empty()) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("All {} test images were left out, because the model was trained on "
                              "them and would know them. Give others, or say --seen-too.",
                              result_.seen.size()));
    }
    const auto& skipped = test_.skipped();
    throw Error(ErrorCode::kBadOption,
                skipped.empty()
                    ? std::string("The test set is empty. Check --data.")
                    : fmt::format("Not one of the {} test images could be read; the first, \"{}\", "
                                  "failed with: {}",
                                  skipped.size(), skipped.front().name, skipped.front().reason));
  }

  const Model& model_;
  const Preprocessor& preprocessor_;
  FrameSource& test_;
  const EvaluationOptions& options_;
  std::vector<std::int64_t> training_frames_;  // sorted
  std::vector<bool> left_out_;                 // every frame of the source
  Evaluation result_;
  std::optional<PixelMetrics> pixels_;
  BoxMetrics boxes_;
  std::optional<SegmentationMetrics> segmentation_;
  std::int64_t pixel_count_ = 0;
  FrameDigest digest_;
};

}  // namespace

Evaluation evaluate(const Model& model, const Preprocessor& preprocessor, FrameSource& test,
                    const EvaluationOptions& options) {
  return Evaluator(model, preprocessor, test, options).run();
}

std::vector<KindResult> results_by_kind(const std::vector<ScoredFrame>& frames,
                                        const Thresholds& thresholds) {
  std::vector<KindResult> result;
  std::vector<std::pair<bool, std::string>> kinds;  // good sorts first
  for (const ScoredFrame& frame : frames) kinds.emplace_back(frame.defective, frame.kind);
  std::ranges::sort(kinds);
  kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
  for (const auto& [defective, kind] : kinds) {
    KindResult one{.kind = kind, .defective = defective};
    std::vector<float> scores;
    std::vector<std::uint8_t> labels;
    for (const ScoredFrame& frame : frames) {
      const bool own = frame.kind == kind && frame.defective == defective;
      if (own) {
        const Verdict verdict = judge(frame.score, thresholds);
        ++one.images;
        one.rejected += verdict == Verdict::kReject ? 1 : 0;
        one.warned += verdict == Verdict::kWarn ? 1 : 0;
      }
      if (!own && frame.defective) continue;
      scores.push_back(frame.score);
      labels.push_back(frame.defective ? 1 : 0);
    }
    one.auroc = auroc(scores, labels);
    result.push_back(std::move(one));
  }
  return result;
}

Image mask_on_map(const Image& mask, const Image& ignore, const TilePlan& plan) {
  Image result = mask_at_input(mask, plan);
  for (std::uint8_t& pixel : result.pixels) pixel = pixel > 0 ? 255 : 0;
  if (ignore.pixels.empty()) return result;
  const Image kept = crop(resize_nearest(ignore, plan.scaled), plan.crop);
  for (std::size_t i = 0; i < result.pixels.size(); ++i) {
    if (kept.pixels[i] == 0) result.pixels[i] = 0;
  }
  return result;
}

}  // namespace uad
