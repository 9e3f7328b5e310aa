// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/pixels/image.h"

namespace uad {
namespace {

using Clock = std::chrono::steady_clock;

/// Takes part in the pixel metrics: good frames are all background, defective ones need a mask.
bool has_ground_truth(const LabelledFrame& frame) { return !frame.defective || frame.mask; }

class Evaluator {
 public:
  Evaluator(const Model& model, const Preprocessor& preprocessor, FrameSource& test,
            const EvaluationOptions& options)
      : model_(model), preprocessor_(preprocessor), test_(test), options_(options) {}

  Evaluation run() {
    first_pass();
    if (result_.frames.empty()) refuse_empty();
    if (pixel_count_ > options_.exact_pixels) second_pass();
    result_.pixels = pixels_->result();
    image_metrics();
    explain_undefined();
    return std::move(result_);
  }

 private:
  /// Scores of all frames, range of the maps, and exact pixel metrics as long as they fit.
  void first_pass() {
    pixels_.emplace(PixelMetrics::Options{.pro_limit = options_.pro_limit});
    double total_ms = 0;
    for_each_frame("scoring", [&](const LabelledFrame& frame) {
      const auto start = Clock::now();
      const auto [output, plan] = analyse(frame);
      total_ms += std::chrono::duration<double, std::milli>(Clock::now() - start).count();
      keep_score(frame, output);
      pixel_count_ += static_cast<std::int64_t>(output.map.values.size());
      if (pixel_count_ <= options_.exact_pixels) {
        add_pixels(frame, output, plan);
      } else {
        pixels_.reset();  // gives the memory back; the second pass counts instead
      }
    });
    result_.ms_per_image = total_ms / std::max<double>(1, static_cast<double>(frame_count()));
    result_.skipped = test_.skipped();
    result_.missing_masks = test_.missing_masks();
  }

  void second_pass() {
    pixels_.emplace(
        PixelMetrics::Options{.bins = options_.bins,
                              .low = result_.map_low,
                              .high = std::max<double>(result_.map_high, result_.map_low + 1e-12),
                              .pro_limit = options_.pro_limit});
    for_each_frame("counting pixels", [&](const LabelledFrame& frame) {
      if (!has_ground_truth(frame)) return;
      const auto [output, plan] = analyse(frame);
      add_pixels(frame, output, plan);
    });
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
    return {model_.analyse(*tiles), tiles->plan()};
  }

  void keep_score(const LabelledFrame& frame, const ModelOutput& output) {
    const auto [low, high] = std::ranges::minmax(output.map.values);
    const bool first = result_.frames.empty();
    result_.map_low = first ? low : std::min(result_.map_low, low);
    result_.map_high = first ? high : std::max(result_.map_high, high);
    result_.frames.push_back(
        {frame.name, frame.kind, frame.defective, static_cast<float>(output.score), high});
  }

  void add_pixels(const LabelledFrame& frame, const ModelOutput& output, const TilePlan& plan) {
    if (!has_ground_truth(frame)) return;
    const Image truth = frame.mask ? mask_on_map(*frame.mask, model_.mask(), plan)
                                   : Image{output.map.width, output.map.height, 1,
                                           std::vector<std::uint8_t>(output.map.values.size(), 0)};
    pixels_->add(output.map.values, truth.pixels, output.map.width, output.map.height);
  }

  [[nodiscard]] std::size_t frame_count() const { return result_.frames.size(); }

  void image_metrics() {
    std::vector<float> scores;
    std::vector<std::uint8_t> labels;
    for (const ScoredFrame& frame : result_.frames) {
      scores.push_back(frame.score);
      labels.push_back(frame.defective ? 1 : 0);
    }
    result_.reject = model_.manifest().thresholds.image.thr;
    result_.image_auroc = auroc(scores, labels);
    result_.image_ap = average_precision(scores, labels);
    result_.image_f1 = optimal_f1(scores, labels);
    result_.at_f1 = confusion_at(scores, labels, result_.image_f1.threshold);
    result_.at_reject = confusion_at(scores, labels, result_.reject);
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
    const std::string reason = no_masks         ? "no defective image has a mask with defect pixels"
                               : defective == 0 ? "the test set has no defective image"
                                                : "no pixel is free of defects";
    for (const char* key :
         {"pixel_auroc", "pixel_ap", "pixel_f1", "pixel_threshold", "pixel_pro"}) {
      result_.undefined[key] = reason;
    }
  }

  [[noreturn]] void refuse_empty() const {
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
  Evaluation result_;
  std::optional<PixelMetrics> pixels_;
  std::int64_t pixel_count_ = 0;
};

nlohmann::json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

nlohmann::json to_json(const Confusion& confusion) {
  return {{"tp", confusion.tp},
          {"fp", confusion.fp},
          {"fn", confusion.fn},
          {"tn", confusion.tn},
          {"accuracy", number_or_null(confusion.accuracy())},
          {"balanced_accuracy", number_or_null(confusion.balanced_accuracy())},
          {"precision", number_or_null(confusion.precision())},
          {"recall", number_or_null(confusion.recall())},
          {"f1", number_or_null(confusion.f1())}};
}

nlohmann::json counts(const Evaluation& evaluation) {
  std::map<std::string, int> kinds;
  int defective = 0;
  for (const ScoredFrame& frame : evaluation.frames) {
    ++kinds[frame.kind];
    defective += frame.defective ? 1 : 0;
  }
  nlohmann::json skipped = nlohmann::json::array();
  for (const SkippedFrame& frame : evaluation.skipped) {
    skipped.push_back({{"path", frame.name}, {"reason", frame.reason}});
  }
  return {{"images", evaluation.frames.size()},
          {"good", static_cast<int>(evaluation.frames.size()) - defective},
          {"defective", defective},
          {"kinds", kinds},
          {"skipped", evaluation.skipped.size()},
          {"skipped_images", skipped},
          {"missing_masks", evaluation.missing_masks},
          {"pixels", evaluation.pixels.pixels},
          {"defect_pixels", evaluation.pixels.defect_pixels},
          {"defect_regions", evaluation.pixels.components}};
}

}  // namespace

Evaluation evaluate(const Model& model, const Preprocessor& preprocessor, FrameSource& test,
                    const EvaluationOptions& options) {
  return Evaluator(model, preprocessor, test, options).run();
}

Image mask_on_map(const Image& mask, const Image& ignore, const TilePlan& plan) {
  Image result = crop(resize_nearest(crop(mask, plan.source), plan.scaled), plan.crop);
  for (std::uint8_t& pixel : result.pixels) pixel = pixel > 0 ? 255 : 0;
  if (ignore.pixels.empty()) return result;
  const Image kept = crop(resize_nearest(ignore, plan.scaled), plan.crop);
  for (std::size_t i = 0; i < result.pixels.size(); ++i) {
    if (kept.pixels[i] == 0) result.pixels[i] = 0;
  }
  return result;
}

nlohmann::json to_json(const Evaluation& evaluation) {
  const PixelMetrics::Result& pixels = evaluation.pixels;
  nlohmann::json images = nlohmann::json::array();
  for (const ScoredFrame& frame : evaluation.frames) {
    images.push_back({{"path", frame.name}, {"kind", frame.kind}, {"score", frame.score}});
  }
  nlohmann::json result{
      {"image_auroc", number_or_null(evaluation.image_auroc)},
      {"image_ap", number_or_null(evaluation.image_ap)},
      {"image_f1", number_or_null(evaluation.image_f1.f1)},
      {"image_threshold", number_or_null(evaluation.image_f1.threshold)},
      {"image_balanced_accuracy", number_or_null(evaluation.at_f1.balanced_accuracy())},
      {"image_at_f1", to_json(evaluation.at_f1)},
      {"image_at_reject", to_json(evaluation.at_reject)},
      {"reject_threshold", evaluation.reject},
      {"pixel_auroc", number_or_null(pixels.auroc)},
      {"pixel_ap", number_or_null(pixels.average_precision)},
      {"pixel_f1", number_or_null(pixels.f1.f1)},
      {"pixel_threshold", number_or_null(pixels.f1.threshold)},
      {"pixel_pro", number_or_null(pixels.aupro)},
      {"pixel_exact", pixels.exact},
      {"counts", counts(evaluation)},
      {"ms_per_image", evaluation.ms_per_image},
      {"undefined", evaluation.undefined},
      {"images", images},
  };
  for (const auto& [key, reason] : evaluation.undefined) result[key] = nullptr;
  return result;
}

}  // namespace uad
