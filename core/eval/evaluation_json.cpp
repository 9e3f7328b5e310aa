// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/evaluation_json.h"

#include <cmath>

namespace uad {

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

nlohmann::json to_json(const Curve& curve) {
  nlohmann::json points = nlohmann::json::array();
  for (const CurvePoint& point : curve) {
    points.push_back({std::round(point.x * 1e5) / 1e5, std::round(point.y * 1e5) / 1e5});
  }
  return points;
}

nlohmann::json to_json(const std::vector<KindResult>& kinds) {
  nlohmann::json result = nlohmann::json::array();
  for (const KindResult& kind : kinds) {
    result.push_back({{"kind", kind.kind},
                      {"defective", kind.defective},
                      {"images", kind.images},
                      {"rejected", kind.rejected},
                      {"warned", kind.warned},
                      {"auroc", number_or_null(kind.auroc)}});
  }
  return result;
}

namespace {

/// Decisions at the reject threshold under the names of both conventions.
nlohmann::json classification(const Confusion& anomaly) {
  const auto named = [](const Confusion& counts) -> nlohmann::json {
    return {{"tp", counts.tp}, {"fp", counts.fp}, {"fn", counts.fn}, {"tn", counts.tn}};
  };
  return {{"accuracy", number_or_null(anomaly.accuracy())},
          {"balanced_accuracy", number_or_null(anomaly.balanced_accuracy())},
          {"classes", {"good", "anomaly"}},
          {"rows_true_columns_predicted", {{anomaly.tn, anomaly.fp}, {anomaly.fn, anomaly.tp}}},
          {"positive_is_anomaly", named(anomaly)},
          {"positive_is_good", named(anomaly.good_as_positive())}};
}

nlohmann::json boxes(const BoxMetrics::Result& boxes) {
  return {{"defects", boxes.defects},
          {"detected", boxes.detected},
          {"hits", boxes.hits},
          {"hit_share", number_or_null(boxes.hit_share)},
          {"mean_iou", number_or_null(boxes.mean_iou)}};
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
          {"left_out_seen", evaluation.left_out_seen},
          {"pixels", evaluation.pixels.pixels},
          {"defect_pixels", evaluation.pixels.defect_pixels},
          {"defect_regions", evaluation.pixels.components}};
}

nlohmann::json curves(const Evaluation& evaluation) {
  const Curves& image = evaluation.image_curves;
  const Curves& pixel = evaluation.pixels.curves;
  return {{"image_roc", to_json(image.roc)},
          {"image_precision_recall", to_json(image.precision_recall)},
          {"pixel_roc", to_json(pixel.roc)},
          {"pixel_precision_recall", to_json(pixel.precision_recall)},
          {"pixel_pro", to_json(pixel.pro)}};
}

/// As in the model file, without what only its loader needs.
nlohmann::json manifest(const Evaluation& evaluation) {
  nlohmann::json result = nlohmann::json::parse(to_json_text(evaluation.manifest));
  result.erase("tensors");
  result.erase("self_test");
  return result;
}

}  // namespace

nlohmann::json to_json(const Evaluation& evaluation) {
  const PixelMetrics::Result& pixels = evaluation.pixels;
  const Thresholds& thresholds = evaluation.manifest.thresholds;
  nlohmann::json images = nlohmann::json::array();
  for (const ScoredFrame& frame : evaluation.frames) {
    images.push_back({{"path", frame.name},
                      {"kind", frame.kind},
                      {"defective", frame.defective},
                      {"score", frame.score},
                      {"verdict", to_string(judge(frame.score, thresholds))}});
  }
  nlohmann::json result{
      {"image_auroc", number_or_null(evaluation.image_auroc)},
      {"image_ap", number_or_null(evaluation.image_ap)},
      {"image_f1", number_or_null(evaluation.image_f1.f1)},
      {"image_threshold", number_or_null(evaluation.image_f1.threshold)},
      {"image_balanced_accuracy", number_or_null(evaluation.at_f1.balanced_accuracy())},
      {"image_at_f1", to_json(evaluation.at_f1)},
      {"image_at_reject", to_json(evaluation.at_reject)},
      {"classification", classification(evaluation.at_reject)},
      {"boxes", boxes(evaluation.boxes)},
      {"warn_threshold", thresholds.warn},
      {"reject_threshold", thresholds.image.thr},
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
      {"kinds", to_json(results_by_kind(evaluation.frames, thresholds))},
      {"curves", curves(evaluation)},
      {"manifest", manifest(evaluation)},
      {"model_sha256", evaluation.model_sha256},
      {"test_sha256", evaluation.test_sha256},
      {"device", evaluation.device},
      {"precision", evaluation.precision},
  };
  for (const auto& [key, reason] : evaluation.undefined) result[key] = nullptr;
  if (!evaluation.segmentation.empty()) result["segmentation"] = to_json(evaluation.segmentation);
  return result;
}

}  // namespace uad
