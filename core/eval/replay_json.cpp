// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <cmath>

#include "core/eval/evaluation_json.h"
#include "core/eval/replay.h"

namespace uad {
namespace {

using nlohmann::json;

json to_json(const VerdictCounts& counts) {
  return {{"PASS", counts.pass},
          {"WARN", counts.warn},
          {"REJECT", counts.reject},
          {"UNSCORED", counts.unscored}};
}

json to_json(const Costs& costs, bool rate_of_the_set) {
  return {{"false_reject", costs.false_reject},
          {"false_accept", costs.false_accept},
          {"defect_rate", costs.defect_rate},
          {"defect_rate_of_the_set", rate_of_the_set}};
}

json to_json(const CheapestThreshold& cheapest) {
  return {{"reject_threshold", cheapest.handy},
          {"above", number_or_null(cheapest.above)},
          {"up_to", cheapest.threshold},
          {"highest_of_this_cost", cheapest.highest},
          {"thresholds_of_this_cost", cheapest.candidates},
          {"image_at_reject", to_json(cheapest.images)},
          {"cost_per_1000", number_or_null(cheapest.cost)}};
}

/// One side of the comparison. @param decisions  null = no labels.
json side(const VerdictCounts& verdicts, const Confusion* decisions) {
  json result{{"verdicts", to_json(verdicts)}};
  if (decisions != nullptr) result["image_at_reject"] = to_json(*decisions);
  return result;
}

void put(json& side, const Thresholds& thresholds) {
  side["warn_threshold"] = thresholds.warn;
  side["reject_threshold"] = thresholds.image.thr;
  side["region_threshold"] = number_or_null(thresholds.map.thr);
  side["min_area"] = thresholds.min_area;
}

bool labelled(const StoredRun& run) {
  return std::ranges::any_of(run.frames, &StoredFrame::labelled);
}

json changes(const StoredRun& run, const Replay& replayed) {
  json list = json::array();
  for (const std::size_t i : replayed.changed) {
    const StoredFrame& frame = run.frames[i];
    json one{{"path", frame.name},
             {"score", number_or_null(frame.score)},
             {"from", to_string(frame.verdict)},
             {"to", to_string(replayed.verdicts[i])}};
    if (frame.labelled()) one["kind"] = frame.kind;
    list.push_back(std::move(one));
  }
  return list;
}

json comparison(const StoredRun& run, const Replay& replayed,
                const std::optional<CostComparison>& costs, const std::optional<MapReplay>& maps) {
  const bool known = labelled(run);
  json before = side(replayed.all_before(), known ? &replayed.before : nullptr);
  json after = side(replayed.all_after(), known ? &replayed.after : nullptr);
  if (run.thresholds) put(before, run.thresholds->with({}));
  put(after, replayed.thresholds);
  json result;
  if (costs) {
    before["cost_per_1000"] = number_or_null(costs->before);
    after["cost_per_1000"] = number_or_null(costs->after);
    result["costs"] = to_json(costs->costs, costs->rate_of_the_set);
    result["cheapest"] = to_json(costs->cheapest);
  }
  if (maps) {
    result["missing_maps"] = maps->missing;
    if (maps->pixels) {
      before["pixel_at_region"] = to_json(maps->pixels->before);
      after["pixel_at_region"] = to_json(maps->pixels->after);
      result["pixel_images"] = maps->pixels->images;
      result["missing_masks"] = maps->pixels->missing_masks;
    }
  }
  result["stored"] = std::move(before);
  result["new"] = std::move(after);
  result["changed"] = changes(run, replayed);
  return result;
}

void patch_images(json& images, const StoredRun& run, const Replay& replayed,
                  const std::optional<MapReplay>& maps) {
  for (std::size_t i = 0; i < run.frames.size(); ++i) {
    const StoredFrame& frame = run.frames[i];
    json& image = images[i];
    image["verdict"] = to_string(replayed.verdicts[i]);
    if (maps && maps->regions[i]) {
      image["regions"] = json::array();
      for (const Region& region : *maps->regions[i]) image["regions"].push_back(to_json(region));
    }
    if (run.source == ScoreFile::kEval) continue;
    image["path"] = frame.name;  // lines of a line have none
    image["normalised_score"] = number_or_null(replayed.thresholds.image.normalise(frame.score));
    if (run.thresholds) {
      image["thresholds"] = to_json(run.thresholds->judged_with(replayed.thresholds));
    }
    if (!frame.labelled()) continue;
    image["kind"] = frame.kind;
    image["defective"] = frame.defective;
  }
}

/// Curves and figures that do not depend on a threshold. The JSON of uad eval has them already.
void put_curves(json& record, const StoredRun& run) {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
  for (const StoredFrame& frame : run.frames) {
    if (!frame.labelled() || std::isnan(frame.score)) continue;
    scores.push_back(static_cast<float>(frame.score));
    labels.push_back(frame.defective ? 1 : 0);
  }
  record["image_auroc"] = number_or_null(auroc(scores, labels));
  record["image_ap"] = number_or_null(average_precision(scores, labels));
  const Curves found = curves(scores, labels);
  record["curves"] = {{"image_roc", to_json(found.roc)},
                      {"image_precision_recall", to_json(found.precision_recall)}};
}

/// What in the record of uad eval follows from the thresholds. The map scale stays: the pictures
/// of its gallery are drawn on it.
void patch_eval(json& record, const StoredRun& run, const Replay& replayed) {
  const Thresholds& now = replayed.thresholds;
  std::vector<ScoredFrame> frames;
  for (const StoredFrame& frame : run.frames) {
    frames.push_back({frame.name, frame.kind, frame.defective, static_cast<float>(frame.score), 0});
  }
  record["warn_threshold"] = now.warn;
  record["reject_threshold"] = now.image.thr;
  record["image_at_reject"] = to_json(replayed.after);
  record["kinds"] = to_json(results_by_kind(frames, now));
  json& manifest = record["manifest"];
  if (manifest["warn"] == now.warn && manifest["reject"] == now.image.thr) return;
  manifest["warn"] = now.warn;
  manifest["reject"] = now.image.thr;
  manifest["image_norm"] = {{"lo", now.image.lo}, {"thr", now.image.thr}, {"hi", now.image.hi}};
  manifest["threshold_origin"] = {{"rule", "given to uad replay, not those of the model"},
                                  {"images", 0},
                                  {"facts", json::object()}};
}

}  // namespace

json replayed_record(const StoredRun& run, const Replay& replayed,
                     const std::optional<CostComparison>& costs,
                     const std::optional<MapReplay>& maps) {
  json record = run.record;
  patch_images(record["images"], run, replayed, maps);
  if (run.source == ScoreFile::kEval) {
    patch_eval(record, run, replayed);
  } else if (labelled(run)) {
    record["image_at_reject"] = to_json(replayed.after);
    put_curves(record, run);
  }
  record["replay"] = comparison(run, replayed, costs, maps);
  return record;
}

}  // namespace uad
