// SPDX-License-Identifier: LGPL-2.1-or-later
// What uad eval, uad predict and a live line store of every image, and how it is read back.
#pragma once

#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/results/verdict.h"

namespace uad {

/// Other thresholds; NaN = as they are.
struct ThresholdWish {
  double warn = std::numeric_limits<double>::quiet_NaN();    ///< raw
  double reject = std::numeric_limits<double>::quiet_NaN();  ///< raw
  double region = std::numeric_limits<double>::quiet_NaN();  ///< 0…1 on the model's map scale
  double min_area = std::numeric_limits<double>::quiet_NaN();
};

/// The model's scales and what an image was judged with. Unlike Thresholds, whose scales move with
/// the thresholds, it can be judged again any number of times without a trace of the last one.
struct StoredThresholds {
  ScoreScale image;     ///< the model's
  ScoreScale map;       ///< the model's
  double warn = 0;      ///< raw
  double reject = 0;    ///< raw
  double region = 0;    ///< raw, of the map
  double min_area = 0;  ///< frame pixels
  bool operator==(const StoredThresholds&) const = default;

  /// The model's own thresholds.
  static StoredThresholds of(const Thresholds& model);
  /// The same scales; the thresholds of `used`.
  [[nodiscard]] StoredThresholds judged_with(const Thresholds& used) const;
  /// What uad predict would use with these options.
  /// @throws Error(kBadOption) as apply() does.
  [[nodiscard]] Thresholds with(const ThresholdWish& wish) const;
};

/// The score map of an image as a file, and where it lies in the frame.
struct StoredMap {
  std::string file;  ///< relative to the folder of maps
  Size size;
  RectF placement;  ///< frame pixels
};

/// One object of `regions`.
nlohmann::json to_json(const Region& region);
/// The object `thresholds`.
nlohmann::json to_json(const StoredThresholds& thresholds);
/// The object `map`.
nlohmann::json to_json(const StoredMap& map);

struct StoredFrame {
  std::string name;
  double score = 0;  ///< raw; NaN = there was none, so it is UNSCORED
  Verdict verdict = Verdict::kUnscored;
  std::string kind;  ///< "good" or the kind of defect; "" = no label
  bool defective = false;
  std::optional<StoredMap> map;

  [[nodiscard]] bool labelled() const { return !kind.empty(); }
};

enum class ScoreFile { kEval, kPredict, kLines };

/// What the records of one model, or of one category, hold.
struct StoredRun {
  std::string name;          ///< of the category, else of the file
  bool is_category = false;  ///< `name` is a category's
  std::string model;         ///< that a line logged; "" = it was not
  ScoreFile source = ScoreFile::kPredict;
  std::vector<StoredFrame> frames;             ///< at least one
  std::optional<StoredThresholds> thresholds;  ///< of the stored verdicts; nothing = not stored
  nlohmann::json record;           ///< as read; `images` holds one object a frame, in their order
  std::vector<std::string> notes;  ///< what was left out, or is not to be taken from such a file
};

/// Runs of one file: JSON of uad eval (one, or one a category), the list of uad predict, or JSON
/// lines with `score` and `verdict`, as a live line logs them. Lines that are no whole
/// JSON object, or are nested deeper than 32, are left out and counted in a note.
/// @throws Error(kNotFound); Error(kBadFile) naming the file, the image and the key.
std::vector<StoredRun> read_scores(const std::filesystem::path& file);

}  // namespace uad
