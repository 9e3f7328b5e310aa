// SPDX-License-Identifier: LGPL-2.1-or-later
// The options of IUF, typed. Names and defaults are the published ones where there are any.
// Source: specification, IUF, sections 4 to 9.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/option_spec.h"
#include "models/iuf/network_shape.h"

namespace uad::models::iuf {

/// How the image score comes from the map: specification, section 10.
enum class ScoreRule { kMax, kMean, kStd };

[[nodiscard]] std::vector<OptionSpec> option_specs();

struct Settings {
  /// @param options  completed. @throws Error(kBadOption)
  explicit Settings(const nlohmann::json& options);

  std::int64_t patch;  ///< oasa_patch_size
  bool sine;
  std::array<bool, 3> masked;
  ScoreRule score;
  std::int64_t classes;  ///< width of the class head; 0 = one a product, growing
  std::string product;   ///< of frames that do not tell theirs

  std::int64_t epochs;
  std::size_t batch_size;
  double learning_rate;
  std::int64_t rate_epochs;  ///< after which the rate falls to a tenth
  double weight_decay;
  double clip_norm;
  std::int64_t patience;
  double jitter_scale;
  double jitter_probability;
  double compression;         ///< weight of the semantic compression loss
  bool compression_gradient;  ///< false = published: it teaches nothing
  bool finetune;              ///< increments without constraints
  double increment_rate;
  double head_rate;  ///< of a grown class head; 0 = increment_rate
  double pull;
  bool projection;
  bool flip_horizontal;
  bool flip_vertical;
  bool rotate;
  bool mixed;

  /// The network for inputs of a size, both sides multiples of 16.
  /// @param channels  of the backbone's layers together. @throws Error(kBadOption)
  [[nodiscard]] NetworkShape shape(std::int64_t channels, std::int64_t classes_now,
                                   std::int64_t height, std::int64_t width) const;
  /// Whether images change from step to step, so that their features cannot be kept.
  [[nodiscard]] bool augments() const { return flip_horizontal || flip_vertical || rotate; }
};

}  // namespace uad::models::iuf
