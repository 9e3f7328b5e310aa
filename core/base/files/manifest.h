// SPDX-License-Identifier: LGPL-2.1-or-later
// The JSON manifest of a `.uad` model file: all that is known of a model without LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/geometry/input_spec.h"
#include "core/base/results/verdict.h"

namespace uad {

inline constexpr int kModelFormatVersion = 1;
inline constexpr std::uint64_t kMaxManifestBytes = 8ULL << 20;  ///< safetensors header, bytes

/// How warn and reject were derived, in words and numbers that `uad info` shows.
struct ThresholdOrigin {
  std::string rule;  ///< e.g. "mean + 3 sd of held-out good images", "F1-optimal on a labelled set"
  std::int64_t images = 0;  ///< scores the rule saw
  nlohmann::json facts =
      nlohmann::json::object();  ///< mean, sd, min, max, target rate, bound … as far as they apply
  bool operator==(const ThresholdOrigin&) const = default;
};

struct TrainingFacts {
  std::int64_t images = 0;   ///< that the model has learnt from
  std::int64_t skipped = 0;  ///< unreadable, left out
  std::string data_sha256;   ///< over the sorted names and bytes of the training images
  std::uint64_t seed = 0;
  std::string created_utc;                      ///< ISO 8601
  std::map<std::string, std::string> versions;  ///< "uad", "libtorch", "opencv" …
  std::string continued_from;    ///< SHA-256 of the model file that went on learning; "" = none
  std::int64_t marked_good = 0;  ///< frames called good since the thresholds were derived
  bool operator==(const TrainingFacts&) const = default;
};

struct BackboneFacts {
  std::string name;            ///< "resnet18", "gabor"; "" = none
  std::string weights_sha256;  ///< of the weight file it came from; "" where there is none
  bool operator==(const BackboneFacts&) const = default;
};

/// Replayed at every load: at most four 8-bit RGB frames, tensors "self_test.<i>" uint8 [H, W, 3]
/// already at the size after resize and crop, with the scores that the model gave when it was
/// saved.
struct SelfTest {
  std::string precision = "fp32";
  double tolerance = 1e-3;     ///< relative, on raw scores
  std::vector<double> scores;  ///< one per frame; at most 4
  bool operator==(const SelfTest&) const = default;
};

struct Manifest {
  int format_version = kModelFormatVersion;
  std::string method;
  nlohmann::json options = nlohmann::json::object();  ///< the method's, completed
  InputSpec input;
  Thresholds thresholds;
  ThresholdOrigin threshold_origin;
  TrainingFacts training;
  BackboneFacts backbone;
  std::vector<std::string> products;  ///< that the model tells apart; empty = none
  std::string precision = "fp32";     ///< it was calibrated in; precision=model means this one
  std::map<std::string, std::string> tensor_sha256;
  SelfTest self_test;
};

/// `product` if it is one of these, else "".
std::string known_product(const std::vector<std::string>& products, const std::string& product);

/// @throws Error(kBadFile) naming the field that is missing, of the wrong type or out of range, and
/// for another format version than this program reads.
Manifest parse_manifest(const std::string& json_text, const std::string& file_name);
std::string to_json_text(const Manifest& manifest);

/// Reads only the header of a model file, so it costs no more than a few kilobytes. @throws
/// Error(kNotFound, kBadFile).
Manifest read_manifest(const std::filesystem::path& file);

}  // namespace uad
