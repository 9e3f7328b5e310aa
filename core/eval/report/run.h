// SPDX-License-Identifier: LGPL-2.1-or-later
// One evaluated model as a report shows it. A run travels as the JSON of `uad eval --json`, so a
// report compares models without running any of them, and one made at once equals one made later.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/eval/evaluation.h"
#include "core/eval/report/gallery.h"
#include "core/eval/report/replayed.h"

namespace uad::report {

/// A named text about the model or the measurement, e.g. {"backbone", "resnet18"}.
struct Fact {
  std::string name;
  std::string value;
};

struct Run {
  std::string name;      ///< unique among the runs of a report
  std::string source;    ///< the file it comes from, without folder and extension
  std::string method;    ///< "patchcore on resnet18"
  std::string category;  ///< of the data; "" = not told
  std::string data;      ///< path of the test set
  std::string test_sha256;
  std::map<std::string, double>
      metrics;  ///< image_auroc …, model_bytes; only those that are defined
  std::map<std::string, std::string> undefined;  ///< reason by metric
  std::vector<ScoredFrame> frames;
  std::vector<SkippedFrame> skipped;
  std::int64_t missing_masks = 0;
  bool pixels_exact = true;
  Thresholds thresholds;
  ThresholdOrigin threshold_origin;
  Curves image_curves;
  Curves pixel_curves;
  std::optional<Gallery> gallery;    ///< nothing = its JSON was written without pictures
  std::optional<Replayed> replayed;  ///< it was made by uad replay
  std::vector<Fact> facts;           ///< how it was measured

  [[nodiscard]] std::optional<double> metric(const std::string& key) const;
  /// Image decisions at the model's reject threshold.
  [[nodiscard]] Confusion decisions() const;
};

/// A record is what to_json(Evaluation) gives, with the keys `model` and `data` (paths),
/// `model_bytes` where the file is there and, where pictures were kept, `gallery`. Who knows the
/// category of the data adds `category`.
/// @param gallery  null = no pictures.
nlohmann::json make_record(const Evaluation& evaluation, const std::filesystem::path& model,
                           const std::filesystem::path& data, const Gallery* gallery);

/// The JSON object of a file. @throws Error(kNotFound, kBadFile).
nlohmann::json read_record(const std::filesystem::path& file);

/// One run, or one for each category of a group (`categories`).
/// @param source  names the file in messages. @throws Error(kBadFile) naming the key.
std::vector<Run> parse_runs(const nlohmann::json& record, const std::string& source);

/// Runs of several files in their order; names that occur twice get their file's name.
/// @throws Error(kNotFound, kBadFile).
std::vector<Run> read_runs(const std::vector<std::filesystem::path>& files);

}  // namespace uad::report
