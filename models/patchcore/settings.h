// SPDX-License-Identifier: LGPL-2.1-or-later
// The options of PatchCore, and what they mean together.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include "core/base/option_spec.h"
#include "models/backbones/backbone.h"
#include "models/patchcore/embedding.h"
#include "models/patchcore/scoring.h"

namespace uad::models::patchcore {

/// Whose variant: specification, PatchCore, section 2.
enum class Flavour {
  kQi,        ///< QualityInspector's, with the paper's weighting: the default
  kAmazon,    ///< that of the paper's authors
  kAnomalib,  ///< anomalib 2.7.0's
};

struct Settings {
  Flavour flavour = Flavour::kQi;
  Upsampling upsampling = Upsampling::kBilinear;
  double percent = 10;          ///< of the good patches, kept in the bank
  std::int64_t bank_size = 0;   ///< patches kept instead; 0 = `percent`
  std::int64_t neighbours = 9;  ///< in weighting the image score
  Reweight reweight = Reweight::kPaper;
  at::ScalarType stored_type = at::kFloat;

  /// Length of a patch's vector.
  [[nodiscard]] std::int64_t dimension(const std::vector<LayerInfo>& layers) const;
  [[nodiscard]] Embedding embed(const std::vector<at::Tensor>& features) const;
};

[[nodiscard]] std::vector<OptionSpec> option_specs();

/// @param options  completed by option_specs().
[[nodiscard]] Settings parse_settings(const nlohmann::json& options);

}  // namespace uad::models::patchcore
