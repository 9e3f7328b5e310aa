// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/tuning/measurement.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/milliseconds.h"
#include "core/device.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"

namespace uad {
namespace {

using Clock = std::chrono::steady_clock;

/// What one contestant has done so far.
struct Tally {
  TilePreprocessor preprocessor;
  std::vector<double> cut = {};
  std::vector<double> analyse = {};
  std::vector<double> scores = {};  ///< normalised, of the first round
};

void run_once(const Model& model, const FrameView& frame, Tally& tally) {
  const auto start = Clock::now();
  const TileBatchPtr tiles = tally.preprocessor.cut(frame);
  tally.cut.push_back(milliseconds_since(start));
  const auto cut = Clock::now();
  const ModelOutput output = model.analyse(*tiles);
  tally.analyse.push_back(milliseconds_since(cut));
  tally.scores.push_back(model.manifest().thresholds.image.normalise(output.score));
}

/// The contestant whose scores are those that the file's thresholds were derived from; the first of
/// the file where none is.
std::size_t reference_of(const std::vector<Contestant>& contestants, std::size_t index) {
  std::size_t first = contestants.size();
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    if (contestants[i].file != contestants[index].file) continue;
    first = std::min(first, i);
    const Model& model = *contestants[i].model;
    if (model.precision() == model.manifest().precision) return i;
  }
  return first;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

nlohmann::json to_json(const Spread& spread) {
  return {{"median", spread.median}, {"p95", spread.p95}, {"p99", spread.p99}};
}

}  // namespace

Spread spread_of(std::vector<double> milliseconds) {
  if (milliseconds.empty()) return {};
  std::ranges::sort(milliseconds);
  const auto at = [&](double share) {
    const double rank = std::ceil(share * static_cast<double>(milliseconds.size()));
    return milliseconds[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
  };
  return {at(0.5), at(0.95), at(0.99)};
}

std::vector<Contestant> load_contestants(const std::vector<std::filesystem::path>& files,
                                         const std::vector<std::string>& precisions,
                                         const std::string& device, const MethodTable& methods,
                                         std::stop_token stop) {
  std::vector<Contestant> result;
  for (const std::filesystem::path& file : files) {
    const std::string own = read_manifest(file).precision;
    std::set<std::string> known;
    for (const std::string& wish : precisions) {
      const std::string precision =
          resolve_execution({.device = device, .precision = wish}, own).precision;
      if (!known.insert(precision).second) continue;
      const auto start = Clock::now();
      ModelPtr model =
          load_model(file, methods, {.device = device, .precision = precision}, {}, stop);
      // "auto" is decided only while loading.
      if (model->precision() != precision && !known.insert(model->precision()).second) continue;
      result.push_back({file, std::move(model), milliseconds_since(start)});
    }
  }
  return result;
}

std::vector<Measurement> measure_in_turns(const std::vector<Contestant>& contestants,
                                          const std::vector<FrameView>& frames, int threads,
                                          int rounds, const ProgressFn& progress,
                                          std::stop_token stop) {
  if (frames.empty()) {
    throw Error(ErrorCode::kBadOption, "There is no frame to measure with. Check --data.");
  }
  std::vector<Tally> tallies;
  for (const Contestant& contestant : contestants) {
    tallies.push_back(
        {TilePreprocessor({contestant.model->manifest().input, contestant.model->mask()})});
    Tally warm_up = tallies.back();
    run_once(*contestant.model, frames.front(), warm_up);
  }
  const double steps = static_cast<double>(frames.size()) * rounds;
  double done = 0;
  for (int round = 0; round < rounds; ++round) {
    for (const FrameView& frame : frames) {
      if (stop.stop_requested()) {
        throw Error(ErrorCode::kCancelled, "Measuring was cancelled.");
      }
      for (std::size_t i = 0; i < contestants.size(); ++i) {
        run_once(*contestants[i].model, frame, tallies[i]);
      }
      done += 1;
      if (progress) progress(done / steps, fmt::format("measuring, threads={}", threads));
    }
  }
  std::vector<Measurement> result;
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    const Contestant& one = contestants[i];
    result.push_back({.file = one.file,
                      .method = one.model->manifest().method,
                      .precision = one.model->precision(),
                      .device = one.model->device(),
                      .threads = threads,
                      .load_ms = one.load_ms,
                      .cut = spread_of(tallies[i].cut),
                      .analyse = spread_of(tallies[i].analyse),
                      .shift = largest_difference(tallies[i].scores,
                                                  tallies[reference_of(contestants, i)].scores),
                      .image_auroc = std::numeric_limits<double>::quiet_NaN()});
  }
  return result;
}

nlohmann::json to_json(const Measurement& measurement) {
  return {{"model", measurement.file.string()},
          {"method", measurement.method},
          {"precision", measurement.precision},
          {"device", measurement.device},
          {"threads", measurement.threads},
          {"load_ms", measurement.load_ms},
          {"cut_ms", to_json(measurement.cut)},
          {"analyse_ms", to_json(measurement.analyse)},
          {"frames_per_second", measurement.frames_per_second()},
          {"shift", measurement.shift},
          {"image_auroc", measurement.image_auroc}};
}

}  // namespace uad
